"""Invented platform reports for a first look: what Precise counted, as a platform with other rules would have it."""

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from numpy.random import Generator, default_rng

from apps.orgs.public import Organisation
from apps.warehouse.public import execute


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
COUNTED = """
SELECT toDate(bucket, {time_zone:String}) AS day, campaign_id AS campaign, currency,
       sum(p.impressions) AS impressions, sum(p.clicks) AS clicks, sum(p.conversions) AS conversions,
       sum(p.revenue) AS revenue, sum(p.spend) AS spend
FROM performance AS p
WHERE org_id = {org_id:UUID} AND platform = {platform:String} AND campaign_id != ''
GROUP BY day, campaign, currency
ORDER BY day, campaign
"""
HEAD = ("Day", "Campaign", "Currency code", "Cost", "Impr.", "Clicks", "Conversions", "Conv. value")


def write_report(org: Organisation, report: Report) -> str:
    """The report as a platform exports it: a title, a header, rows, and a total below."""
    rows = execute(org.pk, "demo.counted", COUNTED, {"time_zone": org.time_zone, "platform": report.platform})
    out = io.StringIO(newline="")
    out.write(f"Campaign report of {org.name}\r\n\r\n")
    writer = csv.writer(out)
    writer.writerow(HEAD)
    lines = list(_lines(rows, report, default_rng(list(report.source.encode()))))
    writer.writerows(lines)
    writer.writerow(["Total", "", "", sum((line[3] for line in lines), Decimal(0)), "", "", "", ""])
    return out.getvalue()


def _lines(rows: list[dict[str, Any]], report: Report, random: Generator) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        shake = random.uniform(0.97, 1.03)
        conversions = Decimal(row["conversions"]) * Decimal(str(report.conversions))
        yield (
            row["day"], row["campaign"], row["currency"], round(row["spend"] * Decimal(f"{shake:.4f}"), 2),
            round(row["impressions"] * report.impressions * shake), round(row["clicks"] * report.clicks),
            round(conversions, 2), round(row["revenue"] * Decimal(str(report.conversions)), 2),
        )  # fmt: skip
