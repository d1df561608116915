"""What a round is said to have cost."""

from __future__ import annotations

import threading
import time

import psutil
import pytest

from gidbench.bench import sampler as sampler_module
from gidbench.bench.host import describe, noise
from gidbench.bench.sampler import ProcessProbe, Reading, Sampler


def test_differences_peaks_and_the_timeline_come_from_the_readings() -> None:
    readings = iter([Reading(10.0, 500, 100, 0), Reading(10.5, 900, 300, 50), Reading(11.0, 700, 400, 100)])
    times = iter([0.0, 0.25, 0.5])
    sampler = Sampler(lambda: next(readings), lambda: next(times), 0)
    sampler.start()
    sampler._sample()
    usage = sampler.stop()
    assert usage.cpu_s == 1.0
    assert usage.peak_rss_bytes == 900
    assert (usage.read_bytes, usage.written_bytes) == (300, 100)
    assert usage.timeline == {
        "t_s": [0.25, 0.5],
        "cpu_cores": [2.0, 2.0],
        "rss_bytes": [900, 700],
        "io_bytes_per_s": [1000, 600],
    }


def test_a_system_that_does_not_count_io_leaves_it_open() -> None:
    readings = iter([Reading(1.0, 5, None, None), Reading(2.0, 5, None, None)])
    times = iter([0.0, 1.0])
    sampler = Sampler(lambda: next(readings), lambda: next(times), 0)
    sampler.start()
    usage = sampler.stop()
    assert (usage.read_bytes, usage.written_bytes) == (None, None)


def test_it_samples_on_a_thread_of_its_own_until_stopped() -> None:
    seen = threading.Event()
    probe = ProcessProbe()
    count = 0

    def watched() -> Reading:
        nonlocal count
        count += 1
        if count == 4:
            seen.set()
        return probe()

    sampler = Sampler(watched, interval_s=0.005)
    sampler.start()
    assert seen.wait(10)
    usage = sampler.stop()
    assert len({len(column) for column in usage.timeline.values()}) == 1
    assert usage.peak_rss_bytes > 1_000_000
    assert not any(thread.name == "gidbench-sampler" for thread in threading.enumerate())


def test_a_round_of_a_few_milliseconds_has_its_cpu_time() -> None:
    """A million records take no longer; the system's own count goes by ticks of ten."""
    sampler = Sampler(interval_s=0)
    sampler.start()
    began = time.process_time()
    while time.process_time() - began < 0.003:
        pass
    cpu_s = sampler.stop().cpu_s
    assert 0.003 <= cpu_s <= time.process_time() - began + 0.5
    assert cpu_s % 0.01


def test_the_host_is_described_without_naming_it() -> None:
    import getpass
    import platform

    told = str(describe()) + str(noise())
    assert describe()["packages"]["duckdb"]
    assert describe()["cores"] >= 1
    assert platform.node() not in told or not platform.node()
    assert getpass.getuser() not in told


def test_readings_are_those_of_psutil() -> None:
    found, process = ProcessProbe()(), psutil.Process()
    assert found.rss_bytes == pytest.approx(process.memory_info().rss, rel=0.05)
    assert found.cpu_s == pytest.approx(time.process_time(), abs=0.5)
    if hasattr(process, "io_counters"):
        io = process.io_counters()
        assert found.read_bytes == pytest.approx(getattr(io, "read_chars", io.read_bytes), rel=0.05, abs=1e5)
        assert found.written_bytes == pytest.approx(
            getattr(io, "write_chars", io.write_bytes), rel=0.05, abs=1e5
        )


def test_without_proc_it_asks_psutil(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampler_module, "_open_files", lambda pid: None)
    assert ProcessProbe()().rss_bytes == pytest.approx(psutil.Process().memory_info().rss, rel=0.05)


def test_an_armed_sampler_counts_only_from_its_start() -> None:
    readings = iter([Reading(10.0, 500, 100, 0), Reading(11.0, 600, 100, 0)])
    sampler = Sampler(lambda: next(readings), interval_s=0.001)
    sampler.arm()
    time.sleep(0.05)  # had it taken readings, there would be none left
    sampler._interval_s = 0
    sampler._done.set()  # and none are taken meanwhile
    sampler.start()
    assert sampler.stop().cpu_s == 1.0
    sampler.disarm()
    assert not any(thread.name == "gidbench-sampler" for thread in threading.enumerate())
