"""How many choices are tried on how many records, so that the time is enough."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gidbench.bench.tuning_budget import Bench
from gidbench.bench.tuning_space import TITLES, Point, Space

FEWEST_RECORDS = 5_000
KEPT = 3  # one of so many goes on
GROWTH = 4  # and gets so many times the records
_LEAP = GROWTH * GROWTH  # from the most records that the defaults were tried on, no farther


@dataclass(frozen=True)
class Plan:
    """The choices that take part, and the records of the first and the last step."""

    choices: list[Point]
    first: int
    last: int


def fewest(space: Space, records: int) -> int:
    """Records of which something can be said: two batches of the defaults for each worker, where batches matter."""
    if "batch_size" not in space.searched:
        return min(records, FEWEST_RECORDS)
    return min(records, 2 * space.default.batch_size * max(space.default.workers, 2))


def is_fair(space: Space, point: Point, records: int) -> bool:
    """Whether each worker gets a batch, one worker two: else it looks as if large batches were slow."""
    if "batch_size" not in space.searched:
        return True
    return point.batch_size * max(point.workers, 2) <= records


def kept(many: int, size: int, last: int) -> int:
    """How many go on: two at least while records are few."""
    return min(many, max(math.ceil(many / KEPT), 2 if size < last else 1))


def plan(
    space: Space, others: Sequence[Point], bench: Bench, *, records: int, left_s: float, known: int
) -> Plan:
    """The most records in the last step, then in the first, for which the time is enough.

    Parameters
    ----------
    others:
        What may take part beside the default.
    known:
        The most records that the default was tried on.

    Where the time is too short for all of them on the fewest records, those take part that differ least from the
    default, as many as there is time for.
    """
    sizes = [records]
    while sizes[-1] // GROWTH >= fewest(space, records):
        sizes.append(sizes[-1] // GROWTH)
    for place, last in enumerate(sizes):
        choices = [point for point in others if last == records or is_fair(space, point, last)]
        if others and not choices:
            break
        for first in sizes[place:]:
            if first <= known * _LEAP and _cost(space, choices, first, last, bench) <= left_s:
                return Plan(choices, first, last)
    least = next(
        (size for size in reversed(sizes) if any(is_fair(space, point, size) for point in others)), records
    )
    choices = [point for point in others if least == records or is_fair(space, point, least)]
    choices.sort(key=lambda point: _distance(point, space.default))
    while len(choices) > 1 and _cost(space, choices, least, least, bench) > left_s:
        choices.pop()
    return Plan(choices, least, least)


def _distance(point: Point, default: Point) -> int:
    """In how many settings they differ."""
    return sum(getattr(point, name) != getattr(default, name) for name in TITLES)


def _cost(space: Space, choices: Sequence[Point], first: int, last: int, bench: Bench) -> float:
    """Seconds of all steps, were each choice as fast as the default."""
    total, size, alive, waiting = 0.0, first, 0, list(choices)
    while True:
        joining = [point for point in waiting if size >= last or is_fair(space, point, size)]
        waiting = [point for point in waiting if point not in joining]
        alive += len(joining)
        total += (alive + 1) * bench.expected_s(space.default, size)
        if size >= last and alive <= 1:
            return total
        alive, size = kept(alive, size, last), min(size * GROWTH, last)


def rounds_of(many: int, size: int, last: int, *, left_s: float, trial_s: float, most: int) -> int:
    """As many as a fair share of the time that is left allows: the fewer are left, the more exactly they are known."""
    steps, alive, at = 1, many, size
    while at < last or alive > 1:
        alive, at = kept(alive, at, last), min(at * GROWTH, last)
        steps += 1
    each = (many + 1) * trial_s * steps
    return max(1, min(most, int(left_s / each) if each > 0 else most))
