"""What a person can do, one method each; joins the packages that do not know one another."""

from pipeline.services.file_access import FileAccess
from pipeline.services.releases.publishing import PublishRequest
from pipeline.services.reports import (
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
from pipeline.services.samples.create import CreateRequest
from pipeline.services.studio import Studio

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
