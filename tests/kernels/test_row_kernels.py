"""rows, pieces and bitmaps: cells joined to text, against Python's own; texts of pieces; validity by words."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gidbench.arrays import array_address
from gidbench.cells import Cells, Frame, Numbers, Slots, SpecialText
from gidbench.digest import digest_of
from gidbench.generation.plan import Plan
from gidbench.kernels import bitmaps, rows
from gidbench.specs.parsing import parse_spec

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered")

TYPES = [
    pa.string(),
    pa.int64(),
    pa.int16(),
    pa.date32(),
    pa.timestamp("us"),
    pa.timestamp("s"),
    pa.bool_(),
    pa.decimal128(12, 3),
]
VALUES = [
    st.text("ab\u00e9\u738b", max_size=70),
    st.integers(-(2**63), 2**63 - 1) | st.integers(0, 10**8),
    st.integers(-(2**15), 2**15 - 1),
    st.dates(),
    st.datetimes(),
    st.datetimes().map(lambda moment: moment.replace(microsecond=0)),
    st.booleans(),
    st.decimals(-(10**8), 10**8, places=3),
]


def shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dt.datetime):
        return value.isoformat(" ", "microseconds")
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value)


def joined(columns, frames) -> list[bytes]:
    cells = Cells(columns, frames)
    out = np.full(cells.bound, 35, np.uint8)
    offsets = np.zeros(cells.rows + 1, np.int32)
    used = cells.join(out, offsets)
    lines = [out[start:end].tobytes() for start, end in pairwise(offsets)]
    assert b"".join(lines) == out[:used].tobytes()
    return lines


def expected(table: list[list[object]], frames: list[Frame]) -> list[bytes]:
    return [
        b"".join(
            frame.null if value is None else frame.before + shown(value).encode() + frame.after
            for value, frame in zip(row, frames, strict=True)
        )
        for row in zip(*table, strict=True)
    ]


@st.composite
def tables(draw) -> tuple[list[pa.Array], list[list[object]]]:
    """Columns of any types with nulls, as slices of longer ones, and their values."""
    count = draw(st.integers(0, 12))
    repeats = draw(st.sampled_from([1, 1, 30]))  # more rows than the kernel does at once
    before, after = draw(st.integers(0, 11)), draw(st.integers(0, 3))
    columns, values = [], []
    for kind, value in draw(
        st.lists(st.sampled_from(list(zip(TYPES, VALUES, strict=True))), min_size=1, max_size=6)
    ):
        cell = draw(st.sampled_from([value, st.none() | value, st.none()]))
        found = draw(st.lists(cell, min_size=count, max_size=count)) * repeats
        padding = [draw(value) for _ in range(before + after)]
        whole = pa.array(padding[:before] + found + padding[before:], kind)
        columns.append(whole.slice(before, len(found)))
        values.append(found)
    return columns, values


LITERAL = st.binary(max_size=rows.LITERAL_BYTES)


@given(tables(), st.data())
def test_cells_of_any_kind_are_joined_as_python_does(table, data):
    columns, values = table
    frames = [Frame(data.draw(LITERAL), data.draw(LITERAL), data.draw(LITERAL)) for _ in columns]
    assert joined(columns, frames) == expected(values, frames)


@given(tables(), st.binary(max_size=rows.END_BYTES))
def test_fields_are_joined_as_python_does(table, end):
    columns, values = table
    frames = [Frame(after=end, null=end)] * len(columns)
    assert joined(columns, frames) == expected(values, frames)


@pytest.mark.parametrize("few", [1, 7, 8, 9, 100])
def test_few_values_among_many_nulls_are_formatted_right(few):
    """Those are done one by one, more by vectors."""
    days = [
        dt.date(2000, 1, 1) + dt.timedelta(row) if row % (1000 // few) == 3 else None for row in range(1_000)
    ]
    moments = [None if day is None else dt.datetime(day.year, day.month, day.day, 1, 2, 3) for day in days]
    for values, kind in ((days, pa.date32()), (moments, pa.timestamp("us"))):
        frames = [Frame(after=b",", null=b",")]
        assert joined([pa.array(values, kind)], frames) == expected([values], frames)


@pytest.mark.parametrize("length", [0, 1, 16, 31, 32, 33, 64, 65, 1000])
def test_nothing_beyond_the_end_of_a_text_is_read(length):
    """The last text ends where its memory does."""
    texts = ["x" * 40, "", "y" * length, ""]
    memory = np.frombuffer("".join(texts).encode(), np.uint8).copy()
    offsets = np.cumsum([0, *map(len, texts)]).astype(np.int32)
    column = pa.Array.from_buffers(pa.string(), 4, [None, pa.py_buffer(offsets), pa.py_buffer(memory)])
    assert joined([column], [Frame(after=b";", null=b";")]) == [text.encode() + b";" for text in texts]


@pytest.mark.parametrize(
    "column", [pa.nulls(3, pa.string()), pa.array(["", "", ""]), pa.array(["", None, ""])]
)
def test_texts_without_any_bytes_are_empty(column):
    """Arrow may let such a column do without its last buffer."""
    assert joined([column], [Frame(after=b";", null=b";")]) == [b";"] * 3
    batch = pa.RecordBatch.from_arrays([column, pa.array([1, 2, 3])], ["text", "number"])
    assert digest_of([batch]) == digest_of([batch.select(["number"])])


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=300), st.integers(0, 20))
def test_numbers_have_their_digits(values, least):
    frames = [Frame(after=b"|", null=b"|")]
    found = joined([Numbers(np.array(values, np.int64), least)], frames)
    assert found == [f"{value:0{least}d}|".encode() for value in values]


def test_slots_of_one_length_of_their_own_and_of_one_text():
    words = np.array([int.from_bytes(text, "little") for text in (b"abcdefgh", b"ij", b"k")], np.uint64)
    lengths = np.array([8, 2, 1], np.uint8)
    frames = [Frame(after=b",", null=b",")] * 3
    nulls = pa.array([1, None, 3])
    found = joined(
        [
            Slots(words, 1, 1),
            Slots(words, 1, lengths=lengths, nulls_of=nulls),
            Slots(words[1:2], 0, 2, rows=3),
        ],
        frames,
    )
    assert found == [b"a,abcdefgh,ij,", b"i,,ij,", b"k,k,ij,"]


@given(st.lists(st.text("abc", max_size=100), min_size=1, max_size=400), st.data())
def test_what_needs_quotes_is_found_wherever_it_stands(texts, data):
    frames = [Frame(after=b"\n", null=b"\n")]
    column = pa.array([1] * len(texts))
    assert Cells([pa.array(texts), column], frames * 2, {0}).join(np.empty(1 << 17, np.uint8)) > 0
    place = data.draw(st.integers(0, len(texts) - 1))
    at = data.draw(st.integers(0, len(texts[place])))
    texts[place] = texts[place][:at] + data.draw(st.sampled_from('",\r\n')) + texts[place][at:]
    nothing = pa.nulls(len(texts), pa.string())
    cells = Cells([column, nothing, pa.array(texts)], frames * 3, {1, 2})
    with pytest.raises(SpecialText) as found:
        cells.join(np.empty(1 << 17, np.uint8))
    assert found.value.column == 2
    assert Cells([column, pa.array(texts)], frames * 2).join(np.empty(1 << 17, np.uint8)) > 0  # nobody asked


@pytest.mark.parametrize("size", [1, 63, 64, 65, 128, 200])
def test_what_needs_quotes_is_found_at_every_place(size):
    for place in range(size):
        text = "x" * place + '"' + "y" * (size - 1 - place)
        with pytest.raises(SpecialText):
            Cells([pa.array([text])], [Frame(after=b"\n", null=b"\n")], {0}).join(np.empty(1_000, np.uint8))


GUARDED = """
import ctypes, mmap
import numpy as np
import pyarrow as pa
from gidbench.cells import Cells, Frame
from gidbench.digest import digest_of

