"""Exact tests of a few values by their ranks: whether two sets differ, and whether differences have a sign.

Mann and Whitney (1947), Wilcoxon (1945). Both are done as permutation tests of the ranks, counted by dynamic
programming, so that they are exact for small sets and in the presence of ties; no normal approximation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

MOST = 60  # values of a side; of more, every k-th in order: exact counting takes their cube


def mann_whitney(first: Sequence[float], second: Sequence[float]) -> float:
    """Two-sided p of the hypothesis that both sets come from the same distribution.

    The share of all ways to divide the values into two sets of these sizes whose rank sum lies as far from its
    mean as the one found, or farther. 1.0 where a set is empty.
    """
    a, b = _thinned(first), _thinned(second)
    if not a.size or not b.size:
        return 1.0
    doubled = _doubled_ranks(np.concatenate([a, b]))
    ways = np.zeros((a.size + 1, int(doubled.sum()) + 1))  # [how many were taken, their doubled rank sum]
    ways[0, 0] = 1.0
    for rank in doubled:
        ways[1:, rank:] += ways[:-1, : ways.shape[1] - rank].copy()
    found, counts = int(doubled[: a.size].sum()), ways[a.size]
    return _share_as_far(counts, found, a.size * (a.size + b.size + 1))


def smallest_p(first: int, second: int) -> float:
    """The least that `mann_whitney` can say of sets of these sizes: where they do not overlap at all."""
    if first < 1 or second < 1:
        return 1.0
    return min(1.0, 2.0 / math.comb(min(first, MOST) + min(second, MOST), min(first, MOST)))


def signed_rank(differences: Sequence[float]) -> float:
    """Two-sided p of the hypothesis that differences lie evenly about zero (Wilcoxon; zeros are left out)."""
    values = _thinned([value for value in differences if value != 0.0])
    if not values.size:
        return 1.0
    doubled = _doubled_ranks(np.abs(values))
    total = int(doubled.sum())
    ways = np.zeros(total + 1)  # by the doubled rank sum of the positive ones
    ways[0] = 1.0
    for rank in doubled:
        ways[rank:] += ways[: ways.size - rank].copy()
    return _share_as_far(ways, int(doubled[values > 0].sum()), total / 2)


def _share_as_far(counts: npt.NDArray[np.float64], found: int, mean: float) -> float:
    far = np.abs(np.arange(counts.size) - mean) >= abs(found - mean) - 1e-9
    return float(min(1.0, counts[far].sum() / counts.sum()))


def _doubled_ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Twice the rank of each value from 1, equal values sharing the mean of theirs: so all are whole numbers."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((2 * last - counts + 1)[place], dtype=np.int64)


def _thinned(values: Sequence[float]) -> npt.NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.size <= MOST:
        return array
    thinned: npt.NDArray[np.float64] = np.sort(array)[
        np.linspace(0, array.size - 1, MOST).round().astype(int)
    ]
    return thinned
