"""Container images, done completely: pull, push, see, build and run without a daemon."""

__version__ = "0.1.0"
