"""Which row of a file names its columns: exports have titles above it, and sometimes empty lines."""

import re
from collections.abc import Sequence

from apps.events.reported.cells import Exact, Row
from apps.events.reported.refusals import refuse
from apps.events.reported.roles import SYNONYMS, Role, role_of

# So many rows are looked at; no export has a longer preamble.
SEARCHED = 60
# With fewer known names than this a row is taken for the header only if it looks like one.
ENOUGH = 2
LIKE_A_VALUE = re.compile(r"[\s$€£(+-]*\d[\d\s.,:/%)-]*|--?|n/?a", re.I)


def find_header(rows: Sequence[Row], wanted: Sequence[str] = ()) -> int | None:
    """The place of the header among the first rows: by the names `wanted`, by known names, or by its looks."""
    rows = rows[:SEARCHED]
    if wanted:
        for place, row in enumerate(rows):
            if set(wanted) <= {cell.strip() for cell in row.cells}:
                return place
    best = max(range(len(rows)), key=lambda place: (known_names(rows[place]), -place), default=None)
    if best is not None and known_names(rows[best]) >= ENOUGH:
        return best
    return next((place for place in range(len(rows)) if _looks_like_header(rows, place)), None)


def known_names(row: Row) -> int:
    """How many roles the row's cells name."""
    return len({role for cell in row.cells if (role := role_of(cell))})


def column_names(cells: Sequence[str]) -> tuple[str, ...]:
    """The header's names, each once: `Clicks`, `Clicks (2)`; one without a name is `Column 3`."""
    names: dict[str, None] = {}
    next_number: dict[str, int] = {}
    for place, cell in enumerate(cells, start=1):
        name = unique = " ".join(cell.split()) or f"Column {place}"
        while unique in names:
            number = next_number[name] = next_number.get(name, 1) + 1
            unique = f"{name} ({number})"
        names[unique] = None
    return tuple(names)


def no_header() -> Exception:
    dates, campaigns = (", ".join(SYNONYMS[role][:4]) for role in (Role.DATE, Role.CAMPAIGN_NAME))
    return refuse(
        "no_header",
        f"None of the first {SEARCHED} rows looks like the names of columns. Looked for was a column with the date "
        f"({dates}, …) and one with the campaign ({campaigns}, …).",
    )


def _looks_like_header(rows: Sequence[Row], place: int) -> bool:
    """Two names or more, all different, none a number; and the next row is as wide."""
    cells = [cell.strip() for cell in rows[place].cells]
    while cells and not cells[-1]:
        cells.pop()
    follower = next((row for row in rows[place + 1 :] if any(row.cells)), None)
    return (
        len(cells) >= ENOUGH
        and all(cells)
        and len(set(cells)) == len(cells)
        and not any(cell.__class__ is Exact or LIKE_A_VALUE.fullmatch(cell) for cell in cells)
        and (follower is None or len(follower.cells) >= len(cells))
    )
