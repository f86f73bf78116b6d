"""Import photos and edit their masks."""
