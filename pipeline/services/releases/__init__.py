"""Import, preview, publish and export releases."""
