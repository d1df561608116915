r"""Which dialect a text is written in.

Each candidate dialect reads a sample, and the one under which the sample looks most like a table wins: its
records have the same number of fields, and its cells are numbers, dates, words. The score is the product
of pattern score and type score by van den Burg, Nazábal and Sutton, "Wrangling Messy CSV Files by Detecting
Row and Type Patterns" (2019): P = 1/K Σ N_k max(α, L_k - 1) / L_k over the K patterns of records, N_k records
of L_k fields each; T = the share of cells whose type is known. Here the patterns are the numbers of fields,
and cells count as less than known where they hold another candidate's marks.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from gidbench.files.cell_types import EMPTY, ODD, WORDS, kind
from gidbench.files.dialects import Dialect, Record, Scanner, whole_lines
from gidbench.files.options import ReadOptions
from gidbench.kernels.scan_dialect import EXACT, GAPS, OPEN, RUNS, STRAY, TRIM

DELIMITERS = ",;\t|:^~ "
_LIKELY = {",": 1.0, ";": 1.0, "\t": 1.0, "|": 1.0, "^": 0.99, "~": 0.98, ":": 0.7, " ": 0.92}
_CLOCK_OR_ADDRESS = re.compile(r"(?<![\d:-])\d{1,2}:[0-5]\d(?![\d.])|://")
_APART = re.compile(r'\S  +\S|" "|\S "[^"]*"(?: |$)')  # blanks that are more than those between words
_VALUE = re.compile(r"(?:^|(?<= ))[-+]?\d[\d.,:/%-]*(?= |$)")
_ALONE = 1e-3  # α: what a record of one field counts
_SAMPLE = 48 << 10
_ROWS = 150


@dataclass(frozen=True)
class Candidate:
    """A dialect, how well it fits, and the sample's records as it reads them."""

    dialect: Dialect
    score: float
    records: Sequence[Record]


def candidates(sample: bytes, options: ReadOptions) -> list[Candidate]:
    """The dialects that fit the sample, best first; what the options say is not questioned."""
    if len(sample) > _SAMPLE:
        sample = whole_lines(sample[:_SAMPLE])
    found = []
    for dialect in _possible(sample, options):
        rows = list(islice(Scanner(dialect).records(sample), _ROWS))
        found.append(Candidate(dialect, _score(rows, dialect), rows))
    found.sort(key=lambda candidate: -candidate.score)
    return found


def _possible(sample: bytes, options: ReadOptions) -> list[Dialect]:
    text = sample.decode("utf-8", "replace")
    lines = [line for line in re.split(r"[\r\n]+", text) if line.strip()]
    found = []
    for mark in DELIMITERS if options.delimiter is None else options.delimiter[:1]:
        if options.delimiter is None and not _may_separate(mark, lines):
            continue
        for mode in _modes(mark, text, lines) if options.delimiter is None else [_said(options.delimiter)]:
            for quote in _quotes(mark, text, options):
                escapes = _escapes(mark, quote, text, options)
                found += [Dialect(mark, quote, escape, mode) for escape in escapes]
    return found or [Dialect((options.delimiter or ",")[:1], '"' if options.quote is None else options.quote)]


def _may_separate(mark: str, lines: list[str]) -> bool:
    """Whether a mark may be the delimiter of these lines; blanks and colons are in too many texts."""
    if sum(mark in line for line in lines) * 4 < len(lines):
        return False
    if mark == ":":
        return sum(bool(_CLOCK_OR_ADDRESS.search(line)) for line in lines) * 5 < len(lines)
    if mark == " ":
        apart = sum(bool(_APART.search(line)) for line in lines)
        values = sum(len(_VALUE.findall(line)) > 1 for line in lines)
        return apart * 2 > len(lines) or values * 2 > len(lines)
    return True


def _said(delimiter: str) -> int:
    """The mode that a caller's delimiter means: one followed by a blank lets go of the blanks around it."""
    if delimiter.startswith(" "):
        return GAPS if len(delimiter) > 1 else RUNS
    return TRIM if len(delimiter) > 1 else EXACT


def _modes(mark: str, text: str, lines: list[str]) -> list[int]:
    if mark == " ":
        modes = [EXACT]
        if any("  " in line.strip(" ") or line.startswith(" ") for line in lines):
            modes += [RUNS, GAPS]
        return modes
    count = text.count(mark)
    ends = len(re.findall(re.escape(mark) + r"(?=[\r\n]|\Z)", text))
    spaced = text.count(mark + " ") + ends
    return [TRIM, EXACT] if count and spaced > ends and spaced >= 0.7 * count else [EXACT]


def _quotes(mark: str, text: str, options: ReadOptions) -> list[str]:
    if options.quote is not None:
        return [options.quote]
    found = ['"'] if '"' in text else []
    side = re.escape(mark)
    if len(re.findall(rf"(?:^|{side}) ?'", text, re.M)) and len(re.findall(rf"' ?(?:{side}|\r|\n|\Z)", text)):
        found.append("'")
    return found or ['"']


def _escapes(mark: str, quote: str, text: str, options: ReadOptions) -> list[str]:
    if options.escape is not None:
        return [options.escape]
    special = [re.escape(sign) for sign in (quote, mark) if sign]
    return ["", "\\"] if re.search(r"\\(?:" + "|".join(special) + ")", text) else [""]


def _score(rows: Sequence[Record], dialect: Dialect) -> float:
    rows = [row for row in rows if any(row.cells)]
    if not rows:
        return 0.0
    widths = Counter(len(row.cells) for row in rows)
    pattern = sum(count * max(_ALONE, width - 1) / width for width, count in widths.items()) / len(widths)
    known = total = 0.0
    for row in rows:
        for cell in row.cells:
            total += 1
            known += _known(cell, dialect)
    broken = sum(bool(row.marks & (STRAY | OPEN)) for row in rows) / len(rows)
    return pattern * (known / total) * _LIKELY.get(dialect.delimiter, 0.9) * (1 - 0.5 * broken)


def _known(cell: str, dialect: Dialect) -> float:
    name = kind(cell)
    if name == EMPTY:
        return 0.9
    if name == WORDS:
        return 0.95
    if name != ODD:
        return 1.0
    if cell[:1] in "\"'" or cell[-1:] == '"':
        return 0.0
    others = sum(cell.count(mark) for mark in ",;\t|" if mark != dialect.delimiter)
    return 0.6 if others <= 2 or len(cell) > 40 else 0.1


def first_fitting(found: Sequence[Candidate], is_header: Callable[[list[str]], bool] | None) -> Candidate:
    """The best candidate; the best under which a row is the header that is looked for, where one is."""
    if is_header is not None:
        for candidate in found:
            if any(is_header(row.cells) for row in candidate.records[:50]):
                return candidate
    return found[0]
