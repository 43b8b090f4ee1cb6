"""What other rooms may ask of measurement."""

from apps.measurement.contracts import Universe
from apps.measurement.selectors import get_universe

__all__ = ["Universe", "get_universe"]
