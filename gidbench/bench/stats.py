"""Statistics of a few rounds: the median, how sure it is, and how much the rounds scatter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 4_000
NOISY_CV = 0.10  # a coefficient of variation above this is called noisy


@dataclass(frozen=True)
class Summary:
    """Of wall seconds: median with a 95 % interval, least, and coefficient of variation (0 .. )."""

    median_s: float
    low_s: float
    high_s: float
    min_s: float
    cv: float

    @property
    def noisy(self) -> bool:
        return self.cv > NOISY_CV


def summarise(seconds: Sequence[float], seed: int = 0) -> Summary:
    """Median and percentile-bootstrap interval (Efron, 1979) of at least one wall time.

    Rounds are drawn with replacement RESAMPLES times from a generator with the given seed; the interval
    holds the central 95 % of the medians. One round has itself as interval, and says nothing of noise.
    """
    values = np.asarray(seconds, dtype=np.float64)
    if values.size == 0 or not np.all(values > 0):
        raise ValueError(f"wall times must be positive and at least one, not {list(seconds)!r}")
    picks = np.random.default_rng(seed).integers(0, values.size, (RESAMPLES, values.size))
    medians = np.median(values[picks], axis=1)
    low, high = np.quantile(medians, [0.025, 0.975])
    cv = float(values.std(ddof=1) / values.mean()) if values.size > 1 else 0.0
    return Summary(float(np.median(values)), float(low), float(high), float(values.min()), cv)
