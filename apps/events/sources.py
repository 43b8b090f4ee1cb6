"""Where an organisation's events come from and how good they are, as its page shows it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, Sum

from apps.events.log import store
from apps.events.models import QuarantinedLine, SourceHour
from apps.events.quality import CODES
from apps.orgs.public import Organisation

SHOWN_DAYS = 7
SAMPLE_CHARACTERS = 400


@dataclass(frozen=True)
class Source:
    """One door of the organisation's, over the last days."""

    name: str
    accepted: int
    duplicate: int
    rejected: int
    last_received: datetime

    @property
    def rejected_share(self) -> float:
        total = self.accepted + self.duplicate + self.rejected
        return self.rejected / total if total else 0.0


@dataclass(frozen=True)
class Reason:
    """Lines in quarantine for one reason, with one of them to look at; personal data was taken out on arrival."""

    code: str
    meaning: str
    count: int
    sources: int
    since: datetime
    message: str
    sample: str

    @property
    def is_age(self) -> bool:
        """Nothing is wrong with such lines but their age: replayed as history they are taken."""
        return self.code == "timestamp_too_old"


def list_sources(now: datetime) -> list[Source]:
    """In the organisation's schema."""
    hours = SourceHour.objects.filter(hour__gte=now - timedelta(days=SHOWN_DAYS))
    sums = hours.values("source").annotate(
        accepted=Sum("accepted"), duplicate=Sum("duplicate"), rejected=Sum("rejected"), last=Max("last_received")
    )
    return [
        Source(one["source"] or "unknown", one["accepted"], one["duplicate"], one["rejected"], one["last"])
        for one in sums.order_by("-last")
    ]


def list_reasons() -> list[Reason]:
    """In the organisation's schema, the most frequent first."""
    found = QuarantinedLine.objects.values("code").annotate(
        lines=Count("pk"), sources=Count("source", distinct=True), since=Min("created_at"), newest=Max("pk")
    )
    newest = QuarantinedLine.objects.in_bulk([one["newest"] for one in found])
    return [
        Reason(
            code=one["code"],
            meaning=CODES.get(one["code"], ""),
            count=one["lines"],
            sources=one["sources"],
            since=one["since"],
            message=newest[one["newest"]].message,
            sample=newest[one["newest"]].line[:SAMPLE_CHARACTERS],
        )
        for one in sorted(found, key=lambda one: -one["lines"])
    ]


def waiting_lines(org: Organisation) -> int:
    return store.waiting_lines(org.pk)
