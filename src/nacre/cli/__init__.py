"""The command line: text in, text out; everything that prints or exits is here."""
