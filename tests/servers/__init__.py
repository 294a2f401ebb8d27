"""Servers that tests start inside their own process."""
