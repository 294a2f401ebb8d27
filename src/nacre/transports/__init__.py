"""Where images live, and `copy`, the one verb that moves them."""
