"""Stopping: the caller is free within half a second, whatever the work is at, and nothing of it stays behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

import gidbench
from gidbench.bench import session, stopping
from gidbench.bench.bounds import Bounds
from gidbench.bench.databases import require_empty
from gidbench.bench.results import load_results
from gidbench.bench.stopping import stoppable
from gidbench.bench.watching import Watch
from gidbench.engine import Cancellation, Progress, ProgressCallback, silent
from gidbench.errors import InputError, OperationCancelled

_LONGEST_S = 1.0  # half a second, and as much again for a busy machine


def wait_for_cleaning() -> None:
    for each in list(stopping._cleaning):
        each.join(60)


def test_the_result_comes_back_and_progress_on_the_callers_thread() -> None:
    heard: list[tuple[str, str]] = []

    def work(token: Cancellation, relay: ProgressCallback) -> int:
        for step in ("one", "two"):
            relay(Progress(step, 0, 1))
        return threading.get_ident()

    found = stoppable(
        work,
        progress=lambda step: heard.append((step.phase, threading.current_thread().name)),
        cancellation=Cancellation(),
    )
    assert found != threading.get_ident()
    assert heard == [("one", "MainThread"), ("two", "MainThread")]


def test_what_the_work_raises_is_raised() -> None:
    def work(token: Cancellation, relay: ProgressCallback) -> None:
        raise InputError("no", "Say yes")

    with pytest.raises(InputError, match=r"no. Say yes"):
        stoppable(work, progress=silent, cancellation=Cancellation())


def test_work_that_does_not_listen_is_left_to_clean_up_and_the_next_waits_for_it() -> None:
    release, order = threading.Event(), []

    def deaf(token: Cancellation, relay: ProgressCallback) -> None:
        release.wait(30)
        order.append("cleaned up")
        token.check()

    token = Cancellation()
    threading.Timer(0.1, token.cancel).start()
    began = time.monotonic()
    with pytest.raises(OperationCancelled):
        stoppable(deaf, progress=silent, cancellation=token)
    assert 0.1 < time.monotonic() - began < 0.1 + _LONGEST_S
    assert order == []

    threading.Timer(0.2, release.set).start()
    stoppable(lambda token, relay: order.append("next"), progress=silent, cancellation=Cancellation())
    assert order == ["cleaned up", "next"]


def test_whoever_waits_for_the_cleaning_of_others_can_be_stopped_too() -> None:
    release = threading.Event()
    first, second = Cancellation(), Cancellation()
    first.cancel()
    with pytest.raises(OperationCancelled):
        stoppable(lambda token, relay: release.wait(30), progress=silent, cancellation=first)
    threading.Timer(0.1, second.cancel).start()
    try:
        with pytest.raises(OperationCancelled):
            stoppable(lambda token, relay: 1 / 0, progress=silent, cancellation=second)
    finally:
        release.set()
        wait_for_cleaning()


def test_patience_without_end_waits_for_the_cleaning() -> None:
    token, done = Cancellation(), threading.Event()
    token.cancel()

    def slow(token: Cancellation, relay: ProgressCallback) -> None:
        time.sleep(0.8)
        done.set()
        token.check()

    with pytest.raises(OperationCancelled):
        stoppable(slow, progress=silent, cancellation=token, patience_s=None)
    assert done.is_set()


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_an_interrupt_or_an_error_of_the_callback_stops_the_work_first(error: type[BaseException]) -> None:
    ended = []

    def work(token: Cancellation, relay: ProgressCallback) -> None:
        relay(Progress("begin", 0, 1))
        while not token.cancelled:
            time.sleep(0.01)
        ended.append(True)

    def callback(step: Progress) -> None:
        raise error

    with pytest.raises(error):
        stoppable(work, progress=callback, cancellation=Cancellation())
    assert ended == [True]


@pytest.fixture
def no_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bounds of the machine take seconds, and a moment of their own has a test."""
    monkeypatch.setattr(session, "measure_bounds", lambda *_: Bounds({}))


def children() -> list[psutil.Process]:
    return [
        each
        for each in psutil.Process().children(recursive=True)
        if "gidbench.bench.replicate" in " ".join(each.cmdline())
    ]


def stop_when(
    true: Callable[[Watch], bool], operation: str, out: Path, database: str = "", records: int = 200_000
) -> float:
    """Measure until the watch says so, stop then; the seconds that it took, cleaning not counted."""
    token, watch, asked = Cancellation(), Watch(), [0.0]

    def look() -> None:
        while not true(watch):
            time.sleep(0.01)
        asked[0] = time.monotonic()
        token.cancel()

    threading.Thread(target=look, daemon=True).start()
    with pytest.raises(OperationCancelled):
        gidbench.measure(
            operation, records=records, rounds=50, database=database, out=out, watch=watch, cancellation=token
        )
    spent = time.monotonic() - asked[0]
    assert watch.sample().phase == "stopped"
    wait_for_cleaning()
    assert children() == []
    assert {path.name for path in out.iterdir()} <= {"results.jsonl"}
    results = out / "results.jsonl"
    if results.exists():
        assert results.read_bytes().endswith(b"\n")
        assert load_results(out).results == []
    return spent


