"""digits: numbers, dates and moments as text, against Python's own."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gidbench.kernels import digits

EPOCH = dt.date(1970, 1, 1)
MOMENT = dt.datetime(1970, 1, 1)
MICROSECOND = dt.timedelta(microseconds=1)
INT64 = st.integers(-(2**63), 2**63 - 1)
SIZES = st.integers(0, 18).flatmap(lambda power: st.integers(-(10**power), 10**power))

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered")


def slot(words: np.ndarray, row: int, count: int, length: int) -> str:
    return words[count * row : count * (row + 1)].tobytes()[:length].decode()


def dates(days: list[int]) -> list[str]:
    words = np.zeros(2 * len(days), np.uint64)
    digits.date_words(np.array(days, np.int32), words)
    return [slot(words, row, digits.DATE_WORDS, digits.DATE_LENGTH) for row in range(len(days))]


def moments(micros: list[int]) -> list[str]:
    words = np.zeros(4 * len(micros), np.uint64)
    digits.moment_words(np.array(micros, np.int64), words)
    return [slot(words, row, digits.MOMENT_WORDS, digits.MOMENT_LENGTH) for row in range(len(micros))]


def numbers(values: list[int], point: int = 0, least: int = 0) -> list[str]:
    words, lengths = np.zeros(3 * len(values), np.uint64), np.zeros(len(values), np.int64)
    digits.number_texts(np.array(values, np.int64), point, least, words, lengths)
    return [slot(words, row, digits.NUMBER_WORDS, int(lengths[row])) for row in range(len(values))]


def test_every_day_from_the_year_1_to_9999_is_written_as_python_does():
    days = list(range((dt.date.min - EPOCH).days, (dt.date.max - EPOCH).days + 1))
    expected = np.arange(np.datetime64(dt.date.min), np.datetime64(dt.date.max) + 1).astype(str).tolist()
    assert dates(days) == expected


@given(st.lists(st.datetimes(), max_size=20))
@example(
    [
        dt.datetime.min,
        dt.datetime.max,
        MOMENT,
        MOMENT - MICROSECOND,
        dt.datetime(2000, 2, 29, 23, 59, 59, 999_999),
    ]
)
def test_moments_are_written_as_python_does(when):
    assert moments([(moment - MOMENT) // MICROSECOND for moment in when]) == [
        moment.isoformat(" ", "microseconds") for moment in when
    ]


def test_every_second_of_a_day_is_written_right():
    first = (dt.datetime(1969, 12, 31) - MOMENT) // MICROSECOND
    found = moments([first + second * 1_000_000 + second for second in range(86_400)])
    for second in range(86_400):
        clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}.{second:06d}"
        assert found[second] == f"1969-12-31 {clock}"


@given(st.lists(INT64 | SIZES, max_size=20))
@example([0, 9, 10, 99_999_999, 100_000_000, 10**16 - 1, 10**16, -1, 2**63 - 1, -(2**63)])
def test_whole_numbers_are_written_as_python_does(values):
    assert numbers(values) == [str(value) for value in values]


def test_numbers_around_every_power_of_ten_are_written_right():
    values = [10**power + step for power in range(19) for step in (-1, 0, 1)]
    assert numbers(values) == [str(value) for value in values]


@given(st.lists(INT64 | SIZES, max_size=20), st.integers(1, 18))
def test_numbers_with_a_point_are_written_as_decimals(values, point):
    expected = [f"{Decimal(value).scaleb(-point):f}" for value in values]
    assert numbers(values, point) == expected


@given(st.lists(st.integers(0, 10**12), max_size=20), st.integers(2, 18))
def test_numbers_have_at_least_so_many_digits(values, least):
    assert numbers(values, least=least) == [f"{value:0{least}d}" for value in values]


@given(st.lists(st.integers(0, int(digits.SMALL) - 1), max_size=20))
@example([0, 9, 10, 9_999_999, 10_000_000, 99_999_999])
def test_small_numbers_are_a_word_each(values):
    words, lengths = np.zeros(len(values), np.uint64), np.zeros(len(values), np.int64)
    digits.small_number_texts(np.array(values, np.int64), words, lengths)
    assert [slot(words, row, 1, int(lengths[row])) for row in range(len(values))] == list(map(str, values))


def test_truth_values_are_words():
    words, lengths = np.zeros(2, np.uint64), np.zeros(2, np.int64)
    digits.truth_words(np.array([1, 0], np.uint8), words, lengths)
    assert [slot(words, row, 1, int(lengths[row])) for row in (0, 1)] == ["true", "false"]


@pytest.mark.parametrize("divisor", [7, 1_000, 15_625, 10_546_875, 86_400_000_000])
@given(value=st.integers(-(2**62), 2**62))
@example(value=0)
@example(value=-1)
def test_exact_division_floors_like_python(divisor, value):
    value %= divisor * 2**50
    value -= divisor * 2**49
    if abs(value) < 2**63:
        found = digits.divide_exactly(np.int64(value), 1.0 / divisor, np.int64(divisor))
        assert int(found) == value // divisor
