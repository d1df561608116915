"""Replicates in processes of their own: what they answer, and that nothing of them stays behind."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import psutil
import pytest

import gidbench
from gidbench.bench.child import Child, children
from gidbench.bench.databases import require_empty
from gidbench.bench.replicate import Job
from gidbench.bench.results import load_results
from gidbench.bench.runner import ReplicateDied
from gidbench.engine import Cancellation
from gidbench.errors import InputError, OperationCancelled

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.fixture
def job(tmp_path: Path) -> Job:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return Job("generate", 4, str(scratch), str(tmp_path / "own.duckdb"), 1_690_000, 2000, 7, 1000, 1)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"duckdb:///{tmp_path / 'own.duckdb'}"


@pytest.fixture
def child(job: Job, url: str) -> Iterator[Child]:
    made = Child(job, url, Cancellation())
    yield made
    made.kill()


def wait_until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_turn_is_a_verified_round_of_a_fresh_process(child: Child) -> None:
    assert [case.name for case in child.cases][:2] == ["generate memory", "generate csv"]
    assert child.cases[0].headline
    turn = child.turn(1, 3)
    assert (turn.round.variant, turn.round.index, turn.round.process, turn.round.error) == ("csv", 3, 4, None)
    assert turn.round.wall_s > 0
    assert turn.spent_s > turn.round.wall_s
    assert turn.verified is not None
    assert turn.verified.value.startswith("2000:")
    assert turn.verified.value == child.turn(0, 3).verified.value  # type: ignore[union-attr]
    assert child.warmup_s["imports"] > 0
    assert child.warmup_s["kernels"] > 0
    child.close()
    assert not psutil.pid_exists(child.pid)


def test_the_databases_url_is_not_on_the_command_line_and_the_folder_is_not_searched_for_modules(
    child: Child, url: str
) -> None:
    words = psutil.Process(child.pid).cmdline()
    assert url not in " ".join(words)
    assert words[1:] == ["-P", "-m", "gidbench.bench.replicate"]


def test_what_goes_wrong_while_it_gets_ready_is_raised_as_what_it_is(job: Job, url: str) -> None:
    with pytest.raises(InputError, match="there is no operation 'dance'"):
        Child(replace(job, operation="dance"), url, Cancellation())


def test_a_child_that_is_killed_is_told(child: Child) -> None:
    psutil.Process(child.pid).kill()
    with pytest.raises(ReplicateDied, match=r"the process that measures generate died \(signal 9\)"):
        child.turn(0, 1)


def test_a_stop_is_heard_within_half_a_second_and_leaves_no_process(job: Job, url: str) -> None:
    token = Cancellation()
    start = children(lambda process: replace(job, process=process, records=3_000_000), url, token)
    asked = 0.0

    def stop() -> None:
        nonlocal asked
        asked = time.monotonic()
        token.cancel()

    pid = 0
    with pytest.raises(OperationCancelled):
        with start(0) as child:
            pid = child.pid
            threading.Timer(0.3, stop).start()
            for index in range(1000):
                child.turn(3, index)  # to the database, which takes seconds
    assert time.monotonic() - asked < 1.0  # half a second, and as much again for a busy machine
    assert not psutil.pid_exists(pid)


def start_measuring(folder: Path, database: str = "") -> tuple[subprocess.Popen[str], psutil.Process]:
    """A process that measures generation, and its child, which has had some turns by now."""
    words = f"records=100_000, processes=1, rounds=500, out={str(folder)!r}, database={database!r}"
    told = "lambda step: print(step.phase, flush=True)"
    code = f"import gidbench; gidbench.measure('generate', {words}, progress={told})"
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    assert any("round 2 of 500" in line for line in parent.stdout)
    [found] = [
        each
        for each in psutil.Process(parent.pid).children()
        if "gidbench.bench.replicate" in " ".join(each.cmdline())
    ]
    return parent, found


def kill(parent: subprocess.Popen[str]) -> None:
    parent.kill()
    parent.wait()
    assert parent.stdout
    parent.stdout.close()


def test_a_killed_parent_leaves_its_finished_rounds_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    parent, child = start_measuring(folder)
    assert list(folder.glob(".scratch-*"))
    kill(parent)
    wait_until(lambda: not child.is_running())
    assert [path.name for path in folder.iterdir()] == ["results.jsonl"]
    found = load_results(folder)
    finished = {each.variant for each in found.rounds if not each.warmup and each.error is None}
    assert finished == {"memory", "csv", "parquet", "database"}
    assert [each.moment for each in found.noise] == ["start"]
    assert found.results == []


def test_a_killed_parent_leaves_a_database_of_somebody_as_it_was(tmp_path: Path, database: str) -> None:
    parent, child = start_measuring(tmp_path / "run", database)
    kill(parent)
    wait_until(lambda: not child.is_running())
    assert require_empty(database) == 1_690_000
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["results.jsonl"]


@pytest.mark.slow
def test_a_killed_run_leaves_a_file_that_loads_with_the_finished_cases(tmp_path: Path) -> None:
    words = "run --records 3000 --processes 2 --rounds 2 --operations generate,process --out run"
    run = subprocess.Popen(
        [sys.executable, "-m", "gidbench", *words.split()], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    assert run.stderr
    # in the first of two processes: the notebook's kernel lives for a second more, and cleans up nothing by itself
    assert any("process 1 of 2, round 1 of 2" in line and line.startswith("process ") for line in run.stderr)
    others = psutil.Process(run.pid).children(recursive=True)
    run.kill()
    run.wait()
    run.stderr.close()
    _, alive = psutil.wait_procs(others, timeout=60)
    assert alive == []
    found = load_results(tmp_path / "run")
    done = [(each.operation, each.status, each.rounds) for each in found.results]
    assert done[:4] == [("generate", "ok", 4)] * 4
    assert done[4:] == []
    assert any(each.operation == "process" and not each.warmup for each in found.rounds)
    # by the second process, which may have been on its way when the kernel died
    wait_until(
        lambda: (
            not [
                path
                for path in (tmp_path / "run").iterdir()
                if path.name.startswith((".scratch", "gidbench.duckdb"))
            ]
        )
    )


def test_only_json_goes_to_the_parent(job: Job, url: str) -> None:
    """Whatever a library prints in the child."""
    code = (
        "import sys; from gidbench.bench import replicate, suite; import os\n"
        "before = suite.cases_for\n"
        "def noisy(*given):\n    print('hello'); os.write(1, b'world\\n'); return before(*given)\n"
        "suite.cases_for = noisy; replicate.main()"
    )
    order = json.dumps(job.__dict__) + '\n{"end": true}\n'
    done = subprocess.run(
        [sys.executable, "-c", code], input=order, capture_output=True, text=True, check=True
    )
    assert [json.loads(line)["kind"] for line in done.stdout.splitlines()] == ["ready"]


def test_duckdb_files_of_a_stopped_run_are_free_again(tmp_path: Path) -> None:
    token = Cancellation()

    def stop(step: gidbench.Progress) -> None:
        if "round 1" in step.phase:
            token.cancel()

    with pytest.raises(OperationCancelled):
        gidbench.measure("sync", records=1000, rounds=9, out="run", progress=stop, cancellation=token)
    assert [path.name for path in Path("run").iterdir()] == ["results.jsonl"]
    with duckdb.connect("run/gidbench.duckdb") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