page = mmap.PAGESIZE
memory = mmap.mmap(-1, 2 * page)
start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.mprotect(ctypes.c_void_p(start + page), ctypes.c_size_t(page), 0) == 0  # reading there ends the process
for length in (1, 5, 16, 20, 31, 32, 33, 100):
    size = 3 * length
    memory[page - size : page] = b"x" * size
    offsets = np.arange(4, dtype=np.int32) * length
    data = pa.foreign_buffer(start + page - size, size, memory)
    texts = pa.Array.from_buffers(pa.string(), 3, [None, pa.py_buffer(offsets), data])
    cells = Cells([texts], [Frame(after=b";", null=b";")], {0})
    out = np.zeros(cells.bound, np.uint8)
    assert out[: cells.join(out)].tobytes() == (b"x" * length + b";") * 3
    digest_of([pa.RecordBatch.from_arrays([texts], ["a"])])
print("read nothing beyond")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="pages are protected in another way")
def test_no_byte_beyond_a_buffer_is_read():
    run = subprocess.run(
        [sys.executable, "-c", GUARDED], capture_output=True, text=True, timeout=120, check=False
    )
    assert (run.returncode, run.stdout.strip()) == (0, "read nothing beyond"), run.stderr


# --- pieces ---------------------------------------------------------------------------------------


