"""What a measurement does at this moment, for those who look on: `Watch`, passed to `measure`, gives `Sample`s."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from gidbench.bench.monitor_board import PREPARING, TIMED, VERIFYING, Board, Snapshot
from gidbench.bench.monitor_machine import Cores, resident_bytes
from gidbench.bench.monitor_sample import Sample
from gidbench.bench.monitor_server import ServerMonitor
from gidbench.bench.outlook import Rest
from gidbench.bench.runner import Described, Turn

__all__ = ["Sample", "Watch"]

_SMOOTH_S = 1.0
_STAGES = {PREPARING: ", setting up", VERIFYING: ", verifying"}
_MOST_SHARE = 0.99  # of a turn that takes longer than those before
_EMBEDDED = {
    "queries": "DuckDB runs inside the process that measures: there is no server whose statements could be counted",
    "blocking_sessions": "DuckDB runs inside the process that measures: nobody else can hold it up",
    "pool_in_use": "DuckDB runs inside the process that measures, without a pool of connections",
    "pool_size": "DuckDB runs inside the process that measures, without a pool of connections",
}


@dataclass(frozen=True)
class _Rates:
    """Of a case's last turn: records, cells and bytes a second, cells and bytes of a record."""

    per_s: float
    cells: float
    bytes: float


