"""The processes of a hub: the one that is started, its workers, and how all of them end."""
