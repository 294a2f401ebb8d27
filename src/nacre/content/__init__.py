"""The content-addressed store: bytes by digest, names by tag, writes as transactions."""
