"""What other rooms may ask of events."""

from apps.events.canonical import Event, Properties
from apps.events.contracts import PLATFORM_KINDS, platform_name
from apps.events.demo import Buyer as DemoBuyer
from apps.events.demo import generate as generate_demo
from apps.events.flow.chart import Series, stacked
from apps.events.flow.platforms import WHOLE_MINUTES, Flow, Ingest, read_flow, read_ingest
from apps.events.flow.times import format_length
from apps.events.generated import Progress, sample_progress
from apps.events.lock import writing_stopped
from apps.events.quality import CODES
from apps.events.reported.refusals import FILE_CODES, ROW_CODES
from apps.events.reported.selectors import RejectedRows, list_rejected_rows

__all__ = [
    "CODES",
    "FILE_CODES",
    "PLATFORM_KINDS",
    "ROW_CODES",
    "WHOLE_MINUTES",
    "DemoBuyer",
    "Event",
    "Flow",
    "Ingest",
    "Progress",
    "Properties",
    "RejectedRows",
    "Series",
    "format_length",
    "generate_demo",
    "list_rejected_rows",
    "platform_name",
    "read_flow",
    "read_ingest",
    "sample_progress",
    "stacked",
    "writing_stopped",
]
