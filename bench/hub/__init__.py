"""The hub beside docker-registry, a part a file; see bench/run."""
