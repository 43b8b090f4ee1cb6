"""What other rooms may ask of measurement."""

from apps.measurement.actions import Wish as UniverseWish
from apps.measurement.actions import set_universe
from apps.measurement.contracts import Universe
from apps.measurement.selectors import get_universe

__all__ = ["Universe", "UniverseWish", "get_universe", "set_universe"]
