"""Noise: what else the machine did, whether it keeps still, and whether to believe what was measured meanwhile.

A `NoiseMeter` is read at the start of an operation, in its middle and at its end. Each reading counts what others did
since the one before (at the start: while it was taken), times a fixed piece of work, and judges by LIMITS.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gidbench.bench.machine import Counters, Machine
from gidbench.bench.results import Noise
from gidbench.kernels.calibrating import churn

QUIET, NOISY, UNUSABLE = "quiet", "noisy", "unusable"
_VERDICTS = (QUIET, NOISY, UNUSABLE)

_NAPS, _NAP_S = 40, 0.001
_CALIBRATIONS = 7
_WORDS, _PASSES = 1 << 16, 80  # half a megabyte, so caches count; 20 to 40 ms on cores of 2020 to 2026
_FASTEST_TICK_S = 1e-9


@dataclass(frozen=True)
class Limit:
    """From where on a reading is noisy, and from where on nothing can be concluded; either bound is still allowed.

    `words` take the value and the noisy bound; `least` says that small values are bad.
    """

    reading: str
    noisy: float
    unusable: float
    words: str
    remedy: str
    least: bool = False

    def grade(self, value: float | None) -> int:
        if value is None:
            return 0
        sign = -1 if self.least else 1
        return sum(sign * value > sign * bound for bound in (self.noisy, self.unusable))


# A round that is to be right to 3 % must not lose more than that to others: 10 % of all cores, of which a round of
# two threads loses a part only; a hundredth of stolen time is already seen in medians. Half of the cores, a tenth of
# stolen time or a quarter of drift are as large as the differences that anybody wants to see.
LIMITS = (
    Limit(
        "others_share",
        0.10,
        0.50,
        "other programs used {0:.0%} of the cores (at most {1:.0%} is quiet)",
        "end them, or measure when they rest",
    ),
    Limit(
        "steal_share",
        0.01,
        0.10,
        "the hypervisor gave {0:.1%} of the time to other machines (at most {1:.0%} is quiet)",
        "measure at another time, or on a machine with cores of its own",
    ),
    Limit(
        "calibration_drift",
        0.05,
        0.25,
        "the same piece of work took {0:+.0%} against the start of the run (up to {1:.0%} is quiet)",
        "let the machine cool, fix its frequency, or measure for longer",
    ),
    Limit(
        "calibration_spread",
        0.10,
        0.50,
        "the same piece of work scattered by {0:.0%} within a moment (at most {1:.0%} is quiet)",
        "end other programs, or leave the machine more cores",
    ),
    Limit(
        "memory_stall_share",
        0.01,
        0.10,
        "programs waited for memory {0:.1%} of the time (at most {1:.0%} is quiet)",
        "free memory, or measure fewer records",
    ),
    Limit(
        "memory_available_share",
        0.10,
        0.02,
        "only {0:.0%} of the memory is free (at least {1:.0%} is quiet)",
        "free memory, or measure fewer records",
        least=True,
    ),
    Limit(
        "swapped_bytes_per_s",
        1e6,
        50e6,
        "{0:,.0f} bytes a second went to or came from swap (at most {1:,.0f} is quiet)",
        "free memory, or measure fewer records",
    ),
    Limit(
        "jitter_p99_s",
        0.005,
        0.050,
        "one sleep in a hundred ended {0:.4f} s late (at most {1:.3f} s is quiet)",
        "end other programs, or leave the machine more cores",
    ),
    Limit(
        "clock_resolution_s",
        1e-5,
        1e-3,
        "the clock goes by steps of {0:.6f} s (at most {1:.5f} s is fine)",
        "measure more records, so that a round takes longer",
    ),
)


def judge(readings: dict[str, float | None], limits: Sequence[Limit] = LIMITS) -> tuple[str, list[str]]:
    """Verdict and reasons, each with what to do; the worst reading decides."""
    grade, reasons = 0, []
    for limit in limits:
        value = readings.get(limit.reading)
        found = limit.grade(abs(value) if value is not None and not limit.least else value)
        if found and value is not None:
            reasons.append(f"{limit.words.format(value, limit.noisy)}: {limit.remedy}")
        grade = max(grade, found)
    return _VERDICTS[grade], reasons


def worst(noise: Sequence[Noise]) -> Noise | None:
    """The reading with the worst verdict, the latest of several; None where there is none."""
    return max(reversed(noise), key=lambda each: _VERDICTS.index(each.verdict), default=None)


def calibrate(words: np.ndarray[tuple[int], np.dtype[np.uint64]] | None = None) -> float:
    """Seconds of one fixed piece of work."""
    words = np.arange(_WORDS, dtype=np.uint64) if words is None else words
    began = time.perf_counter()
    churn(words, _PASSES, np.uint64(1))
    return time.perf_counter() - began


class NoiseMeter:
    """Noise of one operation.

    Parameters
    ----------
    baseline_s:
        Calibration at the start of the run; None: the first one here.
    machine, clock, sleep, calibrate:
        Where counters, seconds, and the seconds of a piece of work come from.
    """

    def __init__(
        self,
        operation: str,
        baseline_s: float | None = None,
        *,
        machine: Callable[[], Counters] | None = None,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
        calibrate: Callable[[], float] = calibrate,
    ) -> None:
        self._operation, self._baseline_s = operation, baseline_s
        self._machine = machine or Machine()
        self._clock, self._sleep, self._calibrate = clock, sleep, calibrate
        self._last: Counters | None = None
        self._last_t = 0.0

    def observe(self, moment: str) -> Noise:
        """Take a reading; it takes about a third of a second.

        Readings, None where the system does not tell: `others_share` and `steal_share` of all cores' time;
        `load_per_core`; `frequency_mhz` and `frequency_share` of the highest; `governor_performance`, 1.0 or 0.0;
        `memory_stall_share`, of the time in which some program waited for memory; `memory_available_share`;
        `swapped_bytes_per_s`, in and out; `clock_resolution_s`; `jitter_p50_s` and `jitter_p99_s`, by which sleeps of
        a millisecond end late; `calibration_drift` from the start of the run, `calibration_spread` within the reading
        (interquartile range by median); `since_s`, over which the shares are taken.
        """
        if self._last is None:
            self._last_t, self._last = self._clock(), self._machine()
            jitter, spent = self._naps(), self._calibrations()
            now, counters = self._clock(), self._machine()
        else:
            now, counters = self._clock(), self._machine()
            jitter, spent = self._naps(), self._calibrations()
        middle = statistics.median(spent)
        if self._baseline_s is None:
            self._baseline_s = middle
        low, high = np.quantile(spent, [0.25, 0.75])
        readings = {
            **_moved(self._last, counters, now - self._last_t),
            "clock_resolution_s": self._tick(),
            "jitter_p50_s": float(np.quantile(jitter, 0.50)),
            "jitter_p99_s": float(np.quantile(jitter, 0.99)),
            "calibration_drift": middle / self._baseline_s - 1,
            "calibration_spread": float((high - low) / middle),
        }
        self._last_t, self._last = self._clock(), self._machine()
        verdict, reasons = judge(readings)
        return Noise(self._operation, moment, verdict, reasons, middle, readings)

    def _naps(self) -> list[float]:
        late = []
        for _ in range(_NAPS):
            began = self._clock()
            self._sleep(_NAP_S)
            late.append(max(0.0, self._clock() - began - _NAP_S))
        return late

    def _calibrations(self) -> list[float]:
        self._calibrate()  # caches are somebody else's before
        return [self._calibrate() for _ in range(_CALIBRATIONS)]

    def _tick(self) -> float:
        """The least step of the clock that is seen; at most a thousand looks."""
        steps = []
        for _ in range(100):
            began = self._clock()
            for _ in range(10):
                if (step := self._clock() - began) > 0:
                    steps.append(step)
                    break
        return max(min(steps, default=_FASTEST_TICK_S), _FASTEST_TICK_S)


def _moved(first: Counters, last: Counters, span: float) -> dict[str, float | None]:
    """What went on between two states of the counters, and what does not count but stands."""
    cores_s = max(span, 1e-9) * last.cores

    def share(before: float | None, after: float | None, of: float) -> float | None:
        return None if before is None or after is None else min(1.0, max(0.0, (after - before) / of))

    others = None
    if None not in (first.busy_s, last.busy_s, first.own_s, last.own_s):
        busy = (last.busy_s or 0.0) - (first.busy_s or 0.0)
        others = min(1.0, max(0.0, (busy - ((last.own_s or 0.0) - (first.own_s or 0.0))) / cores_s))
    swapped = None
    if first.swapped_bytes is not None and last.swapped_bytes is not None:
        swapped = max(0, last.swapped_bytes - first.swapped_bytes) / max(span, 1e-9)
    return {
        "since_s": span,
        "others_share": others,
        "steal_share": share(first.steal_s, last.steal_s, cores_s),
        "load_per_core": last.load_per_core,
        "frequency_mhz": last.frequency_mhz,
        "frequency_share": last.frequency_share,
        "governor_performance": last.governor_performance,
        "memory_stall_share": share(first.memory_stall_s, last.memory_stall_s, max(span, 1e-9)),
        "memory_available_share": last.memory_available_share,
        "swapped_bytes_per_s": swapped,
    }
