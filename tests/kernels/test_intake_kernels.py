"""intake: what becomes of the columns of a file, each kernel against its twin."""

from __future__ import annotations

import datetime as dt

import naive
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from naive import EPOCH, INVALID, MISSING, TOO_LONG, TOO_SHORT

from gidbench.kernels import intake, keytable

EARLIEST, LATEST = (dt.date(1900, 1, 1) - EPOCH).days, (dt.date(2025, 6, 30) - EPOCH).days
BLANK_BYTES = (9, 10, 11, 12, 13, 32)

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered")


def test_the_codes_are_those_of_the_twins():
    assert (intake.MISSING, intake.INVALID, intake.TOO_SHORT, intake.TOO_LONG) == (
        MISSING,
        INVALID,
        TOO_SHORT,
        TOO_LONG,
    )
    assert keytable.EMPTY == -1


# --- length ---------------------------------------------------------------------------------------


def measure(texts: list[bytes], ascii_only: bool, shortest: int, longest: int) -> tuple[list[int], int]:
    codes = np.full(len(texts), 99, np.uint8)
    padded = intake.measure(*naive.pack(texts), ascii_only, shortest, longest, codes)
    return codes.tolist(), padded


@given(st.lists(st.text(" \t\n\v\f\r\x1f\x85 abé王😀", max_size=12)), st.integers(1, 4), st.integers(4, 8))
def test_measure_equals_its_twin(texts, shortest, longest):
    packed = [text.encode() for text in texts]
    codes, padded = measure(packed, False, shortest, longest)
    assert codes == [naive.measure(text, shortest, longest) for text in packed]
    assert padded == sum(text != text.strip(naive.BLANKS) for text in packed)


@given(st.lists(st.text(" \t\rab\0\x7f", max_size=12)))
def test_measure_of_ascii_is_the_same_with_and_without_the_shortcut(texts):
    packed = [text.encode() for text in texts]
    assert measure(packed, True, 2, 6) == measure(packed, False, 2, 6)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", MISSING),
        (" \t ", MISSING),
        ("A", TOO_SHORT),
        (" A ", TOO_SHORT),
        ("Al", 0),
        ("é", TOO_SHORT),  # two bytes, one character
        ("éé", 0),
        ("x" * 255, 0),
        ("é" * 255, 0),
        ("x" * 256, TOO_LONG),
        (" " + "x" * 255 + " ", 0),
    ],
)
def test_a_name_has_2_to_255_characters_after_trimming(text, code):
    assert measure([text.encode()], text.isascii(), 2, 255)[0] == [code]


def trim(texts: list[bytes]) -> list[bytes]:
    offsets, data = naive.pack(texts)
    out_offsets, out = np.full(len(texts) + 1, -1, np.int32), np.zeros(data.size, np.uint8)
    intake.trim(offsets, data, out_offsets, out)
    return naive.unpack(out_offsets, out)


@given(st.lists(st.text(" \t\n\v\f\r\x1c\xa0ab", max_size=9).map(str.encode)))
@example([b"", b"  ", b" a b ", b"\tx"])
def test_trim_equals_its_twin(texts):
    assert trim(texts) == [text.strip(naive.BLANKS) for text in texts]


def test_trim_takes_off_ascii_blanks_only():
    texts = [bytes([byte, 120, byte]) for byte in range(256)]
    assert trim(texts) == [b"x" if text[0] in BLANK_BYTES else text for text in texts]


# --- no_ktp ---------------------------------------------------------------------------------------


def national_ids(texts: list[bytes]) -> list[tuple[int, int]]:
    keys, codes = np.full(len(texts), 7, np.int64), np.full(len(texts), 99, np.uint8)
    intake.national_ids(*naive.pack(texts), keys, codes)
    return list(zip(keys.tolist(), codes.tolist(), strict=True))


