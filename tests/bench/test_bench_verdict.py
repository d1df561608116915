"""Better, worse, inconclusive: what each rule needs, and that sides and scale do not matter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from made_runs import STEADY, times

from gidbench.bench.verdict import interval_of, judge, judge_pairs
from gidbench.errors import InputError

SECONDS = st.floats(0.5, 2.0)
SIDE = st.lists(st.lists(SECONDS, min_size=1, max_size=4), min_size=1, max_size=5)
PAIRS = st.lists(
    st.lists(st.tuples(SECONDS, SECONDS), min_size=1, max_size=5).map(
        lambda rounds: ([a for a, _ in rounds], [b for _, b in rounds])
    ),
    min_size=1,
    max_size=8,
)
TURNED = {"better": "worse", "worse": "better", "inconclusive": "inconclusive"}


def same(found, other) -> bool:
    return (found.ratio, found.low, found.high) == pytest.approx((other.ratio, other.low, other.high))


@given(SIDE, SIDE)
@example([[1.25, 2.0, 1.0, 0.75]], [[1.25, 2.0, 1.0, 0.75]])
@example([[1.0, 2.0], [3.0]], [[1.0], [2.0, 3.0]])
def test_swapping_the_sides_turns_the_verdict(a, b) -> None:
    found, turned = judge(a, b), judge(b, a)
    assert turned.verdict == TURNED[found.verdict]
    assert (1 / found.ratio, 1 / found.high, 1 / found.low) == pytest.approx(
        (turned.ratio, turned.low, turned.high)
    )
    assert (found.p, found.same) == (pytest.approx(turned.p), turned.same)


@given(PAIRS)
def test_swapping_the_sides_of_pairs_turns_the_verdict(pairs) -> None:
    found, turned = judge_pairs(pairs), judge_pairs([(b, a) for a, b in pairs])
    assert turned.verdict == TURNED[found.verdict]
    assert (1 / found.ratio, 1 / found.high) == pytest.approx((turned.ratio, turned.low))


@given(SIDE, SIDE, st.sampled_from([0.001, 0.5, 8.0, 1024.0]))
def test_scaling_both_sides_changes_nothing(a, b, factor: float) -> None:
    found, scaled = judge(a, b), judge(times(factor, a), times(factor, b))
    assume(abs(abs(np.log(found.ratio)) - np.log1p(found.threshold)) > 1e-9)
    assert same(found, scaled)
    assert scaled.verdict == found.verdict


@given(SIDE, SIDE)
def test_the_interval_holds_the_ratio_and_the_same_numbers_give_the_same(a, b) -> None:
    found = judge(a, b)
    assert found.low <= found.ratio * (1 + 1e-12)
    assert found.ratio <= found.high * (1 + 1e-12)
    assert judge(a, b) == found


@given(SIDE)
def test_a_side_is_never_different_from_itself(side) -> None:
    assert judge(side, side).verdict == "inconclusive"
    found = judge_pairs([(each, each) for each in side])
    assert found.same == (len(side) > 1)
    assert (found.verdict, found.ratio) == ("inconclusive", 1.0)


@pytest.mark.parametrize(("factor", "verdict"), [(1.1, "worse"), (0.9, "better"), (1.02, "inconclusive")])
def test_steady_processes_tell_ten_per_cent(factor: float, verdict: str) -> None:
    found = judge(STEADY, times(factor))
    assert found.verdict == verdict
    assert found.ratio == pytest.approx(factor)


def test_a_small_difference_that_is_sure_is_still_below_the_threshold() -> None:
    exact = [[1.0], [1.0001], [0.9999], [1.0], [1.0001]]
    assert "below the threshold" not in judge(exact, times(1.02, exact)).why
    assert judge(exact, times(1.02, exact)).same
    assert judge(exact, times(1.02, exact), threshold=0.01).verdict == "worse"
    assert judge(STEADY, times(1.029)).verdict == "inconclusive"


def test_processes_that_overlap_prove_nothing() -> None:
    a = [[1.0], [1.0], [1.3]]
    b = [[1.2], [1.2], [1.21]]
    assert judge(a, b).verdict == "inconclusive"


def test_the_process_is_the_unit_not_the_round() -> None:
    """Thirty rounds in two unlike processes know less than three processes that agree."""
    a, b = [[1.0] * 30, [1.2] * 30], [[1.1] * 30, [1.3] * 30]
    found = judge(a, b)
    assert found.verdict == "inconclusive"
    assert found.low < 1 < found.high


def test_one_process_a_side_tells_gross_differences_only() -> None:
    one = [[1.0, 1.01, 0.99, 1.0, 1.02]]
    assert judge(one, times(1.2, one)).verdict == "inconclusive"
    found = judge(one, times(2.0, one))
    assert found.verdict == "worse"
    assert "10 % is assumed" in found.why


def test_drift_of_the_machine_widens_the_interval() -> None:
    sure, doubtful = judge(STEADY, times(1.1)), judge(STEADY, times(1.1), drift=1.1)
    assert sure.verdict == "worse"
    assert doubtful.verdict == "inconclusive"
    assert doubtful.low == pytest.approx(sure.low / 1.1)
    assert doubtful.high == pytest.approx(sure.high)
    faster = judge(times(1.1), STEADY, drift=1 / 1.1)
    assert faster.verdict == "inconclusive"
    assert judge(STEADY, times(1.1), drift=0.9).verdict == "worse"


def test_one_lucky_pair_makes_no_verdict() -> None:
    pairs = [([1.0], [value]) for value in (1.01, 0.99, 1.0, 1.01, 0.99, 1.6)]
    assert judge_pairs(pairs).verdict == "inconclusive"
    assert judge_pairs([([1.0], [value]) for value in (1.1, 1.09, 1.11, 1.1, 1.12, 1.08)]).verdict == "worse"


def test_the_interval_of_one_side_is_scaled_with_it() -> None:
    found = interval_of([[1.0], [1.1], [1.2]])
    assert found[0] == pytest.approx(1.1)
    assert found[1] < 1.0
    assert found[2] > 1.2
    assert interval_of([[4.0], [4.4], [4.8]]) == pytest.approx([4 * each for each in found])


@pytest.mark.parametrize("side", [[], [[]], [[0.0]], [[1.0, -1.0]], [[float("nan")]]])
def test_seconds_that_cannot_be_are_refused(side) -> None:
    with pytest.raises(InputError, match="seconds must be positive"):
        judge(side, STEADY)
    with pytest.raises(InputError, match="100 %"):
        judge(STEADY, STEADY, threshold=1.0)


def test_pairs_need_rounds_of_equal_number() -> None:
    for pairs in ([], [([1.0], [1.0, 2.0])], [([], [])]):
        with pytest.raises(ValueError, match="each pair"):
            judge_pairs(pairs)


@pytest.mark.slow
@pytest.mark.parametrize("processes", [3, 4, 5, 8])
@pytest.mark.parametrize("scatter", ["normal", "laplace", "skew"])
def test_a_case_differs_from_itself_in_at_most_five_per_cent(processes: int, scatter: str) -> None:
    stream = np.random.default_rng(processes)
    draw = {
        "normal": lambda size: stream.normal(0, 0.04, size),
        "laplace": lambda size: stream.laplace(0, 0.03, size),
        "skew": lambda size: 0.04 * stream.exponential(1, size),
    }[scatter]
    tries = 300
    called = 0
    for _ in range(tries):
        a, b = np.exp(draw((2, processes, 1)))
        called += judge(a.tolist(), b.tolist()).verdict != "inconclusive"
    assert called <= 0.05 * tries + 3 * np.sqrt(tries * 0.05 * 0.95) / 2, f"{called} of {tries}"


def test_a_judgement_becomes_plain_values() -> None:
    found = judge(STEADY, times(1.1))
    assert found.to_dict()["verdict"] == "worse"
    assert replace(found, ratio=0.5).change == -0.5
