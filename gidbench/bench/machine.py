"""Counters of the machine as a whole, and what of them is ours. Every one may be missing."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

_ROOT = Path("/")
_PRESSURE = "proc/pressure/memory"
_GOVERNOR = "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"


@dataclass(frozen=True)
class Counters:
    """At one moment; None where the system does not tell.

    Attributes
    ----------
    busy_s, steal_s:
        Since the machine started, of all cores together: at work for anybody here; taken by the hypervisor.
    own_s:
        CPU seconds of this process and all that it started, those that have ended included.
    memory_stall_s:
        In which some program waited for memory.
    swapped_bytes:
        In and out, since the machine started.
    """

    cores: int = 1
    busy_s: float | None = None
    steal_s: float | None = None
    own_s: float | None = None
    memory_stall_s: float | None = None
    swapped_bytes: int | None = None
    load_per_core: float | None = None
    frequency_mhz: float | None = None
    frequency_share: float | None = None
    governor_performance: float | None = None
    memory_available_share: float | None = None


class Machine:
    """Reads the counters; `root` is where /proc and /sys are."""

    def __init__(self, root: Path = _ROOT) -> None:
        self._root = root
        self._process = psutil.Process()

    def __call__(self) -> Counters:
        cpu = quiet(psutil.cpu_times)
        cores = os.cpu_count() or 1
        load, frequency = quiet(psutil.getloadavg), quiet(psutil.cpu_freq)
        memory, swap = quiet(psutil.virtual_memory), quiet(psutil.swap_memory)
        governor = self._text(_GOVERNOR)
        names = ("user", "nice", "system", "irq", "softirq", "interrupt", "dpc")
        return Counters(
            cores=cores,
            busy_s=sum(getattr(cpu, name, 0.0) for name in names) if cpu else None,
            steal_s=getattr(cpu, "steal", None),
            own_s=self._own_s(),
            memory_stall_s=_stalled(self._text(_PRESSURE)),
            swapped_bytes=swap.sin + swap.sout if swap else None,
            load_per_core=load[0] / cores if load else None,
            frequency_mhz=frequency.current if frequency else None,
            frequency_share=frequency.current / frequency.max if frequency and frequency.max else None,
            governor_performance=float(governor.strip() == "performance") if governor else None,
            memory_available_share=memory.available / memory.total if memory and memory.total else None,
        )

    def _own_s(self) -> float | None:
        """None on Windows, which forgets what processes used that have ended."""
        if os.name != "posix":
            return None
        total = 0.0
        own = self._process.cpu_times()
        total += own.user + own.system + own.children_user + own.children_system
        for child in self._process.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                times = child.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        return total

    def _text(self, place: str) -> str | None:
        try:
            return (self._root / place).read_text()
        except OSError:
            return None


def quiet(function: Callable[[], Any]) -> Any:
    """What a function of psutil finds; None where this system has no such thing."""
    try:
        return function()
    except (OSError, AttributeError, NotImplementedError, RuntimeError, psutil.Error):
        return None


def _stalled(pressure: str | None) -> float | None:
    """Seconds of `some avg10=… total=<microseconds>`."""
    for line in (pressure or "").splitlines():
        kind, _, total = line.partition(" ")
        _, found, microseconds = total.partition("total=")
        if kind == "some" and found and microseconds.isdigit():
            return int(microseconds) / 1e6
    return None
