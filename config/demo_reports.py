"""Invented platform reports for a first look: what Precise counted, as a platform with other rules would have it."""

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from numpy.random import Generator, default_rng

from apps.common.period import Period
from apps.omg.queries import counted, extent
from apps.orgs.public import Organisation


class Report(NamedTuple):
    """One platform's way to count: how many times what Precise counted it reports of each figure."""

    source: str
    platform: str
    impressions: float
    clicks: float
    conversions: float


# Platforms claim conversions that others share; a server-side count misses some impressions, a tag some clicks.
REPORTS = (
    Report("google-ads", "google_ads", 1.02, 1.06, 1.31),
    Report("hulu", "hulu", 1.01, 1.0, 1.12),
    Report("retail-network", "retail", 0.87, 0.94, 1.04),
)
HEAD = ("Day", "Campaign", "Currency code", "Cost", "Impr.", "Clicks", "Conversions", "Conv. value")


def write_report(org: Organisation, report: Report) -> str:
    """The report as a platform exports it: a title, a header, rows, and a total below."""
    rows = [row for row in _counted(org) if row.platform == report.platform and row.campaign]
    out = io.StringIO(newline="")
    out.write(f"Campaign report of {org.name}\r\n\r\n")
    writer = csv.writer(out)
    writer.writerow(HEAD)
    lines = list(_lines(rows, report, default_rng(list(report.source.encode()))))
    writer.writerows(lines)
    writer.writerow(["Total", "", "", sum((line[3] for line in lines), Decimal(0)), "", "", "", ""])
    return out.getvalue()


def _counted(org: Organisation) -> list[counted.Row]:
    """All that Precise ever counted."""
    found = extent.fetch(org.pk, time_zone=org.time_zone)
    return counted.fetch(org.pk, Period(found.first, found.last, org.time_zone)) if found else []


def _lines(rows: list[counted.Row], report: Report, random: Generator) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        shake = random.uniform(0.97, 1.03)
        conversions = Decimal(row.conversions) * Decimal(str(report.conversions))
        yield (
            row.day, row.campaign, row.currency, round(row.spend * Decimal(f"{shake:.4f}"), 2),
            round(row.impressions * report.impressions * shake), round(row.clicks * report.clicks),
            round(conversions, 2), round(row.revenue * Decimal(str(report.conversions)), 2),
        )  # fmt: skip
