"""Render samples."""
