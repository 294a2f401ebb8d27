"""Text out: Docker's units, tables, templates and JSON as pure functions of values."""
