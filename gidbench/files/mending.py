"""Records that do not fit their table: what they most likely mean, or that nobody can tell.

A record is mended where one reading of it has as many fields as the table has columns: a quote may be a part
of the text, a field may be missing or too much where the kinds of the columns show which, a single record
may use another delimiter. Whatever is mended is marked, and told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import comb
from typing import NamedTuple

from gidbench.files.cell_types import EMPTY, kind
from gidbench.files.dialects import Dialect, Scanner, as_texts, line_ends
from gidbench.kernels.scan import COLUMN_COUNT, OPEN_QUOTE, STRAY_QUOTE
from gidbench.kernels.scan_dialect import MULTILINE, OPEN, STRAY

_MOST_TRIES = 40
_MOST_SURPLUS = 3  # fields too many or too few, beyond which nobody can tell which
_EVERY_FIELD = range(1 << 16)
_OTHER_DELIMITERS = ",;\t| "


class Mended(NamedTuple):
    """A record after mending: its fields, or None where they cannot be placed, and what was wrong."""

    start: int
    line: int
    cells: list[bytes] | None
    reason: int


class Mender:
    """Mends the records of one table.

    Parameters
    ----------
    dialect, width, kinds:
        Those of the table, as `gidbench.files.layout` finds them.
    """

    def __init__(self, dialect: Dialect, width: int, kinds: Sequence[str | None]) -> None:
        self._dialect, self._width = dialect, width
        self._kinds = [*kinds, *[None] * width][:width]
        self._scanner = Scanner(dialect)
        self._tight = Scanner(dialect, pairs_close=True)
        self._others = [
            Scanner(Dialect(mark, dialect.quote)) for mark in _OTHER_DELIMITERS if mark != dialect.delimiter
        ]

    def records(self, data: bytes) -> Iterator[Mended]:
        """The records of a piece that the kernel took for one, or for some; lines counted from 0."""
        line, (at, passed, inner) = 0, self._scanner.begin(data, 0)
        while at < len(data):
            line += passed
            end, cells, reason = self._one(data, inner)
            yield Mended(at, line, cells, reason)
            line += line_ends(data[at:end])
            at, passed, inner = self._scanner.begin(data, end)

    def titles(self, cells: list[str]) -> list[str]:
        """A header row with as many titles as there are columns."""
        backwards = cells[::-1]
        while len(backwards) > self._width and "" in backwards:
            backwards.remove("")
        return backwards[::-1] + [""] * (self._width - len(cells))

    def _one(self, data: bytes, at: int) -> tuple[int, list[bytes] | None, int]:
        end, cells, marks, odd = self._scanner.record(data, at)
        reason = OPEN_QUOTE if marks & OPEN else STRAY_QUOTE if marks & STRAY else 0
        suspicious = bool(marks & OPEN) or (
            bool(marks & (STRAY | MULTILINE))
            and (len(cells) != self._width or bool(marks & STRAY and marks & MULTILINE))
        )
        if suspicious:
            other_end, other, other_marks, _ = self._tight.record(data, at)
            if len(other) == self._width and not other_marks & (OPEN | MULTILINE):
                return other_end, other, STRAY_QUOTE
            literal: set[int] = set()
            while odd:
                literal.add(odd[0])
                other_end, other, other_marks, odd = self._scanner.record(data, at, literal)
                if len(other) == self._width and not other_marks & (OPEN | STRAY):
                    return other_end, other, reason or STRAY_QUOTE
                if len(literal) > self._width:
                    break
            if marks & OPEN or (marks & MULTILINE and marks & STRAY):  # what it swallowed is read by itself
                end, cells, marks, _ = self._scanner.record(data, at, _EVERY_FIELD)
        if len(cells) == self._width and not marks & OPEN:
            return end, cells, reason
        if again := self.by_another_delimiter(data[at:end], len(cells)):
            return end, again, COLUMN_COUNT
        placed = self._fewer(cells) if len(cells) > self._width else self._more(cells)
        return end, placed, reason or (COLUMN_COUNT if placed is None or len(cells) != self._width else 0)

    def fields(self, record: bytes) -> list[str]:
        """The fields of a record, every quote taken for text."""
        _, cells, _, _ = self._scanner.record(record, 0, _EVERY_FIELD)
        return as_texts(cells)

    def by_another_delimiter(self, record: bytes, width: int) -> list[bytes] | None:
        """The fields of a record that has as many as the table has columns by another delimiter than it."""
        if 2 * width > self._width or self._width < 3:
            return None
        for scanner in self._others:
            end, cells, marks, _ = scanner.record(record, 0)
            if end == len(record) and not marks and len(cells) == self._width:
                return cells
        return None

    def _fits(self, cells: Sequence[bytes]) -> tuple[list[int], list[int]]:
        """How well fields fit their columns' kinds: the first i from the left, those from i on from the right.

        One that fits counts 1, one that does not -1, one that is empty or of a text column 0.
        """
        kinds = [kind(cell.decode("utf-8", "replace")) for cell in cells]
        left, right = [0], [0]
        for found, wanted in zip(kinds, self._kinds, strict=False):
            left.append(left[-1] + _fit(found, wanted))
        for found, wanted in zip(reversed(kinds), reversed(self._kinds), strict=False):
            right.append(right[-1] + _fit(found, wanted))
        missing = len(cells) + 1 - len(right)
        return left, [right[-1]] * missing + right[::-1]

    def _fewer(self, cells: list[bytes]) -> list[bytes] | None:
        """The fields without those that are too many: empty ones, or parts of a text with a delimiter in it."""
        surplus = len(cells) - self._width
        if surplus > _MOST_SURPLUS:
            return None
        empty = [at for at, cell in enumerate(cells) if not cell]
        if not any(cells[self._width :]) and not any(self._kinds):
            return cells[: self._width]
        left, right = self._fits(cells)
        if surplus == 1 and empty:
            at = max(reversed(empty), key=lambda at: left[at] + right[at + 1])
            return cells[:at] + cells[at + 1 :]
        if len(empty) >= surplus and comb(len(empty), surplus) <= _MOST_TRIES:
            tries = [
                [cell for at, cell in enumerate(cells) if at not in left_out]
                for left_out in reversed(list(combinations(empty, surplus)))
            ]
            return max(tries, key=lambda row: self._fits(row)[0][-1])
        return self._rejoined(cells, surplus, left, right)

    def _rejoined(
        self, cells: list[bytes], surplus: int, left: Sequence[int], right: Sequence[int]
    ) -> list[bytes] | None:
        """The fields with some put back together, where one way alone gives every column its kind.

        A delimiter within a text has a blank behind it, more often than not; one between fields has none.
        """
        scores = {
            at: (
                left[at] + right[at + surplus + 1],
                sum(part.startswith(b" ") for part in cells[at + 1 : at + surplus + 1]),
            )
            for at in range(self._width)
            if self._kinds[at] is None
        }
        typed = sum(wanted is not None for wanted in self._kinds)
        best = max(scores.values(), default=(0, 0))
        if typed < 2 or best[0] < typed - 1 or list(scores.values()).count(best) > 1:
            return None
        at = max(scores, key=lambda at: scores[at])
        joined = self._dialect.delimiter.encode().join(cells[at : at + surplus + 1])
        return [*cells[:at], joined, *cells[at + surplus + 1 :]]

    def _more(self, cells: list[bytes]) -> list[bytes]:
        """The fields with empty ones where they fit best, else at the end."""
        empty = [b""] * (self._width - len(cells))
        if len(empty) > _MOST_SURPLUS or not any(self._kinds):
            return cells + empty
        left, right = self._fits(cells)
        at = max(range(len(cells), -1, -1), key=lambda at: left[at] + right[at])
        return cells[:at] + empty + cells[at:]


def _fit(found: str, wanted: str | None) -> int:
    return 0 if wanted is None or found == EMPTY else 1 if found == wanted else -1
