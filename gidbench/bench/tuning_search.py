"""The search: many choices on few records, the better ones on more, the best against the defaults, in turns."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gidbench.bench.tuning_budget import Bench, OutOfTime
from gidbench.bench.tuning_gain import LEAST_PAIRS, Gain, judge
from gidbench.bench.tuning_plan import FEWEST_RECORDS, GROWTH, is_fair, kept, plan, rounds_of
from gidbench.bench.tuning_space import Point, Space

SEARCH_SHARE = 0.5  # of the budget; the rest is for the confirmation
MOST_ROUNDS = 15  # of one size
MOST_PAIRS = 400
PRECISE = 0.02  # width of the interval of the gain
_CAP = 4.0  # times the best of its round, and a trial is stopped
_CAP_FLOOR_S = 0.25
_PILOT_SHARE, _SECOND_SHARE = 0.06, 0.5  # of the search: the longest trial that finds out how fast things are
_PLANNED = 0.8  # of the time: choices may be slower than the defaults
_PROOF = 1.2  # times as long as without a look at each value

Told = Callable[[str], None]


@dataclass
class Search:
    """What a search has found.

    Attributes
    ----------
    best:
        What was fastest apart from the default; None where nothing else was measured.
    rungs:
        (records, choices, rounds) of each step.
    left_out:
        How many choices there was no time for.
    """

    best: Point | None = None
    rungs: list[tuple[int, int, int]] = field(default_factory=list)
    left_out: int = 0
    ended_early: bool = False


def halve(
    space: Space, bench: Bench, *, records: int, until: float, seed: int = 0, told: Told = lambda _: None
) -> Search:
    """Find the fastest choice by successive halving (Jamieson and Talwalkar, 2016), the default always beside it.

    A choice whose batches are so large that workers would get none of so few records waits for a larger step.
    Raises the error of the default, without which there is nothing to compare with.
    """
    found = Search()
    others = [point for point in space.points() if space.key(point) != space.key(space.default)]
    order = random.Random(seed)
    order.shuffle(others)
    try:
        known = _pilot(space.default, bench, records, until, told)
        left = _PLANNED * (until - bench.clock())
        chosen = plan(space, others, bench, records=records, left_s=left, known=known)
        found.left_out = len(others) - len(chosen.choices)
        alive, size = chosen.choices, chosen.first
        while alive:
            alive, done = _step(space, bench, alive, size, chosen.last, until, order, found, told)
            if done:
                break
            size = min(size * GROWTH, chosen.last)
    except OutOfTime:
        found.ended_early = True
    if found.best is None or found.best in bench.failed:
        found.best = _best(bench, others)
    return found


def _pilot(default: Point, bench: Bench, records: int, until: float, told: Told) -> int:
    """Run the default on more and more records, until one trial takes a noticeable share of the time."""
    size = min(records, FEWEST_RECORDS)
    told("the defaults, to see how long a trial takes")
    if bench.run(default, size, until=until, counts=False) is None:
        raise bench.error_of(default)
    bench.forget(default)
    _require(bench, default, size, until)
    whole, first = until - bench.clock(), size
    while size < records:
        # of one size alone nobody knows what of it is the same for any number of records
        more = min(size * GROWTH, records)
        share = _SECOND_SHARE if size == first else _PILOT_SHARE
        if bench.expected_s(default, more) > share * whole:
            break
        size = more
        for _ in range(2):  # the first takes memory from the system, which it then keeps
            _require(bench, default, size, until)
    return size


def _require(bench: Bench, default: Point, size: int, until: float) -> None:
    if bench.run(default, size, until=until) is None:
        raise bench.error_of(default)


def _step(
    space: Space,
    bench: Bench,
    alive: list[Point],
    size: int,
    last: int,
    until: float,
    order: random.Random,
    found: Search,
    told: Told,
) -> tuple[list[Point], bool]:
    """Measure those alive on `size` records; returns those that go on, and whether the search is over."""
    judged = [point for point in alive if size >= last or is_fair(space, point, size)]
    waiting = [point for point in alive if point not in judged]
    if judged:
        left, cost = until - bench.clock(), bench.expected_s(space.default, size)
        rounds = rounds_of(len(judged), size, last, left_s=left, trial_s=cost, most=MOST_ROUNDS)
        told(f"{len(judged) + 1} choices on {size:,} records")
        entered = len(judged) + 1
        for done in range(rounds):
            order.shuffle(judged)
            _round(space.default, judged, bench, size, until)
            found.rungs[len(found.rungs) - (done > 0) :] = [(size, entered, done + 1)]
            judged = [point for point in judged if point not in bench.failed]
            if judged:  # a round that time cuts off must not raise him who had one more turn
                found.best = min(judged, key=lambda point: statistics.median(bench.times[point][size]))
        judged.sort(key=lambda point: statistics.median(bench.times[point][size]))
    if size >= last and len(judged) <= 1:
        return [], True
    going_on = judged[: kept(len(judged), size, last)]
    return [*going_on, *waiting], not going_on and not waiting


def _round(default: Point, judged: Sequence[Point], bench: Bench, size: int, until: float) -> None:
    """One trial of each; those that take far longer than the best so far are stopped."""
    began = bench.clock()
    _require(bench, default, size, until)
    best = bench.clock() - began
    for point in judged:
        began = bench.clock()
        cap = max(_CAP * best, _CAP_FLOOR_S)
        if bench.run(point, size, until=until, cap_s=cap) is not None:
            best = min(best, bench.clock() - began)


def _best(bench: Bench, others: Sequence[Point]) -> Point | None:
    """The fastest of those with the most records, where no round was finished."""
    known = [point for point in others if point in bench.times and point not in bench.failed]
    if not known:
        return None
    most = max(max(bench.times[point]) for point in known)
    last = [point for point in known if most in bench.times[point]]
    return min(last, key=lambda point: statistics.median(bench.times[point][most]))


def confirm(
    default: Point,
    best: Point,
    bench: Bench,
    *,
    records: int,
    least: int = FEWEST_RECORDS,
    seed: int = 0,
    told: Told = lambda _: None,
) -> Gain | None:
    """The default and the best in pairs, the first of each drawn by lot, until the gain is precise or time is up.

    On `records`, or where there is only so time for LEAST_PAIRS pairs on fewer, but not fewer than `least`. None where
    there was no time for one.
    """
    size = _affordable(default, best, bench, records, least)
    order = random.Random(seed)
    times: dict[Point, list[float]] = {default: [], best: []}
    stopped = "enough"
    try:
        for index in range(-1, MOST_PAIRS):
            told(f"pairs of {size:,} records")
            pair = [default, best]
            order.shuffle(pair)
            if bench.clock() + sum(bench.expected_s(point, size, proof=True) for point in pair) > bench.end:
                raise OutOfTime
            seconds = {point: bench.run(point, size, proof=True) for point in pair}
            if index < 0 and None not in seconds.values():
                continue
            for point, spent in seconds.items():
                if spent is None:
                    raise bench.error_of(point)
                times[point].append(spent)
            if index + 1 >= 2 * LEAST_PAIRS:
                gain = judge(size, times[default], times[best], "precise", seed)
                if gain.high / gain.low - 1 < PRECISE:
                    return gain
    except OutOfTime:
        stopped = "budget"
    pairs = min(len(kept) for kept in times.values())
    if not pairs:
        return None
    return judge(size, times[default][:pairs], times[best][:pairs], stopped, seed)


def _affordable(default: Point, best: Point, bench: Bench, records: int, least: int) -> int:
    """The most records of which LEAST_PAIRS pairs, and one to warm up, end in time."""
    size, left = records, bench.end - bench.clock()
    while size // GROWTH >= least:
        pair = sum(bench.expected_s(point, size) for point in (default, best))
        if _PROOF * pair * (LEAST_PAIRS + 1) <= left:
            break
        size //= GROWTH
    return size