def patterns(pattern: str, first: int, count: int, **options: str) -> pa.RecordBatch:
    """Rows with a timestamp `day` and texts `x` of a pattern."""
    more = "".join(f", {key} = {value}" for key, value in options.items())
    text = '[tables.t.columns]\nday = { kind = "timestamp" }\n'
    text += f'x = {{ kind = "pattern", pattern = "{pattern}"{more} }}'
    batch = Plan(parse_spec(text), "t", 7).batch(first, count)
    batch.validate(full=True)
    return batch


@pytest.mark.parametrize("width", [0, 1, 2, 7, 8, 9, 15, 16, 18])
@pytest.mark.parametrize("power", [1, 2, 7, 8, 9, 14, 15])
def test_row_numbers_are_right_where_they_get_another_digit(width, power):
    piece = f"{{seq:{width}}}" if width else "{seq}"
    for first, count in (
        (10**power - 1, 1),
        (10**power - 150, 300),
        (10**power, 140),
        (10**power - 141, 140),
    ):
        if first < 0:
            continue
        found = patterns(f"<{piece}>", first, count).column("x").to_pylist()
        assert found == [f"<{row + 1:0{width}d}>" for row in range(first, first + count)]


@pytest.mark.parametrize(
    "pattern",
    [
        "{year}",
        "{day}.{month}.{year}",
        "a{year}bc{month}def{day}",
        "twelve chars{year}and twenty-one chars.{day}",
        "\u738b\u4f1f {year}\u00e9",
    ],
)
def test_pieces_of_any_length_stand_one_after_the_other(pattern):
    batch = patterns(pattern, 5, 300, correlated_with='"day"')
    for text, day in zip(batch.column("x").to_pylist(), batch.column("day").to_pylist(), strict=True):
        expected_text = pattern.replace("{year}", f"{day.year:04d}").replace("{month}", f"{day.month:02d}")
        assert text == expected_text.replace("{day}", f"{day.day:02d}")


@pytest.mark.parametrize(("pattern", "unique"), [("{digits:8}", "false"), ("{digits:3}-{hex:9}", "true")])
def test_the_general_way_to_take_digits_agrees_with_the_quick_one(pattern, unique, monkeypatch):
    """Decimal digits have a way of their own; with an alphabet they go the way of all others."""
    quick = patterns(pattern, 1000, 300, unique=unique).column("x")
    monkeypatch.setattr("gidbench.specs.patterns.DIGITS", "another alphabet")
    assert patterns(pattern, 1000, 300, unique=unique).column("x").equals(quick)


# --- bitmaps --------------------------------------------------------------------------------------


@given(st.lists(st.booleans(), min_size=1, max_size=150), st.integers(0, 20))
@example([False] * 100 + [True], 7)
@example([True] * 3 + [False] * 61, 0)
def test_bits_are_found_by_words(valid, first):
    bits = np.packbits([*[True] * first, *valid, *[True] * 9], bitorder="little")
    memory = np.concatenate([bits, np.full(8, 255, np.uint8)])
    at, count = array_address(memory), len(valid)
    found, row = [], bitmaps.next_valid(at, first, 0, count)
    while row < count:
        found.append(row)
        row = bitmaps.next_valid(at, first, row + 1, count)
    assert found == [place for place, there in enumerate(valid) if there]
    assert bitmaps.are_few(at, first, count) == (16 * sum(valid) <= count)
    for start in range(0, count, 13):
        word = int(bitmaps.valid_bits(at, first + start, count - start))
        here = valid[start : start + bitmaps.BITS_AT_ONCE]
        assert word == sum(1 << place for place, there in enumerate(here) if there)
