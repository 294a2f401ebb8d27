"""The vocabulary: values and grammar of OCI images; no files, network, clock or environment."""
