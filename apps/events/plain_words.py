"""A decoder's complaint about a member in words for people: what is wrong with it, and what would be right."""

import re

WORDS = {
    "str": "text", "int": "a whole number", "float": "a number", "decimal": "an amount", "bool": "true or false",
    "null": "null", "object": "an object {…}", "array": "a list […]", "datetime": "a time such as 2026-01-31T12:00:00Z",
}  # fmt: skip
EXPECTED = re.compile(r"Expected `(?P<wanted>[^`]+)`, got `(?P<given>[^`]+)`")
LENGTH = re.compile(r"Expected `(?P<kind>str|array)` of length <= (?P<most>\d+)")
BOUND = re.compile(r"Expected `(?:float|int)` (?P<sign>[<>]=) (?P<bound>[\d.]+)")
CHOICE = re.compile(r"Invalid enum value (?P<given>.+)", re.DOTALL)
PLACE = re.compile(r"JSON is malformed: (?P<what>.+) \(byte (?P<place>\d+)\)")
LONGEST = 80


def wrong_value(message: str) -> str:
    """Of a member with the wrong type or out of bounds."""
    if found := EXPECTED.match(message):
        wanted = [WORDS.get(one, one) for one in found["wanted"].split(" | ") if one != "null"]
        return f"This is {WORDS.get(found['given'], found['given'])}; give {' or '.join(wanted)}."
    if found := LENGTH.match(message):
        what = "characters" if found["kind"] == "str" else "members"
        return f"This is too long; give at most {int(found['most']):,} {what}."
    if found := BOUND.match(message):
        most = "at least" if found["sign"] == ">=" else "at most"
        return f"This number is out of range; give {most} {float(found['bound']):,.0f}."
    if "timezone" in message:
        return "This time lacks its zone; end it with Z or with +02:00."
    if "RFC3339" in message:
        return "This is no time; give one such as 2026-01-31T12:00:00Z."
    return "This is no amount; give a number such as 19.90." if "decimal" in message else f"{message}."


def unknown_choice(message: str, known: list[str]) -> str:
    found = CHOICE.match(message)
    given = found["given"] if found else ""
    return f"{given[:LONGEST]} is not known; use one of {', '.join(known)}."


def not_an_array(message: str) -> str:
    """Of a batch that cannot be read at all."""
    found = PLACE.match(message)
    where = f": {found['what']} at byte {int(found['place']) + 1:,}" if found else ""
    return f"The body is not one whole JSON array{where}."


def not_json(message: str) -> str:
    """Of a line that cannot be read at all."""
    if "truncated" in message:
        return "This is empty or ends too early; send one whole JSON object."
    if found := PLACE.match(message):
        return f"This is not a JSON object: {found['what']} at byte {int(found['place']) + 1:,}."
    return "This is not a JSON object: not all of it is text in UTF-8." if "utf-8" in message else f"{message}."
