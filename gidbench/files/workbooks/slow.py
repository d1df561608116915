"""Sheets and strings by an XML parser, one cell at a time: for what the kernels do not know for certain.

Elements of other namespaces are passed over with all that is in them; of alternate content the fallback counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from gidbench.errors import InputError
from gidbench.files.workbooks import values
from gidbench.files.workbooks.xml import COMPATIBILITY, MAIN, Parser
from gidbench.kernels.sheet_cells import NUMBER

Cells = dict[int, tuple[str, bool]]
"""By column: the text of a cell, and whether it was a number. Cells without a text are not there."""


@dataclass(frozen=True)
class Surroundings:
    """What cells refer to: the shared string of a number, kinds of numbers by style, the calendar."""

    string: Callable[[int], str]
    string_count: int
    classes: Any
    since_1904: bool
    field_bytes: int


class Texts:
    """Collects the text of an <is> or <si>: its own <t> and those of its runs, not those of phonetic hints."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._path: list[str] = []

    def start(self, local: str) -> None:
        self._path.append(local)

    def end(self) -> None:
        self._path.pop()

    def text(self, data: str) -> None:
        if self._path in (["t"], ["r", "t"]):
            self.parts.append(data)

    def value(self) -> str:
        return values.unescaped("".join(self.parts))


class Foreign:
    """Keeps track of elements that do not count: of other namespaces, and choices of alternate content."""

    def __init__(self) -> None:
        self._depth = 0

    def starts(self, space: str, local: str) -> bool:
        """Whether an element that begins does not count."""
        if self._depth or not (space in MAIN or (space == COMPATIBILITY and local != "Choice")):
            self._depth += 1
            return True
        return space == COMPATIBILITY

    def ends(self, space: str) -> bool:
        if self._depth:
            self._depth -= 1
            return True
        return space == COMPATIBILITY

    def inside(self) -> bool:
        return self._depth > 0


class RowParser:
    """Rows of a sheet as they end. Feed it, and take what is in `rows`: (number, cells)."""

    def __init__(self, parser: Parser, around: Surroundings, *, last_row: int = 0) -> None:
        self.rows: list[tuple[int, Cells]] = []
        self.misplaced: str | None = None
        self.widest = 0
        self.began = False
        self._parser, self._around = parser, around
        self._row, self._column = last_row, -1
        self._cells: Cells = {}
        self._others: dict[int, Cells] = {}
        self._foreign = Foreign()
        self._texts: Texts | None = None
        self._kind = ""
        self._style = 0
        self._at: tuple[int, int] = (0, 0)
        self._value: list[str] | None = None
        self._raw = ""
        self._inline: str | None = None
        self._level = ""
        parser.listen(self._start, self._end, self._text)

    def _start(self, space: str, local: str, attributes: dict[str, str]) -> None:
        if self._foreign.starts(space, local):
            return
        if self._texts is not None:
            self._texts.start(local)
        elif self._level == "" and local == "worksheet":
            return
        elif self._level == "" and local == "sheetData":
            self._level, self.began = "sheetData", True
        elif self._level == "sheetData" and local == "row":
            self._level = "row"
            number = attributes.get("r")
            self._row = self._row + 1 if number is None else self._integer(number)
            self._column, self._cells = -1, {}
        elif self._level == "row" and local == "c":
            self._level = "c"
            self._begin_cell(attributes)
        elif self._level == "c" and local == "v":
            self._level, self._value = "v", []
        elif self._level == "c" and local == "is":
            self._level, self._texts = "is", Texts()
        else:
            self._foreign._depth += 1  # a formula, an extension: nothing in it counts

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        self._column += 1
        row = self._row
        reference = attributes.get("r", "")
        if reference and reference != str(self._column):  # some count columns from 0 and say no more
            row, self._column = self._reference(reference)
            if row != self._row and self.misplaced is None:
                self.misplaced = f"the cell {reference} stands in row {self._row:,}"
        self._at = (row, self._column)
        self._kind = attributes.get("t", "n")
        self._style = self._integer(attributes.get("s") or "0", least=0)
        self._raw, self._inline = "", None

    def _end(self, space: str, local: str) -> None:
        if self._foreign.ends(space):
            return
        if self._level == "is" and local == "is" and self._texts is not None and not self._texts._path:
            self._inline, self._texts, self._level = self._texts.value(), None, "c"
        elif self._texts is not None:
            self._texts.end()
        elif self._level == "v":
            self._raw, self._value, self._level = "".join(self._value or ()), None, "c"
        elif self._level == "c":
            self._end_cell()
            self._level = "row"
        elif self._level == "row":
            self.rows.append((self._row, self._cells))
            if self._others:
                self.rows.extend(self._others.items())
                self._others = {}
            self._level = "sheetData"
        elif self._level == "sheetData":
            self._level = "behind"

    def _text(self, data: str) -> None:
        if self._foreign.inside():
            return
        if self._texts is not None:
            self._texts.text(data)
        elif self._value is not None:
            self._value.append(data)

    def _end_cell(self) -> None:
        text, is_number = self._cell()
        row, column = self._at
        if len(text) > self._around.field_bytes:
            raise InputError(
                f"a cell in row {row:,} holds {len(text):,} characters; {self._around.field_bytes:,} are the most",
                "Raise the limit field_bytes if the file can be trusted",
            )
        cells = self._cells if row == self._row else self._others.setdefault(row, {})
        if text:
            cells[column] = (text, is_number)
            self.widest = max(self.widest, column + 1)
        else:
            cells.pop(column, None)

    def _cell(self) -> tuple[str, bool]:
        kind, raw = self._kind, self._raw
        if kind == "inlineStr":
            return (values.unescaped(raw) if self._inline is None else self._inline), False
        if not raw:
            return "", False
        if kind == "n":
            classes = self._around.classes
            number = int(classes[self._style]) if self._style < len(classes) else NUMBER
            return values.cell_text(number, raw, self._around.since_1904)
        if kind == "s":
            return self._shared(raw), False
        if kind in ("str", "e"):
            return values.unescaped(raw), False
        if kind == "b":
            return values.truth_text(raw), False
        if kind == "d":
            return values.iso_text(raw), False
        return raw, False

    def _shared(self, raw: str) -> str:
        index = self._integer(raw.strip(" \t\r\n"), least=0)
        if index >= self._around.string_count:
            raise self._parser.error(
                f"a cell in row {self._row:,} names the shared string {index:,}, of which there are "
                f"{self._around.string_count:,}"
            )
        return self._around.string(index)

    def _reference(self, reference: str) -> tuple[int, int]:
        """(row, column from 0) of a reference such as AB12."""
        letters = reference.upper().replace("$", "").rstrip("0123456789")
        digits = reference.replace("$", "")[len(letters) :]
        column = 0
        for letter in letters:
            if not "A" <= letter <= "Z":
                column = 0
                break
            column = column * 26 + ord(letter) - 64
        if not 0 < len(letters) <= 3 or column == 0 or not digits.isdecimal():
            raise self._parser.error(f"a cell of row {self._row:,} has the reference {reference[:40]!r}")
        return self._integer(digits), column - 1

    def _integer(self, text: str, *, least: int = 1) -> int:
        stripped = text.strip()
        if not (stripped.isascii() and stripped.isdecimal()) or len(stripped) > 12 or int(stripped) < least:
            raise self._parser.error(f"it gives {text[:40]!r} where a number belongs, near row {self._row:,}")
        return int(stripped)


