"""Other people's tools and servers, started for a test and ended with it."""
