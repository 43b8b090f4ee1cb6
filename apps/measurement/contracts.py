"""What measurement tells other rooms."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Universe:
    """The persons that 100 rating points are, and the target among them: None where there is none."""

    name: str
    persons: int
    target_name: str = ""
    target_persons: int | None = None
    target_cohorts: tuple[str, ...] = ()
