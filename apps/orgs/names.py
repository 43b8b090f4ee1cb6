"""Names of organisations and people: one line, and not made to look like another's."""

import unicodedata

from apps.common.errors import InvalidInput
from apps.common.texts import one_line

# Scripts whose letters look like one another's; within one word they are never mixed in earnest.
ALIKE = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU"})


def check_name(text: str, *, name: str = "The name", longest: int = 200) -> str:
    """In its one form (NFKC); empty, control characters and words of mixed scripts are refused."""
    text = " ".join(unicodedata.normalize("NFKC", one_line(text, name=name, longest=longest)).split())
    if not text:
        raise InvalidInput(f"{name} is empty; write at least one character.")
    for word in text.split():
        if len(found := _scripts(word)) > 1:
            raise InvalidInput(
                f"{name} mixes letters that look alike in {word!r} ({' and '.join(sorted(found)).title()}); "
                "write each word in one script."
            )
    return text


def _scripts(word: str) -> set[str]:
    return {unicodedata.name(letter, "").partition(" ")[0] for letter in word if letter.isalpha()} & ALIKE