def parse_rows(
    name: str, part: str, content: bytes, around: Surroundings, last_row: int
) -> tuple[list[tuple[int, Cells]], str | None]:
    """(rows of a piece of a sheet, what is misplaced in it or None)."""
    parser = Parser(name, part)
    rows = RowParser(parser, around, last_row=last_row)
    parser.feed(content, True)
    return rows.rows, rows.misplaced


def wrapped(piece: bytes, spaces: dict[str, str], element: str) -> bytes:
    """A piece of XML inside of an element of the main namespace, where prefixes mean what they did."""
    declared = "".join(f' xmlns:{prefix}="{_quoted(uri)}"' for prefix, uri in spaces.items() if prefix)
    return f'<{element} xmlns="{MAIN[0]}"{declared}>'.encode() + piece + f"</{element}>".encode()


def _quoted(uri: str) -> str:
    return uri.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def item_texts(name: str, part: str, items: bytes, spaces: dict[str, str]) -> list[str]:
    """The texts of some <si>."""
    return list(parse_strings(name, part, iter([wrapped(items, spaces, "sst")])))


def parse_strings(name: str, part: str, blocks: Iterator[bytes]) -> Iterator[str]:
    """The shared strings of a part."""
    parser = Parser(name, part)
    strings = _Strings(parser)
    for block in blocks:
        parser.feed(block)
        yield from strings.take()
    parser.feed(b"", True)
    yield from strings.take()


class _Strings:
    def __init__(self, parser: Parser) -> None:
        self._found: list[str] = []
        self._depth = 0
        self._texts: Texts | None = None
        self._foreign = Foreign()
        parser.listen(self._start, self._end, self._text)

    def take(self) -> list[str]:
        found, self._found = self._found, []
        return found

    def _start(self, space: str, local: str, _: dict[str, str]) -> None:
        if self._foreign.starts(space, local):
            return
        if self._texts is not None:
            self._texts.start(local)
        elif self._depth == 1 and local == "si":
            self._texts = Texts()
        else:
            self._depth += 1

    def _end(self, space: str, local: str) -> None:
        if self._foreign.ends(space):
            return
        if self._texts is None:
            self._depth -= 1
        elif local == "si" and not self._texts._path:
            self._found.append(self._texts.value())
            self._texts = None
        else:
            self._texts.end()

    def _text(self, data: str) -> None:
        if self._texts is not None and not self._foreign.inside():
            self._texts.text(data)
