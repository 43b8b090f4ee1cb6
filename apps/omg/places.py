"""States and ZIP codes of the United States: how sources write them, what they are called, and where they lie.

Points and outlines are in the pixels of Albers' projection that `geodata/` has: 975 wide, 610 high. No Django.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DATA = Path(__file__).parent / "geodata"
STATES: Mapping[str, str] = {
    "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California", "CO": "Colorado",
    "CT": "Connecticut", "DE": "Delaware", "DC": "District of Columbia", "FL": "Florida", "GA": "Georgia",
    "HI": "Hawaii", "ID": "Idaho", "IL": "Illinois", "IN": "Indiana", "IA": "Iowa", "KS": "Kansas", "KY": "Kentucky",
    "LA": "Louisiana", "ME": "Maine", "MD": "Maryland", "MA": "Massachusetts", "MI": "Michigan", "MN": "Minnesota",
    "MS": "Mississippi", "MO": "Missouri", "MT": "Montana", "NE": "Nebraska", "NV": "Nevada", "NH": "New Hampshire",
    "NJ": "New Jersey", "NM": "New Mexico", "NY": "New York", "NC": "North Carolina", "ND": "North Dakota",
    "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon", "PA": "Pennsylvania", "RI": "Rhode Island",
    "SC": "South Carolina", "SD": "South Dakota", "TN": "Tennessee", "TX": "Texas", "UT": "Utah", "VT": "Vermont",
    "VA": "Virginia", "WA": "Washington", "WV": "West Virginia", "WI": "Wisconsin", "WY": "Wyoming",
}  # fmt: skip


@dataclass(frozen=True)
class Zip:
    """One ZIP code: the state it lies in, its post office's place, and a point."""

    code: str
    state: str
    place: str
    x: float
    y: float


@cache
def zips() -> Mapping[str, Zip]:
    lines = (DATA / "zips.tsv").read_text(encoding="utf-8").splitlines()
    parts = (line.split("\t") for line in lines)
    return {code: Zip(code, state, place, float(x), float(y)) for code, state, place, x, y in parts}


@cache
def spellings() -> Mapping[str, str]:
    """State by each way in which sources write it, in capitals: `NY`, `US-NY`, `USA/NY`, `NEW YORK`."""
    found: dict[str, str] = {}
    for code, name in STATES.items():
        forms = (code, f"US-{code}", f"US/{code}", f"USA-{code}", f"USA/{code}", f"US_{code}", name)
        found |= {form.upper(): code for form in forms}
    return found


@cache
def states_of_zips() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """State by the first three digits; and by all five, of those few that differ from their neighbours."""
    by_prefix: dict[str, dict[str, int]] = {}
    for one in zips().values():
        counts = by_prefix.setdefault(one.code[:3], {})
        counts[one.state] = counts.get(one.state, 0) + 1
    usual = {prefix: max(counts, key=lambda state: (counts[state], state)) for prefix, counts in by_prefix.items()}
    return usual, {code: one.state for code, one in zips().items() if usual[code[:3]] != one.state}
