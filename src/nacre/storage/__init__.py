"""Storage drivers: layers kept once and stacked into trees, some with a writable top."""
