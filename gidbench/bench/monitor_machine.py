"""The machine at this moment: how busy its cores are, how much memory a process holds."""

from __future__ import annotations

from collections.abc import Callable

import psutil

_LEAST_S = 0.2  # between two readings: the counters go by hundredths of a second

_processes: dict[int, psutil.Process] = {}


class Cores:
    """Per cent of each core that was in use since the call before; those of the last one where it was just now."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last_t = 0.0
        self._last: list[tuple[float, float]] = []
        self._found: tuple[float, ...] = ()

    def __call__(self) -> tuple[float, ...]:
        now = self._clock()
        if self._last and now - self._last_t < _LEAST_S:
            return self._found
        try:
            times = [_busy_and_all(each) for each in psutil.cpu_times(percpu=True)]
        except (OSError, psutil.Error, NotImplementedError):  # a container may hide it
            return ()
        if len(times) == len(self._last):
            self._found = tuple(_percent(*pair) for pair in zip(self._last, times, strict=True))
        self._last_t, self._last = now, times
        return self._found


def _busy_and_all(times: object) -> tuple[float, float]:
    """Seconds that a core was busy, and seconds at all; guests' are already in those of users."""
    values = {name: float(getattr(times, name)) for name in getattr(times, "_fields", ())}
    total = sum(value for name, value in values.items() if not name.startswith("guest"))
    return total - values.get("idle", 0.0) - values.get("iowait", 0.0), total


def _percent(before: tuple[float, float], after: tuple[float, float]) -> float:
    span = after[1] - before[1]
    return round(min(100.0, max(0.0, 100 * (after[0] - before[0]) / span)), 1) if span > 0 else 0.0


def resident_bytes(pid: int) -> int:
    """Of a process; 0 where it is no more, or may not be looked at."""
    try:
        if pid not in _processes:
            _processes.clear()
            _processes[pid] = psutil.Process(pid)
        return int(_processes[pid].memory_info().rss)
    except (psutil.Error, OSError):
        return 0
