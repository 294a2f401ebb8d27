"""HTTP: the distribution protocol, tokens, search, health and metrics."""
