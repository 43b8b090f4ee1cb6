"""What other rooms may ask of events."""

from apps.events.contracts import PLATFORM_KINDS, platform_name
from apps.events.demo import Buyer as DemoBuyer
from apps.events.demo import generate as generate_demo

__all__ = ["PLATFORM_KINDS", "DemoBuyer", "generate_demo", "platform_name"]
