"""Text that people and machines send, as the database can keep it: PostgreSQL has no NUL, UTF-8 no lone surrogates."""

from apps.common.errors import InvalidInput


def search_text(text: str, *, name: str, longest: int = 100) -> str:
    """What is looked for, without spaces around it, cut to `longest`."""
    check_characters(text, name=name)
    return text.strip()[:longest]


def one_line(text: str, *, name: str, longest: int) -> str:
    """A name or number as a form sends it: one line, whole, without spaces around it."""
    check_characters(text, name=name)
    text = text.strip()
    if len(text) > longest:
        raise InvalidInput(f"{name} has {len(text):,} characters; {longest} are the most.")
    if not text.isprintable():
        raise InvalidInput(f"{name} is one line of visible characters, without line breaks and control characters.")
    return text


def whole_number(text: str, wrong: str, *, digits: int = 18) -> int:
    """A number of plain digits as a URL, form or header has it; `wrong` says what it should have been."""
    if not (text.isascii() and text.isdigit() and len(text) <= digits):
        raise InvalidInput(wrong)
    return int(text)


def check_characters(text: str, *, name: str) -> None:
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise InvalidInput(f"{name} has a character that no text has (NUL or half of one); leave it out.")


def storable(text: str) -> str:
    """What machines sent, of which nothing is turned away for a NUL."""
    return text.replace("\x00", "\ufffd")
