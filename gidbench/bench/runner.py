"""Turns: a case is set up, timed and verified once, with what that cost, in the process that it is called in."""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from gidbench.bench.case import Case, Verified
from gidbench.bench.monitor_board import IDLE, PREPARING, TIMED, VERIFYING
from gidbench.bench.results import Result, Round
from gidbench.bench.sampler import Sampler, Usage
from gidbench.engine import Cancellation
from gidbench.errors import GidbenchError, OperationCancelled


@dataclass(frozen=True)
class Described:
    """A case without its functions: what crosses from one process to another."""

    operation: str
    variant: str
    title: str
    headline: bool
    records: int
    family: str
    peer: str | None = None
    against: str | None = None

    @property
    def name(self) -> str:
        return f"{self.operation} {self.variant}"

    def failed(self, error: str, **values: Any) -> Result:
        """The result of a case that did not come through."""
        return Result(
            self.operation,
            self.variant,
            self.title,
            self.headline,
            self.records,
            "failed",
            error,
            peer=self.peer,
            against=self.against,
            **values,
        )


def described(case: Case) -> Described:
    return Described(
        case.operation,
        case.variant,
        case.title,
        case.headline,
        case.records,
        case.family,
        case.peer,
        case.against,
    )


@dataclass(frozen=True)
class Turn:
    """A round, and what a result tells beside it.

    `spent_s` counts setting up and verifying, too; `died`: the process went down in it.
    """

    round: Round
    spent_s: float = 0.0
    verified: Verified | None = None
    busy_s: dict[str, float] = field(default_factory=dict)
    timeline: dict[str, list[float]] = field(default_factory=dict)
    died: bool = False


class Replicate(Protocol):
    """A process, or what takes its place: it has cases, and takes a turn with one of them when told to."""

    @property
    def cases(self) -> Sequence[Described]: ...

    @property
    def warmup_s(self) -> dict[str, float]:
        """Seconds that it took before the first turn: `imports`, `kernels`."""

    @property
    def kernels_compiled(self) -> int: ...

    def turn(self, place: int, index: int) -> Turn:
        """One turn of the case at `place`; index 0 is the warm-up. Raises OperationCancelled, ReplicateDied."""


class ReplicateDied(GidbenchError):
    """The process of a replicate is no more."""


def take_turn(
    case: Case,
    index: int,
    process: int,
    token: Cancellation,
    *,
    clock: Callable[[], float] = time.perf_counter,
    sampler: Sampler | None = None,
    mark: Callable[[int], None] = lambda _: None,
) -> Turn:
    """Set a case up, time it, verify what came of it; what it raises becomes the error of its round.

    `mark` is told what is done: a stage of `monitor_board`.
    """
    sampler = sampler or Sampler()
    wall, usage, outcome, verified, error = 0.0, Usage(), None, None, None
    started = clock()
    try:
        token.check()
        mark(PREPARING)
        call = case.prepare(token)
        sampler.arm()
        gc.collect()
        mark(TIMED)
        sampler.start()
        began = clock()
        try:
            outcome = call()
        finally:
            wall = clock() - began
            usage = sampler.stop()
        mark(VERIFYING)
        verified = case.verify(outcome)
    except OperationCancelled:
        raise
    except GidbenchError as failure:
        error = str(failure)
    except Exception as failure:  # whatever a case's libraries raise, the other cases go on
        error = f"{type(failure).__name__} in {case.name}"
    finally:
        sampler.disarm()
        mark(IDLE)
    done = Round(
        case.operation,
        case.variant,
        index,
        index == 0,
        wall,
        usage.cpu_s,
        usage.peak_rss_bytes,
        usage.read_bytes,
        usage.written_bytes,
        dict(outcome.phases) if outcome else {},
        error,
        process,
    )
    busy = dict(outcome.busy) if outcome else {}
    return Turn(done, clock() - started, verified, busy, usage.timeline)


class Here:
    """A replicate in this very process: for tests, and for cases that cannot be named to another process."""

    def __init__(
        self,
        cases: Sequence[Case],
        process: int = 0,
        *,
        cancellation: Cancellation | None = None,
        clock: Callable[[], float] = time.perf_counter,
        make_sampler: Callable[[], Sampler] = Sampler,
    ) -> None:
        self.cases = [described(case) for case in cases]
        self.warmup_s: dict[str, float] = {}
        self.kernels_compiled = 0
        self._cases, self._process = cases, process
        self._token, self._clock, self._make = cancellation or Cancellation(), clock, make_sampler

    def turn(self, place: int, index: int) -> Turn:
        return take_turn(
            self._cases[place], index, self._process, self._token, clock=self._clock, sampler=self._make()
        )


def here(cases: Sequence[Case], **options: Any) -> Callable[[int], contextlib.AbstractContextManager[Here]]:
    """What starts such replicates, for `schedule.run_replicates`."""

    @contextlib.contextmanager
    def start(process: int) -> Iterator[Here]:
        yield Here(cases, process, **options)

    return start
