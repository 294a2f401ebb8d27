"""What the hub does in the background: garbage collection, retention, checks and repairs."""
