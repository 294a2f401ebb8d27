"""Images as a whole: look at, choose from, take in, check and change; joins content and layers."""
