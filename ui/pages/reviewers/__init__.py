"""Reviewers."""
