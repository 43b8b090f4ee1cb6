"""What `make run` uses: everything of base, on one machine."""

from config.settings.base import *  # noqa: F403
