"""Recipes that a study asks for: what its arms lack, and what its weakest classes need."""