@given(
    st.lists(
        st.one_of(
            st.from_regex(rb"[0-9]{15,17}", fullmatch=True),
            st.from_regex(rb"([0-9]{1,3}[ .\t-]?){4,8}", fullmatch=True),
            st.text("0129 .-x/é", max_size=24).map(str.encode),
            st.binary(max_size=20),
        )
    )
)
@example([b"3174011505900001", b"31.74.01-150590 0001", b" 3174011505900001\r", b"0000000000000001"])
@example([b"1" * 16, b"0" * 16, b"9" * 15 + b"8", b"9" * 16, b"1" * 30, b"12" * 20, b"", b" .-", b"x"])
@example([b"31740115059000011", b"317401150590000", b"317401150590000O", b"+174011505900001"])
def test_national_ids_equal_their_twin(texts):
    assert national_ids(texts) == [naive.national_id(text) for text in texts]


def test_a_national_id_keeps_its_number_with_any_of_the_separators():
    texts = [b"3174011505900001", b"31 74 01 150590 0001", b"317401.150590.0001", b"3174-0115-0590-0001"]
    assert national_ids(texts) == [(3174011505900001, 0)] * 4


def test_a_national_id_of_sixteen_like_digits_is_refused():
    assert national_ids([bytes([48 + digit]) * 16 for digit in range(10)]) == [(-1, INVALID)] * 10


@given(st.lists(st.integers(0, 10**16 - 1)))
@example([0, 1, 10**16 - 1])
def test_format_national_ids_writes_sixteen_digits(keys):
    out = np.zeros(16 * len(keys), np.uint8)
    intake.format_national_ids(np.array(keys, np.int64), out)
    assert out.tobytes() == b"".join(b"%016d" % key for key in keys)


# --- dates ----------------------------------------------------------------------------------------


def birth_dates(texts: list[bytes], earliest: int = EARLIEST, latest: int = LATEST) -> list[tuple[int, int]]:
    days, codes = np.full(len(texts), 12_345, np.int32), np.full(len(texts), 99, np.uint8)
    intake.birth_dates(*naive.pack(texts), earliest, latest, days, codes)
    return list(zip(days.tolist(), codes.tolist(), strict=True))


def test_every_day_from_1900_to_2100_is_counted_as_datetime_counts_it():
    day, end = dt.date(1900, 1, 1), dt.date(2100, 12, 31)
    while day <= end:
        assert intake.days_from_civil(day.year, day.month, day.day) == (day - EPOCH).days
        day += dt.timedelta(days=1)


