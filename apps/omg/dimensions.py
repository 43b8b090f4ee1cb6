"""What media is broken down and filtered by: each dimension's name, column and wording stand here, once."""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Self

from apps.events.public import platform_name


class Kept(IntEnum):
    """The narrowest roll-up that has a dimension: only the narrow one has the persons exposed."""

    NARROW = 0
    WIDE = 1


class Dimension(StrEnum):
    """Each with its column in the roll-ups and in `events`."""

    column: str
    kept: Kept

    PLATFORM = "platform", "platform", Kept.NARROW
    CHANNEL = "channel", "channel", Kept.NARROW
    CAMPAIGN = "campaign", "campaign_id", Kept.NARROW
    LINE_ITEM = "line_item", "line_item_id", Kept.WIDE
    CREATIVE = "creative", "creative_id", Kept.WIDE
    PUBLISHER = "publisher", "publisher", Kept.WIDE
    DEVICE = "device", "device", Kept.WIDE
    AUDIENCE = "audience", "cohort_id", Kept.WIDE
    COUNTRY = "country", "country", Kept.WIDE
    REGION = "region", "region", Kept.WIDE
    POSTAL_CODE = "postal_code", "postal_code", Kept.WIDE

    def __new__(cls, value: str, column: str = "", kept: Kept = Kept.WIDE) -> Self:
        made = str.__new__(cls, value)
        made._value_ = value
        made.column, made.kept = column, kept
        return made

    @property
    def words(self) -> str:
        return self.value.replace("_", " ")

    @property
    def label(self) -> str:
        return self.words.capitalize()


COLUMNS: Mapping[Dimension, str] = {one: one.column for one in Dimension}
NARROW = frozenset(one for one in Dimension if one.kept is Kept.NARROW)


def display_name(name: str, dimension: Dimension) -> str:
    if not name:
        return f"(no {dimension.words})"
    return platform_name(name) if dimension is Dimension.PLATFORM else name
