"""Trains nano, the small SDXL that is shipped with the product."""
