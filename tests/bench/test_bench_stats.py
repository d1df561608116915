"""Medians and intervals of rounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gidbench.bench.stats import far_out, summarise
from gidbench.tiers import award, tier_of

WALL = st.floats(1e-6, 1e6)
PROCESSES = st.lists(st.lists(WALL, min_size=1, max_size=6), min_size=1, max_size=6)


@given(PROCESSES)
def test_the_interval_holds_the_median_of_the_processes_and_stays_within_the_rounds(
    processes: list[list[float]],
) -> None:
    found = summarise(processes)
    walls = [wall for rounds in processes for wall in rounds]
    assert found.median_s == float(np.median([np.median(rounds) for rounds in processes]))
    assert min(walls) <= found.low_s <= found.median_s <= found.high_s <= max(walls)
    assert found.min_s == min(walls)
    assert found.mad_s == pytest.approx(np.median(np.abs(np.array(walls) - np.median(walls))))


@given(PROCESSES, st.integers(0, 9))
def test_the_same_rounds_and_seed_give_the_same_interval(processes: list[list[float]], seed: int) -> None:
    assert summarise(processes, seed) == summarise(processes, seed)


@given(PROCESSES, st.integers(-8, 8))
def test_another_unit_of_time_changes_nothing_else(processes: list[list[float]], power: int) -> None:
    scale = 2.0**power  # exact in binary
    found = summarise(processes)
    scaled = summarise([[wall * scale for wall in rounds] for rounds in processes])
    assert scaled.median_s == found.median_s * scale
    assert scaled.low_s == pytest.approx(found.low_s * scale)
    assert scaled.high_s == pytest.approx(found.high_s * scale)
    assert scaled.outliers == found.outliers


def test_a_process_with_more_rounds_has_no_more_weight() -> None:
    assert summarise([[1.0] * 9, [2.0], [3.0]]).median_s == 2.0
    assert summarise([[1.0, 2.0, 9.0]]).median_s == 2.0


def test_processes_that_differ_give_a_wider_interval_than_as_many_rounds_of_one() -> None:
    draw = np.random.default_rng(3)
    apart, together = 0.0, 0.0
    for _ in range(50):
        rounds = [np.exp(draw.normal(0.0, 0.05) + draw.normal(0.0, 0.02, 5)).tolist() for _ in range(5)]
        apart += summarise(rounds).width
        together += summarise([[wall for each in rounds for wall in each]]).width
    assert apart > 1.2 * together


def test_equal_rounds_have_no_scatter() -> None:
    found = summarise([[2.0] * 5] * 3)
    assert (found.low_s, found.high_s, found.cv, found.mad_s) == (2.0, 2.0, 0.0, 0.0)
    assert (found.noisy, found.outliers, found.width) == (False, (), 0.0)


def test_scattered_rounds_are_noisy() -> None:
    assert summarise([[1.0, 1.5, 1.0, 1.6, 1.1]]).noisy
    assert not summarise([[1.0, 1.01], [1.0, 0.99, 1.0]]).noisy


def test_one_round_has_itself_as_interval() -> None:
    found = summarise([[3.0]])
    assert (found.low_s, found.median_s, found.high_s, found.cv) == (3.0, 3.0, 3.0, 0.0)


@pytest.mark.parametrize(
    ("processes", "rounds", "between", "least"),
    [(3, 5, 0.0, 0.93), (3, 5, 0.05, 0.86), (3, 2, 0.02, 0.90), (5, 3, 0.05, 0.93), (1, 9, 0.0, 0.90)],
)
def test_the_interval_covers_the_true_median(
    processes: int, rounds: int, between: float, least: float
) -> None:
    draw = np.random.default_rng(5)
    hits = 0
    for _ in range(200):
        middles = draw.normal(0.0, between, processes)
        walls = [np.exp(middle + draw.normal(0.0, 0.05, rounds)).tolist() for middle in middles]
        found = summarise(walls)
        hits += found.low_s <= 1.0 <= found.high_s
    assert hits >= least * 200


@pytest.mark.parametrize(
    ("walls", "places"),
    [
        ([1.0, 1.01, 0.99, 1.02, 5.0], (4,)),
        ([0.2, 1.0, 1.01, 0.99, 1.02, 1.0, 0.98], (0,)),
        ([1.0, 1.1, 0.9, 1.2, 0.8], ()),
        ([1.0, 1.0, 1.0, 1.0, 1.0, 3.0], (5,)),  # more than half are equal: by the mean deviation
        ([1.0, 1.0, 9.0], ()),
        ([2.0] * 6, ()),
    ],
)
def test_rounds_far_out_are_flagged(walls: list[float], places: tuple[int, ...]) -> None:
    assert far_out(walls) == places


def test_outliers_are_counted_through_all_processes_and_kept() -> None:
    found = summarise([[1.0, 1.01], [0.99, 9.0], [1.02, 1.0]])
    assert found.outliers == (3,)
    assert found.high_s > 1.02


@pytest.mark.parametrize("walls", [[], [[]], [[1.0], []], [[0.0]], [[-1.0]], [[1.0, float("nan")]]])
def test_wall_times_that_cannot_be_are_refused(walls: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="wall times must be positive"):
        summarise(walls)


@pytest.mark.parametrize(
    ("rate", "tier"),
    [
        (1_000_001, "ULTRA"),
        (1_000_000, "VERY HIGH"),
        (500_001, "VERY HIGH"),
        (500_000, "HIGH"),
        (100_001, "HIGH"),
        (100_000, "STANDARD"),
        (0, "STANDARD"),
    ],
)
def test_bounds_of_tiers_are_strict(rate: float, tier: str) -> None:
    assert tier_of(rate) == tier


def test_a_tier_is_awarded_only_where_the_lower_end_clears_its_bound() -> None:
    given_tier = award(1_100_000, 900_000)
    assert (given_tier.tier, given_tier.reached, given_tier.borderline) == ("VERY HIGH", "ULTRA", True)
    sure = award(1_100_000, 1_050_000)
    assert (sure.tier, sure.borderline) == ("ULTRA", False)
