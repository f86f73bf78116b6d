"""Plan recipes."""