MOMENTS: dict[str, Callable[[Watch], bool]] = {
    "at the machine": lambda watch: "looking at the machine" in watch.sample().phase,
    "in the bounds": lambda watch: watch.sample().phase.endswith(": setting up"),
    "as a child imports": lambda watch: ": starting" in watch.sample().phase,
    "in a warm-up": lambda watch: "warming up" in watch.sample().phase,
    "in a round": lambda watch: watch.sample().round > 0,
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_stop_is_heard_at_every_moment_and_leaves_nothing(
    moment: str, tmp_path: Path, database: str, request: pytest.FixtureRequest
) -> None:
    if moment != "in the bounds":
        request.getfixturevalue("no_bounds")
    assert stop_when(MOMENTS[moment], "generate", tmp_path / "run", database) < _LONGEST_S
    assert require_empty(database) == 1_690_000


@pytest.mark.usefixtures("no_bounds")
def test_a_stop_in_a_statement_of_duckdb_is_heard(tmp_path: Path) -> None:
    def in_sync(watch: Watch) -> bool:
        sample = watch.sample()
        return sample.case == "sync initial" and sample.round > 0 and ", " in sample.phase

    assert stop_when(in_sync, "sync", tmp_path / "run") < _LONGEST_S


@pytest.mark.usefixtures("no_bounds")
def test_a_stop_on_sql_server_is_heard_and_leaves_the_database_as_it_was(
    tmp_path: Path, sql_server_database: str
) -> None:
    def in_load(watch: Watch) -> bool:
        sample = watch.sample()
        return sample.case == "generate database" and "verifying" not in sample.phase

    first = require_empty(sql_server_database)
    spent = stop_when(in_load, "generate", tmp_path / "run", sql_server_database, records=20_000)
    assert spent < _LONGEST_S
    assert require_empty(sql_server_database) == first


@pytest.mark.slow
def test_a_stop_while_kernels_compile_is_heard(tmp_path: Path) -> None:
    code = (
        "import gidbench, threading, time\n"
        "token, asked = gidbench.Cancellation(), []\n"
        "def stop():\n    asked.append(time.monotonic()); token.cancel()\n"
        "def told(step):\n"
        "    if 'compiling' in step.phase and not asked: threading.Timer(1.7, stop).start(); asked.append(0)\n"
        "try: gidbench.measure('generate', records=1000, progress=told, cancellation=token, out='run')\n"
        "except gidbench.GidbenchError as error: print(type(error).__name__, time.monotonic() - asked[-1])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        cwd=tmp_path,
    )
    name, spent = done.stdout.split()
    assert name == "OperationCancelled"
    assert float(spent) < _LONGEST_S
    assert list((tmp_path / "run").iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_an_interrupt_ends_the_process_only_when_a_database_of_somebody_is_empty_again(
    tmp_path: Path, database: str
) -> None:
    words = f"records=200_000, rounds=500, out={str(tmp_path / 'run')!r}, database={database!r}"
    code = (
        "import gidbench\n"
        "from gidbench.bench import bounds, session\n"
        "session.measure_bounds = lambda *_: bounds.Bounds({})\n"
        f"try: gidbench.measure('generate', {words}, progress=lambda step: print(step.phase, flush=True))\n"
        "except KeyboardInterrupt: print('interrupted', flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert any("round 1 of 500" in line for line in process.stdout)
    process.send_signal(signal.SIGINT)
    asked = time.monotonic()
    assert any(line == "interrupted\n" for line in process.stdout)
    assert time.monotonic() - asked < _LONGEST_S
    assert process.wait(60) == 0
    process.stdout.close()
    assert require_empty(database) == 1_690_000
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["results.jsonl"]


@pytest.mark.slow
def test_stops_at_random_moments(tmp_path: Path, database: str) -> None:
    chance = random.Random()
    for turn in range(4):
        operation, moment = chance.choice(["generate", "process", "sync"]), chance.uniform(0, 20)
        began = time.monotonic()
        spent = stop_when(
            lambda _, at=began + moment: time.monotonic() > at, operation, tmp_path / f"run{turn}", database
        )
        assert spent < _LONGEST_S, (operation, moment)
        assert require_empty(database) == 1_690_000