class Watch:
    """Made by who wants to look on, passed as `measure(watch=…)`, asked by `sample` from any thread at any time.

    Where nobody asks, nothing is done but counting. One watch serves measurements one after the other.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock, self._lock, self._cores = clock, threading.RLock(), Cores(clock)
        self._reset()

    def _reset(self) -> None:
        self._latest = Sample()
        self._began: float | None = None
        self._ended: float | None = None
        self._server: ServerMonitor | None = None
        self._embedded = True
        self._board: Board | None = None
        self._pid = 0
        self._turn_began = 0.0
        self._expected_s: float | None = None
        self._rest: Rest | None = None
        self._case: Described | None = None
        self._is_turn = False
        self._turns = 0
        self._known: dict[str, _Rates] = {}
        self._points: deque[tuple[int, float]] = deque()  # (perf_counter_ns, records) of the call under way
        self._call_ns = 0
        self._rate: float | None = None
        self._share = 0.0
        self._first_turn: float | None = None

    # What those who look on ask.

    def sample(self) -> Sample:
        """This moment; cheap enough for four times a second on an event loop."""
        with self._lock:
            return self._sample()

    @property
    def why(self) -> Mapping[str, str]:
        """For each field of a sample that is None for good, or for now, a sentence that says why."""
        with self._lock:
            if self._began is None:
                return {}
            if self._embedded:
                return dict(_EMBEDDED)
            found = dict(self._server.latest.why) if self._server else {}
            if self._latest.pool_size is None:
                found |= dict.fromkeys(
                    ("pool_in_use", "pool_size"), "the process that measures has not connected yet"
                )
            return found

    # What `measure` tells.

    def begin(self) -> None:
        """A measurement begins."""
        with self._lock:
            self._reset()
            self._began = self._clock()

    def look_at(self, url: str, *, is_server: bool) -> None:
        """The database is known; a server is asked from now on."""
        with self._lock:
            self._embedded = not is_server
            if is_server:
                self._server = ServerMonitor(url)
                self._server.start()

    def say(self, phase: str) -> None:
        """What is done outside of turns."""
        with self._lock:
            if self._ended is None:
                self._is_turn = False
                self._latest = replace(self._latest, phase=phase)

    def follow(self, pid: int, board: Board) -> None:
        """A process was started that writes on a board."""
        with self._lock:
            self._pid, self._board = pid, board

    def leave(self, board: Board) -> None:
        """It is no more, and its board is about to be closed."""
        with self._lock:
            if self._board is board:
                self._pid, self._board, self._is_turn = 0, None, False

    def turn_begins(
        self,
        case: Described,
        process: int,
        index: int,
        phase: str,
        *,
        expected_s: float | None,
        rest: Rest,
    ) -> None:
        """Whose turn it is, how long one takes as far as is known, and what is left after it."""
        with self._lock:
            if self._ended is not None:
                return
            self._turn_began = self._clock()
            self._first_turn = self._turn_began if self._first_turn is None else self._first_turn
            self._expected_s, self._rest, self._case, self._is_turn = expected_s, rest, case, True
            self._points.clear()
            self._call_ns = 0
            known = self._known.get(case.name)
            self._rate = known.per_s if known else None
            self._latest = replace(
                self._latest, phase=phase, case=case.name, process=process + 1, round=index
            )

    def turn_ends(self, turn: Turn) -> None:
        """What came of it."""
        with self._lock:
            self._turns += 1
            self._is_turn = False
            case, verified = self._case, turn.verified
            if case is not None and verified is not None and turn.round.wall_s > 0:
                rate = case.records / turn.round.wall_s
                self._known[case.name] = _Rates(
                    rate, verified.cells / case.records, verified.bytes / case.records
                )
                self._rate = rate

    def end(self, phase: str, *, is_whole: bool) -> None:
        """The measurement has ended; what is sampled from now on is its end. Only the first end counts."""
        with self._lock:
            if self._ended is not None:
                return
            if self._server is not None:
                self._server.stop()
            last = self._sample()
            self._ended = self._clock()
            self._latest = replace(
                last,
                phase=phase,
                done=float(self._turns),
                total=self._turns if is_whole else last.total,
                eta_s=0.0 if is_whole else None,
                share=1.0 if is_whole else last.share,
            )

    # How a sample is made.

    def _sample(self) -> Sample:
        now = self._clock()
        cores = self._cores()
        if self._began is None:
            return replace(self._latest, cpu_percent=cores)
        if self._ended is not None:
            return replace(self._latest, t_s=self._ended - self._began, cpu_percent=cores, rss_bytes=0)
        seen = self._board.read() if self._board else None
        done, total, eta = self._extent(now)
        if eta is not None and self._first_turn is not None:
            spent = now - self._first_turn
            self._share = max(self._share, min(1.0, spent / max(spent + eta, 1e-9)))
        records, cells, size = self._rates(seen)
        reading = self._server.latest if self._server else None
        if seen is not None:
            self._latest = replace(self._latest, pool_in_use=seen.pool_in_use, pool_size=seen.pool_size)
        stage = _STAGES.get(seen.stage, "") if seen and self._is_turn else ""
        return replace(
            self._latest,
            phase=self._latest.phase + stage,
            t_s=now - self._began,
            done=done,
            total=total,
            eta_s=eta,
            records_per_s=records,
            cells_per_s=cells,
            bytes_per_s=size,
            cpu_percent=cores,
            rss_bytes=resident_bytes(self._pid) if self._pid else 0,
            queries=reading.queries if reading else None,
            blocking_sessions=reading.blocking_sessions if reading else None,
            share=self._share,
        )

    def _extent(self, now: float) -> tuple[float, int, float | None]:
        """Turns done, turns in all, seconds left."""
        if self._rest is None:
            return float(self._turns), 0, None
        if not self._is_turn:
            return float(self._turns), self._turns + self._rest.turns, self._rest.seconds
        total = self._turns + 1 + self._rest.turns
        spent = now - self._turn_began
        if not self._expected_s:
            return float(self._turns), total, None
        eta = None
        if self._rest.seconds is not None:
            eta = self._rest.seconds + max(0.0, self._expected_s - spent)
        return self._turns + min(spent / self._expected_s, _MOST_SHARE), total, eta

    def _rates(self, seen: Snapshot | None) -> tuple[float | None, float | None, float | None]:
        """Records, cells and bytes a second."""
        case = self._case
        if case is None:
            return None, None, None
        if seen is not None and self._is_turn and seen.stage == TIMED and seen.total > 0 and seen.done > 0:
            self._advance(case, seen)
        if self._rate is None:
            return None, None, None
        known = self._known.get(case.name)
        if known:
            return self._rate, self._rate * known.cells, self._rate * known.bytes
        size = None
        if seen is not None and seen.stage == TIMED and seen.bytes_done and seen.done and seen.total:
            size = self._rate * seen.bytes_done / (case.records * seen.done / seen.total)
        return self._rate, None, size

    def _advance(self, case: Described, seen: Snapshot) -> None:
        """The rate of the call under way, between its latest report and one of about a second before."""
        points = self._points
        if seen.began_ns != self._call_ns:
            points.clear()
            points.append((seen.began_ns, 0.0))
            self._call_ns = seen.began_ns
        if seen.done >= seen.total:  # made or read, but not yet written: what comes of it is known at the end
            self._rate = case.records / max((time.perf_counter_ns() - seen.began_ns) / 1e9, 1e-9)
            return
        records = case.records * seen.done / seen.total
        if seen.seen_ns > points[-1][0]:
            points.append((seen.seen_ns, records))
        since = points[-1][0] - int(_SMOOTH_S * 1e9)
        while len(points) > 2 and points[1][0] <= since:
            points.popleft()
        (first_ns, first), (last_ns, last) = points[0], points[-1]
        silent_s = max(0.0, (time.perf_counter_ns() - last_ns) / 1e9 - _SMOOTH_S)  # it waits for something
        span = (last_ns - first_ns) / 1e9 + silent_s
        if span > 0:
            self._rate = max(0.0, last - first) / span
