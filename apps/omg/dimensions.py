"""What media is broken down and filtered by: each dimension's name, column and wording stand here, once."""

from collections.abc import Mapping
from enum import StrEnum

from apps.events.public import platform_name


class Dimension(StrEnum):
    PLATFORM = "platform"
    CHANNEL = "channel"
    CAMPAIGN = "campaign"
    DEVICE = "device"
    COUNTRY = "country"
    PUBLISHER = "publisher"
    CREATIVE = "creative"


COLUMNS: Mapping[Dimension, str] = {
    Dimension.PLATFORM: "platform",
    Dimension.CHANNEL: "channel",
    Dimension.CAMPAIGN: "campaign_id",
    Dimension.DEVICE: "device",
    Dimension.COUNTRY: "country",
    Dimension.PUBLISHER: "publisher",
    Dimension.CREATIVE: "creative_id",
}
# Those of the narrow roll-up, which alone has the persons exposed.
NARROW = frozenset({Dimension.PLATFORM, Dimension.CHANNEL, Dimension.CAMPAIGN})


def display_name(name: str, dimension: Dimension) -> str:
    if not name:
        return f"(no {dimension.value})"
    return platform_name(name) if dimension is Dimension.PLATFORM else name
