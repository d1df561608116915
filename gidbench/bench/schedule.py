"""Which process takes which turn, and when there have been enough."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np

from gidbench.bench.conclusion import Record
from gidbench.bench.outlook import rest_of, typical_s
from gidbench.bench.results import Result, Round
from gidbench.bench.runner import Replicate, ReplicateDied, Turn
from gidbench.bench.stats import Summary
from gidbench.bench.watching import Watch
from gidbench.engine import Progress, ProgressCallback, silent

PROCESSES = 3
MOST_ROUNDS = 5  # of a process, where the caller does not say how many
LEAST_ROUNDS = 3  # of a case, over all processes
BUDGET_S = (
    18.0  # a process, a warm-up and a round of each case may need more: three of them are done in any case
)
_CHEAP = 0.02  # of the budget: a turn that takes no longer has a second round in any case
PRECISE = 0.05  # width of the interval as a share of the median


@dataclass(frozen=True)
class Plan:
    """How much to measure.

    Attributes
    ----------
    processes:
        Fresh processes, one after the other; at least so many where `rounds` is 0.
    rounds:
        Timed rounds in each, after a warm-up. 0: up to MOST_ROUNDS, as many as fit into the process's share of the
        budget, but LEAST_ROUNDS over all processes, and two in each if they are quick; then further processes for the
        cases whose interval is wider than PRECISE, while the budget lasts.
    budget_s:
        Wall seconds for everything: starting processes, setting up, warming up, verifying. Looked at only where
        `rounds` is 0. A process or a turn begins only if one like it would end in time.
    order_seed:
        Of the order of the cases, which is drawn anew for each round of each process.
    """

    processes: int = PROCESSES
    rounds: int = 0
    budget_s: float = BUDGET_S
    order_seed: int = 0

    def order(self, process: int, index: int, cases: int) -> list[int]:
        """Places of the cases in the order of their turns."""
        generator = np.random.default_rng([self.order_seed, process, index])
        return [int(place) for place in generator.permutation(cases)]


def run_replicates(
    start: Callable[[int], AbstractContextManager[Replicate]],
    plan: Plan,
    *,
    emit: Callable[[Round | Result], None],
    progress: ProgressCallback | None = None,
    clock: Callable[[], float] = time.perf_counter,
    at_middle: Callable[[], None] = lambda: None,
    watch: Watch | None = None,
    kernels_compiled: int = 0,
) -> list[Result]:
    """Measure cases in replicates; returns a result for each, failed ones too.

    In every process each case has a warm-up and then rounds; within a round all cases have their turns, in an order
    drawn anew, so that drift and after-effects hit all alike. A case that fails is not tried again. `emit` gets each
    round as it ends, and each result at the end. `at_middle` is called once, between two turns, when half of what
    was planned is done. Whether the intervals are narrow enough is looked at after whole processes only: looking
    after each round would stop at lucky ones. `watch` is told of each turn.
    """
    run = _Run(start, plan, emit, progress or silent, clock, at_middle, watch)
    return run.conclude(run.measure(), kernels_compiled)


class _Run:
    def __init__(
        self,
        start: Callable[[int], AbstractContextManager[Replicate]],
        plan: Plan,
        emit: Callable[[Round | Result], None],
        progress: ProgressCallback,
        clock: Callable[[], float],
        at_middle: Callable[[], None],
        watch: Watch | None,
    ) -> None:
        self._start, self._plan, self._emit = start, plan, emit
        self._progress, self._clock, self._at_middle = progress, clock, at_middle
        self._agreed: dict[str, tuple[str, str]] = {}
        self._records: list[Record] = []
        self._warmups: list[dict[str, float]] = []
        self._compiled = self._turns = 0
        self._halfway = False
        self._watch, self._budget_end, self._start_s = watch, math.inf, 0.0

    def measure(self) -> list[Record]:
        plan, began = self._plan, self._clock()
        self._budget_end = began + plan.budget_s if not plan.rounds else math.inf
        process, shortest = 0, math.inf
        while True:
            if process >= plan.processes:
                left = began + plan.budget_s - self._clock()
                if plan.rounds or shortest > left or not self._wanted(process):
                    return self._records
            share = plan.budget_s * min(1.0, (process + 1) / plan.processes)
            begun = self._clock()
            self._one_process(process, began + share)
            shortest = min(shortest, self._clock() - begun)
            process += 1
            if self._records and all(record.error for record in self._records):
                return self._records

    def _wanted(self, process: int) -> list[int]:
        """Places of the cases that a process has turns with."""
        return [
            place
            for place, record in enumerate(self._records)
            if record.error is None and (process < self._plan.processes or not _is_precise(record.summary()))
        ]

    def _one_process(self, process: int, deadline: float) -> None:
        plan = self._plan
        named = f"process {process + 1} of {max(plan.processes, process + 1)}"
        begun = self._clock()
        if self._watch:
            self._watch.say(f"{named}: starting")
        with self._start(process) as replicate:
            self._start_s = self._clock() - begun
            if not self._records:
                self._records = [Record(case) for case in replicate.cases]
            self._warmups.append(replicate.warmup_s)
            self._compiled += replicate.kernels_compiled
            wanted = self._wanted(process)
            most = plan.rounds or MOST_ROUNDS
            least = plan.rounds or math.ceil(LEAST_ROUNDS / plan.processes)
            for index in range(most + 1):
                taken = 0
                order = plan.order(process, index, len(self._records))
                for place in order:
                    record = self._records[place]
                    if place not in wanted or record.error is not None:
                        continue
                    needed = max(least, 2) if record.last_s < _CHEAP * plan.budget_s else least
                    if index > needed and self._clock() + record.last_s > deadline:
                        continue
                    label = "warming up" if index == 0 else f"round {index} of {most}"
                    words = f"{record.case.name}: {named}, {label}"
                    self._tell(words)
                    if self._watch:
                        to_come = [each for each in order[order.index(place) + 1 :] if each in wanted]
                        self._show(self._watch, words, (process, index, place), wanted, to_come)
                    turn = self._turn(replicate, process, place, index)
                    taken += 1
                    if self._watch:
                        self._watch.turn_ends(turn)
                    self._emit(record.add(turn, self._agreed))
                    if turn.died:
                        return
                if not taken:
                    return

    def _turn(self, replicate: Replicate, process: int, place: int, index: int) -> Turn:
        self._turns += 1
        half = self._planned() // 2
        if not self._halfway and (self._turns > half or process > self._plan.processes // 2):
            self._halfway = True
            self._at_middle()
        began = self._clock()
        try:
            return replicate.turn(place, index)
        except ReplicateDied as death:
            case = self._records[place].case
            lost = Round(
                case.operation,
                case.variant,
                index,
                index == 0,
                0.0,
                0.0,
                0,
                None,
                None,
                {},
                str(death),
                process,
            )
            return Turn(lost, self._clock() - began, died=True)

    def _show(
        self, watch: Watch, words: str, turn: tuple[int, int, int], wanted: list[int], to_come: list[int]
    ) -> None:
        """Tell whose turn it is and what is left after it; `to_come`: cases that have not had this round yet."""
        process, index, place = turn
        plan = self._plan
        most = plan.rounds or MOST_ROUNDS
        least = plan.rounds or math.ceil(LEAST_ROUNDS / plan.processes)
        left = [
            (each, max(0, least - index) + (each in to_come), most - index + (each in to_come))
            for each in wanted
            if self._records[each].error is None
        ]
        rest = rest_of(
            self._records,
            this_process=left,
            later=max(0, plan.processes - process - 1),
            rounds=(least + 1, most + 1),
            start_s=self._start_s,
            budget_left_s=self._budget_end - self._clock(),
        )
        record = self._records[place]
        watch.turn_begins(record.case, process, index, words, expected_s=typical_s(record), rest=rest)

    def _planned(self) -> int:
        plan = self._plan
        return plan.processes * ((plan.rounds or MOST_ROUNDS) + 1) * max(1, len(self._records))

    def _tell(self, words: str) -> None:
        self._progress(Progress(words, min(self._turns, self._planned()), self._planned(), "rounds"))

    def conclude(self, records: list[Record], compiled: int) -> list[Result]:
        names = dict.fromkeys(name for warmup in self._warmups for name in warmup)
        warmup = {
            name: statistics.median(found[name] for found in self._warmups if name in found) for name in names
        }
        results = [
            record.conclude(self._why_stopped, warmup, compiled + self._compiled) for record in records
        ]
        for result in results:
            self._emit(result)
        return results

    def _why_stopped(self, summary: Summary) -> str:
        if self._plan.rounds:
            return "asked"
        return "precise" if _is_precise(summary) else "budget"


def _is_precise(summary: Summary | None) -> bool:
    return summary is not None and summary.width < PRECISE
