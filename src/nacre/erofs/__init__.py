"""EROFS: an index of a tree in the kernel's own format, whose file data stays in raw tars."""
