"""What a person can do, one package a noun; pipeline.studio joins them."""
