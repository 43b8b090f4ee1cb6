"""What a column of a performance report can be, and by which names platforms call it."""

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache

from apps.common.money import CURRENCIES


class Role(StrEnum):
    DATE = "date"
    HOUR = "hour"
    CAMPAIGN_NAME = "campaign_name"
    CAMPAIGN_ID = "campaign_id"
    PLATFORM = "platform"
    CURRENCY = "currency"
    SPEND = "spend"
    IMPRESSIONS = "impressions"
    CLICKS = "clicks"
    CONVERSIONS = "conversions"
    REVENUE = "revenue"


MONEY = (Role.SPEND, Role.REVENUE)
WHOLE = (Role.IMPRESSIONS, Role.CLICKS)
FIGURES = (Role.SPEND, Role.IMPRESSIONS, Role.CLICKS, Role.CONVERSIONS, Role.REVENUE)
TEXTS = (Role.CAMPAIGN_NAME, Role.CAMPAIGN_ID, Role.PLATFORM)

# As `normal` writes them, the surest first: Google Ads, Meta, TikTok, LinkedIn, Pinterest, Snapchat, Microsoft, Amazon,
# Reddit, X, Apple Search Ads, The Trade Desk and DV360 in their exports and their APIs; then German, French, Spanish.
SYNONYMS: Mapping[Role, tuple[str, ...]] = {
    Role.DATE: (
        "date", "day", "report date", "by day", "stat time day", "stat time hour", "date start", "reporting starts",
        "start date in utc", "start date", "time period", "gregorian date", "date utc", "datetime", "timestamp",
        "tag", "datum", "jour", "fecha", "dia", "día", "data", "giorno",
    ),
    Role.HOUR: ("hour", "hour of day", "hour of the day", "by hour", "stunde", "heure", "hora"),
    Role.CAMPAIGN_NAME: (
        "campaign name", "campaign", "campaigns", "insertion order", "insertion order name", "io name",
        "name der kampagne",
        "kampagnenname", "kampagne", "nom de la campagne", "campagne", "nombre de la campaña", "campaña", "campagna",
    ),
    Role.CAMPAIGN_ID: (
        "campaign id", "campaignid", "campaign key", "campaign identifier", "insertion order id", "kampagnen id",
        "id de campagne", "id de la campaña",
    ),
    Role.PLATFORM: (
        "platform", "ad platform", "advertising platform", "media platform", "dsp", "plattform", "plateforme",
    ),
    Role.CURRENCY: (
        "currency", "currency code", "account currency", "account currency code", "local spend currency",
        "spend currency", "cost currency", "währung", "währungscode", "devise", "moneda", "valuta",
        "campaign budget currency code",
    ),
    Role.SPEND: (
        "spend", "cost", "amount spent", "total spent", "total spend", "spent", "media cost", "total cost", "ad spend",
        "cost micros", "spend micros", "spend in micro dollar", "spend in account currency",
        "billed charge local micro",
        "local spend amount", "local spend", "advertiser cost", "cost in local currency", "cost in usd", "kosten",
        "ausgaben", "ausgegebener betrag", "coût", "montant dépensé", "dépenses", "coste", "importe gastado", "gasto",
        "costo",
    ),
    Role.IMPRESSIONS: (
        "impressions", "impr", "impression", "imps", "paid impressions", "impressions served", "impression 1",
        "impressionen", "einblendungen", "impresiones", "impressioni",
    ),
    Role.CLICKS: (
        "clicks", "click", "clicks all", "link clicks", "inline link clicks", "paid clicks", "taps", "swipes",
        "swipe ups",
        "clickthrough 1", "pin clicks", "clicks destination", "url clicks", "klicks", "linkklicks", "clics", "clic",
    ),
    Role.CONVERSIONS: (
        "conversions", "conversion", "total conversions", "conv", "results", "result", "purchases", "website purchases",
        "external website conversions", "purchases 30 d", "conversion purchases", "orders", "installs",
        "konversionen", "conversiones", "conversioni", "ergebnisse",
    ),
    Role.REVENUE: (
        "revenue", "conversions value", "conversion value", "conv value", "total conv value", "total conversion value",
        "purchases conversion value", "purchase conversion value", "purchase value", "purchases value",
        "website purchases conversion value", "total purchase value", "sales", "total sales", "sales 30 d",
        "total revenue",
        "conversion value in local currency", "conversion purchases value", "total conversions value in micro dollar",
        "umsatz", "conversion wert", "conv wert", "valeur de conversion", "valor de conv", "ingresos",
    ),
}  # fmt: skip
# Only in these reports does a bare `id` mean the campaign's: their other columns say so.
CAMPAIGN_LEVEL = ("base campaign",)
# Columns that only one platform's reports have, and whether its money is in millionths though no name says so.
SIGNS: tuple[tuple[tuple[str, ...], str, bool], ...] = (
    (("swipes", "screen time millis"), "snapchat_ads", True),
    (("ecpm", "app install metrics spend"), "reddit_ads", True),
    (("cost micros", "customer id"), "google_ads", False),
    (("inline link clicks",), "meta_ads", False),
    (("amount spent", "reporting starts"), "meta_ads", False),
    (("cost in local currency", "viral clicks"), "linkedin_ads", False),
    (("total spent", "start date in utc"), "linkedin_ads", False),
    (("spend in micro dollar",), "pinterest_ads", False),
    (("billed charge local micro",), "x_ads", False),
    (("tap through rate",), "apple_search_ads", False),
    (("taps", "local spend amount"), "apple_search_ads", False),
    (("stat time hour",), "tiktok_ads", False),
    (("stat time day",), "tiktok_ads", False),
    (("delivered match type",), "microsoft_ads", False),
    (("campaign bidding strategy",), "amazon_ads", False),
    (("campaign budget currency code",), "amazon_ads", False),
)
# No column is called by more, and brackets without end take the square of a name's length.
LONGEST_NAME = 256
IN_BRACKETS = re.compile(r"[\[(]([^\])]*)[\])]")
NOT_WORDS = re.compile(r"[\W_]+")
MILLIONTHS = re.compile(r"\bmicros?\b")


@lru_cache(10_000)
def normal(name: str) -> str:
    """A column's name for comparison: `Cost (USD)` and `COST` are both `cost`, `cost_micros` is `cost micros`."""
    start = name[:LONGEST_NAME]
    without = IN_BRACKETS.sub(lambda found: f" {found[1]} " if "utc" in found[1].lower() else " ", start)
    return NOT_WORDS.sub(" ", without.casefold()).strip()


def currency_in(name: str) -> str:
    """The currency that a column's name states, as in `Amount spent (EUR)`."""
    words = re.findall(r"[A-Z]{3}", " ".join(IN_BRACKETS.findall(name[:LONGEST_NAME])))
    return next((word for word in words if word in CURRENCIES), "")


def is_in_millionths(name: str) -> bool:
    return MILLIONTHS.search(normal(name)) is not None


_ROLES = {name: role for role, names in SYNONYMS.items() for name in names}


def role_of(name: str) -> Role | None:
    """What a column of this name is, as far as its name says."""
    return _ROLES.get(normal(name))
