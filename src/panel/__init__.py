"""A panel of AI critics reviews new software tools and compares them side by side."""

__version__ = "0.1.0"
