"""No cell of ours is a formula, and none is changed that is none."""

import pytest

from apps.common.spreadsheets import safe_cell


@pytest.mark.parametrize(
    ("text", "cell"),
    [("", ""), ("autumn", "autumn"), ("=1+1", "'=1+1"), ("+cmd|calc", "'+cmd|calc"), ("-1", "'-1"), ("@x", "'@x")],
)
def test_only_formulas_get_an_apostrophe(text: str, cell: str) -> None:
    assert safe_cell(text) == cell
