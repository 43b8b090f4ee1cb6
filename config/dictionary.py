"""The data dictionary, made from the code: what an event may hold, what is stored where, how figures are defined."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from django.apps import apps
from django.conf import settings
from django.db.models import Field, Model

from apps.events.public import CODES, FILE_CODES, ROW_CODES, Event, Properties
from apps.omg.metrics import METRICS
from apps.warehouse.public import describe_tables

HEAD = """# Data dictionary

Made by `manage.py data_dictionary`; a test fails when it is out of date.
"""


def build() -> str:
    return "\n".join([HEAD, *_events(), *_reports(), *_postgres(), *_clickhouse(), *_metrics()])


def _events() -> Iterator[str]:
    yield "## The canonical event\n"
    yield "One JSON object; other members are ignored, those of `properties` are kept.\n"
    yield from _table(("field", "type"), _fields(msgspec.inspect.type_info(Event)))
    yield "## Why a line is rejected\n"
    yield from _table(("code", "meaning"), ((f"`{code}`", meaning) for code, meaning in CODES.items()))


def _reports() -> Iterator[str]:
    for title, codes in (("a row of a report", ROW_CODES), ("a whole report", FILE_CODES)):
        yield f"## Why {title} is rejected\n"
        yield from _table(("code", "meaning"), ((f"`{code}`", meaning) for code, meaning in codes.items()))


def _fields(shape: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    for field in shape.fields:
        kind = _without_none(field.type)
        name = f"{prefix}{field.encode_name}"
        if isinstance(kind, msgspec.inspect.VarTupleType):
            yield from _fields(kind.item_type, f"{name}[].")
        elif isinstance(kind, msgspec.inspect.StructType):
            yield from _fields(kind, f"{name}.")
        elif name == "properties":
            yield from _fields(msgspec.inspect.type_info(Properties), f"{name}.")
        else:
            yield f"`{name}`", _words(kind) + (", required" if field.required else "")


def _without_none(kind: Any) -> Any:
    if not isinstance(kind, msgspec.inspect.UnionType):
        return kind
    left = [one for one in kind.types if not isinstance(one, msgspec.inspect.NoneType)]
    return left[0] if len(left) == 1 else msgspec.inspect.UnionType(tuple(left))


def _words(kind: Any) -> str:
    match kind:
        case msgspec.inspect.UnionType(types=types):
            return " or ".join(_words(one) for one in types)
        case msgspec.inspect.LiteralType(values=values):
            return "one of " + ", ".join(sorted(map(str, values)))
        case msgspec.inspect.StrType(max_length=limit):
            return f"text up to {limit}" if limit else "text"
        case msgspec.inspect.DateTimeType():
            return "RFC 3339 time with zone"
        case msgspec.inspect.DecimalType():
            return "number, exact"
    return type(kind).__name__.removesuffix("Type").lower()


def _postgres() -> Iterator[str]:
    models = [model for model in apps.get_models() if model.__module__.startswith("apps.")]
    own = [model for model in models if _app_name(model) in settings.TENANT_APPS]
    shared = [model for model in models if model not in own]
    for title, group in (("PostgreSQL, shared", shared), ("PostgreSQL, in each organisation's schema", own)):
        yield f"## {title}\n"
        for model in sorted(group, key=lambda one: one._meta.db_table):
            yield f"### {model._meta.db_table}\n"
            yield from _table(("column", "type", "meaning"), (_column(field) for field in model._meta.concrete_fields))


def _app_name(model: type[Model]) -> str:
    return str(apps.get_app_config(model._meta.app_label).name)


def _column(field: "Field[Any, Any]") -> tuple[str, str, str]:
    kind = field.get_internal_type().removesuffix("Field")
    limit = f" up to {field.max_length}" if field.max_length and kind != "UUID" else ""
    target = f" → {field.related_model._meta.db_table}" if isinstance(field.related_model, type) else ""
    choices = ", ".join(str(value) for value, _ in field.flatchoices)
    meaning = " ".join(filter(None, [str(field.help_text), f"One of {choices}." if choices else ""]))
    return f"`{field.column}`", f"{kind}{limit}{target}{', may be null' if field.null else ''}", meaning


def _clickhouse() -> Iterator[str]:
    yield "## ClickHouse\n"
    for table in describe_tables():
        yield f"### {table.name}\n"
        yield f"{table.comment}\n"
        yield from _table(
            ("column", "type", "meaning"), ((f"`{one.name}`", one.kind, one.comment) for one in table.columns)
        )


def _metrics() -> Iterator[str]:
    yield "## Metrics of the dashboard\n"
    yield from _table(("metric", "unit", "definition"), ((one.name, one.unit, one.definition) for one in METRICS))


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield _line(head)
    yield _line(tuple("---" for _ in head))
    yield from map(_line, rows)
    yield ""


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
