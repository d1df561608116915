"""The kernels for all dialects against `dialects.Scanner`, which reads field by field with regular expressions."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gidbench.files.dialects import Dialect, Scanner, line_ends
from gidbench.kernels import scan, scan_dialect
from gidbench.kernels.scan_dialect import EXACT, GAPS, MULTILINE, OPEN, RUNS, STRAY, SURPLUS, TRIM

PIECES = st.sampled_from(
    [
        b'"',
        b'"',
        b"'",
        b",",
        b",",
        b";",
        b"\r",
        b"\n",
        b"\r\n",
        b"\\",
        b"a",
        b"bc",
        b" ",
        b"  ",
        b"\xc3\xa9",
        b"\0",
    ]
)
TEXT = st.lists(PIECES, max_size=40).map(b"".join)
DIALECTS = st.one_of(
    st.builds(
        Dialect,
        delimiter=st.sampled_from(",;"),
        quote=st.sampled_from(['"', "'", ""]),
        escape=st.sampled_from(["", "\\"]),
        mode=st.sampled_from([EXACT, TRIM]),
    ),
    st.builds(
        Dialect,
        delimiter=st.just(" "),
        quote=st.sampled_from(['"', ""]),
        escape=st.sampled_from(["", "\\"]),
        mode=st.sampled_from([EXACT, RUNS, GAPS]),
    ),
)
Row = tuple[int, int, int, list[bytes], int]


def split(data: bytes, dialect: Dialect, width: int, around: tuple[bytes, bytes] = (b"", b"")) -> list[Row]:
    """`split_any` of `data`, lying between other bytes: start, line, number of fields, fields, marks."""
    whole = np.frombuffer(around[0] + data + around[1], np.uint8)
    start, end = len(around[0]), len(around[0]) + len(data)
    slots = np.arange(width, dtype=np.int16)
    most = int(scan.most_records(whole, start, end))
    texts = np.zeros((width, max(1, len(data))), np.uint8)
    offsets = np.zeros((width, most + 1), np.int32)
    starts, lines, widths = (np.zeros(most + 1, np.int64) for _ in range(3))
    marks = np.zeros(most, np.uint8)
    count = scan_dialect.split_any(
        whole, start, end, *dialect.codes, slots, texts, offsets, starts, lines, widths, marks
    )
    assert count <= most
    assert starts[count] == end
    return [
        (
            int(starts[row]) - start,
            int(lines[row]),
            int(widths[row]),
            [texts[slot, offsets[slot, row] : offsets[slot, row + 1]].tobytes() for slot in range(width)],
            int(marks[row]),
        )
        for row in range(count)
    ]


def naive(data: bytes, dialect: Dialect, width: int) -> list[Row]:
    scanner = Scanner(dialect)
    rows: list[Row] = []
    line, (at, passed, inner) = 0, scanner.begin(data, 0)
    while at < len(data):
        line += passed
        end, cells, marks, _ = scanner.record(data, inner)
        surplus = SURPLUS if any(cells[width:]) else 0
        rows.append((at, line, len(cells), (cells + [b""] * width)[:width], marks | surplus))
        line += line_ends(data[at:end])
        at, passed, inner = scanner.begin(data, end)
    return rows


@settings(max_examples=400)
@given(TEXT, DIALECTS, st.integers(1, 4), st.tuples(TEXT, TEXT))
@example(b'"a" , "b"x', Dialect(mode=TRIM), 2, (b"", b'"'))
@example(b'  "a"  b c  "d"', Dialect(" ", mode=GAPS), 3, (b"", b""))
@example(b'x,"a\\', Dialect(escape="\\"), 2, (b"", b'"'))
@example(b"a \\\n b", Dialect(" ", "", "\\", RUNS), 2, (b"", b""))
def test_a_text_of_any_dialect_is_split_as_the_regular_expressions_do(
    data: bytes, dialect: Dialect, width: int, around: tuple[bytes, bytes]
) -> None:
    found = split(data, dialect, width, around)
    assert found == naive(data, dialect, width)


@settings(max_examples=300)
@given(TEXT, DIALECTS)
def test_text_cut_at_the_end_of_a_record_reads_as_the_whole(data: bytes, dialect: Dialect) -> None:
    whole = split(data, dialect, 3)
    array = np.frombuffer(data, np.uint8)
    for target in range(len(data)):
        cut = int(scan_dialect.last_end_any(array, 0, target, *dialect.codes))
        assert 0 <= cut <= target
        before, behind = split(data[:cut], dialect, 3), split(data[cut:], dialect, 3)
        lines = len(re.findall(rb"\r\n|\r|\n", data[:cut]))
        moved = [(start + cut, line + lines, *rest) for start, line, *rest in behind]
        assert [*before, *moved] == whole
        if cut:
            assert data[cut - 1 : cut] in (b"\r", b"\n")


@given(TEXT, st.sampled_from(",;"), st.sampled_from("\"'"))
def test_well_formed_text_is_read_alike_by_both_kernels(data: bytes, delimiter: str, quote: str) -> None:
    """What the standard kernel does not flag, the kernel for all dialects reads the same."""
    array = np.frombuffer(data, np.uint8)
    most = int(scan.most_records(array, 0, len(data)))
    texts, offsets = np.zeros((2, max(1, len(data))), np.uint8), np.zeros((2, most + 1), np.int32)
    starts, lines, flags = (
        np.zeros(most + 1, np.int64),
        np.zeros(most + 1, np.int64),
        np.zeros(most, np.uint8),
    )
    slots = np.arange(2, dtype=np.int16)
    count = scan.split(
        array, 0, len(data), ord(delimiter), ord(quote), slots, texts, offsets, starts, lines, flags
    )
    if flags[:count].any():
        return
    fields = [
        [texts[slot, offsets[slot, row] : offsets[slot, row + 1]].tobytes() for slot in range(2)]
        for row in range(count)
    ]
    found = split(data, Dialect(delimiter, quote), 2)
    assert [row[3] for row in found] == fields
    assert [row[0] for row in found] == starts[:count].tolist()
    assert [row[1] for row in found] == lines[:count].tolist()
    assert not any(row[4] & (STRAY | OPEN) for row in found)


@pytest.mark.parametrize(
    ("dialect", "data", "expected"),
    [
        (Dialect(), b'"10" nail",2\n', ([b'10" nail', b"2"], STRAY)),
        (Dialect(), b'"two\nlines",2\n', ([b"two\nlines", b"2"], MULTILINE)),
        (Dialect(), b'"open,2\n', ([b"open,2\n", b""], OPEN | MULTILINE)),
        (Dialect(quote="'"), b"'it''s','x'", ([b"it's", b"x"], 0)),
        (Dialect(escape="\\"), b'"10\\" nail",C:\\new', ([b'10" nail', b"C:\\new"], 0)),
        (Dialect(escape="\\"), b"a\\,b,c\\\\", ([b"a,b", b"c\\"], 0)),
        (Dialect(mode=TRIM), b'  a , "b c"  ', ([b"a", b"b c"], 0)),
        (Dialect("|", mode=TRIM), b"a b | c", ([b"a b", b"c"], 0)),
        (Dialect(" ", mode=RUNS), b"  a   b ", ([b"a", b"b"], 0)),
        (Dialect(" ", mode=RUNS), b'"a b" c', ([b"a b", b"c"], 0)),
        (Dialect(" ", mode=GAPS), b"New York   12", ([b"New York", b"12"], 0)),
        (Dialect(quote=""), b'"a,b"', ([b'"a', b'b"'], 0)),
        (Dialect(), b"a,b,c", ([b"a", b"b"], SURPLUS)),
        (Dialect(), b"a,b,", ([b"a", b"b"], 0)),
    ],
)
def test_what_each_dialect_means(dialect: Dialect, data: bytes, expected: tuple[list[bytes], int]) -> None:
    [(_, _, _, fields, marks)] = split(data, dialect, 2)
    assert (fields, marks) == expected
