"""docs/data-dictionary.md says what the code and the engine say."""

from pathlib import Path

import pytest
from django.core.management import call_command

DICTIONARY = Path(__file__).resolve().parents[2] / "docs" / "data-dictionary.md"


@pytest.mark.usefixtures("committed")
def test_the_dictionary_is_up_to_date() -> None:
    call_command("data_dictionary", "--check")


def test_it_has_fields_columns_and_metrics() -> None:
    text = DICTIONARY.read_text(encoding="utf-8")
    fields = ("`source.campaign_id`", "`attribution.data_contributors[].weight`", "`spend`", "ROAS")
    assert [field for field in fields if f"| {field} |" not in text] == []
