"""How a contender's turn is measured: warm, long enough, with the disk at rest."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable

LEAST_S = 0.3  # of a round of what is over too soon to be timed alone


def typical(measure: Callable[[], float], times: int = 9) -> float:
    """The median of some measurements after one that does not count."""
    measure()
    return statistics.median(measure() for _ in range(times))


def steady(make: Callable[[], int]) -> float:
    """What a call makes per second, over as many calls as take LEAST_S.

    One call more goes before, untimed: those who had their turns have cooled the caches and taken the memory.
    """
    make()
    made, began = 0, time.perf_counter()
    while (spent := time.perf_counter() - began) < LEAST_S:
        made += make()
    return made / spent


def warm(measure: Callable[[], float]) -> float:
    """A measurement after one that does not count, for the same reason."""
    measure()
    return measure()


def settled(measure: Callable[[], float]) -> float:
    """The same of files, each time when the disk has what was written before and rests."""

    def rested() -> float:
        if hasattr(os, "sync"):
            os.sync()
        return measure()

    return warm(rested)
