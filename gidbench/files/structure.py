"""The table in a text: its dialect, its titles, where its records begin and end, and what stands around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from gidbench.errors import InputError
from gidbench.files import layout, sniffing
from gidbench.files.dialects import NAMES, Dialect, Record, Scanner, as_texts, line_ends, whole_lines
from gidbench.files.layout import Layout
from gidbench.files.mending import Mender
from gidbench.files.options import ReadOptions
from gidbench.files.text import Decision
from gidbench.files.text_file import TextFile
from gidbench.kernels.scan_dialect import MULTILINE, OPEN, STRAY

SAMPLE_BYTES = 256 << 10
_MOST_HEADER_BYTES = 16 << 20
_MOST_ROWS = 300  # that are looked at in a file larger than the sample
_TAIL_BYTES = 64 << 10
_SHORT_SHARE = 0.2  # of rows that lack fields: where it is more, those lacking are the last


@dataclass(frozen=True)
class Table:
    """A table of delimited text.

    Attributes
    ----------
    titles:
        One for each column.
    header_rows, header_lines:
        Rows that make the titles, and lines of the file before the first record.
    begin, end:
        Positions of the first record, and behind the last.
    kinds:
        What the columns hold, None for text.
    short_rows:
        Whether so many rows lack fields that these are taken for the last ones.
    decisions:
        All that was found out.
    """

    dialect: Dialect
    titles: list[str]
    header_rows: int
    header_lines: int
    begin: int
    end: int
    kinds: Sequence[str | None]
    short_rows: bool
    decisions: Sequence[Decision]

    @property
    def width(self) -> int:
        return len(self.titles)


def find_table(text: TextFile, options: ReadOptions) -> Table:
    """The table of a file that is not empty."""
    size = SAMPLE_BYTES
    while True:
        complete = text.size - text.start <= size
        sample = _head(text, complete, size)
        best = sniffing.first_fitting(found := sniffing.candidates(sample, options), options.is_header)
        dialect = best.dialect
        rows = list(_rows(sample, dialect, complete))
        if complete or len(rows) > layout.MOST_HEADER_ROWS:
            break
        if size > _MOST_HEADER_BYTES:
            raise InputError(
                f"no {layout.MOST_HEADER_ROWS} records end within the first {size:,} bytes",
                "Check that the file is delimited text, and that its first quote is closed",
            )
        size *= 4
    plan = _layout(rows, options, complete)
    mender = Mender(dialect, plan.width, plan.kinds)
    rows = _untangled(rows, sample, mender, plan.width)
    plan = _layout(rows, options, complete)
    header = [rows[at].cells for at in range(plan.first, plan.first + plan.header_rows) if at < len(rows)]
    first = plan.first
    if not header and first and options.forgiving and options.header is None:
        before = rows[first - 1]
        if cells := mender.by_another_delimiter(sample[before.start : before.end], len(before.cells)):
            header, first = [as_texts(cells)], first - 1
    titles = _titles([mender.titles(cells) for cells in header if any(cells) or len(header) == 1], plan.width)
    if header and not options.forgiving and rows[first].marks & OPEN:
        raise InputError(
            f"a quote opens in the header row and is never closed: {rows[first].cells[0][:40]!r} …",
            "Check that its first quote is closed",
        )
    body = first + len(header)
    while header and options.forgiving and body < plan.end and not any(rows[body].cells):
        body += 1  # delimiters only, between the header and the records
    begin = rows[body].start if body < len(rows) else len(sample)
    end = text.size
    if complete and plan.end < len(rows):
        end = text.start + rows[plan.end].start
    elif not complete and options.forgiving:
        end = _before_footer(text, dialect, plan)
    short = sum(len(row.cells) < plan.width for row in rows[body : plan.end])
    return Table(
        dialect,
        titles,
        len(header),
        line_ends(sample[:begin]),
        text.start + begin,
        max(end, text.start + begin),
        plan.kinds,
        short > _SHORT_SHARE * max(1, plan.end - body),
        [text.encoding, *_told(found, best, plan, len(header), first, rows, text, end)],
    )


def _rows(sample: bytes, dialect: Dialect, complete: bool) -> Iterator[Record]:
    """The records of a sample, those of a part only as far as they are whole, and some hundred at most."""
    for count, record in enumerate(Scanner(dialect).records(sample)):
        if not complete and (record.end == len(sample) or count >= _MOST_ROWS):
            return
        yield record


def _head(text: TextFile, complete: bool, size: int) -> bytes:
    sample = bytes(text.data[text.start : text.size if complete else text.start + size])
    return sample if complete else whole_lines(sample)


def _layout(rows: Sequence[Record], options: ReadOptions, complete: bool) -> Layout:
    return layout.find_layout(
        rows,
        header=options.header,
        is_header=options.is_header,
        complete=complete,
        whole=not options.forgiving,
    )


def _untangled(rows: Sequence[Record], sample: bytes, mender: Mender, width: int) -> list[Record]:
    """The rows, those that a quote has tangled taken apart."""
    found: list[Record] = []
    for row in rows:
        tangled = row.marks & STRAY and row.marks & MULTILINE
        if not row.marks or (len(row.cells) == width and not tangled):
            found.append(row)
            continue
        piece = sample[row.start : row.end]
        mended = list(mender.records(piece))
        for record, behind in zip(mended, [*(later.start for later in mended[1:]), len(piece)], strict=True):
            if record.cells is None:
                cells = mender.fields(piece[record.start : behind])
            else:
                cells = as_texts(record.cells)
            found.append(
                Record(row.start + record.start, row.start + behind, row.line + record.line, cells, 0)
            )
    return found


def _titles(header: Sequence[Sequence[str]], width: int) -> list[str]:
    """Several rows become one, joined by a space; without one the columns are numbered.

    A title above several columns counts for each of them that has a title of its own below.
    """
    if not header:
        return [f"column_{at + 1}" for at in range(width)]
    if len(header) == 1:
        return list(header[0])
    most = max(width, *map(len, header))
    filled = [[*(title.strip() for title in row), *[""] * (most - len(row))] for row in header]
    for row, below in pairwise(filled):
        for at in range(1, most):  # a title above several columns stands over the first of them only
            if not row[at] and below[at]:
                row[at] = row[at - 1]
    return [" ".join(filter(None, parts)) for parts in zip(*filled, strict=True)]


def _before_footer(text: TextFile, dialect: Dialect, plan: Layout) -> int:
    """Where the last rows of a larger file stop to be records."""
    tail = bytes(text.data[text.size - _TAIL_BYTES : text.size])
    cut = tail.find(b"\n") + 1 or tail.find(b"\r") + 1
    rows = list(Scanner(dialect).records(tail[cut:]))
    if not rows:
        return text.size
    at = layout.footer(rows, 1, plan.width, plan.kinds)
    if at == len(rows) or any(len(row.cells) != plan.width for row in rows[max(1, at - 5) : at]):
        return text.size
    return text.size - len(tail) + cut + rows[at].start


def _told(
    found: Sequence[sniffing.Candidate],
    best: sniffing.Candidate,
    plan: Layout,
    header_rows: int,
    first: int,
    rows: Sequence[Record],
    text: TextFile,
    end: int,
) -> list[Decision]:
    dialect = best.dialect
    others = [one.score for one in found if one.dialect.delimiter != dialect.delimiter]
    runner_up = max(others, default=0.0)
    sure = 1.0 if not others or best.score <= 0 else max(0.0, min(1.0, 1 - runner_up / best.score))
    told = [
        Decision("delimiter", str(dialect), sure, f"{plan.width} columns in most of {len(rows):,} rows seen"),
        Decision("quote", NAMES.get(dialect.quote, dialect.quote), sure, "it fits best"),
        Decision("columns", f"{plan.width}", sure, "of most rows"),
    ]
    if dialect.escape:
        told.append(Decision("escape", dialect.escape, sure, "it stands before quotes or delimiters"))
    told.append(Decision("header", f"{header_rows} row{'s' * (header_rows != 1)}", plan.sure, plan.why))
    if first:
        told.append(
            Decision("preamble", f"{first} row{'s' * (first != 1)} set aside", 0.8, _glimpse(rows[0]))
        )
    if end < text.size:
        lines = line_ends(text.data[end : text.size]) or 1
        what = "another table" if plan.second else "footer"
        kind = "table" if plan.second else "footer"
        at = next((row for row in rows if text.start + row.start >= end), None)
        shown = _glimpse(at) if at else ""
        told.append(Decision(kind, f"{what} of {lines:,} lines set aside", 0.8, shown))
    return told


def _glimpse(row: Record) -> str:
    said = " ".join(cell for cell in row.cells if cell)
    return f"it begins {said[:40]!r}"
