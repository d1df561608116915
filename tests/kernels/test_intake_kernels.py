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


def check_lengths(
    texts: list[bytes], odd: list[int], shortest: int, longest: int
) -> tuple[list[int], list[bytes]]:
    """Codes, and what is left of each text."""
    held, addresses, lengths = naive.place(texts)
    codes, trimmed = np.full(len(texts), 99, np.uint8), np.zeros(len(texts), np.int64)
    trimmed_lengths = np.zeros(len(texts), np.int32)
    others = intake.check_lengths(
        addresses, lengths, np.array(odd, np.int32), shortest, longest, trimmed, trimmed_lengths, codes
    )
    assert others == codes.tolist().count(intake.NOT_ASCII)
    left = naive.at_places(trimmed, trimmed_lengths)
    del held
    return codes.tolist(), left


ASCII_TEXTS = st.lists(st.text(" \t\n\v\f\r\x1f\0abc\x7f", max_size=40).map(str.encode))


@given(ASCII_TEXTS, st.integers(1, 4), st.integers(4, 36))
@example([b"", b"  ", b" a b ", b"\tx", b" ", b"a "], 2, 4)
def test_check_lengths_equals_its_twin(texts, shortest, longest):
    codes, left = check_lengths(texts, [], shortest, longest)
    assert codes == [naive.measure(text, shortest, longest) for text in texts]
    assert left == [text.strip(naive.BLANKS) for text in texts]


@given(st.lists(st.text(" \tab\0é王😀", max_size=20).map(str.encode)), st.data())
def test_rows_in_other_scripts_are_left_to_others(texts, data):
    rows = sorted(data.draw(st.sets(st.integers(0, max(0, len(texts) - 1)))) if texts else [])
    rows = sorted({*rows, *(row for row, text in enumerate(texts) if not text.isascii())})
    codes, left = check_lengths(texts, rows, 2, 6)
    for row, text in enumerate(texts):
        if text.isascii():
            assert (codes[row], left[row]) == (naive.measure(text, 2, 6), text.strip(naive.BLANKS))
        else:
            assert (codes[row], left[row]) == (intake.NOT_ASCII, text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", MISSING),
        (b" \t ", MISSING),
        (b"A", TOO_SHORT),
        (b" A ", TOO_SHORT),
        (b"Al", 0),
        (b"x" * 255, 0),
        (b"x" * 256, TOO_LONG),
        (b" " + b"x" * 255 + b" ", 0),
    ],
)
def test_a_name_has_2_to_255_characters_after_trimming(text, code):
    assert check_lengths([text], [], 2, 255)[0] == [code]


def test_only_ascii_blanks_are_taken_off():
    texts = [bytes([byte, 120, byte]) for byte in range(128)]
    assert check_lengths(texts, [], 1, 3)[1] == [b"x" if text[0] in BLANK_BYTES else text for text in texts]


# --- no_ktp ---------------------------------------------------------------------------------------


def national_ids(texts: list[bytes], numbers: list[bool] | None = None) -> list[tuple[int, int]]:
    keys, codes = np.full(len(texts), 7, np.int64), np.full(len(texts), 99, np.uint8)
    digits = np.zeros(16 * len(texts), np.uint8)
    _held, addresses, lengths = naive.place(texts)
    intake.national_ids(addresses, lengths, np.array(numbers or [], np.uint8), keys, digits, codes)
    written = digits.tobytes().decode()
    for row, key in enumerate(keys.tolist()):
        assert written[16 * row : 16 * row + 16] == f"{max(key, 0):016}"
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
@example([b"3.2010101019E+15", b"3,20101e15", b"1e5", b" 32E15 ", b"1e", b"e15", b"1e+", b"1e-5", b"1.e1 x"])
@example([b"31740115059000011", b"317401150590000", b"317401150590000O", b"+174011505900001"])
def test_national_ids_equal_their_twin(texts):
    assert national_ids(texts) == [naive.national_id(text) for text in texts]


NUMBERS = st.one_of(
    st.integers(0, 10**18).map(str),
    st.integers(2**53 - 3, 2**53 + 3).map(str),
    st.floats(0, 1e19).map(repr),
    st.floats(0, 1e19).map(lambda number: f"{number:.10g}"),
    st.sampled_from(["9007199254740992", "9007199254740993", "1" * 16, "9" * 16, "", "3201010101900001.5"]),
    st.sampled_from(["-3201010101900001", "32.01.01.010190.0001", "3201-0101-0190-0001", "x", "0.5", "1e16"]),
)


@given(st.lists(st.tuples(NUMBERS.map(str.encode), st.booleans())))
def test_numbers_of_cells_equal_their_twin(cells):
    texts, numbers = [text for text, _ in cells], [is_number for _, is_number in cells]
    assert national_ids(texts, numbers) == [naive.national_id(*cell) for cell in cells]


@pytest.mark.parametrize(
    ("text", "in_text", "in_number"),
    [
        (b"3201010101900012", 0, 0),
        (b"9007199254740992", 0, 0),  # 2^53
        (
            b"9007199254740994",
            0,
            intake.PRECISION_LOST,
        ),  # exact itself, but what was typed may have been ...993
        (b"32010101019000123", INVALID, intake.PRECISION_LOST),
        (b"3201010101900012.5", INVALID, intake.PRECISION_LOST),
        (b"3.20101E+15", intake.PRECISION_LOST, intake.PRECISION_LOST),
        (b"3,2010101019e15", intake.PRECISION_LOST, intake.PRECISION_LOST),
        (b"320101010190001", INVALID, INVALID),
        (b"2222222222222222", INVALID, INVALID),
        (b"", MISSING, MISSING),
        (b"E+15", INVALID, INVALID),
    ],
)
def test_digits_that_were_rounded_away_are_told(text, in_text, in_number):
    assert [national_ids([text], [number])[0][1] for number in (False, True)] == [in_text, in_number]


