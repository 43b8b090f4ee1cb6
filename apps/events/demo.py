"""Invented but plausible events for a first look: the same seed and the same end give the same events.

Weekdays, hours of the day, platforms with their own prices and click rates, journeys that end in a purchase now and
then, and data contributors on the events that their signals helped to target. Written through the ordinary import.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import numpy as np
from numpy.random import Generator, default_rng

DAYS = 90
HOUR_WEIGHTS = np.array([2, 1, 1, 1, 1, 2, 3, 5, 6, 6, 6, 6, 7, 6, 6, 6, 7, 8, 10, 12, 13, 12, 8, 4], float)
WEEKDAY_WEIGHTS = np.array([1.0, 0.98, 1.0, 1.05, 1.12, 1.2, 1.25])


@dataclass(frozen=True)
class PlatformProfile:
    """How one platform behaves: its part of impressions, its CPM, clicks per impression, sales per impression."""

    slug: str
    channel: str
    share: float
    cpm: float
    ctr: float
    sales: float
    devices: tuple[str, ...]


PLATFORMS = (
    PlatformProfile("hulu", "streaming", 0.24, 27.5, 0.0021, 0.0042, ("ctv", "ctv", "mobile", "tablet")),
    PlatformProfile("disney", "streaming", 0.19, 31.0, 0.0019, 0.0040, ("ctv", "ctv", "ctv", "tablet")),
    PlatformProfile("madhive", "streaming", 0.13, 22.0, 0.0016, 0.0034, ("ctv",)),
    PlatformProfile("linear", "linear", 0.15, 14.5, 0.0, 0.0012, ("tv",)),
    PlatformProfile("google_ads", "digital", 0.17, 6.8, 0.021, 0.0046, ("desktop", "mobile", "mobile")),
    PlatformProfile("retail", "retail", 0.12, 9.4, 0.013, 0.0068, ("desktop", "mobile")),
)
PUBLISHERS = {
    "hulu": ("Hulu Originals", "Hulu Live"),
    "disney": ("Disney+ Core", "Disney+ Sports"),
    "madhive": ("Pluto", "Tubi", "Discovery+"),
    "linear": ("NBC", "CBS", "FOX"),
    "google_ads": ("YouTube", "Search", "Display network"),
    "retail": ("Retailer search", "Retailer display"),
}
SIGNALS = ("viewing_behavior", "purchase_intent", "household_link", "location_affinity")
ZIPS = (
    "10013", "10027", "11211", "10460", "14201", "90026", "94110", "90210", "92101", "95814", "93701", "73301",
    "75201", "77002", "78205", "79901", "33130", "32801", "33602", "32202", "60614", "60601", "62701", "19103",
    "15222", "43215", "44113", "45202", "30303", "31401", "28202", "27601", "48201", "49503", "07102", "08608",
    "23219", "22314", "98101", "99201", "85004", "85701", "02139", "02108", "37203", "38103", "46204", "63101",
    "64106", "21201", "53202", "80202", "55401", "29201", "35203", "70112", "40202", "97204", "73102", "06103",
    "84101", "50309", "89101", "72201", "39201", "67202", "87102", "68102", "83702", "25301", "96813", "03101",
    "04101", "59101", "02903", "19801", "57104", "58102", "99501", "20001", "05401", "82001",
)  # fmt: skip
COHORTS = ("in-market", "lapsed-buyers", "lookalikes")


@dataclass(frozen=True)
class Buyer:
    """A demonstration buyer: its campaigns, its part of all events and the contributors it uses."""

    slug: str
    campaigns: tuple[str, ...]
    events: int
    contributors: tuple[str, ...]
    order_value: float


def generate(buyer: Buyer, *, seed: int, end: datetime) -> Iterator[bytes]:
    """Lines of canonical JSON, `buyer.events` of them, over the 90 days before `end`, in order of time."""
    random = default_rng(seed)
    times = moments(random, buyer.events, end)
    kinds, profiles = _kinds(random, buyer.events)
    for place in range(buyer.events):
        yield _event(random, buyer, place, times[place], kinds[place], PLATFORMS[profiles[place]])


def moments(random: Generator, count: int, end: datetime) -> list[datetime]:
    """Times that follow the week, the day and a slow growth."""
    start = end - timedelta(days=DAYS)
    weekdays = np.array([(start + timedelta(days=day)).weekday() for day in range(DAYS)])
    by_day = WEEKDAY_WEIGHTS[weekdays] * np.linspace(0.85, 1.15, DAYS)
    days = random.choice(DAYS, count, p=by_day / by_day.sum())
    hours = random.choice(24, count, p=HOUR_WEIGHTS / HOUR_WEIGHTS.sum())
    seconds = np.sort(days * 86_400.0 + hours * 3_600.0 + random.uniform(0, 3_600, count))
    return [start + timedelta(seconds=float(second)) for second in seconds]


def _kinds(random: Generator, count: int) -> tuple[Sequence[str], Sequence[int]]:
    shares = np.array([profile.share for profile in PLATFORMS])
    profiles = random.choice(len(PLATFORMS), count, p=shares / shares.sum())
    clicks = np.array([profile.ctr for profile in PLATFORMS])[profiles]
    sales = np.array([profile.sales for profile in PLATFORMS])[profiles]
    drawn = random.uniform(size=count)
    kinds = np.where(drawn < sales, "purchase", np.where(drawn < sales + clicks, "click", "impression"))
    return kinds.tolist(), profiles.tolist()


def _event(random: Generator, buyer: Buyer, place: int, moment: datetime, kind: str, profile: PlatformProfile) -> bytes:
    campaign = buyer.campaigns[int(random.integers(len(buyer.campaigns)))]
    publishers = PUBLISHERS[profile.slug]
    person = int(random.pareto(1.1) * 900) % 40_000
    creative = int(random.integers(1, 5))
    event: dict[str, object] = {
        "event_id": f"demo-{buyer.slug}-{place}",
        "event_type": kind,
        "timestamp": moment,
        "user_id": f"{buyer.slug}-p{person}",
        "cohort_id": COHORTS[person % 3],
        "source": {
            "platform": profile.slug,
            "channel": profile.channel,
            "campaign_id": campaign,
            "line_item_id": f"{campaign}-{'prospecting' if creative < 3 else 'retargeting'}",
            "creative_id": f"{campaign}-cr{creative}",
            "publisher": publishers[int(random.integers(len(publishers)))],
        },
        "context": {
            "device": {"type": profile.devices[int(random.integers(len(profile.devices)))]},
            "geo": {"country": "US", "postal_code": ZIPS[int(random.integers(len(ZIPS)))]},
        },
        "consent": {"status": "granted"},
        "attribution": {"data_contributors": _contributors(random, buyer)},
    }
    if kind == "impression":
        event["metadata"] = {"clearing_price": round(profile.cpm * float(random.lognormal(0, 0.18)), 4)}
    if kind == "purchase":
        event["properties"] = {
            "revenue": round(buyer.order_value * float(random.lognormal(0, 0.5)), 2),
            "currency": "USD",
        }
    return msgspec.json.encode(event)


def _contributors(random: Generator, buyer: Buyer) -> list[dict[str, object]]:
    count = int(random.choice(4, p=[0.35, 0.35, 0.2, 0.1]))
    chosen = random.permutation(len(buyer.contributors))[:count]
    return [
        {
            "id": buyer.contributors[index],
            "signal_type": SIGNALS[index % len(SIGNALS)],
            "weight": round(float(random.uniform(0.1, 1.0)), 3),
        }
        for index in chosen
    ]
