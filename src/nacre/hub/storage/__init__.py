"""Records in SQL and bytes in a folder: how the Protocols of the hub are met."""
