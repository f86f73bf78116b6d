"""Time, memory and scale: one JSON line each, ratios against a plain baseline in the same run."""