@given(st.integers(1, 9999), st.integers(-1, 14), st.integers(-1, 33))
@example(1900, 2, 29)
@example(2000, 2, 29)
@example(2100, 2, 29)
@example(1600, 2, 29)
@example(2400, 2, 29)
@example(2500, 2, 29)
@example(2023, 4, 31)
@example(9999, 12, 31)
@example(1, 1, 1)
def test_days_from_civil_equals_its_twin(year, month, day):
    expected = naive.days_from_civil(year, month, day)
    assert intake.days_from_civil(year, month, day) == (intake.NO_DATE if expected is None else expected)


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d/%m/%Y", "%Y%m%d", "%d.%m.%Y", "%Y/%m/%d 00:00:00"])
def test_every_day_of_a_century_is_read_in_each_form(form):
    days = [dt.date(1920, 1, 1) + dt.timedelta(days=n) for n in range(0, 38_500, 7)]
    texts = [day.strftime(form).encode() for day in days]
    assert birth_dates(texts) == [((day - EPOCH).days, 0) for day in days]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1990-05-15", "1990-05-15"),
        ("15/05/1990", "1990-05-15"),
        ("5/5/1990", "1990-05-05"),
        ("05-04-1990", "1990-04-05"),  # day first
        ("1990-5-7", "1990-05-07"),
        ("19900515", "1990-05-15"),
        (" 1990-05-15\r", "1990-05-15"),
        ("1990-05-15 00:00:00", "1990-05-15"),
        ("1990-05-15T00:00:00.000Z", "1990-05-15"),
        ("15/05/1990 0:00", "1990-05-15"),
        ("33008", "1990-05-15"),  # Excel
        ("61", "1900-03-01"),
        ("1900-01-01", "1900-01-01"),
        ("2025-06-30", "2025-06-30"),
    ],
)
def test_these_dates_are_read(text, day):
    assert birth_dates([text.encode()]) == [((dt.date.fromisoformat(day) - EPOCH).days, 0)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", MISSING),
        (" \t", MISSING),
        ("1899-12-31", TOO_SHORT),
        ("2025-07-01", TOO_LONG),
        ("31/12/9999", TOO_LONG),
        ("1990-02-29", INVALID),
        ("1990-13-01", INVALID),
        ("1990-00-10", INVALID),
        ("1990-05-00", INVALID),
        ("15/05/90", INVALID),
        ("05/15/1990", INVALID),  # month first
        ("1990-05/15", INVALID),
        ("1990-05", INVALID),
        ("1990-05-15 10:30", INVALID),
        ("1990-05-15x", INVALID),
        ("1990-05-15-", INVALID),
        ("-05-15-1990", INVALID),
        ("1990--15", INVALID),
        ("60", INVALID),  # Excel's 29 February 1900
        ("0", INVALID),
        ("123456", INVALID),
        ("1990-005-15", INVALID),
        ("199000515", INVALID),
        ("soon", INVALID),
    ],
)
def test_these_dates_are_refused(text, code):
    assert birth_dates([text.encode()]) == [(0, code)]


DATE_TEXTS = st.one_of(
    st.text("0123456789-/. T:Z", max_size=20).map(str.encode),
    st.from_regex(rb"\s?(19|20|00)\d\d([-/.])[0-3]?\d\2[0-3]?\d([ T][0:.Z]*)?\s?", fullmatch=True),
    st.from_regex(rb"[0-3]?\d([-/.])[01]?\d\1\d{4}([ T][0:.Z1]{0,5})?", fullmatch=True),
    st.from_regex(rb"[0-9]{1,9}", fullmatch=True),
    st.dates().map(lambda day: day.strftime("%d/%m/%Y").encode()),
    st.dates().map(lambda day: day.isoformat().encode()),
    st.binary(max_size=12),
)


@given(st.lists(DATE_TEXTS), st.integers(-40_000, 0), st.integers(0, 40_000))
@example(
    [b"0000-01-01", b"0000-02-29", b"1-1-0000", b"00000101", b"9999-12-31", b"1990-05-15 T"], EARLIEST, LATEST
)
def test_birth_dates_equal_their_twin(texts, earliest, latest):
    assert birth_dates(texts, earliest, latest) == [
        naive.birth_date(text, earliest, latest) for text in texts
    ]


# --- passports ------------------------------------------------------------------------------------


