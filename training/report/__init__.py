"""The report of a study, as Markdown and as one HTML file."""
