"""How much one way is faster than another: the ratio of pairs, and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

RESAMPLES = 4_000
LEAST_PAIRS = 6  # of five, all may lie on one side by chance once in sixteen times


@dataclass(frozen=True)
class Gain:
    """Of the best choice over the defaults: median of the pairs' ratios (above 1: faster) and its 95 % interval.

    Attributes
    ----------
    verdict:
        "better" or "worse", where the interval leaves 1 out; "equal", where it holds 1; "unproven", where there
        were too few pairs.
    default_s, best_s:
        Medians of one trial.
    stopped_because:
        "precise", "enough" (the most pairs) or "budget".
    """

    records: int
    pairs: int
    ratio: float
    low: float
    high: float
    verdict: str
    default_s: float
    best_s: float
    stopped_because: str

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def ratio_interval(ratios: Sequence[float], seed: int = 0) -> tuple[float, float, float]:
    """Median of ratios with a bootstrap 95 % interval (percentiles; Efron, 1979), all on the logarithmic scale.

    Percentiles of few values are too narrow; so they are taken further out, where they would agree with Student's t
    (the expanded percentile interval; Hesterberg, 2015).
    """
    logs = np.log(np.asarray(ratios, dtype=np.float64))
    if logs.size == 0:
        raise ValueError("there is no ratio")
    middle = float(np.exp(np.median(logs)))
    if logs.size == 1:
        return middle, middle, middle
    picks = np.random.default_rng(seed).integers(0, logs.size, (RESAMPLES, logs.size))
    medians = np.median(logs[picks], axis=1)
    tail = expanded_tail(logs.size)
    low, high = np.exp(np.quantile(medians, [tail, 1 - tail]))
    return middle, float(low), float(high)


def expanded_tail(count: int) -> float:
    """Share of resamples beyond each end of a 95 % interval of `count` values, at least 2."""
    return NormalDist().cdf(-math.sqrt(count / (count - 1)) * _student(count - 1))


def _student(freedom: int) -> float:
    """The 97.5 % quantile of Student's t, by the series of Cornish and Fisher; 1 % off at 3 degrees of freedom."""
    z, v = NormalDist().inv_cdf(0.975), freedom
    terms = (
        z,
        (z**3 + z) / (4 * v),
        (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2),
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3),
    )
    return sum(terms)


def judge(
    records: int, default_s: Sequence[float], best_s: Sequence[float], stopped_because: str, seed: int = 0
) -> Gain:
    """The gain of pairs of times."""
    ratios = [one / other for one, other in zip(default_s, best_s, strict=True)]
    ratio, low, high = ratio_interval(ratios, seed)
    if len(ratios) < LEAST_PAIRS:
        verdict = "unproven"
    else:
        verdict = "better" if low > 1 else "worse" if high < 1 else "equal"
    medians = float(np.median(default_s)), float(np.median(best_s))
    return Gain(records, len(ratios), ratio, low, high, verdict, *medians, stopped_because)
