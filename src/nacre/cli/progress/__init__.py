"""Progress of a pull or push: consumers of copy events, one for each way of showing them."""
