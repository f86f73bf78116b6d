"""The studio to a Space, in words; needs no library."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pipeline.publish.deploy import DeployOptions, DeployReport, deploy


def deploy_studio(name: str, options: DeployOptions) -> dict[str, Any]:
    """Bring the Space `ns/name` to this checkout; what was done, JSON-ready, with a `sentence`. See `deploy`."""
    report = deploy(name, options=options)
    return {
        **asdict(report),
        "bytes": report.sent_bytes,
        "sentence": _sentence(report, dry_run=options.dry_run),
    }


def _sentence(report: DeployReport, *, dry_run: bool) -> str:
    if not report.files and not report.removed:
        return f"{report.url} is as this checkout; nothing was sent"
    verb = "would go" if dry_run else "went"
    said = f"{len(report.files)} files, {report.sent_bytes:,} bytes, {verb} to {report.url}"
    if report.removed:
        said += f", {len(report.removed)} {'would be ' if dry_run else ''}removed"
    if not dry_run:
        return said
    lines = [f"  {size:>12,}  {path}" for path, size in report.files]
    lines += [f"       removed  {path}" for path in report.removed]
    return "\n".join([said, *lines])
