"""What a measurement does at this moment, for those who look on: `Watch`, passed to `measure`, gives `Sample`s."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

UNKNOWN_YET = "nothing is measured yet"


@dataclass(frozen=True)
class Sample:
    """One moment of a measurement.

    Attributes
    ----------
    t_s:
        Seconds since the measurement began; 0 before.
    phase:
        What is done, in words; empty before anything is.
    done, total:
        Turns (warm-ups and rounds) of the whole measurement, the present one as a fraction. `total` may grow or
        shrink where the number of rounds is left to a budget; 0 while it is not known.
    eta_s:
        Seconds left for the whole measurement; None while nothing is known of it.
    case, process, round:
        Whose turn it is: the case's name (`generate csv`), the number of the process and of the round, each from 1;
        round 0 is a warm-up. Empty and 0 between turns.
    records_per_s, cells_per_s, bytes_per_s:
        Of the timed call that is under way, smoothed over about a second; between timed calls those of the last one.
        None where they are not known (yet).
    cpu_percent:
        Of each core, by everybody, since the sample before.
    rss_bytes:
        Resident memory of the process that measures, in setup and verification, too; 0 where there is none.
    queries, pool_in_use, pool_size, blocking_sessions:
        Statements that run on the server in this database, connections of the measuring process that are lent and
        how many it may have, sessions that hold up others. None where it can't be told: `Watch.why` says why.
    """

    t_s: float = 0.0
    phase: str = ""
    done: float = 0.0
    total: int = 0
    eta_s: float | None = None
    case: str = ""
    process: int = 0
    round: int = 0
    records_per_s: float | None = None
    cells_per_s: float | None = None
    bytes_per_s: float | None = None
    cpu_percent: tuple[float, ...] = ()
    rss_bytes: int = 0
    queries: int | None = None
    pool_in_use: int | None = None
    pool_size: int | None = None
    blocking_sessions: int | None = None

    @property
    def share(self) -> float:
        """How much of the whole is done, from 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0


@dataclass
class Watch:
    """Made by who wants to look on, passed as `measure(watch=…)`, asked by `sample` from any thread at any time.

    Attributes
    ----------
    why:
        For each field of a sample that is None for good, a sentence that says why.
    """

    clock: Callable[[], float] = time.perf_counter
    why: Mapping[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _latest: Sample = field(default_factory=Sample, repr=False)
    _began: float | None = field(default=None, repr=False)

    def sample(self) -> Sample:
        """This moment; cheap enough for four times a second on an event loop."""
        with self._lock:
            began = self._began
            return replace(self._latest, t_s=self.clock() - began if began is not None else 0.0)
