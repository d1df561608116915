"""generation: what holds of a million employees."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from importlib import resources
from math import sqrt

import naive
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from gidbench.engine import map_ordered
from gidbench.generation import tables
from gidbench.generation.plan import employees, parts
from gidbench.kernels import people
from gidbench.specs.pools import areas as area_codes

MILLION = 1_000_000
SEED = 20_250_701


def batches(count: int, seed: int = SEED, first: int = 0) -> Iterator[pa.RecordBatch]:
    plan = employees(seed)
    return map_ordered(lambda part: plan.batch(*part), parts(first, count, 50_000), workers=2)


@pytest.fixture(scope="module")
def million() -> pa.Table:
    return pa.Table.from_batches(batches(MILLION)).combine_chunks()


@pytest.fixture(scope="module")
def digits(million: pa.Table) -> np.ndarray:
    """The 16 digits of each no_ktp as numbers, shape (n, 16)."""
    column = million["no_ktp"].chunk(0)
    assert pc.all(pc.match_substring_regex(column, "^[0-9]{16}$")).as_py()
    return np.frombuffer(column.buffers()[2], np.uint8)[: 16 * MILLION].reshape(-1, 16) - 48


@pytest.fixture(scope="module")
def women(digits: np.ndarray) -> np.ndarray:
    return digits[:, 6] >= 4


def number(digits: np.ndarray, low: int, high: int) -> np.ndarray:
    """Digits low .. high - 1 of each row as one number."""
    return digits[:, low:high].astype(np.int64) @ 10 ** np.arange(high - low - 1, -1, -1)


def unique(texts: pa.ChunkedArray | pa.Array) -> bool:
    return np.unique(texts.cast(pa.int64()).to_numpy()).size == len(texts)


def within_sigmas(found: int, tries: int, chance: float, sigmas: float = 4) -> bool:
    return abs(found - tries * chance) <= sigmas * sqrt(tries * chance * (1 - chance))


def chi_square(counts: np.ndarray, shares: np.ndarray) -> float:
    expected = shares / shares.sum() * counts.sum()
    return float(((counts - expected) ** 2 / expected).sum())


def as_even_as_chance(counts: np.ndarray, shares: np.ndarray | None = None) -> bool:
    """Chi-square within six standard deviations of its mean: one failure in 10^8 sound generators."""
    freedom = counts.size - 1
    value = chi_square(counts, np.ones(counts.size) if shares is None else shares)
    return abs(value - freedom) <= 6 * sqrt(2 * freedom)


# --- no_ktp --------------------------------------------------------------------------------------


def test_a_million_no_ktp_are_all_different(million):
    assert unique(million["no_ktp"])


@pytest.mark.parametrize("seed", [0, 2**64 - 1])
def test_no_ktp_of_rows_far_apart_are_different(seed):
    capacity = 6_760_000_000
    places = [0, 10**7, 10**9, capacity // 2, capacity - 50_000]
    table = pa.Table.from_batches(employees(seed).batch(first, 50_000) for first in places)
    assert unique(table["no_ktp"])
    passports = table["passport_id"].drop_null()
    assert pc.count_distinct(passports).as_py() == len(passports)


@pytest.mark.slow
def test_ten_million_no_ktp_and_passports_are_all_different():
    count, at, passports = 10_000_000, 0, []
    numbers = np.empty(count, np.int64)
    for batch in batches(count, seed=1):
        numbers[at : at + batch.num_rows] = batch["no_ktp"].cast(pa.int64()).to_numpy()
        at += batch.num_rows
        passports.append(batch["passport_id"].drop_null())
    assert at == count
    assert np.unique(numbers).size == count
    issued = pa.chunked_array(passports)
    assert pc.count_distinct(issued).as_py() == len(issued)


def test_no_ktp_holds_the_birth_date_with_40_added_to_the_day_of_women(million, digits, women):
    births = million["bod"]
    day = number(digits, 6, 8) - 40 * women
    assert (day == pc.day(births).to_numpy()).all()
    assert (number(digits, 8, 10) == pc.month(births).to_numpy()).all()
    assert (number(digits, 10, 12) == pc.year(births).to_numpy() % 100).all()


def test_no_ktp_begins_with_an_area_that_exists(digits):
    codes = number(digits, 0, 6)
    provinces = set(np.unique(codes // 10_000).tolist())
    text = resources.files("gidbench").joinpath("data", "areas.txt").read_text("utf-8")
    listed = [list(map(int, line.split())) for line in text.splitlines() if line[:1].isdigit()]
    assert provinces == {province for province, *_ in listed}
    for province, regencies, cities, districts, city_districts in listed:
        inside = codes[codes // 10_000 == province]
        place, district = inside // 100 % 100, inside % 100
        regency, city = (place >= 1) & (place <= regencies), (place >= 71) & (place < 71 + cities)
        assert (regency | city).all(), province
        assert (district >= 1).all()
        assert (district <= np.where(city, city_districts, districts)).all(), province


def test_areas_are_six_digits_and_listed_once():
    areas = area_codes()
    assert np.unique(areas).size == areas.size
    assert areas.min() >= 110_101
    assert areas.max() <= 999_999


def test_serials_run_from_0001(digits):
    serials = number(digits, 12, 16)
    assert serials.min() == 1
    assert serials.max() == 9_999


def test_areas_days_sexes_and_serials_are_spread_as_evenly_as_chance(million, digits, women):
    areas, area_counts = np.unique(number(digits, 0, 6), return_counts=True)
    assert areas.size == area_codes().size
    assert as_even_as_chance(area_counts)
    days = million["bod"].cast(pa.int32()).to_numpy() - naive.FIRST_BIRTH_DAYS
    assert as_even_as_chance(np.bincount(days, minlength=naive.BIRTHS))
    assert as_even_as_chance(np.bincount(women.astype(int), minlength=2))
    assert as_even_as_chance(np.bincount(number(digits, 12, 16) - 1, minlength=9_999))


def test_neighbouring_rows_are_not_alike(million, digits):
    days = million["bod"].cast(pa.int32()).to_numpy()
    assert within_sigmas(int((np.diff(days) == 0).sum()), MILLION - 1, 1 / naive.BIRTHS)
    areas = number(digits, 0, 6)
    assert within_sigmas(int((np.diff(areas) == 0).sum()), MILLION - 1, 1 / np.unique(areas).size)
    assert abs(np.corrcoef(days[:-1], days[1:])[0, 1]) < 0.005


def test_birth_dates_run_from_1960_to_2005(million):
    ends = pc.min_max(million["bod"]).as_py()
    assert ends == {"min": dt.date(1960, 1, 1), "max": dt.date(2005, 12, 31)}


# --- names ---------------------------------------------------------------------------------------


def weighted(name: str) -> dict[str, float]:
    text = resources.files("gidbench").joinpath("data", name).read_text("utf-8")
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return {word: float(weight) for word, weight in lines}


MEN, WOMEN = weighted("first_names_male.txt"), weighted("first_names_female.txt")
LAST = weighted("last_names.txt")


def test_the_pools_are_sizeable_and_name_nobody_twice():
    assert len(MEN.keys() | WOMEN.keys()) >= 400
    assert len(LAST) >= 400
    for name, found in (("male", MEN), ("female", WOMEN)):
        text = resources.files("gidbench").joinpath("data", f"first_names_{name}.txt").read_text("utf-8")
        assert len([line for line in text.splitlines() if line and line[0] != "#"]) == len(found)
    for word, weight in [*MEN.items(), *WOMEN.items(), *LAST.items()]:
        assert re.fullmatch(r"[^\W\d_]+(['-][^\W\d_]+)*", word), word
        assert weight > 0


def test_the_longest_possible_name_fits_the_room_a_row_has():
    first = max(len(word.encode()) for word in [*MEN, *WOMEN])
    assert first + 1 + first + 1 + max(len(word.encode()) for word in LAST) <= people.MAX_NAME_BYTES


def test_names_have_2_to_255_characters(million):
    lengths = pc.min_max(pc.utf8_length(million["name"])).as_py()
    assert lengths["min"] >= 2
    assert lengths["max"] <= 255


@pytest.fixture(scope="module")
def names(million: pa.Table) -> tuple[list[list[str]], np.ndarray]:
    """The words of the first 200,000 names."""
    return [name.split(" ") for name in million["name"].slice(0, 200_000).to_pylist()]


def test_names_are_of_the_pools_of_the_right_sex_and_of_one_to_three_words(names, women):
    for words, woman in zip(names, women[: len(names)].tolist(), strict=True):
        firsts = WOMEN if woman else MEN
        assert words[0] in firsts
        assert len(words) <= 3
        assert all(word in LAST for word in words[1:][-1:])
        assert all(word in firsts and word != words[0] for word in words[1:-1])


def test_some_have_a_middle_name_and_some_a_single_one(names):
    lengths = np.bincount([len(words) for words in names], minlength=4) / len(names)
    assert lengths[1] == pytest.approx(0.0625, abs=0.003)
    assert lengths[3] == pytest.approx(0.30, abs=0.01)


def test_first_and_last_names_follow_their_weights(names, women):
    """Weights are kept to one of 4096 slots, and no name goes without one: so twice the mean is allowed."""
    sexes = women[: len(names)].tolist()
    for pool, drawn in (
        (MEN, [words[0] for words, woman in zip(names, sexes, strict=True) if not woman]),
        (WOMEN, [words[0] for words, woman in zip(names, sexes, strict=True) if woman]),
        (LAST, [words[-1] for words in names if len(words) > 1]),
    ):
        drawn = drawn[:20_000]
        positions = {word: position for position, word in enumerate(pool)}
        counts = np.bincount([positions[word] for word in drawn], minlength=len(pool))
        shares = np.array(list(pool.values()))
        shares = np.maximum(shares / shares.sum(), 1 / people.NAME_SLOTS)
        assert chi_square(counts, shares) < 2 * len(pool)
        assert chi_square(counts, np.ones(len(pool))) > 10 * len(pool)  # evenly drawn names would not do


def test_names_follow_their_slots_exactly_as_chance_has_it(names, women):
    slots = tables.name_tables().last_entries
    positions = {word: position for position, word in enumerate(LAST)}
    counts = np.bincount([positions[words[-1]] for words in names if len(words) > 1], minlength=len(LAST))
    assert as_even_as_chance(counts, np.bincount(slots, minlength=len(LAST)))
    first_slots = tables.name_tables().first_entries[: people.NAME_SLOTS]
    men = {word: position for position, word in enumerate(MEN)}
    chosen = [
        men[words[0]] for words, woman in zip(names, women[: len(names)].tolist(), strict=True) if not woman
    ]
    assert as_even_as_chance(
        np.bincount(chosen, minlength=len(MEN)), np.bincount(first_slots, minlength=len(MEN))
    )


@pytest.mark.parametrize("pool", [MEN, WOMEN, LAST], ids=["men", "women", "last"])
def test_slots_are_the_weights_to_one_slot_and_no_name_goes_without(pool):
    shares = np.array(list(pool.values()))
    slots = tables.slots(shares / shares.sum(), base=3)
    assert slots.dtype == np.uint16
    assert slots.size == people.NAME_SLOTS
    counts = np.bincount(slots - 3, minlength=len(pool))
    assert counts.min() >= 1
    assert np.abs(counts - shares / shares.sum() * people.NAME_SLOTS).max() <= 1


def test_slots_of_many_rare_names_come_out_of_the_share_of_the_most_frequent():
    weights = np.array([0.9] + [0.1 / 2_000] * 2_000)
    counts = np.bincount(tables.slots(weights))
    assert counts.sum() == people.NAME_SLOTS
    assert counts[0] == people.NAME_SLOTS - 2_000
    assert (counts[1:] == 1).all()


# --- passports, lifetimes, numbers ---------------------------------------------------------------


def test_8_percent_have_a_passport_all_of_the_form_and_all_different(million):
    passports = million["passport_id"].drop_null()
    assert within_sigmas(len(passports), MILLION, 0.08)
    assert pc.all(pc.match_substring_regex(passports, "^[A-Z]{2}[0-9]{7}$")).as_py()
    assert pc.count_distinct(passports).as_py() == len(passports)
    letters = pc.utf8_slice_codeunits(passports, 0, 2)
    assert pc.count_distinct(letters).as_py() == 676


def test_1_percent_are_deleted(million):
    assert within_sigmas(MILLION - million["deleted_at"].null_count, MILLION, 0.01)


def test_deletion_and_passport_are_independent(million):
    both = pc.and_(million["deleted_at"].is_valid(), million["passport_id"].is_valid())
    assert within_sigmas(pc.sum(both).as_py(), MILLION, 0.08 * 0.01)


def test_created_comes_before_updated_and_updated_before_deleted(million):
    created, updated = million["created_at"], million["updated_at"]
    assert pc.all(pc.less_equal(created, updated)).as_py()
    gone = million.filter(million["deleted_at"].is_valid())
    assert gone.num_rows > 9_000
    assert pc.all(pc.less_equal(gone["updated_at"], gone["deleted_at"])).as_py()


def test_employees_were_hired_from_2015_to_2024_when_they_were_18(million):
    ends = pc.min_max(million["created_at"]).as_py()
    assert dt.datetime(2015, 1, 1) <= ends["min"] < dt.datetime(2015, 1, 2)
    assert dt.datetime(2024, 12, 31) <= ends["max"] < dt.datetime(2025, 1, 1)
    assert pc.max(million["updated_at"]).as_py() < dt.datetime(2025, 7, 1)
    birthdays = million["bod"].cast(pa.timestamp("us"))
    ages = pc.subtract(million["created_at"], birthdays).cast(pa.int64()).to_numpy() / 86_400e6
    assert ages.min() >= 18 * 365.25 - 0.5


def test_moments_are_whole_seconds(million):
    for name in ("created_at", "updated_at", "deleted_at"):
        microseconds = million[name].drop_null().cast(pa.int64()).to_numpy()
        assert (microseconds % 10**6 == 0).all(), name


def test_personal_numbers_are_year_of_hire_and_id(million):
    numbers = million["personal_number"]
    assert pc.all(pc.match_substring_regex(numbers, "^EMP-[0-9]{4}-[0-9]{7}$")).as_py()
    years = pc.utf8_slice_codeunits(numbers, 4, 8).cast(pa.int64())
    assert years.equals(pc.year(million["created_at"]))
    assert pc.utf8_slice_codeunits(numbers, 9).cast(pa.int64()).equals(million["id"])


def test_nobody_has_a_g_id_yet(million):
    assert million["g_id"].null_count == MILLION


def test_a_million_rows_are_valid_arrow(million):
    million.validate(full=True)
    assert million["id"].to_numpy().tolist() == list(range(1, MILLION + 1))
