"""Why a classifier fails: what the wrongly classified test photos have in common."""
