"""Side by side with the tools a user would pick instead, in one run; start it with bench/run."""
