"""tiers: strict bounds, and no tier that the lower end of the interval does not reach."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gidbench import tiers

ORDER = ["STANDARD", "HIGH", "VERY HIGH", "ULTRA"]


@pytest.mark.parametrize(
    ("rate", "tier"),
    [
        (0, "STANDARD"),
        (100_000, "STANDARD"),
        (100_000.01, "HIGH"),
        (500_000, "HIGH"),
        (500_001, "VERY HIGH"),
        (1_000_000, "VERY HIGH"),
        (1_000_000.5, "ULTRA"),
        (float("inf"), "ULTRA"),
        (-1, "STANDARD"),
        (float("nan"), "STANDARD"),
    ],
)
def test_a_rate_must_exceed_the_bound_of_its_tier(rate, tier):
    assert tiers.tier_of(rate) == tier


def test_the_target_is_a_million_records_in_five_seconds():
    assert tiers.TARGET_PER_SECOND * 5 == 1_000_000


@pytest.mark.parametrize(
    ("median", "low", "tier", "reached", "borderline"),
    [
        (2e6, 1.5e6, "ULTRA", "ULTRA", False),
        (1.1e6, 0.9e6, "VERY HIGH", "ULTRA", True),
        (1.1e6, 1e6, "VERY HIGH", "ULTRA", True),
        (1.1e6, 4e5, "HIGH", "ULTRA", True),
        (9e4, 8e4, "STANDARD", "STANDARD", False),
        (4e5, 6e5, "HIGH", "HIGH", False),  # a low end above the median lifts nothing
    ],
)
def test_the_lower_end_of_the_interval_decides(median, low, tier, reached, borderline):
    assert tiers.award(median, low) == tiers.Award(tier, reached, borderline)


@given(st.floats(0, 3e6), st.floats(0, 3e6))
def test_an_award_is_never_above_what_either_number_reaches(median, low):
    given_tier = ORDER.index(tiers.award(median, low).tier)
    assert given_tier == min(ORDER.index(tiers.tier_of(median)), ORDER.index(tiers.tier_of(low)))
