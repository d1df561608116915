"""Rank tests against every way to divide a few values."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gidbench.bench.ranks import MOST, mann_whitney, signed_rank, smallest_p

FEW = st.lists(st.integers(0, 5).map(float), min_size=1, max_size=5)  # with ties


def midranks(values: list[float]) -> list[float]:
    return [
        sum(other < value for other in values) + (sum(other == value for other in values) + 1) / 2
        for value in values
    ]


def naive_mann_whitney(a: list[float], b: list[float]) -> float:
    ranks = midranks(a + b)
    mean = len(a) * (len(a) + len(b) + 1) / 2
    found = abs(sum(ranks[: len(a)]) - mean)
    ways = [sum(ranks[place] for place in taken) for taken in combinations(range(len(ranks)), len(a))]
    return sum(abs(way - mean) >= found - 1e-9 for way in ways) / len(ways)


def naive_signed_rank(differences: list[float]) -> float:
    kept = [value for value in differences if value]
    if not kept:
        return 1.0
    ranks = midranks([abs(value) for value in kept])
    found = abs(sum(rank if value > 0 else -rank for rank, value in zip(ranks, kept, strict=True)))
    ways = [
        sum(s * r for s, r in zip(signs, ranks, strict=True)) for signs in product((1, -1), repeat=len(kept))
    ]
    return sum(abs(way) >= found - 1e-9 for way in ways) / len(ways)


@given(FEW, FEW)
def test_mann_whitney_is_exact_with_ties(a: list[float], b: list[float]) -> None:
    assert mann_whitney(a, b) == pytest.approx(naive_mann_whitney(a, b))
    assert mann_whitney(a, b) == pytest.approx(mann_whitney(b, a))


@given(st.lists(st.integers(-4, 4).map(float), max_size=8))
def test_signed_ranks_are_exact_with_ties_and_zeros(differences: list[float]) -> None:
    assert signed_rank(differences) == pytest.approx(naive_signed_rank(differences))


@pytest.mark.parametrize(("sizes", "p"), [((3, 3), 0.1), ((4, 4), 2 / 70), ((1, 1), 1.0), ((0, 3), 1.0)])
def test_the_least_p_is_that_of_sets_that_do_not_overlap(sizes: tuple[int, int], p: float) -> None:
    assert smallest_p(*sizes) == pytest.approx(p)
    low, high = list(range(sizes[0])), list(range(10, 10 + sizes[1]))
    assert mann_whitney(low, high) == pytest.approx(p)


def test_p_is_evenly_spread_where_there_is_no_difference() -> None:
    draws = np.random.default_rng(3).normal(size=(400, 20))
    below = np.mean([mann_whitney(row[:10], row[10:]) <= 0.05 for row in draws])
    assert 0.02 <= below <= 0.07


def test_many_values_are_thinned_and_still_told_apart() -> None:
    values = np.random.default_rng(1).normal(size=10 * MOST)
    assert mann_whitney(values, values + 2) < 1e-6
    assert mann_whitney(values, values) == pytest.approx(1.0)
