"""What is left of a measurement, turns and seconds, while it goes on."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from gidbench.bench.conclusion import Record


@dataclass(frozen=True)
class Rest:
    """Turns and seconds; `seconds` is None while no turn has told how long one takes."""

    turns: int
    seconds: float | None


def typical_s(record: Record) -> float | None:
    """Seconds that a turn of a case takes, setting up and verifying included; None before the first."""
    if record.turns:
        return statistics.median(turn.spent_s for turn in record.turns)
    return record.last_s or None


def rest_of(
    records: Sequence[Record],
    *,
    this_process: Sequence[tuple[int, int, int]],
    later: int,
    rounds: tuple[int, int],
    start_s: float,
    budget_left_s: float,
) -> Rest:
    """What is left after the turn under way.

    Parameters
    ----------
    this_process:
        For each case that has turns in this process its place, and how many of them are left at least and at most.
    later:
        Processes to come, in which every case that has not failed has turns.
    rounds:
        Of each case in each of these, with the warm-up: at least and at most; more than the least only while the
        budget lasts.
    start_s:
        Seconds that it takes to start a process.
    budget_left_s:
        Infinite where the rounds are given.
    """
    known = [spent for record in records if (spent := typical_s(record)) is not None]
    if not known:
        turns = sum(most for _, _, most in this_process) + later * rounds[1] * len(records)
        return Rest(turns, None)
    usual = statistics.fmean(known)
    alive = [place for place, record in enumerate(records) if record.error is None]

    def both(which: int) -> tuple[int, float]:
        """Turns and seconds at least (0) or at most (1)."""
        wanted = {place: (least, most)[which] for place, least, most in this_process}
        for place in alive:
            wanted[place] = wanted.get(place, 0) + later * rounds[which]
        cost = sum(count * (typical_s(records[place]) or usual) for place, count in wanted.items())
        return sum(wanted.values()), cost + later * start_s

    (least_turns, least_s), (most_turns, most_s) = both(0), both(1)
    seconds = max(least_s, min(most_s, budget_left_s))
    if seconds >= most_s or math.isclose(least_s, most_s):
        return Rest(most_turns, seconds)
    share = (seconds - least_s) / (most_s - least_s)
    return Rest(least_turns + round(share * (most_turns - least_turns)), seconds)
