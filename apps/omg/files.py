"""An answer as columns with names and types, and as a file: Arrow, Parquet, CSV, XLSX. Sums keep every digit."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
from openpyxl import Workbook

from apps.common.figures import plain, shorten
from apps.common.spreadsheets import safe_cell
from apps.omg.answering import Answer, Line
from apps.omg.dimensions import Dimension, display_name
from apps.omg.metrics import Metric
from apps.omg.question import TIME, Grain, Question

MONEY, MONEY_RATIO = pa.decimal128(38, 18), pa.decimal128(38, 6)
# What neither a cell of XLSX nor a sheet's name may hold.
NOT_IN_CELLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Column:
    name: str
    kind: pa.DataType
    value: Callable[[Line], Any]


def written(metric: Metric, value: Decimal | None) -> str | None:
    """Sums to the last digit, ratios to six decimals."""
    if value is None:
        return None
    return f"{plain(value) if metric.adds_up else shorten(value):f}"


def local(key: str | date | datetime, question: Question) -> str | date | datetime:
    """An hour as the zone's clocks show it."""
    return key.astimezone(ZoneInfo(question.period.time_zone)) if isinstance(key, datetime) else key


def columns_of(question: Question, name: Callable[[str, Dimension], str] = lambda text, _: text) -> list[Column]:
    """Dimensions, then time, then each metric, followed by what it was before and its change."""
    columns = [_dimension(place, one, name) for place, one in enumerate(question.dimensions)]
    if question.grain:
        zone = question.period.time_zone
        kind = pa.timestamp("s", tz=zone) if question.grain is Grain.HOUR else pa.date32()
        columns.append(Column(TIME, kind, lambda line: local(line.keys[-1], question)))
    for metric in question.metrics:
        columns += _columns_of(metric, compared=question.against is not None)
    return columns


def _dimension(place: int, one: Dimension, name: Callable[[str, Dimension], str]) -> Column:
    return Column(one.value, pa.string(), lambda line: name(str(line.keys[place]), one))


def _columns_of(metric: Metric, *, compared: bool) -> Iterator[Column]:
    money = MONEY if metric.adds_up else MONEY_RATIO
    kind = {"money": money, "count": pa.int64()}.get(metric.unit, pa.float64())
    yield Column(metric.key, kind, lambda line: _typed(metric, metric.value(line.now)))
    if compared:
        yield Column(
            f"{metric.key}_before", kind,
            lambda line: None if line.before is None else _typed(metric, metric.value(line.before)),
        )  # fmt: skip
        yield Column(f"{metric.key}_change", pa.float64(), lambda line: _float(line.change(metric)))


def _typed(metric: Metric, value: Decimal | None) -> Decimal | int | float | None:
    if value is None:
        return None
    if metric.unit == "count":
        return int(value)
    return (value if metric.adds_up else shorten(value)) if metric.unit == "money" else float(value)


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def table_of(answer: Answer, currency: str) -> pa.Table:
    question = answer.question
    columns = columns_of(question)
    arrays = [pa.array([one.value(line) for line in answer.lines], one.kind) for one in columns]
    told = {
        "currency": currency,
        "start": question.period.start.isoformat(),
        "end": question.period.end.isoformat(),
        "time_zone": question.period.time_zone,
    }
    return pa.Table.from_arrays(
        arrays, schema=pa.schema([pa.field(one.name, one.kind) for one in columns], metadata=told)
    )


def to_arrow(answer: Answer, currency: str) -> bytes:
    sink, table = io.BytesIO(), table_of(answer, currency)
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue()


def to_parquet(answer: Answer, currency: str) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table_of(answer, currency), sink, compression="zstd")
    return sink.getvalue()


def to_csv(answer: Answer, currency: str) -> bytes:
    """As machines want it: names as they are stored."""
    return _csv_of(columns_of(answer.question), answer.lines)


def to_readable_csv(answer: Answer) -> bytes:
    """As people open it: names as pages show them, none that a spreadsheet would take for a formula."""
    return _csv_of(columns_of(answer.question, _cell_name), answer.lines)


def _cell_name(text: str, dimension: Dimension) -> str:
    return safe_cell(display_name(text, dimension))


def _csv_of(columns: Sequence[Column], lines: Sequence[Line]) -> bytes:
    text = io.StringIO(newline="")
    write = csv.writer(text).writerow
    write([one.name for one in columns])
    for line in lines:
        write([_plain(one.value(line)) for one in columns])
    return text.getvalue().encode("utf-8", "replace")


def _plain(value: Any) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{plain(value):f}"
    return "" if value is None else f"{shorten(Decimal(value)):f}" if isinstance(value, float) else str(value)


def to_xlsx(answer: Answer, *, title: str) -> bytes:
    """Numbers as numbers; hours as the zone's clocks show them, since a sheet knows no zones."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(NOT_IN_CELLS.sub("", title)[:31])
    sheet.freeze_panes = "A2"
    columns = columns_of(answer.question, _cell_name)
    sheet.append([one.name for one in columns])
    for line in answer.lines:
        sheet.append([_in_sheet(one.value(line)) for one in columns])
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


def _in_sheet(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    return NOT_IN_CELLS.sub("\ufffd", value) if isinstance(value, str) else value
