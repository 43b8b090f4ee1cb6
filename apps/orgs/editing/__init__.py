"""Inline admin mode: values that are edited where they stand. `fields` declares them, one line each."""
