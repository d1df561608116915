"""Better, worse or inconclusive: one case measured twice.

What is compared are the seconds of processes, for the rounds of a process share its memory layout, its caches and
its luck: five rounds in one process are not five witnesses. Three things must hold before a verdict is given:

1. The ratio of the medians is farther from 1 than the practical threshold.
2. Its 95 % interval does not hold 1. The interval is a bootstrap of the processes' medians (Efron 1979). Rounds are not
   drawn anew within them: what they scatter stands in the scatter of the medians already (Davison & Hinkley 1997,
   3.8), and counting it twice took a planted 5 % from being found in 65 of 100 tries to 37. The deviations are
   stretched by sqrt(k / (k - 1)) and by Student's t over the normal quantile: a bootstrap of k values is too narrow by
   these (Hesterberg 2015, 3.2).
3. A rank test over the processes agrees, with p of at most 5 %: Mann-Whitney, or Wilcoxon's signed ranks where the
   processes ran in pairs. It keeps one process from making a verdict. Three processes a side can't reach less than
   p = 0.1: of them is asked what they can tell at most, not to overlap at all, and the interval alone holds the level.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gidbench.bench.ranks import mann_whitney, signed_rank, smallest_p
from gidbench.errors import InputError
from gidbench.units import format_count

THRESHOLD = 0.03  # a difference of less is of no practical interest
RESAMPLES = 2_000
RANK_LEVEL = 0.05
SITTING = 5  # more processes in a row see the same moods of the machine: 8 and 8 would differ from themselves in 8 %
ONE_PROCESS_SCATTER = 0.10  # of seconds between processes, assumed where a side has one only
_NORMAL = 1.959964
_DIGITS = 12  # of logarithms
_STUDENT = (
    12.706,
    4.303,
    3.182,
    2.776,
    2.571,
    2.447,
    2.365,
    2.306,
    2.262,
    2.228,
)  # two-sided 95 %, df 1 to 10

Floats = npt.NDArray[np.float64]
Replicates = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Judgement:
    """What becomes of a case from the first measurement (A) to the second (B).

    Attributes
    ----------
    verdict:
        "better", "worse" or "inconclusive": of B against A.
    same:
        Inconclusive because the whole interval lies within the threshold: there is no difference that matters.
    ratio, low, high:
        Seconds of B over seconds of A with a 95 % interval; above 1 is slower.
    p, least_p:
        Of the rank test, and the least that it could be with so many processes.
    processes:
        Of A and of B.
    why:
        The reason in words.
    """

    verdict: str
    same: bool
    ratio: float
    low: float
    high: float
    p: float
    least_p: float
    processes: tuple[int, int]
    threshold: float
    why: str
    withheld: bool = False  # inconclusive for another reason than the numbers

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @property
    def change(self) -> float:
        """Of the time taken: 0.1 is ten per cent more."""
        return self.ratio - 1.0


def check_threshold(threshold: float) -> None:
    """Raise InputError where a threshold is no share of a time."""
    if not 0.0 <= threshold < 1.0:
        raise InputError(f"the threshold is {threshold * 100:g} %", "Use 0 to less than 100 %")


def judge(
    a: Replicates, b: Replicates, *, threshold: float = THRESHOLD, drift: float = 1.0, seed: int = 0
) -> Judgement:
    """Compare wall seconds of the rounds of the processes of A with those of B, measured one after the other.

    `drift` is what the machine itself took longer at B than at A for a fixed piece of work (1.0: unknown, or the
    same). The interval is widened so that it holds the ratio with and without this taken into account: a fixed piece
    of work does not slow down exactly as the case does, so neither alone can be trusted.
    """
    check_threshold(threshold)
    first, second = _logs(a), _logs(b)
    if _order(second) < _order(first):  # so that swapping the sides turns everything round exactly
        return _turned(judge(b, a, threshold=threshold, drift=1.0 / drift, seed=seed))
    streams = np.random.default_rng(seed).spawn(2)
    (at, spread), (to, other) = (
        _bootstrap(side, stream) for side, stream in zip((first, second), streams, strict=True)
    )
    stretch = math.sqrt(max(_small(len(first)), _small(len(second)))) * _student(
        _freedom(spread, other, len(first), len(second))
    )
    alone = min(len(first), len(second)) == 1
    low, middle, high = _interval(
        to - at,
        _sat(other, to, len(second)) - _sat(spread, at, len(first)),
        1.0 if alone else stretch / _NORMAL,
    )
    if alone:
        low, high = _with_assumed_scatter(low, middle, high, len(first), len(second))
    if _order(first) == _order(second):  # whichever way round they are, it is the same question
        low, high = min(low, -high), max(high, -low)
    shift = math.log(drift)
    low, high = min(low, low - shift), max(high, high - shift)
    units = [_units(side) for side in (first, second)]
    if alone:  # the rounds are all there is
        units = [_units([value for each in side for value in each]) for side in (first, second)]
    p, least = mann_whitney(*units), smallest_p(len(units[0]), len(units[1]))
    return _decide(middle, low, high, p, least, (len(first), len(second)), threshold)


def interval_of(side: Replicates, *, seed: int = 0) -> tuple[float, float, float]:
    """Median seconds of one side with the same 95 % interval: median, low, high."""
    logs = _logs(side)
    count = len(logs)
    middle, drawn = _bootstrap(logs, np.random.default_rng(seed))
    low, middle, high = _interval(middle, drawn, math.sqrt(_small(count)) * _student(count - 1) / _NORMAL)
    if count == 1:
        assumed = _NORMAL * ONE_PROCESS_SCATTER
        low, high = middle - math.hypot(middle - low, assumed), middle + math.hypot(high - middle, assumed)
    return math.exp(middle), math.exp(low), math.exp(high)


def judge_pairs(
    pairs: Sequence[tuple[Sequence[float], Sequence[float]]],
    *,
    threshold: float = THRESHOLD,
    seed: int = 0,
) -> Judgement:
    """Compare A and B where they ran in pairs of processes at the same time, round against round.

    Each pair is its rounds of A and its rounds of B, of equal number: the n-th of both ran next to each other, so
    that what else the machine did hit both. Such a pair gives one value, the median of its ratios.
    """
    check_threshold(threshold)
    ratios = [_logs([b])[0] - _logs([a])[0] for a, b in pairs if len(a) and len(a) == len(b)]
    if len(ratios) != len(pairs) or not pairs:
        raise ValueError("each pair needs a round, and as many of one side as of the other")
    if np.median(np.concatenate(ratios)) < 0:
        turned = judge_pairs([(b, a) for a, b in pairs], threshold=threshold, seed=seed)
        return _turned(turned)
    [stream] = np.random.default_rng(seed).spawn(1)
    middle, drawn = _bootstrap(ratios, stream, np.mean)
    count = len(ratios)
    low, middle, high = _interval(middle, drawn, math.sqrt(_small(count)) * _student(count - 1) / _NORMAL)
    if count == 1:
        low, high = _with_assumed_scatter(low, middle, high, 1, 1)
    values = _units(ratios)
    least = 2.0 ** (1 - count)
    return _decide(middle, low, high, signed_rank(values), least, (count, count), threshold)


def _decide(
    middle: float,
    low: float,
    high: float,
    p: float,
    least_p: float,
    processes: tuple[int, int],
    threshold: float,
) -> Judgement:
    edge = math.log1p(threshold)
    same = bool(-edge <= low and high <= edge)
    holds_one = bool(low <= 0.0 <= high)
    if same:
        verdict, why = "inconclusive", f"the same within {threshold * 100:g} %"
    elif abs(middle) <= edge:
        verdict, why = "inconclusive", f"the difference is below the threshold of {threshold * 100:g} %"
    elif holds_one:
        verdict, why = "inconclusive", "the interval holds 1: the processes scatter too much to tell"
    elif p > max(RANK_LEVEL, least_p * (1 + 1e-9)):
        verdict, why = "inconclusive", f"the processes overlap (p = {p:.2f})"
    else:
        verdict = "worse" if middle > 0 else "better"
        why = f"the interval does not hold 1, p = {p:.2g}"
    if min(processes) == 1:
        why += f"; one process a side, a scatter of {ONE_PROCESS_SCATTER * 100:g} % is assumed"
    return Judgement(
        verdict,
        same,
        math.exp(middle),
        math.exp(low),
        math.exp(high),
        p,
        least_p,
        processes,
        threshold,
        why,
    )


def _turned(found: Judgement) -> Judgement:
    verdict = {"better": "worse", "worse": "better"}.get(found.verdict, found.verdict)
    return Judgement(
        verdict,
        found.same,
        1.0 / found.ratio,
        1.0 / found.high,
        1.0 / found.low,
        found.p,
        found.least_p,
        (found.processes[1], found.processes[0]),
        found.threshold,
        found.why,
    )


def _logs(side: Replicates) -> list[Floats]:
    arrays = [np.asarray(each, dtype=np.float64) for each in side if len(each)]
    if not arrays or not all(np.all(np.isfinite(each)) and np.all(each > 0) for each in arrays):
        raise InputError(
            f"seconds must be positive and at least one, not {format_count(sum(map(len, side)))} of "
            f"{len(side)} processes with the least {min((min(each) for each in side if len(each)), default=0)}",
            "Compare what was measured",
        )
    return [np.log(each) for each in arrays]


def _units(values: Sequence[Any]) -> list[float]:
    """Medians for the ranks; what differs by less than any clock can tell is equal."""
    return [round(float(np.median(each)), _DIGITS) for each in values]


def _order(side: list[Floats]) -> tuple[float, float, tuple[float, ...], tuple[int, ...]]:
    """A key that does not change when seconds are scaled, but for the first: shape before size."""
    values = np.concatenate(side)
    sizes = tuple(each.size for each in side)
    return (float(np.median(values)), float(values.mean()), tuple(values.tolist()), sizes)


def _bootstrap(
    side: list[Floats], stream: np.random.Generator, centre: Callable[..., Any] = np.median
) -> tuple[float, Floats]:
    """The centre of the processes' medians, and RESAMPLES such of processes drawn with replacement.

    Of a single process its rounds are drawn: they are all there is.
    """
    values = np.array([np.median(each) for each in side])
    middle = float(centre(values))
    if len(side) == 1:
        values, centre = side[0], np.median
    drawn = values[stream.integers(0, values.size, (RESAMPLES, values.size))]
    return middle, np.asarray(centre(drawn, axis=1), dtype=np.float64)


def _sat(drawn: Floats, middle: float, count: int) -> Floats:
    """What was drawn, wider where there are more processes than one sitting has independent ones."""
    return middle + (drawn - middle) * math.sqrt(max(1.0, count / SITTING))


def _interval(middle: float, drawn: Floats, stretch: float) -> tuple[float, float, float]:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return middle - max(0.0, middle - low) * stretch, middle, middle + max(0.0, high - middle) * stretch


def _small(count: int) -> float:
    return count / (count - 1) if count > 1 else 1.0


def _freedom(first: Floats, second: Floats, first_count: int, second_count: int) -> float:
    """Degrees of freedom of the difference (Welch 1947); those of the larger side where nothing scatters."""
    a, b = float(first.var()), float(second.var())
    parts = sum(part * part / max(count - 1, 1) for part, count in ((a, first_count), (b, second_count)))
    if parts <= 0.0:
        return max(first_count, second_count) - 1
    return (a + b) ** 2 / parts


def _student(freedom: float) -> float:
    """Two-sided 95 % quantile of Student's t; between whole degrees by 1/df, which it is nearly linear in."""
    if freedom < 1:
        return _NORMAL  # one process: its scatter is assumed instead
    if freedom >= len(_STUDENT):
        return _NORMAL + (_STUDENT[-1] - _NORMAL) * len(_STUDENT) / freedom
    lower = int(freedom)
    share = (1 / lower - 1 / freedom) / (1 / lower - 1 / (lower + 1)) if freedom > lower else 0.0
    return _STUDENT[lower - 1] + share * (_STUDENT[lower] - _STUDENT[lower - 1])


def _with_assumed_scatter(
    low: float, middle: float, high: float, first_count: int, second_count: int
) -> tuple[float, float]:
    assumed = _NORMAL * ONE_PROCESS_SCATTER * math.sqrt(1 / first_count + 1 / second_count)
    return middle - math.hypot(middle - low, assumed), middle + math.hypot(high - middle, assumed)
