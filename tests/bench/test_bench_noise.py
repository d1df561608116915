"""Noise: what is read, and what is concluded from it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import naive
import numpy as np
import pytest

from gidbench.bench import machine, noise
from gidbench.bench.machine import Counters, Machine
from gidbench.bench.noise import NoiseMeter, judge, worst
from gidbench.bench.results import Noise
from gidbench.kernels.calibrating import churn

IDLE = Counters(
    cores=4,
    busy_s=100.0,
    steal_s=5.0,
    own_s=10.0,
    memory_stall_s=0.0,
    swapped_bytes=0,
    load_per_core=0.1,
    frequency_mhz=2000.0,
    frequency_share=0.8,
    governor_performance=1.0,
    memory_available_share=0.6,
)


class Bench:
    """A machine, a clock and a piece of work, each of which does what it is told."""

    def __init__(self) -> None:
        self.now = 0.0
        self.counters = IDLE
        self.late_s = 0.0001
        self.work_s: Callable[[], float] = lambda: 0.030

    def clock(self) -> float:
        self.now += 1e-7
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds + self.late_s

    def meter(self, baseline_s: float | None = None) -> NoiseMeter:
        return NoiseMeter(
            "generate",
            baseline_s,
            machine=lambda: self.counters,
            clock=self.clock,
            sleep=self.sleep,
            calibrate=lambda: self.work_s(),
        )

    def pass_by(self, seconds: float, **gained: float) -> None:
        self.now += seconds
        moved = {name: getattr(self.counters, name) + by for name, by in gained.items()}
        self.counters = replace(self.counters, **moved)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_machine_at_rest_is_quiet_without_reasons(bench: Bench) -> None:
    meter = bench.meter()
    for moment in ("start", "middle", "end"):
        found = meter.observe(moment)
        assert (found.operation, found.moment, found.verdict, found.reasons) == (
            "generate",
            moment,
            "quiet",
            [],
        )
        assert found.calibration_s == 0.030
        bench.pass_by(10.0, busy_s=20.0, own_s=20.0)  # our own work is no noise


@pytest.mark.parametrize(
    ("gained", "reading", "value", "verdict"),
    [
        ({"busy_s": 20.0, "own_s": 16.1}, "others_share", 0.0975, "quiet"),
        ({"busy_s": 20.0, "own_s": 10.0}, "others_share", 0.25, "noisy"),
        ({"busy_s": 30.0, "own_s": 2.0}, "others_share", 0.70, "unusable"),
        (
            {"busy_s": 5.0, "own_s": 9.0},
            "others_share",
            0.0,
            "quiet",
        ),  # counters are read one after the other
        ({"steal_s": 1.0}, "steal_share", 0.025, "noisy"),
        ({"steal_s": 8.0}, "steal_share", 0.2, "unusable"),
        ({"memory_stall_s": 0.5}, "memory_stall_share", 0.05, "noisy"),
        ({"memory_stall_s": 5.0}, "memory_stall_share", 0.5, "unusable"),
        ({"swapped_bytes": 5e7}, "swapped_bytes_per_s", 5e6, "noisy"),
        ({"swapped_bytes": 1e9}, "swapped_bytes_per_s", 1e8, "unusable"),
        ({"memory_available_share": -0.55}, "memory_available_share", 0.05, "noisy"),
        ({"memory_available_share": -0.59}, "memory_available_share", 0.01, "unusable"),
    ],
)
def test_what_went_on_since_the_last_reading_decides(
    bench: Bench, gained: dict[str, float], reading: str, value: float, verdict: str
) -> None:
    meter = bench.meter()
    assert meter.observe("start").verdict == "quiet"
    bench.pass_by(10.0, **gained)
    found = meter.observe("middle")
    assert found.readings[reading] == pytest.approx(value, rel=1e-3)
    assert found.readings["since_s"] == pytest.approx(10.0, rel=1e-3)
    assert found.verdict == verdict
    assert len(found.reasons) == (verdict != "quiet")
    assert meter.observe("end").verdict == ("quiet" if "memory_available_share" not in gained else verdict)


def test_a_reason_tells_value_bound_and_remedy(bench: Bench) -> None:
    meter = bench.meter()
    meter.observe("start")
    bench.pass_by(10.0, busy_s=10.0)
    assert meter.observe("middle").reasons == [
        "other programs used 25% of the cores (at most 10% is quiet): end them, or measure when they rest"
    ]


@pytest.mark.parametrize(
    ("work_s", "drift", "verdict"),
    [(0.031, 0.0333, "quiet"), (0.033, 0.1, "noisy"), (0.027, -0.1, "noisy"), (0.060, 1.0, "unusable")],
)
def test_drift_is_told_either_way(bench: Bench, work_s: float, drift: float, verdict: str) -> None:
    meter = bench.meter()
    meter.observe("start")
    bench.work_s = lambda: work_s
    found = meter.observe("end")
    assert found.calibration_s == work_s
    assert found.readings["calibration_drift"] == pytest.approx(drift, abs=1e-3)
    assert found.verdict == verdict


def test_drift_counts_from_the_start_of_the_run(bench: Bench) -> None:
    assert bench.meter().observe("start").readings["calibration_drift"] == 0.0
    later = bench.meter(baseline_s=0.020).observe("start")
    assert later.readings["calibration_drift"] == pytest.approx(0.5)
    assert later.verdict == "unusable"


def test_work_that_scatters_within_a_reading_is_noisy(bench: Bench) -> None:
    spent = itertools.cycle([0.030, 0.040])
    bench.work_s = lambda: next(spent)
    found = bench.meter().observe("start")
    assert found.verdict == "noisy"
    assert "scattered" in found.reasons[0]


def test_sleeps_that_end_late_are_noisy(bench: Bench) -> None:
    bench.late_s = 0.010
    found = bench.meter().observe("start")
    assert found.readings["jitter_p99_s"] == pytest.approx(0.010, rel=1e-2)
    assert found.readings["jitter_p50_s"] == pytest.approx(0.010, rel=1e-2)
    assert found.verdict == "noisy"
    bench.late_s = 0.1
    assert bench.meter().observe("start").verdict == "unusable"


def test_a_coarse_clock_is_told(bench: Bench) -> None:
    coarse = itertools.count()
    meter = NoiseMeter(
        "x",
        machine=lambda: IDLE,
        clock=lambda: next(coarse) // 5 * 0.015,
        sleep=lambda s: None,
        calibrate=lambda: 0.03,
    )
    assert meter.observe("start").readings["clock_resolution_s"] == pytest.approx(0.015)
    assert judge({"clock_resolution_s": 0.015})[0] == "unusable"
    assert bench.meter().observe("start").readings["clock_resolution_s"] == pytest.approx(1e-7, rel=0.01)


def test_a_system_that_tells_nothing_is_judged_by_what_can_be_measured(bench: Bench) -> None:
    bench.counters = Counters(cores=2)
    meter = bench.meter()
    first, last = meter.observe("start"), meter.observe("end")
    unknown = {name for name, value in last.readings.items() if value is None}
    assert unknown == {
        "others_share",
        "steal_share",
        "load_per_core",
        "frequency_mhz",
        "frequency_share",
        "governor_performance",
        "memory_stall_share",
        "memory_available_share",
        "swapped_bytes_per_s",
    }
    assert (first.verdict, last.verdict) == ("quiet", "quiet")
    bench.work_s = lambda: 0.1
    assert meter.observe("end").verdict == "unusable"


def test_every_limit_is_about_a_reading(bench: Bench) -> None:
    assert {limit.reading for limit in noise.LIMITS} <= set(bench.meter().observe("start").readings)


def test_the_worst_of_several_counts_the_latest_of_equals() -> None:
    made = [
        Noise("x", moment, verdict, [], 1.0, {})
        for moment, verdict in [("start", "noisy"), ("middle", "noisy"), ("end", "quiet")]
    ]
    found = worst(made)
    assert found is not None
    assert (found.moment, found.verdict) == ("middle", "noisy")
    assert worst([]) is None


def test_counters_of_a_folder_that_looks_like_linux(tmp_path: Path) -> None:
    (tmp_path / "proc/pressure").mkdir(parents=True)
    (tmp_path / "proc/pressure/memory").write_text(
        "some avg10=0.00 avg60=0.02 avg300=0.09 total=2500000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n"
    )
    (tmp_path / "sys/devices/system/cpu/cpu0/cpufreq").mkdir(parents=True)
    (tmp_path / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").write_text("powersave\n")
    found = Machine(tmp_path)()
    assert found.memory_stall_s == 2.5
    assert found.governor_performance == 0.0
    missing = Machine(tmp_path / "nowhere")()
    assert (missing.memory_stall_s, missing.governor_performance) == (None, None)
    assert missing.busy_s is not None


def test_what_this_system_does_not_have_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(*_: object, **__: object) -> None:
        raise NotImplementedError

    for name in ("cpu_times", "cpu_freq", "getloadavg", "virtual_memory", "swap_memory"):
        monkeypatch.setattr(machine.psutil, name, lacking)
    found = Machine()()
    assert (found.busy_s, found.steal_s, found.load_per_core, found.swapped_bytes) == (None,) * 4
    assert (found.frequency_mhz, found.memory_available_share) == (None, None)


def test_cpu_seconds_of_children_are_our_own() -> None:
    import subprocess
    import sys

    probe = Machine()
    before = probe().own_s
    if before is None:
        pytest.skip("this system forgets what processes used that have ended")
    burn = "import time\nwhile time.process_time() < 0.5: pass"
    subprocess.run([sys.executable, "-c", burn], check=True)
    assert probe().own_s >= before + 0.4  # type: ignore[operator]


def test_a_real_reading_has_everything_that_it_promises() -> None:
    found = NoiseMeter("x").observe("start")
    assert found.verdict in ("quiet", "noisy", "unusable")
    assert 0 < found.calibration_s < 5
    assert 0 < found.readings["clock_resolution_s"] < 0.02  # type: ignore[operator]


def test_the_calibration_does_the_same_work_as_its_twin() -> None:
    words = np.array([1, 2**63, 5, 2**64 - 1], np.uint64)
    assert int(churn(words, 3, np.uint64(9))) == naive.churn(words.tolist(), 3, 9)
    assert int(churn(words[:0], 3, np.uint64(9))) == 9
