"""Fields found in place against the twin made of regular expressions."""

from __future__ import annotations

from pathlib import Path

import naive
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from naive_csv import COLUMN_COUNT, NOT_UTF8, RawRecord, naive_split

from gidbench.files.csv_reader import CsvReader
from gidbench.files.fields import Fields, gathered
from gidbench.files.options import ReadOptions
from gidbench.kernels import fields

PIECES = st.sampled_from(
    [b'"', b'""', b'"a"', b",", b",", b"\r", b"\n", b"\n", b"\r\n", b"a", b"bc", b" ", b"\xc3\xa9"]
)
LONG = st.sampled_from([b"\x00", b"\xff", b"x" * 15, b"y" * 33, b"0123456789" * 7])
TEXT = st.lists(st.one_of(PIECES, PIECES, LONG), max_size=60).map(b"".join)
# what is nearly always plain: quotes open and close fields
CELL = st.sampled_from(
    [
        b"",
        b"a",
        b'"a"',
        b'""',
        b'"b,c"',
        b'"d\ne"',
        b'"f\r\ng"',
        b'"h""i"',
        b'"""',
        b"j" * 70,
        b'5"',
        b"\xc3\xa9",
    ]
)
RECORD = st.lists(CELL, min_size=2, max_size=3).map(b",".join)
PLAIN = st.lists(st.tuples(RECORD, st.sampled_from([b"\n", b"\n", b"\r\n", b"\n\n"])), max_size=30).map(
    lambda parts: b"".join(b"".join(part) for part in parts)
)


AS_SAID = ReadOptions(encoding="utf-8", delimiter=",", quote='"', escape="", header=1)


def located(
    folder: Path, data: bytes, width: int, wanted: list[int], lead: int = 0
) -> tuple[Fields | None, int]:
    """Fields of `data`, which ends with its file and begins behind a header and `lead` bytes."""
    header = (",".join("abcdef"[:width]) + "\n").encode() + b"\n" * lead
    (folder / "x.csv").write_bytes(header + data)
    reader = CsvReader(folder / "x.csv", AS_SAID)
    return reader.locate((len(header), len(header) + len(data)), wanted), len(header)


def texts(found: Fields) -> list[tuple[bytes, ...]]:
    columns = [gathered(found, slot).cast("binary").to_pylist() for slot in range(len(found.limits))]
    return list(zip(*columns, strict=True)) if columns else [()] * found.flags.size


def checked(record: RawRecord, wanted: list[int]) -> RawRecord:
    """The record, with the flag of a wanted field that is not UTF-8."""
    try:
        for slot in wanted:
            record.fields[slot].decode()
    except UnicodeDecodeError:
        return RawRecord(record.start, record.line, NOT_UTF8, (b"",) * len(record.fields))
    return record


def raw_of(data: bytes, expected: list[RawRecord]) -> list[str]:
    ends = [record.start for record in expected[1:]] + [len(data)] * bool(expected)
    return [
        data[record.start : end].decode("utf-8", "backslashreplace").rstrip("\r\n")
        for record, end in zip(expected, ends, strict=True)
    ]


