"""Where the table is within a file: its width, what stands before and behind it, its header."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from gidbench.files.cell_types import EMPTY, MISSING, NUMBER, ODD, WORDS, column_kind, kind
from gidbench.files.dialects import Record

MOST_HEADER_ROWS = 5
MOST_PREAMBLE = 60
_MOST_FOOTER = 20
_FEW = 3  # rows that may be accidents


@dataclass(frozen=True)
class Layout:
    """The rows of a sample, told apart.

    Attributes
    ----------
    width:
        Number of columns.
    first:
        Index of the first row of the table, its header if there is one.
    header_rows:
        Rows of the header.
    end:
        Index behind the last row of the table.
    second:
        Whether what follows `end` is another table, not a footer.
    kinds:
        Of each column: number, date, time, boolean, or None for text.
    sure:
        How sure the number of header rows is, 0 to 1.
    why:
        The reason for it.
    """

    width: int
    first: int
    header_rows: int
    end: int
    second: bool
    kinds: list[str | None] = field(default_factory=list)
    sure: float = 1.0
    why: str = ""


def find_layout(
    rows: Sequence[Record],
    *,
    header: int | None,
    is_header: Callable[[list[str]], bool] | None = None,
    complete: bool = True,
    whole: bool = False,
) -> Layout:
    """The layout of a sample's rows.

    Parameters
    ----------
    header:
        Rows of the header, if the caller says so.
    is_header:
        Tells a header row by its titles.
    complete:
        Whether the rows are all of the file, so that a footer or a second table can be seen.
    whole:
        Whether everything behind the header is taken for records.
    """
    known = None
    if is_header is not None:
        known = next((at for at, row in enumerate(rows[:MOST_PREAMBLE]) if is_header(row.cells)), None)
    if whole or known is not None:
        return _plain(rows, known, header)
    width = _width(rows)
    first = _preamble(rows, width)
    end, second = len(rows), False
    body = rows[first:end]
    kinds = _kinds([row.cells for row in body[1:]], width)
    first += _passed_over(body, width, kinds)
    body = rows[first:end]
    count, sure, why = (header, 1.0, "as said") if header is not None else _header(body, width, kinds)
    if complete:
        end, second = _end(rows, first + count, width, kinds, rows[first].cells if count else [])
    titles = rows[first].filled if rows and not rows[first].marks else 0
    return Layout(max(width, titles), first, count, end, second, kinds, sure, why)


def _plain(rows: Sequence[Record], known: int | None, header: int | None) -> Layout:
    """The layout where everything behind the header is a record."""
    first, count = known or 0, 1 if header is None else header
    titles = rows[first : first + count]
    width = max((len(row.cells) for row in titles), default=0) or _width(rows)
    why = "its titles are known" if known is not None else "as said" if header is not None else "as a rule"
    return Layout(width, first, min(count, len(titles)), len(rows), False, why=why)


def _solid(row: Record) -> int:
    """Fields of a row up to the last one with text."""
    return max((at + 1 for at, cell in enumerate(row.cells) if cell), default=0)


def _width(rows: Sequence[Record]) -> int:
    """The number of fields of most rows; of more where a tenth of the rows have text beyond that."""
    widths = Counter(len(row.cells) for row in rows if row.filled)
    if not widths:
        return max((len(row.cells) for row in rows), default=0)
    most = max(widths.values())
    width = max(number for number, count in widths.items() if count == most)
    wider = [solid for row in rows if (solid := _solid(row)) > width]
    if len(wider) >= _FEW and len(wider) * 10 >= sum(widths.values()):
        return max(wider)
    said = [row for row in rows if row.filled]
    titles = len(said[0].cells)
    if 1 < titles == width - 1 == said[0].filled and all(_solid(row) < width for row in said):
        return titles  # every row but the header ends with a delimiter
    return width


def _preamble(rows: Sequence[Record], width: int) -> int:
    """The first row of the table: rows before it have little in them, or are comments."""
    if width < 2 or not rows:
        return 0
    filled = [count for row in rows if (count := row.filled)]
    enough = max(2.0, statistics.median(filled or [0]) * 0.5) if width > 2 else width
    for at, row in enumerate(rows[:MOST_PREAMBLE]):
        comment = row.cells[0].lstrip().startswith("#") and len(row.cells) != width
        if row.filled >= enough and not comment:
            return at
    return 0


def _passed_over(body: Sequence[Record], width: int, kinds: Sequence[str | None]) -> int:
    """Rows at the top with more or fewer fields than the table, where a row of titles follows."""
    if not body or len(body[0].cells) == width:
        return 0
    for at, row in enumerate(body[1:10], 1):
        alike, other = _votes(row, kinds)
        if len(row.cells) == width and (alike or other):
            return at if other > alike else 0
    return 0


def _kinds(cells: Sequence[Sequence[str]], width: int) -> list[str | None]:
    fitting = [row for row in cells if len(row) == width] or cells
    return [column_kind(row[at] for row in fitting if at < len(row)) for at in range(width)]


def _votes(row: Record, kinds: Sequence[str | None]) -> tuple[int, int]:
    """Cells of a row in typed columns: how many are of the type, and how many are words instead."""
    alike = other = 0
    for cell, wanted in zip(row.cells, kinds, strict=False):
        if wanted is not None and (found := kind(cell)) not in (EMPTY, MISSING):
            alike += found == wanted
            other += found in (WORDS, ODD)
    return alike, other


def _are_years(row: Record, kinds: Sequence[str | None]) -> bool:
    """Whether the numbers of a row are years, one after another, as titles of columns may be."""
    cells = [cell.strip() for cell, wanted in zip(row.cells, kinds, strict=False) if wanted == NUMBER]
    years = [int(cell) for cell in cells if len(cell) == 4 and cell.isdecimal() and 1800 <= int(cell) <= 2200]
    return (
        len(years) > 1
        and len(years) == len(cells)
        and all(later - year == 1 for year, later in pairwise(years))
    )


def _header(body: Sequence[Record], width: int, kinds: Sequence[str | None]) -> tuple[int, float, str]:
    """How many rows are titles, how sure that is, and why."""
    if not body:
        return 0, 1.0, "there is no row"
    first = body[0]
    if len(body) == 1:
        plain = all(kind(cell) in (WORDS, ODD, EMPTY) for cell in first.cells)
        return int(plain), 0.6, "it is the only row" + ("" if plain else ", and holds values")
    alike, other = _votes(first, kinds)
    if alike and _are_years(first, kinds):
        alike, other = 0, alike
    typed = sum(wanted is not None for wanted in kinds)
    if alike or other:
        if alike >= other:
            return 0, alike / (alike + other), f"{alike} of {typed} typed columns begin with a value"
        rows = at = 1
        while at < min(MOST_HEADER_ROWS + 2, len(body) - 1):
            if body[at].filled:
                if not _goes_on(body[at], first, width, kinds, other):
                    break
                rows = at + 1
            at += 1
        return rows, other / (alike + other), f"{other} of {typed} typed columns begin with words"
    return _header_of_texts(body)


def _goes_on(row: Record, first: Record, width: int, kinds: Sequence[str | None], words: int) -> bool:
    """Whether a row goes on with the header that `first` begins with `words` words in typed columns."""
    alike, other = _votes(row, kinds)
    if alike or not other or len(row.cells) < width:
        return False
    below = [at for at, cell in enumerate(row.cells) if cell.strip()]
    spanned = sum(at >= len(first.cells) or not first.cells[at].strip() for at in below)
    return other >= (words + 1) // 2 or 2 * spanned >= len(below)


def _header_of_texts(body: Sequence[Record]) -> tuple[int, float, str]:
    """The same where no column is typed: titles are short, all different, and do not come again."""
    titles = [cell.strip() for cell in body[0].cells]
    named = [title for title in titles if title]
    if any(kind(title) not in (WORDS, ODD) for title in named):
        return 0, 0.6, "the first row holds values"
    if len(set(named)) < len(named):
        return 0, 0.6, "the first row says something twice"
    below = [{row.cells[at].strip() for row in body[1:] if at < len(row.cells)} for at in range(len(titles))]
    again = sum(title in column for title, column in zip(titles, below, strict=True) if title)
    if again * 2 > len(named):
        return 0, 0.7, "what the first row says comes again below"
    return 1, 0.6, "the first row is unlike those below"


def _end(
    rows: Sequence[Record], begin: int, width: int, kinds: Sequence[str | None], titles: Sequence[str]
) -> tuple[int, bool]:
    """Behind the last row of the table, and whether another table follows."""
    names = {title.strip().lower() for title in titles if title.strip()}
    for at in range(begin + 1, len(rows)):
        if _begins_table(rows, at, width, kinds, names):
            last = at
            while last > begin and not rows[last - 1].filled:
                last -= 1
            return last, True
    return footer(rows, begin, width, kinds), False


def footer(rows: Sequence[Record], begin: int, width: int, kinds: Sequence[str | None]) -> int:
    """Index of the first of the last rows that say something about the table rather than belong to it."""
    end = len(rows)
    if width < 2:
        return end
    while end > begin + 1 and not rows[end - 1].filled:  # delimiters only
        end -= 1
    blank = end
    least = max(1, width // 4)
    while end > max(begin, blank - _MOST_FOOTER):
        row = rows[end - 1]
        alike, _ = _votes(row, kinds)
        apart = end > 1 and (_gap(rows, end - 1) or not row.filled)
        if row.filled > least or alike or (len(row.cells) == width and not apart):
            break
        end -= 1
    if end == begin or (blank - end > 1 and width == 2 and not _gap(rows, end)):
        return blank
    return end


def _gap(rows: Sequence[Record], at: int) -> bool:
    """Whether a blank line or a row of empty cells stands before a row."""
    before = rows[at - 1]
    return not before.filled or (rows[at].line > before.line + 1 and not before.marks)


def _begins_table(
    rows: Sequence[Record], at: int, width: int, kinds: Sequence[str | None], names: set[str]
) -> bool:
    row = rows[at]
    if row.filled < 2 or width < 2:
        return False
    said = {cell.strip().lower() for cell in row.cells if cell.strip()}
    if len(names) > 1 and len(said & names) >= 0.6 * max(len(names), len(said)):
        return True
    if not _gap(rows, at) or at + 2 >= len(rows):
        return False
    alike, other = _votes(row, kinds)
    following = {len(later.cells) for later in rows[at : at + 5] if later.filled}
    return not alike and (other > 1 or len(row.cells) != width) and len(following) == 1
