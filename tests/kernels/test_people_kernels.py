"""people: the columns of an employee, each against its twin."""

from __future__ import annotations

import datetime as dt

import naive
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gidbench.kernels import people

KEYS = st.integers(0, 2**64 - 1)
FIRSTS = st.one_of(st.integers(0, 1_000), st.integers(0, 6_760_000_000 - 100))
COUNTS = st.integers(0, 20)
BIRTH_RANGE = (naive.FIRST_BIRTH - naive.EPOCH).days, (naive.LAST_BIRTH - naive.EPOCH).days
DAYS = [naive.FIRST_BIRTH + dt.timedelta(days=day) for day in range(people.BIRTH_DAYS)]
BIRTH_CODES = np.array([int(f"{day:%d%m%y}") for day in DAYS], np.int32)
MICROSECOND = dt.timedelta(microseconds=1)
UNIX = dt.datetime(1970, 1, 1)

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered")


def since_unix(moment: dt.datetime) -> int:
    return (moment - UNIX) // MICROSECOND


def test_birth_days_run_from_1960_to_2005():
    assert BIRTH_RANGE == (people.FIRST_BIRTH_DAY, people.FIRST_BIRTH_DAY + people.BIRTH_DAYS - 1)


@given(st.integers(0, 10**18), st.integers(1, 18), st.integers(0, 3))
def test_put_digits_writes_leading_zeros_and_nothing_else(value, width, at):
    value %= 10**width
    out = np.full(24, 33, np.uint8)
    people.put_digits(out, at, np.int64(value), width)
    assert out.tobytes() == b"!" * at + b"%0*d" % (width, value) + b"!" * (24 - at - width)


@given(KEYS, FIRSTS, COUNTS, st.lists(st.integers(110_101, 999_999), min_size=60, max_size=90, unique=True))
@example(0, 0, 20, list(range(110_101, 110_161)))
def test_identities_equal_their_twin(key, first, count, areas):
    births, sexes = np.zeros(count, np.int32), np.full(count, 9, np.uint8)
    no_ktp = np.zeros(count * 16, np.uint8)
    people.identities(np.uint64(key), first, np.array(areas, np.int32), BIRTH_CODES, births, sexes, no_ktp)
    text = no_ktp.tobytes().decode()
    made = [
        (naive.EPOCH + dt.timedelta(days=int(births[row])), int(sexes[row]), text[16 * row : 16 * row + 16])
        for row in range(count)
    ]
    assert made == [naive.identity(key, first + row, areas) for row in range(count)]


