"""How lengths of time read on pages about arrivals."""

UNITS = ((86_400 * 365, "years"), (86_400, "d"), (3_600, "h"), (60, "min"))


def format_length(seconds: float | None) -> str:
    """`0.3 s`, `12 s`, `4 min`, `3 h`; a dash for nothing."""
    if seconds is None:
        return "–"
    for size, unit in UNITS:
        if seconds >= size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
