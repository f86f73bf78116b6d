"""Review samples."""
