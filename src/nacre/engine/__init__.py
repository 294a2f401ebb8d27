"""The public Python API: an engine and the verbs it has."""
