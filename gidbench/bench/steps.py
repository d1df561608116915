"""Steps in a history: the runs from which on a case takes longer, or less long, than before.

Binary segmentation: of all places to cut the series of a case's medians in two, the one is taken where the rank sums of
the parts differ most; it is a step if such a cut is rare among the same values in random order, and if the medians
differ by more than the practical threshold. The search itself is what is permuted, so that trying many places does not
find steps in noise; then the parts are searched alike. Ranks make it deaf to single runs that lie far out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gidbench.bench.comparing import comparable
from gidbench.bench.history import Entry, History
from gidbench.bench.verdict import THRESHOLD

PERMUTATIONS = 2_000
LEVEL = 0.01  # histories are looked at often, and every false step is a commit under suspicion
LEAST_RUNS = 3  # on either side of a step


@dataclass(frozen=True)
class Step:
    """From the run `at` on (its place in the series), a case takes `ratio` times as long as before.

    `commit` is the first that was measured after it, `commit_before` the last before: what made it lies between.
    """

    at: int
    ratio: float
    p: float
    started_at: str
    commit: str | None
    commit_before: str | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Trend:
    """What became of one case on one machine with the same data, oldest run first."""

    case: str
    entries: tuple[Entry, ...]
    steps: tuple[Step, ...]
    left_out: int  # runs of other machines, data or databases, and failed ones

    @property
    def medians_s(self) -> list[float]:
        return [entry.result.median_s for entry in self.entries]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "case": self.case,
            "runs": [
                {
                    "run_id": entry.run_id,
                    "started_at": entry.started_at,
                    "commit": entry.commit,
                    "noise": entry.noise,
                    "records": entry.result.records,
                    "median_s": entry.result.median_s,
                    "low_s": entry.result.low_s,
                    "high_s": entry.result.high_s,
                    "records_per_second": entry.result.records_per_second,
                    "processes": entry.result.processes,
                }
                for entry in self.entries
            ],
            "steps": [step.to_dict() for step in self.steps],
            "left_out": self.left_out,
        }


def trends(history: History, case: str = "", *, threshold: float = THRESHOLD, last: int = 0) -> list[Trend]:
    """The trend of each case whose name begins with the words of `case` (all: empty); of `last` runs (0: all).

    Only runs like the newest one of the case are shown: of the same machine, records, seed and database.
    """
    wanted = case.replace("/", " ").split()
    groups: dict[str, list[Entry]] = {}
    for entry in history.entries:
        if entry.case.split()[: len(wanted)] == wanted:
            groups.setdefault(entry.case, []).append(entry)
    return [_trend(name, entries, threshold, last) for name, entries in groups.items()]


def _trend(name: str, entries: list[Entry], threshold: float, last: int) -> Trend:
    good = [entry for entry in entries if entry.result.status == "ok"]
    alike = [entry for entry in good if _alike(entry, good[-1])]
    shown = alike[-last:] if last else alike
    found = change_points([entry.result.median_s for entry in shown], threshold=threshold)
    steps = [
        Step(at, ratio, p, shown[at].started_at, shown[at].commit, shown[at - 1].commit)
        for at, ratio, p in found
    ]
    return Trend(name, tuple(shown), tuple(steps), len(entries) - len(alike))


def _alike(entry: Entry, newest: Entry) -> bool:
    return comparable(entry.header, newest.header) and entry.result.records == newest.result.records


def change_points(
    seconds: Sequence[float], *, threshold: float = THRESHOLD, seed: int = 0
) -> list[tuple[int, float, float]]:
    """Places in a series from which on it is another one: (place, ratio of the medians after and before, p)."""
    values = np.log(np.asarray(seconds, dtype=np.float64))
    stream = np.random.default_rng(seed)
    cuts: dict[int, float] = {}
    _split(values, 0, values.size, math.log1p(threshold), stream, cuts)
    places = [0, *sorted(cuts), values.size]
    found = []
    for before, at, after in zip(places, places[1:], places[2:], strict=False):
        ratio = math.exp(float(np.median(values[at:after]) - np.median(values[before:at])))
        found.append((at, ratio, cuts[at]))
    return found


def _split(
    values: npt.NDArray[np.float64],
    first: int,
    last: int,
    edge: float,
    stream: np.random.Generator,
    cuts: dict[int, float],
) -> None:
    part = values[first:last]
    if part.size < 2 * LEAST_RUNS or np.all(part == part[0]):
        return
    ranks = _ranks(part)
    place, height = _best(ranks[None, :])
    orders = stream.permuted(np.tile(ranks, (PERMUTATIONS, 1)), axis=1)
    as_high = int(np.count_nonzero(_best(orders)[1] >= height[0] - 1e-9))
    p = (1 + as_high) / (1 + PERMUTATIONS)
    cut = int(place[0])
    if p > LEVEL or abs(float(np.median(part[cut:]) - np.median(part[:cut]))) <= edge:
        return
    cuts[first + cut] = p
    _split(values, first, first + cut, edge, stream, cuts)
    _split(values, first + cut, last, edge, stream, cuts)


def _best(ranks: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Of each row the cut whose rank sum is farthest from its mean in standard deviations, and how far."""
    size = ranks.shape[1]
    cuts = np.arange(LEAST_RUNS, size - LEAST_RUNS + 1)
    sums = np.cumsum(ranks, axis=1)[:, cuts - 1]
    mean, spread = cuts * (size + 1) / 2, np.sqrt(cuts * (size - cuts) * (size + 1) / 12)
    heights = np.abs(sums - mean) / spread
    best = heights.argmax(axis=1)
    return cuts[best], heights[np.arange(len(ranks)), best]


def _ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[place], dtype=np.float64)


BARS = "▁▂▃▄▅▆▇█"


def bars(values: Sequence[float]) -> str:
    """One bar for each value, the least and the largest filling the height."""
    if not values:
        return ""
    low, high = min(values), max(values)
    if high <= low:
        return BARS[3] * len(values)
    return "".join(BARS[round((value - low) / (high - low) * (len(BARS) - 1))] for value in values)
