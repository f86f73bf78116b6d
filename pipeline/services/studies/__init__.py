"""Run studies and read their results."""
