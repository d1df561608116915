"""units: what people type, and what they read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gidbench import units
from gidbench.errors import InputError


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0", 0),
        ("1000000", 1_000_000),
        ("1_000_000", 1_000_000),
        ("1,000,000", 1_000_000),
        ("12,345", 12_345),
        ("1e6", 1_000_000),
        ("1E+6", 1_000_000),
        ("2.5e3", 2_500),
        ("50k", 50_000),
        ("50K", 50_000),
        ("2.5M", 2_500_000),
        ("1,234.5k", 1_234_500),
        ("1b", 10**9),
        ("1G", 10**9),
        ("0.000001M", 1),
        (" 7 ", 7),
        ("9007199254740993", 2**53 + 1),  # no float on the way
        ("1.1M", 1_100_000),
    ],
)
def test_counts_are_read_as_people_write_them(text, count):
    assert units.parse_count(text) == count


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-1",
        "+1",
        "1.5",
        "1e-3",
        "0.0001k",
        "k",
        "1 000",
        "1kk",
        "one",
        "1.",
        ".5k",
        "0x10",
        "1e",
        "nan",
    ],
)
def test_what_is_no_whole_count_is_refused_by_value_and_with_a_remedy(text):
    with pytest.raises(InputError, match="is not a whole number of records") as caught:
        units.parse_count(text)
    assert repr(text) in str(caught.value)
    assert "2.5M" in caught.value.remedy


@pytest.mark.parametrize("text", ["1,5M", "1,5", "10,00", "1,0000", ",100", "1,000,00", "1000,000"])
def test_a_comma_that_does_not_group_thousands_is_refused_rather_than_dropped(text):
    with pytest.raises(InputError):
        units.parse_count(text)


@given(st.integers(0, 10**15))
def test_a_formatted_count_reads_back(count):
    assert units.parse_count(units.format_count(count)) == count
    assert units.parse_count(str(count)) == count


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (0, "0.00 /s"),
        (1, "1.00 /s"),
        (78, "78.0 /s"),
        (999, "999 /s"),
        (999.6, "1.00 K/s"),
        (1_000, "1.00 K/s"),
        (456_000, "456 K/s"),
        (999_499, "999 K/s"),
        (999_999, "1.00 M/s"),
        (1_000_000, "1.00 M/s"),
        (12_345_678, "12.3 M/s"),
        (9_996_000, "10.0 M/s"),
        (99_960_000, "100 M/s"),
        (2.5e9, "2.50 G/s"),
    ],
)
def test_rates_have_three_digits_and_the_unit_that_fits(rate, text):
    assert units.format_rate(rate) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1.234, "1.23 s"),
        (0.0456, "45.6 ms"),
        (0.99999, "1.00 s"),
        (0.0009999, "1.00 ms"),
        (0.000123, "123 µs"),
        (0.0000012, "1.20 µs"),
        (59.96, "60.0 s"),
        (119.4, "119 s"),
        (120, "2 min 00 s"),
        (125, "2 min 05 s"),
        (179.7, "3 min 00 s"),
        (3_600, "60 min 00 s"),
    ],
)
def test_durations_have_three_digits_and_the_unit_that_fits(seconds, text):
    assert units.format_seconds(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (512, "512 B"),
        (1_023, "1023 B"),
        (1_024, "1.00 KiB"),
        (12 << 20, "12.0 MiB"),
        ((1 << 20) - 1, "1.00 MiB"),
        (3 << 29, "1.50 GiB"),
        (5 << 40, "5120 GiB"),
    ],
)
def test_bytes_are_binary_multiples(count, text):
    assert units.format_bytes(count) == text


@given(st.floats(1, 9.99e11))
def test_a_rate_never_shows_four_digits(rate):
    number = units.format_rate(rate).split()[0]
    assert len(number.replace(".", "")) == 3


@given(st.floats(1e-6, 119))
def test_a_duration_never_shows_four_digits(seconds):
    number = units.format_seconds(seconds).split()[0]
    assert len(number.replace(".", "")) == 3


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (999, "999"), (1_234_567, "1,234,567"), (1e6, "1,000,000")]
)
def test_counts_are_grouped_in_threes(value, text):
    assert units.format_count(value) == text
