"""What can be set about a hub, where its settings come from, and how they are written down."""
