"""Two connections, one database: `default` and `provisioning` differ in role only."""

from typing import Any


class OneDatabaseRouter:
    def allow_relation(self, first: Any, second: Any, **hints: Any) -> bool:
        return True
