"""`gidbench tune` from end to end, on few records: what it prints, draws, writes, and leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import duckdb
import pytest

from gidbench import gid
from gidbench.bench import tuning, tuning_trials
from gidbench.bench.ground import people
from gidbench.bench.tuning import tune
from gidbench.bench.tuning_space import Point
from gidbench.bench.tuning_trials import Trials
from gidbench.engine import Cancellation
from gidbench.errors import InputError, VerificationError
from gidbench.records import SCHEMAS
from gidbench.stores.opening import open_store


def _held(url: str) -> tuple[dict[str, int], int]:
    with open_store(url) as store:
        return {table: store.count(table) for table in SCHEMAS}, store.reserve_gids(0)


def test_generation_in_memory(gidbench) -> None:
    done = gidbench("tune", "generate", "--records", "20k", "--budget", 4, "--json", "--figure", "f.svg")
    assert done.code == 0
    found = json.loads(done.out)
    assert found["database"] == "memory"
    assert set(found["ignored"]) == {"pool_size", "strategy", "mode"}
    assert found["spent_s"] <= 4.5
    assert found["gain"]["pairs"] >= 6
    assert found["gain"]["low"] <= found["gain"]["ratio"] <= found["gain"]["high"]
    assert found["is_better"] == (found["gain"]["low"] > 1)
    measured = [cell for cell in found["surface"] if cell["records"]]
    assert len(measured) >= 2
    assert all(cell["ratio"] > 0 for cell in measured)
    assert found["verdict"]
    assert {check["name"] for check in found["findings"]} >= {"memory", "cores", "batch size"}
    root = ElementTree.parse("f.svg").getroot()
    assert root.tag.endswith("svg")
    assert "1.00" in "".join(root.itertext())


@pytest.mark.parametrize("operation", ["generate", "process", "sync"])
def test_a_database_that_is_given_is_left_empty(operation: str, gidbench, database: str) -> None:
    done = gidbench(
        "tune", operation, "--records", "3k", "--budget", 8, "--database", database, "--workers", "1,2"
    )
    assert done.code == 0, done.err
    assert "pool size" in done.out
    assert "x defaults" in done.out
    counts, ordinal = _held(database)
    assert set(counts.values()) == {0}
    assert ordinal == gid.FIRST_ORDINAL


def test_a_database_that_holds_people_is_refused_and_left_alone(gidbench, database: str) -> None:
    gidbench("generate", "--records", 10, "--into", database)
    done = gidbench("tune", "generate", "--database", database, "--budget", 2)
    assert done.code == 2
    assert "holds data" in done.err
    assert _held(database)[0]["employee"] == 10


def test_an_interrupt_leaves_the_database_empty(tmp_path: Path) -> None:
    database = tmp_path / "people.duckdb"
    words = ["tune", "generate", "--database", f"duckdb:///{database}", "--budget", "60"]
    child = subprocess.Popen(
        [sys.executable, "-m", "gidbench", *words],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert child.stderr is not None
    for line in child.stderr:
        if line.startswith("searching"):
            break
    time.sleep(1)
    child.send_signal(signal.SIGINT)
    _, told = child.communicate(timeout=60)
    assert child.returncode == 130, told
    assert "interrupted" in told
    with duckdb.connect(str(database)) as connection:
        assert connection.execute("SELECT count(*) FROM employee").fetchall() == [(0,)]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("fly",), "is not one of 'generate', 'process', 'sync'"),
        (("generate", "--budget", "0"), "a budget of 0 s is none"),
        (("generate", "--records", "10"), "10 records say nothing"),
        (("generate", "--workers", "1,many"), "'many' is not a whole number"),
        (("process", "--batch-size", "5000"), "pieces of its own"),
        (("generate", "--strategy", "values"), "one way of taking rows"),
        (("generate", "--pool-size", "5"), "no connections to share"),
    ],
)
def test_what_cannot_be_asked_for_is_told_in_a_line(words: tuple[str, ...], says: str, gidbench) -> None:
    done = gidbench("tune", *words)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert done.err.count("\n") == 1


def test_a_single_choice_is_nothing_to_search(gidbench) -> None:
    done = gidbench(
        "tune", "generate", "--records", "5k", "--budget", 3, "--workers", "2", "--batch-size", "50k"
    )
    assert done.code == 0
    assert "nothing to choose" in done.out


def _with_a_trial(monkeypatch: pytest.MonkeyPatch, fast: Point | None) -> None:
    """Trials that pass time on their own: the planted choice takes half of it."""

    def run(self: Trials, point: Point, records: int, proof: bool, token: Cancellation) -> float:
        seconds = 0.004 if fast is not None and point == fast else 0.008
        time.sleep(seconds)
        return seconds

    monkeypatch.setattr(tuning.Trials, "run", run)


def test_the_winner_is_written_on_request_and_read_from_then_on(gidbench, monkeypatch) -> None:
    _with_a_trial(monkeypatch, Point(10_000, 3, 20, "auto"))
    Path(".env").write_text("# mine\nOTHER=1\n")
    words = ["--workers", "1,2,3", "--batch-size", "10k,50k", "--budget", "6", "--apply", ".env"]
    done = gidbench("tune", "generate", *words)
    assert "Better than the defaults: workers 3, batch size 10,000 has 2.00 x" in " ".join(done.out.split())
    assert Path(".env").read_text() == ("# mine\nOTHER=1\nULTRA_PARALLEL_WORKERS=3\nULTRA_BATCH_SIZE=10000\n")
    from gidbench.settings import load_settings

    assert (load_settings().workers, load_settings().batch_size) == (3, 10_000)


def test_without_a_gain_nothing_is_written(gidbench, monkeypatch) -> None:
    _with_a_trial(monkeypatch, None)
    Path(".env").write_text("OTHER=1\n")
    done = gidbench(
        "tune", "generate", "--batch-size", "10k,50k", "--budget", "4", "--apply", ".env", "--json"
    )
    found = json.loads(done.out)
    assert (found["is_better"], found["applied"]) == (False, "")
    assert found["chosen"] == found["defaults"]
    assert Path(".env").read_text() == "OTHER=1\n"


def test_a_file_that_gidbench_does_not_read_is_told(monkeypatch) -> None:
    _with_a_trial(monkeypatch, Point(10_000, 2, 20, "auto"))
    monkeypatch.setattr(tuning, "compile_all", lambda *_: None)
    fixed = {"batch_size": [10_000, 50_000], "workers": [2]}
    found = tune("generate", budget_s=4, fixed=fixed, apply=Path("settings.toml"))
    assert found.applied == "settings.toml"
    assert Path("settings.toml").read_text() == "ULTRA_BATCH_SIZE = 10000\n"
    assert any("not one of the files" in check.found for check in found.findings)


@pytest.mark.parametrize("operation", ["generate", "process", "sync"])
def test_a_trial_that_makes_something_wrong_is_an_error(
    operation: str, database: str, tmp_path, monkeypatch
) -> None:
    with open_store(database) as store:
        store.create_tables()
        first = store.reserve_gids(0)
    trials = Trials(operation, tmp_path, database, first)
    point = Point(50_000, 2, 20, "auto", "server")
    assert trials.run(point, 1_000, True, Cancellation()) > 0
    other = Trials(operation, tmp_path, database, first)
    monkeypatch.setattr(tuning_trials, "people", lambda _, count: people(8, count))
    with pytest.raises(VerificationError, match="digest"):
        other.run(point, 1_000, True, Cancellation())
    assert other.run(point, 1_000, False, Cancellation()) > 0  # the counts are right


def test_trials_of_an_unknown_operation_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no operation"):
        Trials("fly", tmp_path, "", 0)
