"""Where persons of a span of time are kept: whole days of UTC in one roll-up, quarters of an hour in another.

No question of its own: `reach`, `persons` and `figures` ask.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

DAY = timedelta(days=1)
Span = tuple[int, datetime, datetime]
# A row's part is that of the first tile that ends after it.
READ = """
SELECT multiIf({parts}, NULL) AS part, {keys}, persons FROM {table}
WHERE org_id = {{org_id:UUID}} AND ({spans}){only}
"""


@dataclass(frozen=True)
class Tile:
    """A piece of a span that one roll-up has. `part` says of which span."""

    part: int
    first: datetime
    end: datetime
    is_days: bool


def split(spans: Iterable[Span], *, by_days: bool = True) -> list[Tile]:
    """Each of the `spans` (part, first, end) without gap or overlap, in as few tiles as can be; without `by_days` in
    quarters of an hour only."""
    found = (tile for span in spans for tile in (_pieces(*span) if by_days else [Tile(*span, is_days=False)]))
    return [tile for tile in found if tile.first < tile.end]


def rows_sql(tiles: Sequence[Tile], keys: Callable[[str], str], only: str) -> str:
    """Rows of `part`, the columns that `keys` makes of the expression of a row's time, and `persons`. Where spans
    overlap, as a long range and the year before do, a row stands there for each."""
    reads = (_read(run, keys, only) for is_days in (True, False) for run in _runs(tiles, is_days=is_days))
    return " UNION ALL ".join(reads)


def bounds_of(tiles: Sequence[Tile]) -> dict[str, Any]:
    """What `rows_sql` of the same tiles binds."""
    bounds: dict[str, Any] = {}
    for n, tile in enumerate(tiles):
        bounds[f"first_{n}"] = tile.first.date() if tile.is_days else tile.first
        bounds[f"end_{n}"] = tile.end.date() if tile.is_days else tile.end
    return bounds


def _pieces(part: int, first: datetime, end: datetime) -> Iterator[Tile]:
    days_to = _midnight_of(end)
    days_from = _midnight_of(first) if first == _midnight_of(first) else _midnight_of(first) + DAY
    if days_from >= days_to:
        yield Tile(part, first, end, is_days=False)
        return
    yield Tile(part, first, days_from, is_days=False)
    yield Tile(part, days_from, days_to, is_days=True)
    yield Tile(part, days_to, end, is_days=False)


def _midnight_of(moment: datetime) -> datetime:
    """Where its day of UTC begins."""
    return datetime.combine(moment.astimezone(UTC).date(), time.min, UTC)


def _runs(tiles: Sequence[Tile], *, is_days: bool) -> Iterator[list[tuple[int, Tile]]]:
    """The numbered tiles of one kind, those together that follow each other in time: one read answers them."""
    run: list[tuple[int, Tile]] = []
    for n, tile in enumerate(tiles):
        if tile.is_days != is_days:
            continue
        if run and tile.first < run[-1][1].end:
            yield run
            run = []
        run.append((n, tile))
    if run:
        yield run


def _read(run: Sequence[tuple[int, Tile]], keys: Callable[[str], str], only: str) -> str:
    is_days = run[0][1].is_days
    table, column, kind = ("reach_days", "day", "Date") if is_days else ("performance", "bucket", "DateTime('UTC')")
    return READ.format(
        parts=", ".join(f"{column} < {{end_{n}:{kind}}}, {tile.part}" for n, tile in run),
        keys=keys("toDateTime(day, 'UTC')" if is_days else "bucket"),
        table=table,
        spans=" OR ".join(f"{column} >= {{first_{n}:{kind}}} AND {column} < {{end_{n}:{kind}}}" for n, _ in run),
        only=only,
    )
