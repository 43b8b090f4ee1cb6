"""What a page is filtered by, read from its URL: `?platform=hulu&platform=disney&device=ctv`. No Django, no I/O.

Values of one dimension are alternatives, dimensions restrict each other. An empty value asks for what has none.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from apps.common.errors import InvalidInput
from apps.omg.dimensions import COLUMNS, NARROW, Dimension

MOST_VALUES = 50
LONGEST_VALUE = 300
# What else every page's URL may say, and the overview's.
COMMON_PARAMETERS = frozenset({"range", "start", "end", "format", "table", "choose"})
OTHER_PARAMETERS = COMMON_PARAMETERS | {"by", "metric", "sort"}


class Query(Protocol):
    """The parameters of a URL, some with several values."""

    def __iter__(self) -> Iterator[str]: ...
    def getlist(self, key: str) -> list[str]: ...


@dataclass(frozen=True)
class Filters:
    chosen: Mapping[Dimension, tuple[str, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.chosen)

    @property
    def is_narrow(self) -> bool:
        """Whether the narrow roll-up can answer."""
        return NARROW.issuperset(self.chosen)

    @property
    def condition(self) -> str:
        """To be put after the tenant's and the time's; the values are bound."""
        return "".join(f" AND {COLUMNS[one]} IN {{only_{one}:Array(String)}}" for one in self.chosen)

    @property
    def bound(self) -> dict[str, list[str]]:
        return {f"only_{dimension}": list(values) for dimension, values in self.chosen.items()}

    def without(self, dimension: Dimension, value: str) -> "Filters":
        left = tuple(one for one in self.chosen.get(dimension, ()) if one != value)
        rest = {one: values for one, values in self.chosen.items() if one is not dimension}
        return Filters({**rest, dimension: left} if left else rest)

    def with_dimension(self, dimension: Dimension) -> "Filters":
        """As if by this dimension, too: for asking which roll-up has both."""
        return self if dimension in self.chosen else Filters({**self.chosen, dimension: ()})

    def only(self, dimension: Dimension, *values: str) -> "Filters":
        return Filters({**self.chosen, dimension: values})


def read_filters(query: Query, others: frozenset[str] = OTHER_PARAMETERS) -> Filters:
    """`others` are the parameters of the page that are no filters."""
    known = [*Dimension, *others]
    for name in query:
        if name not in known:
            raise InvalidInput(f"There is no filter {name[:80]!r}; use one of {', '.join(Dimension)}.")
    return Filters({one: _values(query, one) for one in Dimension if query.getlist(one)})


def _values(query: Query, dimension: Dimension) -> tuple[str, ...]:
    values = tuple(dict.fromkeys(query.getlist(dimension)))
    if len(values) > MOST_VALUES:
        raise InvalidInput(f"A page must be filtered by at most {MOST_VALUES} values of {dimension}.")
    if any(len(value) > LONGEST_VALUE for value in values):
        raise InvalidInput(f"A value of {dimension} must have at most {LONGEST_VALUE} characters.")
    return values
