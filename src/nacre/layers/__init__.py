"""Layers: a tar stream of changes, its entries, and the tree they make (OCI image-spec)."""