def passport_ids(texts: list[bytes]) -> tuple[list[tuple[bytes | None, int]], int]:
    offsets, data = naive.pack(texts)
    out_offsets, out = np.full(len(texts) + 1, -1, np.int32), np.zeros(data.size, np.uint8)
    valid, codes = np.full((len(texts) + 7) // 8, 255, np.uint8), np.full(len(texts), 99, np.uint8)
    nulls = intake.passport_ids(offsets, data, out_offsets, out, valid, codes)
    kept = [
        text if there else (None if text == b"" else b"a null that takes up bytes")
        for text, there in zip(naive.unpack(out_offsets, out), naive.bits(valid, len(texts)), strict=True)
    ]
    return list(zip(kept, codes.tolist(), strict=True)), nulls


@given(
    st.lists(
        st.one_of(
            st.from_regex(rb"[A-Za-z]{0,3}[0-9]{5,9}", fullmatch=True),
            st.text("abYZ0189 \t-é@[`{", max_size=12).map(str.encode),
            st.binary(max_size=10),
        )
    )
)
@example([b"A123456"] * 9 + [b""] * 3 + [b"bad"] * 3 + [b"zz12345678"] * 3)
def test_passport_ids_equal_their_twin(texts):
    expected = [naive.passport_id(text) for text in texts]
    assert passport_ids(texts) == (expected, sum(text is None for text, _ in expected))


@pytest.mark.parametrize(
    ("text", "kept", "code"),
    [
        (b"A123456", b"A123456", 0),
        (b"ab12345678", b"AB12345678", 0),
        (b" x 123 4567 ", b"X1234567", 0),
        (b"", None, 0),
        (b"  ", None, 0),
        (b"A12345", None, INVALID),
        (b"A123456789", None, INVALID),
        (b"ABC123456", None, INVALID),
        (b"1234567", None, INVALID),
        (b"A1234B56", None, INVALID),
        (b"A-123456", None, INVALID),
    ],
)
def test_a_passport_id_is_one_or_two_letters_and_six_to_eight_digits(text, kept, code):
    assert passport_ids([text])[0] == [(kept, code)]


# --- keys -----------------------------------------------------------------------------------------


def colliding(count: int, slot: int, size: int) -> list[int]:
    """Keys that all want the same slot of a table."""
    found, key = [], 0
    while len(found) < count:
        if naive.mix64(key) % size == slot:
            found.append(key)
        key += 1
    return found


def empty(size: int) -> np.ndarray:
    return np.full(size, keytable.EMPTY, np.int64)


def insert(table: np.ndarray, keys: list[int]) -> tuple[list[bool], int]:
    fresh = np.full(len(keys), 9, np.uint8)
    added = keytable.insert_keys(table, np.array(keys, np.int64), fresh)
    assert set(fresh.tolist()) <= {0, 1}
    return fresh.astype(bool).tolist(), added


def find(table: np.ndarray, keys: list[int]) -> list[bool]:
    found = np.full(len(keys), 9, np.uint8)
    keytable.find_keys(table, np.array(keys, np.int64), found)
    assert set(found.tolist()) <= {0, 1}
    return found.astype(bool).tolist()


KEYS = st.one_of(st.integers(-1, 20), st.integers(0, 2**63 - 1), st.integers(0, 10**16 - 1))


@given(st.lists(KEYS, max_size=32), st.lists(KEYS, max_size=32))
def test_insert_and_find_keys_equal_a_set(keys, questions):
    table, seen = empty(64), set()
    expected = naive.first_seen(keys, seen)
    assert insert(table, keys) == (expected, sum(expected))
    assert find(table, questions) == [key in seen for key in questions]
    assert sorted(table[table != keytable.EMPTY].tolist()) == sorted(seen)


@pytest.mark.parametrize("slot", [0, 5, 15])
def test_keys_that_want_the_same_slot_are_told_apart(slot):
    """Slot 15 is the last of 16: the search goes on at the first."""
    keys = colliding(9, slot, 16)
    table = empty(16)
    assert insert(table, keys[:8] + keys[:8]) == ([True] * 8 + [False] * 8, 8)
    assert find(table, keys) == [True] * 8 + [False]


def test_the_first_of_equal_keys_wins():
    assert insert(empty(16), [5, 7, 5, 5, 7]) == ([True, True, False, False, False], 2)


def test_no_key_is_neither_inserted_nor_found():
    table = empty(16)
    assert insert(table, [-1, 3, -1]) == ([False, True, False], 1)
    assert find(table, [-1, 3]) == [False, True]


@given(st.sets(st.integers(0, 2**63 - 1), max_size=32))
def test_rehash_moves_every_key(keys):
    small, large = empty(64), empty(256)
    insert(small, list(keys))
    keytable.rehash(small, large)
    assert sorted(large[large != keytable.EMPTY].tolist()) == sorted(keys)
    assert find(large, list(keys)) == [True] * len(keys)
