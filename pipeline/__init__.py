"""Backlot's pipeline: photos → subjects → plan → render → score → library → review → publish."""
