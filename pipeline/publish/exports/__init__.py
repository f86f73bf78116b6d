"""Accepted images in the formats of other tools: one module a format, one row each in `table.EXPORT_FORMATS`."""

from pipeline.publish.exports.table import EXPORT_FORMATS, export_formats_help
from pipeline.publish.exports.writing import ExportReport, export

__all__ = ["EXPORT_FORMATS", "ExportReport", "export", "export_formats_help"]
