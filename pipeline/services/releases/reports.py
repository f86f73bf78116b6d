"""Reports of publishing."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.domain.sizes import file_size
from pipeline.publish import PushReport, ReleaseReport


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishReport:
    """A release that was written or pushed, or in a dry run, would be."""

    release: ReleaseReport
    path: str  # the folder, or the address on the Hub, as requested
    dry_run: bool
    push: PushReport | None = None  # None: written to a folder

    @property
    def sentence(self) -> str:
        """Return the report as text; a dry run on the Hub lists the files, one a line."""
        return self._written() if self.push is None else self._pushed(self.push)

    @property
    def _since(self) -> str:
        return f" since release {self.release.before}" if self.release.before else ""

    def _written(self) -> str:
        release = self.release
        if not release.changed:
            return f"nothing changed: {self.path} holds release {release.version} already"
        numbers = {config: sum(counts.values()) for config, counts in release.counts.items()}
        contents = [f"{numbers['real']:,} photos", f"{numbers['synthetic']:,} accepted samples"]
        contents += [f"{numbers['rejected']:,} rejected ones"] if "rejected" in numbers else []
        since = f"; {release.changes}{self._since}" if release.before else ""
        verb = "would be written" if self.dry_run else "written"
        return f"{', '.join(contents)} {verb} to {self.path} as release {release.version}{since}"

    def _pushed(self, push: PushReport) -> str:
        release = self.release
        if not push.changed:
            return f"nothing changed: {push.url} holds release {release.version} already"
        rows = f"{release.changes}{self._since}"
        files = f"{len(push.files)} files ({file_size(push.sent_bytes)})"
        if self.dry_run:
            lines = [f"release {release.version} of {push.url} would send {files}: {rows}"]
            lines += [f"  + {path} ({file_size(size)})" for path, size in push.files]
            lines += [f"  - {path}" for path in push.removed]
            lines += [f"  {push.kept} files stay as they are"] if push.kept else []
            lines += ["  without an account a private dataset there cannot be seen"] if push.unseen else []
            return "\n".join(lines)
        if push.pull_request:
            return f"{files} proposed at {push.pull_request}: {rows}"
        return f"release {release.version} pushed to {push.url} (tag {push.tag}): {files}, {rows}"
