"""What a person can do, one method each; joins the packages that do not know one another."""

from pipeline.studio.create import CreateRequest
from pipeline.studio.file_access import FileAccess
from pipeline.studio.releases import PublishRequest
from pipeline.studio.reports import (
    Created,
    GateReport,
    ImportReport,
    PlanPreview,
    ReleaseOutlook,
    RunProgress,
    RunReport,
    RunState,
    StudyProgress,
)
from pipeline.studio.studio import Studio

__all__ = [
    "CreateRequest",
    "Created",
    "FileAccess",
    "GateReport",
    "ImportReport",
    "PlanPreview",
    "PublishRequest",
    "ReleaseOutlook",
    "RunProgress",
    "RunReport",
    "RunState",
    "Studio",
    "StudyProgress",
]
