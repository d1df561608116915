"""Medians and intervals of rounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gidbench.bench.stats import summarise
from gidbench.tiers import award, tier_of

WALLS = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=12)


@given(WALLS)
def test_the_interval_holds_the_median_and_stays_within_the_rounds(walls: list[float]) -> None:
    found = summarise(walls)
    assert found.median_s == float(np.median(walls))
    assert min(walls) <= found.low_s <= found.median_s <= found.high_s <= max(walls)
    assert found.min_s == min(walls)


@given(WALLS)
def test_the_same_rounds_give_the_same_interval(walls: list[float]) -> None:
    assert summarise(walls) == summarise(walls)


def test_equal_rounds_have_no_scatter() -> None:
    found = summarise([2.0] * 5)
    assert (found.low_s, found.high_s, found.cv, found.noisy) == (2.0, 2.0, 0.0, False)


def test_scattered_rounds_are_noisy() -> None:
    assert summarise([1.0, 1.5, 1.0, 1.6, 1.1]).noisy
    assert not summarise([1.0, 1.01, 1.0, 0.99, 1.0]).noisy


def test_the_interval_covers_the_true_median_of_many_samples() -> None:
    draws = np.random.default_rng(5).lognormal(0.0, 0.2, (300, 9))
    hits = sum(found.low_s <= 1.0 <= found.high_s for found in map(summarise, draws))
    assert 0.88 * 300 <= hits <= 300


@pytest.mark.parametrize("walls", [[], [0.0], [-1.0], [1.0, float("nan")]])
def test_wall_times_that_cannot_be_are_refused(walls: list[float]) -> None:
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