def test_a_national_id_keeps_its_number_with_any_of_the_separators():
    texts = [b"3174011505900001", b"31 74 01 150590 0001", b"317401.150590.0001", b"3174-0115-0590-0001"]
    assert national_ids(texts) == [(3174011505900001, 0)] * 4


def test_a_national_id_of_sixteen_like_digits_is_refused():
    assert national_ids([bytes([48 + digit]) * 16 for digit in range(10)]) == [(-1, INVALID)] * 10


# --- dates ----------------------------------------------------------------------------------------


def birth_dates(texts: list[bytes], earliest: int = EARLIEST, latest: int = LATEST) -> list[tuple[int, int]]:
    days, codes = np.full(len(texts), 12_345, np.int32), np.full(len(texts), 99, np.uint8)
    _held, addresses, lengths = naive.place(texts)
    intake.birth_dates(addresses, lengths, earliest, latest, days, codes)
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
    _held, addresses, lengths = naive.place(texts)
    out_offsets, out = np.full(len(texts) + 1, -1, np.int32), np.zeros(sum(map(len, texts)), np.uint8)
    valid, codes = np.full((len(texts) + 7) // 8, 255, np.uint8), np.full(len(texts), 99, np.uint8)
    nulls = intake.passport_ids(addresses, lengths, out_offsets, out, valid, codes)
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


class Table:
    """One part of a key table for all parts: keys of every part are in it."""

    def __init__(self, lines: int, most: int = 1 << 40) -> None:
        room = np.zeros(8 * (lines + 1), np.uint64)
        skip = -room.ctypes.data % 64 // 8
        self.places = room[skip : skip + 8 * lines]
        self.addresses = np.full(keytable.PARTS, self.places.ctypes.data, np.int64)
        self.lines = np.full(keytable.PARTS, lines, np.int64)
        self.counts = np.zeros(keytable.PARTS, np.int64)
        self.most = np.full(keytable.PARTS, most, np.int64)

    def insert(self, keys: list[int], first: int = 0) -> tuple[list[bool], int]:
        fresh = np.full(len(keys), 9, np.uint8)
        done = keytable.insert_keys(
            self.addresses, self.lines, self.counts, self.most, np.array(keys, np.int64), first, fresh
        )
        assert set(fresh[first:done].tolist()) <= {0, 1}
        return fresh[first:done].astype(bool).tolist(), done

    def find(self, keys: list[int]) -> list[bool]:
        found = np.full(len(keys), 9, np.uint8)
        keytable.find_keys(self.addresses, self.lines, np.array(keys, np.int64), found)
        assert set(found.tolist()) <= {0, 1}
        return found.astype(bool).tolist()

    @property
    def mixed(self) -> list[int]:
        return sorted(self.places[self.places != 0].tolist())


def mixed(keys) -> list[int]:
    return sorted(naive.mix64(key + 1) for key in keys)


def line_of(key: int, lines: int) -> int:
    return (naive.mix64(key + 1) * keytable.PARTS % 2**64 * lines) >> 64


KEYS = st.one_of(st.integers(-1, 20), st.integers(0, 2**63 - 1), st.integers(0, 10**16 - 1))


@given(st.lists(KEYS, max_size=90), st.lists(KEYS, max_size=32), st.sampled_from([12, 13, 40]))
def test_insert_and_find_keys_equal_a_set(keys, questions, lines):
    table, seen = Table(lines), set()
    expected = naive.first_seen(keys, seen)
    assert table.insert(keys) == (expected, len(keys))
    assert table.find(questions) == [key in seen for key in questions]
    assert table.mixed == mixed(seen)
    assert table.counts.sum() == len(seen)


@pytest.mark.parametrize("line", [0, 1, 3])
def test_keys_that_want_the_same_line_are_told_apart(line):
    """Line 3 is the last of 4: the search goes on at the first."""
    keys = [key for key in range(2_000) if line_of(key, 4) == line][:21]
    table = Table(4)
    assert table.insert(keys[:20] + keys[:20])[0] == [True] * 20 + [False] * 20
    assert table.find(keys) == [True] * 20 + [False]


def test_the_first_of_equal_keys_wins():
    assert Table(4).insert([5, 7, 5, 5, 7])[0] == [True, True, False, False, False]


def test_no_key_is_neither_inserted_nor_found():
    table = Table(4)
    assert table.insert([-1, 3, -1])[0] == [False, True, False]
    assert table.find([-1, 3]) == [False, True]


@given(st.lists(KEYS, max_size=80), st.integers(0, 5))
def test_a_part_that_is_full_stops_at_the_key_it_has_no_room_for(keys, most):
    table, seen, done = Table(20, most), set(), 0
    expected, found = naive.first_seen(keys, seen), []
    while done < len(keys):
        fresh, done = table.insert(keys, done)
        found += fresh
        if done < len(keys):
            part = naive.mix64(keys[done] + 1) >> (64 - keytable.PART_BITS)
            assert table.counts[part] >= table.most[part]
            table.most[part] += 1
    assert found == expected


@given(st.sets(st.integers(0, 2**63 - 1), max_size=32))
def test_rehash_moves_every_key(keys):
    small, large = Table(6), Table(7)
    small.insert(list(keys))
    keytable.rehash(small.places, large.addresses[0], 7)
    assert large.mixed == mixed(keys)
    assert large.find(list(keys)) == [True] * len(keys)
