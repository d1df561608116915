"""Dialects of delimited text, and records of one in Python: a few at a time, where kernels do not pay."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from gidbench.errors import InputError
from gidbench.files.options import ReadOptions
from gidbench.kernels.scan_dialect import EXACT, GAPS, MULTILINE, OPEN, RUNS, STRAY, TRIM

MODES = {EXACT: "", TRIM: "with blanks around", RUNS: "several count as one", GAPS: "two blanks or more"}
NAMES = {"\t": "tab", " ": "space", "": "none"}


@dataclass(frozen=True)
class Dialect:
    """How records are written; `quote` and `escape` are empty where there is none."""

    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    mode: int = EXACT

    @property
    def is_standard(self) -> bool:
        """Whether the faster kernels for RFC 4180 read it, with any delimiter and quote."""
        return bool(self.quote) and not self.escape and self.mode == EXACT

    @property
    def codes(self) -> tuple[int, int, int, int]:
        """Delimiter, quote, escape (-1 for none) and mode, as `scan_dialect` takes them."""
        quote, escape = (ord(mark) if mark else -1 for mark in (self.quote, self.escape))
        return ord(self.delimiter), quote, escape, self.mode

    def __str__(self) -> str:
        mode = f" ({MODES[self.mode]})" if self.mode != EXACT else ""
        return NAMES.get(self.delimiter, self.delimiter) + mode


def checked(options: ReadOptions) -> ReadOptions:
    """The options themselves. Raises InputError where a mark is not one character of ASCII, or two agree."""
    delimiter = options.delimiter
    if delimiter is not None and len(delimiter) == 2 and delimiter[1] == " ":
        delimiter = delimiter[0]
    marks = {"delimiter": delimiter, "quote": options.quote, "escape": options.escape}
    for name, mark in marks.items():
        if mark is None or (mark == "" and name != "delimiter"):
            continue
        if len(mark) != 1 or not mark.isascii() or mark in "\r\n\0":
            raise InputError(f"the {name} is {mark!r}", "Give one character of ASCII that ends no line")
    given = [mark for mark in marks.values() if mark]
    if len(set(given)) < len(given) and options.escape != options.quote:
        raise InputError(f"{given[0]!r} would have two meanings", "Give different characters")
    if options.escape and options.escape == options.quote:
        return replace(options, escape="")  # doubled, as everywhere
    return options


class Record(NamedTuple):
    """A record between two positions of its text, with the marks of `scan_dialect`."""

    start: int
    end: int
    line: int
    cells: list[str]
    marks: int

    @property
    def filled(self) -> int:
        """Fields with more than blanks in them."""
        return len(self.cells) - sum(not cell or cell.isspace() for cell in self.cells)


class Scanner:
    """What `scan_dialect.split_any` does, record by record; slow, but any quote may be taken literally.

    Parameters
    ----------
    pairs_close:
        Whether of two quotes before a delimiter or a line end the second closes the field, as where a
        program did not double those within.
    """

    def __init__(self, dialect: Dialect, *, pairs_close: bool = False) -> None:
        mark, quote, escape, mode = (
            re.escape(dialect.delimiter.encode()),
            re.escape(dialect.quote.encode()),
            re.escape(dialect.escape.encode()),
            dialect.mode,
        )
        gap = mark + mark if mode == GAPS else mark
        special = b"(?s:" + escape + b"(?:" + b"|".join(m for m in (quote, escape, mark) if m) + rb"|\r|\n))"
        ordinary = b"(?!" + gap + rb")[^\r\n]"
        self._plain = re.compile(b"(?:" + (special + b"|" if escape else b"") + ordinary + b")*")
        self._special = re.compile(special) if escape else None
        blanks = b" *" if mode in (TRIM, GAPS) else b""
        close = (
            rb"(?=" + blanks + rb"(?:\r|\n|\Z|" + mark + b"))"
            if mode != GAPS
            else rb"(?= +(?:\r|\n|\Z)|  |\r|\n|\Z)"
        )
        pair = quote + (b"(?=" + quote + close + b")" if pairs_close else b"(?!)")
        inside = [
            b"(?P<half>" + pair + b")",
            b"(?P<pair>" + quote + quote + b")",
            b"(?P<close>" + quote + close + b")",
            b"(?P<stray>" + quote + b")",
        ]
        if escape:
            inside.insert(0, b"(?P<special>" + special + b")")
        self._inside = re.compile(b"|".join(inside)) if quote else None
        self._quote, self._delimiter, self._mode = dialect.quote.encode(), dialect.delimiter.encode(), mode
        self._runs = re.compile(b"(?:" + mark + b")*")

    def _unescaped(self, text: bytes) -> bytes:
        return self._special.sub(lambda found: found.group()[1:], text) if self._special else text

    def _past_blanks(self, data: bytes, at: int) -> int:
        if self._mode != EXACT:
            while data[at : at + 1] == b" ":
                at += 1
        return at

    def _quoted(self, data: bytes, at: int) -> tuple[int, bytes, int]:
        """A field whose opening quote is before `at`: where it ends, its text, its marks."""
        assert self._inside is not None
        pieces, marks, begin = [], 0, at
        while True:
            found = self._inside.search(data, at)
            if found is None:
                text = data[begin:]
                at, marks = len(data), marks | OPEN
                pieces.append(text)
                break
            kind, at = found.lastgroup, found.end()
            if kind == "close":
                pieces.append(data[begin : found.start()])
                break
            if kind in ("stray", "half"):
                marks |= STRAY
                continue
            pieces += [data[begin : found.start()], found.group()[1:]]
            begin = at
        value = b"".join(pieces)
        if b"\n" in value or b"\r" in value:
            marks |= MULTILINE
        if self._mode == TRIM:
            at = self._past_blanks(data, at)
        return at, value, marks

    def record(
        self, data: bytes, at: int, literal: Container[int] = ()
    ) -> tuple[int, list[bytes], int, list[int]]:
        """The record at `at`: where the next begins, its fields, its marks, and which were quoted oddly.

        The quotes that open the fields `literal` are taken for a part of the text.
        """
        cells: list[bytes] = []
        odd: list[int] = []
        marks = 0
        while True:
            if self._mode in (TRIM, GAPS) or (self._mode == RUNS and not cells):
                at = self._past_blanks(data, at)
            if self._inside and len(cells) not in literal and data.startswith(self._quote, at):
                at, text, found = self._quoted(data, at + 1)
                if found:
                    odd.append(len(cells))
                marks |= found
            else:
                match = self._plain.match(data, at)
                assert match is not None
                at, text = match.end(), self._unescaped(match.group())
                if self._mode != EXACT:
                    text = text.rstrip(b" ")
            cells.append(text)
            if data.startswith(self._delimiter, at):
                at += 1
                if self._mode == RUNS:
                    at = self._runs.match(data, at).end()  # type: ignore[union-attr]
                if self._mode in (RUNS, GAPS):
                    at = self._past_blanks(data, at)
                    if at >= len(data) or data[at] in b"\r\n":
                        break
            else:
                break
        if at < len(data):
            at += 2 if data.startswith(b"\r\n", at) else 1
        return at, cells, marks, odd

    def begin(self, data: bytes, at: int) -> tuple[int, int, int]:
        """Past blank records from `at`: where the next begins, how many lines were passed, and whence it is read."""
        lines = 0
        while at < len(data):
            inner = self._past_blanks(data, at)
            if self._mode == RUNS:
                inner = self._runs.match(data, inner).end()  # type: ignore[union-attr]
            if inner < len(data) and data[inner] in b"\r\n":
                at = inner + (2 if data.startswith(b"\r\n", inner) else 1)
                lines += 1
                continue
            if inner >= len(data):
                return len(data), lines, len(data)
            return at, lines, inner
        return at, lines, at

    def records(self, data: bytes) -> Iterator[Record]:
        """All records of a text, lines counted from 0."""
        line, (at, passed, inner) = 0, self.begin(data, 0)
        while at < len(data):
            line += passed
            end, cells, marks, _ = self.record(data, inner)
            yield Record(at, end, line, as_texts(cells), marks)
            line += line_ends(data[at:end])
            at, passed, inner = self.begin(data, end)


def as_texts(cells: Iterable[bytes]) -> list[str]:
    """Fields to look at."""
    return [cell.decode("utf-8", "replace") for cell in cells]


def whole_lines(data: bytes) -> bytes:
    """A text up to its last line end, or all of it if it has none."""
    return data[: max(data.rfind(b"\n"), data.rfind(b"\r")) + 1] or data


def line_ends(data: bytes) -> int:
    r"""How many lines end in a text: at \n, \r\n or \r."""
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")
