"""A file of reported performance as a table: its header, its rows as a stream, and how it is laid out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from apps.events.importing import GZIP, Progress, check_path
from apps.events.reported.cells import Row
from apps.events.reported.delimited import DELIMITERS, open_bytes, open_text
from apps.events.reported.header import SEARCHED, column_names, find_header, no_header
from apps.events.reported.refusals import refuse
from apps.events.reported.workbook import is_workbook, open_workbook

SAMPLE_ROWS = 1_000


class Source(Protocol):
    """A text file or a workbook's sheet."""

    @property
    def encoding(self) -> str: ...
    @property
    def delimiter(self) -> str: ...
    @property
    def sheet(self) -> str: ...
    @property
    def is_cut(self) -> bool: ...
    def rows(self, progress: Progress) -> Iterator[Row]: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class Layout:
    """How the file is written; `encoding` and `delimiter` are empty for a workbook, `sheet` for a text."""

    encoding: str
    delimiter: str
    sheet: str
    header_line: int

    @property
    def words(self) -> str:
        if self.sheet:
            return f"sheet {self.sheet!r}, header in row {self.header_line}"
        return f"{self.encoding}, separated by {DELIMITERS[self.delimiter]}s, header in line {self.header_line}"


class Table:
    """`rows()` may be read again and again; each reading streams."""

    def __init__(self, source: Source, header: Row) -> None:
        self._source = source
        self.header = column_names(header.cells)
        self.layout = Layout(source.encoding, source.delimiter, source.sheet, header.line)

    def rows(self, progress: Progress = lambda done: None) -> Iterator[Row]:
        """The rows below the header, without empty ones, as wide as it at least."""
        width = len(self.header)
        for row in self._source.rows(progress):
            if row.line > self.layout.header_line and any(cell and not cell.isspace() for cell in row.cells):
                if len(row.cells) < width:
                    row.cells.extend([""] * (width - len(row.cells)))
                yield row

    @property
    def is_cut(self) -> bool:
        """Whether the last reading ended before the file did, since it was a glance."""
        return self._source.is_cut

    def sample(self, count: int = SAMPLE_ROWS) -> list[Row]:
        return list(islice(self.rows(), count))

    def close(self) -> None:
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_table(path: Path, wanted: Sequence[str] = (), *, is_glance: bool = False) -> Table:
    """A CSV, TSV or XLSX file. `wanted` are names of columns that the header is known to have. At a glance, some
    megabytes are read of it and no more: enough for the first rows, and soon done for whoever waits."""
    check_path(path)
    with path.open("rb") as file:
        head = file.read(8)
    source: Source
    if head.startswith(GZIP):
        with open_bytes(path, lambda done: None) as stream:
            if is_workbook(stream.read(8)):
                raise refuse("not_a_workbook", "A workbook is packed already; import it without gzip.")
    opened = open_workbook if is_workbook(head) else open_text
    source = opened(path, wanted, is_glance=is_glance)
    first = list(islice(source.rows(lambda done: None), SEARCHED))
    place = find_header(first, wanted)
    if place is None:
        source.close()
        raise no_header()
    return Table(source, first[place])
