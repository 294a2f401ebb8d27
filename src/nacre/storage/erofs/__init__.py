"""The storage driver ``erofs``: layers stay raw tars, and one index a chain makes them a tree."""
