"""A and B measured while they are compared: pairs of fresh processes, round against round.

Runs at different times see different machines: on a busy one ten processes a side cannot tell 30 % from nothing. Two
processes that take turns see the same one. Each pair of processes does rounds in turn, in an order that is drawn for
every round, and gives one value, the median of its ratios; the pairs are the unit of statistics.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import psutil

from gidbench.bench import live_process
from gidbench.bench.verdict import THRESHOLD, Judgement, check_threshold, judge_pairs
from gidbench.engine import Cancellation, Progress, ProgressCallback, silent
from gidbench.errors import InputError, VerificationError

PAIRS = 8
SECONDS = 50.0  # with what goes before and after, a minute
LEAST_ROUNDS = 5  # of a pair, however slow they are
_WAVE = PAIRS  # pairs that are started at once: on a busy machine many that start together get a larger share
_PROCESS_BYTES, _RECORD_BYTES = 400 << 20, 1_500  # of a process, as measured: 230 MB and 500 bytes a record


@dataclass(frozen=True)
class Side:
    """What is measured: a tree of gidbench, and what it is told."""

    name: str
    tree: Path
    operation: str
    variant: str
    records: int
    seed: int
    batch_size: int
    workers: int


@dataclass(frozen=True)
class Turn:
    """One round: wall and CPU seconds, and the digest of what it made where it was verified."""

    wall_s: float
    cpu_s: float
    value: str | None


class Worker(Protocol):
    """A process that is told to do rounds. It is starting up until `wait` returns."""

    def wait(self) -> str:
        """Wait until it is ready; returns the title of its case."""

    def turn(self, check: bool) -> Turn: ...

    def close(self) -> None: ...


@dataclass
class LiveComparison:
    """What came out.

    Attributes
    ----------
    judgement, cpu:
        Of wall seconds, which counts, and of CPU seconds, which a busy machine disturbs less but which know nothing
        of waiting.
    pairs, cpu_pairs:
        Of each pair of processes the seconds of A and of B, round by round.
    order_seed:
        The orders of the rounds were drawn by it.
    """

    title: str
    before: str
    after: str
    judgement: Judgement
    cpu: Judgement
    wall_s: float
    order_seed: int
    pairs: list[tuple[list[float], list[float]]] = field(default_factory=list)
    cpu_pairs: list[tuple[list[float], list[float]]] = field(default_factory=list)
    same_output: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def compare_live(
    start: Callable[[str], Worker],
    *,
    names: tuple[str, str] = ("A", "B"),
    seconds: float = SECONDS,
    pairs: int = PAIRS,
    wave: int = _WAVE,
    threshold: float = THRESHOLD,
    seed: int = 7,
    clock: Callable[[], float] = time.monotonic,
    progress: ProgressCallback | None = None,
    cancellation: Cancellation | None = None,
) -> LiveComparison:
    """Measure A and B in `pairs` pairs of processes that `start("A")` and `start("B")` give, within `seconds`.

    The first round of every process is verified and does not count; so is another at its end. A pair does LEAST_ROUNDS
    even where the time is over; then no more pairs are begun. Raises VerificationError where a round is wrong.
    """
    check_threshold(threshold)
    if pairs < 1 or seconds <= 0:
        raise InputError(
            f"{pairs} pairs in {seconds:g} s measure nothing", "Use a pair and a second at least"
        )
    token, told = cancellation or Cancellation(), progress or silent
    order = random.Random(seed)
    began, slowest_start = clock(), 0.0
    walls: list[tuple[list[float], list[float]]] = []
    cpus: list[tuple[list[float], list[float]]] = []
    title, values = "", {}
    while len(walls) < pairs and (not walls or clock() - began + slowest_start < seconds):
        now = min(wave, pairs - len(walls))
        told(Progress("starting processes", len(walls), pairs, "pairs"))
        started = clock()
        with contextlib.ExitStack() as running:
            workers = []
            for _ in range(now):
                both = (start("A"), start("B"))
                for each in both:
                    running.callback(each.close)
                workers.append(both)
            for each in (each for both in workers for each in both):
                token.check()
                title = each.wait()
            slowest_start = max(slowest_start, clock() - started)
            # what is left to start after this wave costs as much again
            waves_left = -(-(pairs - len(walls) - now) // wave)
            left = seconds - (clock() - began) - waves_left * slowest_start
            share = max(0.0, left) / (pairs - len(walls))
            for both in workers:
                told(Progress(f"pair {len(walls) + 1} of {pairs}", len(walls), pairs, "pairs"))
                found = _pair(both, order, clock, clock() + share, token)
                walls.append(found[0])
                cpus.append(found[1])
                values.update(found[2])
    return LiveComparison(
        title,
        *names,
        judge_pairs(walls, threshold=threshold, seed=seed),
        judge_pairs(cpus, threshold=threshold, seed=seed),
        clock() - began,
        seed,
        walls,
        cpus,
        len(set(values.values())) == 1,
    )


_Pair = tuple[list[float], list[float]]


def _pair(
    both: tuple[Worker, Worker],
    order: random.Random,
    clock: Callable[[], float],
    until: float,
    token: Cancellation,
) -> tuple[_Pair, _Pair, dict[str, str | None]]:
    walls: _Pair = ([], [])
    cpus: _Pair = ([], [])
    first = [each.turn(check=True).value for each in both]
    while len(walls[0]) < LEAST_ROUNDS or clock() < until:
        token.check()
        for place in (0, 1) if order.random() < 0.5 else (1, 0):
            turn = both[place].turn(check=False)
            walls[place].append(turn.wall_s)
            cpus[place].append(max(turn.cpu_s, 1e-9))
    last = [each.turn(check=True).value for each in both]
    for side, before, after in zip("AB", first, last, strict=True):
        if before != after:
            raise VerificationError(
                f"{side} gave {before} first, and {after} later", "Report this as a fault"
            )
    return walls, cpus, {"A": first[0], "B": first[1]}


def wave_for(records: int) -> int:
    """How many pairs may run at once in the memory that is free."""
    each = 2 * (_PROCESS_BYTES + records * _RECORD_BYTES)
    return int(max(1, min(_WAVE, psutil.virtual_memory().available // 2 // each)))


class LiveProcess:
    """A process that measures one side."""

    def __init__(self, side: Side, scratch: Path) -> None:
        names = ("operation", "variant", "records", "seed", "batch_size", "workers")
        request = {name: getattr(side, name) for name in names} | {"scratch": str(scratch)}
        # -P: the folder of the script holds modules called like some of the standard library's
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(Path(live_process.__file__)), json.dumps(request)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=scratch,
            env={**os.environ, "PYTHONPATH": str(side.tree)},
        )
        self._name = side.name

    def wait(self) -> str:
        return str(self._answer()["title"])

    def turn(self, check: bool) -> Turn:
        orders = self._process.stdin
        assert orders is not None
        try:
            orders.write((live_process.CHECK if check else live_process.ROUND) + "\n")
            orders.flush()
        except BrokenPipeError:
            pass  # what it said last tells why
        return Turn(**self._answer())

    def close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answer(self) -> dict[str, Any]:
        answers = self._process.stdout
        assert answers is not None
        line = answers.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": "it ended without a word"}
        if "error" in answer:
            raise VerificationError(f"{self._name} failed ({answer['error']})", "Run the case by itself")
        return answer


@contextlib.contextmanager
def processes(a: Side, b: Side) -> Iterator[Callable[[str], Worker]]:
    """What `compare_live` starts processes with; each side is run once before, so that its kernels are compiled."""
    with tempfile.TemporaryDirectory(prefix="gidbench-live-") as folder:
        sides = {"A": a, "B": b}
        for tree in dict.fromkeys([a.tree, b.tree]):
            side = a if a.tree == tree else b
            worker = LiveProcess(side, Path(folder))
            try:
                worker.wait()
                worker.turn(check=False)
            finally:
                worker.close()
        yield lambda name: LiveProcess(sides[name], Path(folder))