@given(st.one_of(TEXT, PLAIN), st.integers(1, 3), st.data())
@example(b"a" * 63 + b"\r\n" + b"b", 1, None)
@example(b"a" * 63 + b"\r" + b'"b"', 1, None)
@example(b"a" * 62 + b',"' + b'""",x\n', 3, None)
@example(b'"' + b"a" * 62 + b'""b"\n', 1, None)
@example(b"a" * 64, 1, None)
@example(b'"' + b"\n" * 200 + b'"', 1, None)
@example(b"\n" * 200 + b"a\n", 1, None)
@example(b",\n" * 200, 2, None)
def test_fields_are_those_of_the_twin_or_none_is_found_at_all(tmp_path, data, width, draw):
    wanted = list(range(width))
    if draw is not None:
        wanted = draw.draw(st.lists(st.integers(0, width - 1), unique=True, max_size=width))
    found, _ = located(tmp_path, data, width, wanted)
    expected = [checked(record, wanted) for record in naive_split(data, ",", width)]
    if found is None:  # for a reason
        lone = data.replace(b"\r\n", b"")
        assert b"\r" in lone or any(record.flag not in (0, COLUMN_COUNT, NOT_UTF8) for record in expected)
        return
    assert found.flags.tolist() == [record.flag for record in expected]
    assert found.lines.tolist() == [record.line for record in expected]
    assert texts(found) == [tuple(record.fields[slot] for slot in wanted) for record in expected]
    assert [found.raw(row) for row in range(len(expected))] == raw_of(data, expected)
    odd = {row for row, raw in enumerate(expected) if any(not field.isascii() for field in raw.fields)}
    assert odd <= set(found.odd.tolist())
    assert data.isascii() <= (found.odd.size == 0)
    assert found.line_count == len(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")) - 1


@given(PLAIN)
def test_plain_files_are_taken_by_this_path(tmp_path, data):
    expected = naive_split(data, ",", 2)
    if all(record.flag in (0, COLUMN_COUNT) for record in expected):
        assert located(tmp_path, data, 2, [0])[0] is not None


@pytest.mark.parametrize("last", range(5))
def test_a_file_that_ends_with_a_page_is_read_to_its_end(tmp_path, last):
    header = len(b"a,b\n")
    body = b"".join(b"%07d,%08d\n" % (n, n) for n in range(2_000))
    body = body[: 8192 - header - 30]
    body = body[: body.rindex(b"\n") + 1]
    room = 8192 - header - len(body)
    body += b"x," + b"y" * (room - 2 - last) + b"z" * last
    assert (header + len(body)) % 4096 == 0
    found, _ = located(tmp_path, body, 2, [1])
    assert texts(found)[-1] == (b"y" * (room - 2 - last) + b"z" * last,)


@given(PLAIN, st.integers(0, 3))
def test_columns_are_utf8_and_undecodable_records_are_flagged(tmp_path, data, bad):
    header = b"a,b\n"
    data = b"\xff,\xc3\xa9\n" * bad + data
    (tmp_path / "x.csv").write_bytes(header + data)
    reader = CsvReader(tmp_path / "x.csv", AS_SAID)
    batch = reader.parse((len(header), len(header) + len(data)), [1, 0])
    assert (batch.flags[:bad] == NOT_UTF8).all()
    assert NOT_UTF8 not in batch.flags[bad:].tolist()
    for column in batch.columns:
        column.validate(full=True)
        assert all(column[row].as_py() == "" for row in np.flatnonzero(batch.flags).tolist())


TEXTS = st.one_of(st.binary(max_size=12), st.text(max_size=6).map(str.encode), st.just(b"a" * 8 + b"\xc3"))


@given(st.lists(TEXTS))
@example(
    [
        b"\xed\x9f\xbf",
        b"\xed\xa0\x80",
        b"\xf4\x8f\xbf\xbf",
        b"\xf4\x90\x80\x80",
        b"\xe0\x9f\xbf",
        b"\xe0\xa0\x80",
    ]
)
@example(
    [
        b"\xc0\x80",
        b"\xc1\xbf",
        b"\xc2\x80",
        b"\xf0\x8f\xbf\xbf",
        b"\xf0\x90\x80\x80",
        b"\xf5\x80\x80\x80",
        b"\xc3",
    ]
)
def test_what_is_not_utf8_is_what_python_cannot_decode(texts):
    held, addresses, lengths = naive.place(texts)
    flags = np.zeros(len(texts), np.uint8)

    def is_bad(text):
        try:
            text.decode()
        except UnicodeDecodeError:
            return True
        return False

    expected = [is_bad(text) for text in texts]
    rows = np.arange(len(texts), dtype=np.int32)
    assert fields.flag_undecodable(addresses, lengths, rows, flags) == sum(expected)
    assert (flags == NOT_UTF8).tolist() == expected
    del held
