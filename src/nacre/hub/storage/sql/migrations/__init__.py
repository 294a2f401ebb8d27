"""How the tables of a hub came to be, version by version; run by ``migrating``."""
