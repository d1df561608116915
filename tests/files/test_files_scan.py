"""The scanning kernels against a twin made of regular expressions."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from naive_csv import RawRecord, naive_ends, naive_split

from gidbench.kernels import scan

QUOTE = ord('"')
# few kinds of bytes, so that quotes, delimiters and line ends meet in every way
PIECES = st.sampled_from(
    [b'"', b'"', b",", b",", b"\r", b"\n", b"\r\n", b"a", b"bc", b" ", b"\xc3\xa9", b"\x00", b";"]
)
TEXT = st.lists(PIECES, max_size=40).map(b"".join)


def split(
    data: bytes, wanted: list[int], width: int, around: tuple[bytes, bytes] = (b"", b"")
) -> list[RawRecord]:
    """`scan.split` of `data`, lying between other bytes, as a list of records."""
    whole = np.frombuffer(around[0] + data + around[1], np.uint8)
    start, end = len(around[0]), len(around[0]) + len(data)
    slots = np.full(width, -1, np.int16)
    slots[wanted] = np.arange(len(wanted))
    most = int(scan.most_records(whole, start, end))
    texts = np.zeros((len(wanted), max(1, len(data))), np.uint8)
    offsets = np.zeros((len(wanted), most + 1), np.int32)
    starts, lines = np.zeros(most + 1, np.int64), np.zeros(most + 1, np.int64)
    flags = np.zeros(most, np.uint8)
    count = scan.split(whole, start, end, ord(","), QUOTE, slots, texts, offsets, starts, lines, flags)
    assert count <= most
    assert starts[count] == end
    assert lines[count] == len(re.findall(rb"\r\n|\r|\n", data))
    return [
        RawRecord(
            int(starts[n]) - start,
            int(lines[n]),
            int(flags[n]),
            tuple(
                texts[slot, offsets[slot, n] : offsets[slot, n + 1]].tobytes() for slot in range(len(wanted))
            ),
        )
        for n in range(count)
    ]


@given(TEXT, st.integers(1, 4))
@example(b'"', 1)
@example(b'""', 1)
@example(b'"""', 1)
@example(b'""""', 1)
@example(b'a,"b\r', 2)
@example(b'"a"\r\n"b"\r"c"\n', 1)
@example(b'"a"b"c,d\n', 1)
@example(b",", 2)
def test_split_finds_the_records_that_the_twin_finds(data: bytes, width: int) -> None:
    assert split(data, list(range(width)), width) == naive_split(data, ",", width)


@given(TEXT, st.integers(1, 4), st.data())
def test_split_copies_only_the_wanted_fields_in_the_wanted_order(
    data: bytes, width: int, draw: st.DataObject
) -> None:
    wanted = draw.draw(st.lists(st.integers(0, width - 1), unique=True, max_size=width))
    expected = [
        RawRecord(r.start, r.line, r.flag, tuple(r.fields[position] for position in wanted))
        for r in naive_split(data, ",", width)
    ]
    assert split(data, wanted, width) == expected


@given(TEXT, TEXT, TEXT)
def test_split_does_not_look_at_the_bytes_around_its_part(before: bytes, data: bytes, after: bytes) -> None:
    assert split(data, [0, 1], 2, (before, after)) == split(data, [0, 1], 2)


@given(TEXT, st.data())
def test_last_record_end_is_the_last_end_that_the_twin_finds(data: bytes, draw: st.DataObject) -> None:
    end = draw.draw(st.integers(0, len(data)))
    cut = scan.last_record_end(np.frombuffer(data, np.uint8), 0, end, ord(","), QUOTE)
    assert cut == max(naive_ends(data[:end], ","), default=0)


@pytest.mark.parametrize(
    ("data", "end", "cut"),
    [
        (b"a,b\nc", 5, 4),
        (b"a,b\r", 4, 0),  # a \n may follow
        (b"a,b\r\n", 5, 5),
        (b"a,b\r\n", 4, 0),
        (b"a\rb", 3, 2),
        (b'a,"b\nc"\nd', 9, 8),
        (b'a,"b\nc', 6, 0),
        (b'a,5"\nb', 6, 5),  # a quote inside a field is text
        (b'"a""\n"\nb', 8, 7),
        (b"", 0, 0),
        (b"\n\n\n", 3, 3),
    ],
)
def test_last_record_end_by_hand(data: bytes, end: int, cut: int) -> None:
    assert scan.last_record_end(np.frombuffer(data, np.uint8), 0, end, ord(","), QUOTE) == cut


@given(TEXT)
def test_most_records_is_a_bound_and_exact_for_plain_lines(data: bytes) -> None:
    bound = scan.most_records(np.frombuffer(data, np.uint8), 0, len(data))
    assert bound >= len(naive_split(data, ",", 1))
    assert bound == 1 + data.count(b"\n") + data.count(b"\r")
