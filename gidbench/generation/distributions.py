"""Distributions as tables that integers look values up in.

Probabilities are worked out in floating point once, when a column is prepared, and cut to shares of 2^64;
rows are made from the shares alone, so the same spec gives the same rows on every machine.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from gidbench.errors import InputError
from gidbench.generation.values import Array
from gidbench.kernels import numbers
from gidbench.specs.model import NORMAL, UNIFORM, ZIPF, Distribution

_BINS = 1 << 14
_ZIPF_SINGLE = (
    1 << 13
)  # ranks with a bin of their own; the others share as many bins, which widen with the rank
_REACH = 9.0  # standard deviations beyond which a normal distribution has nothing that 64 bits can show
_WHOLE = 1 << 64
_BELOW_ONE = 1 - 2.0**-53


class Sampler:
    """Whole numbers from `low` to `high` by a distribution, from random bits.

    Raises InputError where a normal distribution has no share of the range.
    """

    def __init__(self, distribution: Distribution, low: int, high: int, column: str) -> None:
        self.low, self.span = low, high - low + 1
        self._table: tuple[Array, Array, Array, Array] | None = None
        if distribution.name == ZIPF:
            self._table = _binned(*_zipf(distribution.exponent, low, self.span))
        elif distribution.name == NORMAL:
            self._table = _binned(*_normal(distribution, low, high, column))
        elif distribution.name != UNIFORM:
            raise InputError(f"{column} has the unknown distribution {distribution.name!r}", "Use uniform")

    def sample(self, bits: Array, out: Array) -> None:
        """Numbers for 64 random bits each; `out` is int64 of the shape of `bits`. Larger bits, larger number."""
        if self._table is None:
            numbers.scale_bits(bits, self.low, np.uint64(self.span % _WHOLE), out)
        else:
            numbers.look_up_bits(bits, *self._table, out)


def weighted(weights: tuple[float, ...]) -> tuple[Array, Array, Array, Array]:
    """The table of positions 0 .. n - 1 by weights, for `numbers.look_up_bits`."""
    shares = np.array(weights)
    return _binned(shares, np.arange(len(weights)), np.ones(len(weights), np.uint64))


def _binned(shares: Array, starts: Array, widths: Array) -> tuple[Array, Array, Array, Array]:
    """(ends, guide, starts, widths) of bins with these shares, which are divided by their sum.

    A bin without a share is left out: the kernel would step over it each time.
    """
    kept = shares > 0
    shares, starts, widths = shares[kept], starts[kept], widths[kept]
    reached = np.cumsum(shares / shares.sum())
    ends = (np.minimum(reached, _BELOW_ONE) * float(_WHOLE)).astype(np.uint64)
    ends[-1] = _WHOLE - 1
    cells = np.arange(1 << numbers.GUIDE_BITS, dtype=np.uint64) << np.uint64(64 - numbers.GUIDE_BITS)
    guide = np.minimum(np.searchsorted(ends, cells, side="right"), ends.size - 1).astype(np.int32)
    return ends, guide, starts.astype(np.int64), widths.astype(np.uint64)


def _zipf(exponent: float, low: int, span: int) -> tuple[Array, Array, Array]:
    """Bins of ranks 1 .. span, rank k with a weight of 1 / k ** exponent."""
    single = np.arange(1, min(span, _ZIPF_SINGLE) + 1, dtype=np.float64)
    shares, starts = single**-exponent, single.astype(np.int64) - 1
    widths = np.ones(single.size, np.uint64)
    if span > _ZIPF_SINGLE:
        # Within a bin, 0.5 % wide at most (for 2^63 ranks), all ranks count alike.
        edges = np.geomspace(_ZIPF_SINGLE + 1, float(span) + 1, _ZIPF_SINGLE)
        whole = sorted({min(int(edge), span + 1) for edge in edges.tolist()} | {_ZIPF_SINGLE + 1, span + 1})
        first, end = np.array(whole[:-1], np.uint64), np.array(whole[1:], np.uint64)
        middle = (first.astype(np.float64) + end.astype(np.float64) - 1) / 2
        shares = np.concatenate([shares, middle**-exponent * (end - first).astype(np.float64)])
        starts = np.concatenate([starts, (first - np.uint64(1)).astype(np.int64)])
        widths = np.concatenate([widths, end - first])
    return shares, starts + low, widths


def _normal(distribution: Distribution, low: int, high: int, column: str) -> tuple[Array, Array, Array]:
    """Bins of a normal distribution cut off at `low` and `high`, each number owning half a unit around it."""
    # From here on everything counts from `low`: a double cannot tell large neighbours apart.
    span = high - low
    mean = distribution.mean - low if distribution.mean is not None else span / 2
    sd = distribution.sd if distribution.sd is not None else max(span / 6, 0.5)
    first, last = max(0, math.floor(mean - _REACH * sd)), min(span, math.ceil(mean + _REACH * sd))
    if first > last:
        raise InputError(
            f"{column} is normal around {mean + low:g} with a deviation of {sd:g}, which leaves nothing of"
            f" {low} .. {high}",
            "Move the mean into the range, or widen the deviation",
        )
    width = max(1, -(-(last - first + 1) // _BINS))
    starts = list(range(first, last + 1, width))
    widths = [min(width, last + 1 - start) for start in starts]
    curve = NormalDist(mean, sd)
    edges = [start - 0.5 for start in starts] + [last + 0.5]
    # the upper half by its distance from the other end, or differences of numbers close to 1 would remain
    lower = np.array([curve.cdf(edge) if edge <= mean else 1.0 for edge in edges])
    upper = np.array([curve.cdf(2 * mean - edge) if edge > mean else 1.0 for edge in edges])
    shares = np.where(
        np.array(edges[1:]) <= mean,
        np.diff(lower),
        np.where(np.array(edges[:-1]) > mean, -np.diff(upper), 1 - lower[:-1] - upper[1:]),
    )
    values = np.array([low + start for start in starts], np.int64)
    return np.maximum(shares, 0.0), values, np.array(widths, np.uint64)
