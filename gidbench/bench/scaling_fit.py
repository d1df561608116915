"""The exponent by which time or memory grows with the records: a + b * n^k, and how sure k is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

RESAMPLES = 1_000
_STEPS = 4  # after which the curve changes by less than a thousandth
LEAST_SIZES = 4  # a line and its scatter take three
_EXPONENTS = np.linspace(0.05, 3.0, 296)
_DOMINATED = 0.5  # share of the constant from which on a size says nothing of growth
_LEVEL = 1.25
_FLAT = 1.15  # from the least to the most value: less is no growth that could be told from scatter

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """What was fitted.

    Attributes
    ----------
    exponent, low, high:
        k with its bootstrap 95 % interval; None where nothing grows.
    constant:
        a: what it takes for no record at all.
    factor:
        b, so that constant + factor * n^exponent is the value.
    dominated:
        Sizes of which the constant makes more than half: they tell of it, not of growth.
    growth:
        Most of all medians to the least.
    flat_from:
        Size from which on, for three sizes at least, the medians stay within _LEVEL of each other; 0: none.
    """

    exponent: float | None
    low: float | None
    high: float | None
    constant: float
    factor: float
    dominated: tuple[int, ...]
    growth: float
    note: str = ""
    flat_from: int = 0

    def value(self, records: float) -> float:
        return self.constant + self.factor * math.pow(records, self.exponent or 0.0)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def fit(records: Sequence[int], values: Sequence[Sequence[float]], seed: int = 0) -> Fit:
    """Fit the medians of several values of each size by least squares on a logarithmic scale.

    The constant is fitted with the exponent (and never below 0): left out, it would make the exponent too small. The
    interval comes from resampling the values of each size and turning the signs of what the curve leaves over (wild
    bootstrap; Wu, 1986), so both scatter and a curve that does not fit widen it. With fewer than LEAST_SIZES sizes
    there is no exponent.
    """
    sizes = np.asarray(records, dtype=np.float64)
    medians = np.array([float(np.median(list(each))) for each in values])
    if sizes.size != medians.size or not np.all(medians > 0) or np.unique(sizes).size != sizes.size:
        raise ValueError("each size needs a value above 0, and occurs once")
    growth = float(medians.max() / medians.min())
    if sizes.size < LEAST_SIZES:
        return Fit(None, None, None, 0.0, 0.0, (), growth, f"fewer than {LEAST_SIZES} sizes")
    if growth < _FLAT:
        middle = float(np.median(medians))
        return Fit(None, None, None, middle, 0.0, tuple(int(n) for n in sizes), growth, "does not grow")
    [exponent], [constant], [factor] = _curves(sizes, medians[None, :])
    curve = constant + factor * sizes**exponent
    rests = np.log(medians / curve) * np.sqrt(sizes.size / (sizes.size - 3))
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1.0, 1.0], (RESAMPLES, sizes.size))
    drawn = np.stack([_medians(np.asarray(list(each), dtype=np.float64), rng) for each in values], axis=1)
    again = curve * np.exp(signs * rests) * drawn / medians
    low, high = np.quantile(_curves(sizes, again)[0], [0.025, 0.975])
    dominated = tuple(int(n) for n, y in zip(sizes, curve, strict=True) if constant > _DOMINATED * y)
    note = ""
    if exponent in (_EXPONENTS[0], _EXPONENTS[-1]):
        note = f"beyond {_EXPONENTS[0]:g} to {_EXPONENTS[-1]:g}"
    elif sizes.size - len(dominated) < 3:
        note = "the constant covers the growth: larger sizes are needed"
    return Fit(
        round(float(exponent), 2),
        round(float(low), 2),
        round(float(high), 2),
        float(constant),
        float(factor),
        dominated,
        growth,
        note,
        _flat_from(sizes, medians),
    )


def _flat_from(sizes: Floats, medians: Floats) -> int:
    """The first size from which nothing grows any more, of three at least; 0 where there is none."""
    for place in range(sizes.size - 2):
        rest = medians[place:]
        if rest.max() / rest.min() < _LEVEL:
            return int(sizes[place])
    return 0


def _medians(values: Floats, rng: np.random.Generator) -> Floats:
    picks = rng.integers(0, values.size, (RESAMPLES, values.size))
    found: Floats = np.median(values[picks], axis=1)
    return found


def _curves(sizes: Floats, many: Floats) -> tuple[Floats, Floats, Floats]:
    """(exponent, constant, factor) of each row of values, constant and factor not below 0.

    What is least is the sum of (y - curve)^2 / (y * curve), which is that of log(y / curve)^2 but for terms of the
    fourth order: so the curve of a step weighs the next one. For each exponent the other two are linear.
    """
    curve = many
    for _ in range(_STEPS):
        exponents, constants, factors = _curves_weighed(sizes, many, 1.0 / np.sqrt(many * curve))
        curve = constants[:, None] + factors[:, None] * (sizes / sizes.max()) ** exponents[:, None]
    return exponents, constants, factors / sizes.max() ** exponents


def _curves_weighed(sizes: Floats, many: Floats, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """The same by weighed least squares; the factor is for sizes of which the last is 1."""
    scaled, values = sizes / sizes.max(), many * weights
    total = (weights * values).sum(axis=1)
    square = (weights**2).sum(axis=1)
    least = np.full(len(many), np.inf)
    best = [np.zeros(len(many)) for _ in range(3)]
    for exponent in _EXPONENTS:
        xw = weights * scaled**exponent
        x_sum, xx = (xw * values).sum(axis=1), (xw**2).sum(axis=1)
        cross = (weights * xw).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            determinant = square * xx - cross**2
            a = (total * xx - x_sum * cross) / determinant
            b = (x_sum * square - total * cross) / determinant
        bad = ~np.isfinite(a) | (a < 0)
        a = np.where(bad, 0.0, a)
        b = np.where(bad, x_sum / xx, b)
        falling = b < 0
        a, b = np.where(falling, total / square, a), np.where(falling, 0.0, b)
        error = ((values - weights * a[:, None] - xw * b[:, None]) ** 2).sum(axis=1)
        better = error < least
        least = np.where(better, error, least)
        for kept, new in zip(best, (np.full(len(many), exponent), a, b), strict=True):
            kept[better] = new[better]
    return best[0], best[1], best[2]


@dataclass(frozen=True)
class Efficiency:
    """Of some workers against one: speed-up and speed-up per worker, with 95 % intervals."""

    workers: int
    seconds: float
    speedup: float
    speedup_low: float
    speedup_high: float
    passes: int

    @property
    def share(self) -> float:
        return self.speedup / self.workers

    def to_dict(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "efficiency": self.share,
            "efficiency_low": self.speedup_low / self.workers,
            "efficiency_high": self.speedup_high / self.workers,
        }