def name_table(names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    padded = b"".join(name.encode().ljust(people.NAME_STRIDE, b"?") for name in names)
    return np.frombuffer(padded, np.uint8), np.array([len(name.encode()) for name in names], np.uint8)


NAMES = st.lists(
    st.text("ABabcé-'", min_size=1, max_size=16).filter(lambda text: len(text.encode()) <= 16),
    min_size=1,
    max_size=6,
    unique=True,
)


def check_names(key, first, sexes, firsts, lasts, slot_seed):
    random = np.random.default_rng(slot_seed)
    first_slots = random.integers(0, len(firsts), 2 * people.NAME_SLOTS).astype(np.uint16)
    last_slots = random.integers(0, len(lasts), people.NAME_SLOTS).astype(np.uint16)
    offsets = np.zeros(len(sexes) + 1, np.int32)
    out = np.zeros(len(sexes) * people.MAX_NAME_BYTES + people.NAME_STRIDE, np.uint8)
    people.names(
        np.uint64(key),
        first,
        np.array(sexes, np.uint8),
        *name_table(firsts),
        first_slots,
        *name_table(lasts),
        last_slots,
        offsets,
        out,
    )
    by_sex = first_slots.reshape(2, -1)
    assert [text.decode() for text in naive.unpack(offsets, out)] == [
        naive.name(key, first + row, sex, firsts, by_sex, lasts, last_slots) for row, sex in enumerate(sexes)
    ]


@given(KEYS, FIRSTS, st.lists(st.integers(0, 1), max_size=40), NAMES, NAMES, st.integers(0, 2**32 - 1))
def test_names_equal_their_twin(key, first, sexes, firsts, lasts, slot_seed):
    check_names(key, first, sexes, firsts, lasts, slot_seed)


def test_many_names_equal_their_twin():
    """Enough of them to meet both sides of each bound of the shape, one in 256."""
    check_names(8, 10**6, [0, 1] * 2_000, ["Al", "Jo", "Budi"], ["A", "Abcdefghijklmnop"], 3)


def test_the_longest_names_fit_the_room_a_row_has():
    longest = people.NAME_STRIDE + 1 + people.NAME_STRIDE + 1 + people.NAME_STRIDE
    assert longest <= people.MAX_NAME_BYTES


def test_offsets_of_names_go_beyond_255_bytes():
    """The lengths are uint8: a sum that took their type over would wrap."""
    sexes = np.zeros(60, np.uint8)
    table = name_table(["Abcdefghijklmno"])
    offsets = np.zeros(61, np.int32)
    out = np.zeros(60 * people.MAX_NAME_BYTES + people.NAME_STRIDE, np.uint8)
    slots = np.zeros(2 * people.NAME_SLOTS, np.uint16)
    people.names(np.uint64(1), 0, sexes, *table, slots, *table, slots[: people.NAME_SLOTS], offsets, out)
    assert (np.diff(offsets) >= 15).all()
    assert offsets[-1] >= 60 * 15


@given(KEYS, FIRSTS, st.lists(st.integers(*BIRTH_RANGE), max_size=60))
@example(2**64 - 1, 0, [BIRTH_RANGE[0], BIRTH_RANGE[1]] * 9)
def test_lifetimes_equal_their_twin(key, first, births):
    count = len(births)
    created, updated, deleted = (np.full(count, -1, np.int64) for _ in range(3))
    valid = np.full((count + 7) // 8, 255, np.uint8)  # a recycled buffer is not clean
    nulls = people.lifetimes(
        np.uint64(key), first, np.array(births, np.int32), created, updated, deleted, valid
    )
    expected = [
        naive.lifetime(key, first + row, naive.EPOCH + dt.timedelta(days=birth))
        for row, birth in enumerate(births)
    ]
    assert created.tolist() == [since_unix(moment) for moment, _, _ in expected]
    assert updated.tolist() == [since_unix(moment) for _, moment, _ in expected]
    assert deleted.tolist() == [since_unix(moment) if moment else 0 for _, _, moment in expected]
    assert naive.bits(valid, count) == [moment is not None for _, _, moment in expected]
    assert nulls == sum(moment is None for _, _, moment in expected)


def test_some_rows_are_deleted():
    births = np.zeros(2_000, np.int32)
    stamps = [np.zeros(2_000, np.int64) for _ in range(3)]
    nulls = people.lifetimes(np.uint64(3), 0, births, *stamps, np.zeros(250, np.uint8))
    assert 0 < 2_000 - nulls < 60


def personal_numbers(first: int, created: list[int]) -> list[str]:
    offsets = np.zeros(len(created) + 1, np.int32)
    out = np.zeros(len(created) * people.MAX_PERSONAL_NUMBER_BYTES, np.uint8)
    people.personal_numbers(first, np.array(created, np.int64), offsets, out)
    return [text.decode() for text in naive.unpack(offsets, out)]


@given(
    FIRSTS,
    st.lists(st.datetimes(dt.datetime(1968, 1, 1), dt.datetime(2099, 12, 31, 23, 59, 59)), max_size=20),
)
@example(9_999_998, [dt.datetime(2020, 1, 1)] * 3)  # 9999999, 10000000, 10000001
@example(0, [dt.datetime(2019, 12, 31, 23, 59, 59, 999_999), dt.datetime(2020, 1, 1)])
def test_personal_numbers_equal_their_twin(first, moments):
    assert personal_numbers(first, [since_unix(moment) for moment in moments]) == [
        naive.personal_number(first + row, moment) for row, moment in enumerate(moments)
    ]


def test_the_year_of_a_personal_number_is_right_on_every_first_and_last_day_of_a_year():
    years = range(1968, 2100)
    moments = [
        moment
        for year in years
        for moment in (dt.datetime(year, 1, 1), dt.datetime(year, 12, 31, 23, 59, 59, 999_999))
    ]
    found = [int(text[4:8]) for text in personal_numbers(0, [since_unix(moment) for moment in moments])]
    assert found == [moment.year for moment in moments]


@given(KEYS, FIRSTS, st.integers(0, 80))
@example(0, 6_759_999_990, 10)
def test_passports_equal_their_twin(key, first, count):
    offsets = np.zeros(count + 1, np.int32)
    out = np.zeros(count * people.PASSPORT_BYTES, np.uint8)
    valid = np.full((count + 7) // 8, 255, np.uint8)
    nulls = people.passports(np.uint64(key), first, offsets, valid, out)
    expected = [naive.passport(key, first + row) for row in range(count)]
    assert [text.decode() for text in naive.unpack(offsets, out)] == [text or "" for text in expected]
    assert naive.bits(valid, count) == [text is not None for text in expected]
    assert nulls == expected.count(None)
