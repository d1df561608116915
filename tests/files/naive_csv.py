"""What the CSV scanner must find, told by regular expressions and by Python's csv module."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

COLUMN_COUNT, STRAY_QUOTE, OPEN_QUOTE, NOT_UTF8 = 1, 2, 3, 4

_LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True)
class Record:
    """One record: 0-based line it begins on, flag, fields (empty where flagged), its text."""

    line: int
    flag: int
    fields: tuple[str, ...]
    raw: str


@dataclass(frozen=True)
class RawRecord:
    """The same before decoding, with the position it begins at."""

    start: int
    line: int
    flag: int
    fields: tuple[bytes, ...]


def naive_split(data: bytes, delimiter: str, width: int) -> list[RawRecord]:
    """Records of `data`, found field by field with a regular expression."""
    return [record for record, _ in _walk(data, delimiter, width) if record]


def naive_untangled(data: bytes, delimiter: str, width: int, deep: int = 0) -> list[RawRecord]:
    """The same, where a tangled record of several lines is but its first one if that has `width` fields."""
    found: list[RawRecord] = []
    records = naive_split(data, delimiter, width)
    ends = [*(later.start for later in records[1:]), len(data)]
    for record, end in zip(records, ends, strict=False):
        span = data[record.start : end]
        first = _LINE_END.search(span)
        found.append(record)
        if (
            record.flag in (STRAY_QUOTE, OPEN_QUOTE)
            and first
            and first.end() < len(span)
            and span[: first.start()].count(delimiter.encode()) + 1 == width
            and deep < 100
        ):
            after = record.start + first.end()
            found += [
                replace(later, start=later.start + after, line=later.line + record.line + 1)
                for later in naive_untangled(data[after:end], delimiter, width, deep + 1)
            ]
    return found


def naive_ends(data: bytes, delimiter: str) -> list[int]:
    """Where records (and empty lines) end for good: a CR at the very end may yet get its LF."""
    return [
        end
        for record, end in _walk(data, delimiter, 1)
        if data[end - 1 : end] in (b"\r", b"\n")
        and not (end == len(data) and data.endswith(b"\r"))
        and not (record and record.flag == OPEN_QUOTE)
    ]


def _walk(data: bytes, delimiter: str, width: int) -> Iterator[tuple[RawRecord | None, int]]:
    """(record, or None for an empty line, and the position behind its line end), in order."""
    stop = b"[^" + re.escape(delimiter.encode()) + rb"\r\n]*"
    field = re.compile(
        rb'"(?P<quoted>(?:[^"]|"")*)(?P<closing>"|\Z)(?P<rest>' + stop + rb")|(?P<plain>" + stop + b")"
    )
    at = 0
    while at < len(data):
        if blank := _LINE_END.match(data, at):
            at = blank.end()
            yield None, at
            continue
        start = at
        fields: list[bytes] = []
        flag = 0
        while True:
            match = field.match(data, at)
            assert match
            at = match.end()
            if match["quoted"] is None:
                fields.append(match["plain"])
            else:
                fields.append(match["quoted"].replace(b'""', b'"') + match["rest"])
                flag = OPEN_QUOTE if not match["closing"] else STRAY_QUOTE if match["rest"] else flag
            if data[at : at + 1] != delimiter.encode():
                break
            at += 1
        if flag == 0 and len(fields) != width:
            flag = COLUMN_COUNT
        if end := _LINE_END.match(data, at):
            at = end.end()
        line = len(_LINE_END.findall(data[:start]))
        yield RawRecord(start, line, flag, tuple(fields) if flag == 0 else (b"",) * width), at


def by_csv_module(path: Path, delimiter: str, encoding: str = "utf-8-sig") -> tuple[list[str], list[Record]]:
    """(header, records) of a well-formed file; lines count from 0 at the top of the file."""
    taken: list[str] = []
    with path.open(encoding=encoding, newline="") as file:

        def lines() -> Iterator[str]:
            for line in file:
                taken.append(line)
                yield line

        reader = csv.reader(lines(), delimiter=delimiter)
        rows: list[Record] = []
        before = 0
        for row in reader:
            if row:
                rows.append(Record(before, 0, tuple(row), "".join(taken[before:]).rstrip("\r\n")))
            before = reader.line_num
    return list(rows[0].fields), [
        row
        if len(row.fields) == len(rows[0].fields)
        else Record(row.line, COLUMN_COUNT, ("",) * len(rows[0].fields), row.raw)
        for row in rows[1:]
    ]
