"""The history: appended whole or not at all, by many at once; its trends and steps."""

from __future__ import annotations

import json
import multiprocessing
import subprocess
from pathlib import Path

import numpy as np
import pytest
from made_runs import result, run, times, write

from gidbench.bench.baseline import from_history, two_files
from gidbench.bench.history import (
    SCHEMA_VERSION,
    catch_up,
    load_history,
    remember,
    remembered,
    runs_at,
)
from gidbench.bench.steps import bars, change_points, trends
from gidbench.errors import InputError

FIXTURES = sorted(Path(__file__).parent.glob("history_version_*.jsonl"))


def many(path: Path, seconds: list[float], **options) -> None:
    for number, each in enumerate(seconds):
        remember(
            run(
                result(times(each)),
                run_id=f"r{number}",
                started_at=f"2026-01-{number + 1:02d}T00:00:00+00:00",
                commit=f"{number:012x}",
                **options,
            ),
            path,
        )


def test_a_fixture_of_each_version_loads() -> None:
    assert [path.name for path in FIXTURES] == [
        f"history_version_{n}.jsonl" for n in range(1, SCHEMA_VERSION + 1)
    ]
    for path in FIXTURES:
        history = load_history(path)
        assert history.passed_over == 0
        assert len(history.entries) == 3
        first = history.entries[0]
        assert (first.case, first.commit, first.noise) == ("generate memory", "aaaaaaaaaaaa", "quiet")
        assert first.result.replicates_s[0][0] == 1.0
        assert history.runs[0].header.parameters["seed"] == 7
        assert history.runs[0].noise[0].calibration_s == 0.5


def test_what_is_remembered_comes_back_and_is_not_added_twice(tmp_path: Path) -> None:
    path = tmp_path / "reports" / "history.jsonl"
    folder = write(tmp_path / "run", run(result(), result(None, variant="csv"), calibration_s=0.5))
    assert remember(folder, path) == 2
    assert remember(folder, path) == 0
    assert remember(folder / "results.jsonl", path) == 0
    assert remember(tmp_path / "empty", path) == 0
    history = load_history(path)
    assert [entry.case for entry in history.entries] == ["generate memory", "generate csv"]
    [known] = history.runs
    assert known.results[0] == result()
    assert known.results[1].error == "it broke"
    assert [line.calibration_s for line in known.noise] == [0.5] * 3
    write(folder, run(result(times(2.0))))  # the operation was measured again
    assert remember(folder, path) == 1
    assert load_history(path).runs[0].results[-1].median_s == pytest.approx(2.0, rel=0.1)


@pytest.mark.parametrize("torn", [b'{"schema": 1, "kind": "ca', b"\xff\xfe", b'{"a": "\xc3'])
def test_a_torn_last_line_is_passed_over_and_mended(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "history.jsonl"
    many(path, [1.0, 2.0])
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    assert (len(load_history(path).entries), load_history(path).passed_over) == (2, 1)
    remember(run(run_id="new"), path)
    assert path.read_bytes().startswith(whole + b'{"schema": 1')
    assert (len(load_history(path).entries), load_history(path).passed_over) == (3, 0)


def test_a_last_line_that_only_lacks_its_end_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    many(path, [1.0, 2.0])
    path.write_bytes(path.read_bytes()[:-1])
    remember(run(run_id="new"), path)
    assert [entry.run_id for entry in load_history(path).entries] == ["r0", "new", "r1"]


def test_lines_of_later_versions_and_of_other_kinds_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    many(path, [1.0])
    line = json.loads(path.read_text())
    lacking = {**line, "result": {"operation": "generate"}}
    with path.open("a") as file:
        for each in ({**line, "schema": 99}, {"kind": "case", "schema": 1}, [1], lacking, {**line, "run": 3}):
            file.write(json.dumps(each) + "\n")
        file.write(
            json.dumps({**line, "run_id": "z", "new": 1, "result": {**line["result"], "new": 1}}) + "\n"
        )
    history = load_history(path)
    assert ([entry.run_id for entry in history.entries], history.passed_over) == (["r0", "z"], 5)


def append_many(path: str, name: str) -> None:
    for number in range(20):
        remember(run(result(), result(variant="csv"), run_id=f"{name}{number}"), path)


def test_runs_that_end_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    context = multiprocessing.get_context(
        "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    )
    workers = [context.Process(target=append_many, args=(str(path), name)) for name in "abc"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    history = load_history(path)
    assert (len(history.entries), history.passed_over) == (3 * 20 * 2, 0)


def test_a_run_does_not_fail_for_its_history(tmp_path: Path) -> None:
    folder = write(tmp_path / "run", run())
    (tmp_path / "file").touch()
    assert not remembered(folder, tmp_path / "file" / "history.jsonl")
    assert remembered(folder, tmp_path / "history.jsonl")


def test_runs_that_were_killed_are_caught_up_with(tmp_path: Path) -> None:
    killed = write(tmp_path / "20260101T000000Z", run(run_id="killed"))
    with (killed / "results.jsonl").open("a") as file:
        file.write('{"operation": "generate", "var')
    (tmp_path / "20260102T000000Z").mkdir()
    (tmp_path / "20260102T000000Z" / "results.jsonl").write_text("not one of ours\n")
    path = tmp_path / "history.jsonl"
    assert (catch_up(path), catch_up(path)) == (1, 0)
    assert load_history(path).entries[0].run_id == "killed"


def test_there_is_no_history_yet(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no history"):
        load_history(tmp_path / "history.jsonl")


def test_a_run_is_held_against_those_before_it(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    many(path, [1.0, 1.01, 0.99, 2.0])
    remember(run(run_id="elsewhere", started_at="2026-01-03T12:00:00+00:00", host={"cpu": "another"}), path)
    pair = from_history(history=path)
    assert pair.after.header.run_id == "r3"
    assert pair.before.results[0].processes == 9
    assert pair.before_name == "the runs before (3 runs)"
    assert from_history(history=path, last=2).before.results[0].processes == 6
    older = from_history(run(run_id="r1", started_at="2026-01-02T00:00:00+00:00"), history=path)
    assert older.before.results[0].processes == 3
    assert from_history(history=path, against="000000000001").before.header.run_id == "r1"
    with pytest.raises(InputError, match="holds no run of 'main'"):
        from_history(history=path, against="main")
    with pytest.raises(InputError, match="no run before this one"):
        from_history(run(run_id="r0", started_at="2025-01-01T00:00:00+00:00"), history=path)


def test_two_files_are_named_by_their_paths(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", run()), write(tmp_path / "b", run(run_id="b"))
    pair = two_files(a, b / "results.jsonl")
    assert (pair.before.header.run_id, pair.after.header.run_id, pair.before_name) == ("a", "b", str(a))


def test_a_branch_means_its_newest_commit_that_was_measured(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        name = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        return subprocess.run(
            ["git", *name, *words], cwd=tmp_path, check=True, capture_output=True, text=True, timeout=30
        ).stdout.strip()

    git("init", "-q", "-b", "main")
    commits = []
    for number in range(3):
        git("commit", "-q", "--allow-empty", "-m", str(number))
        commits.append(git("rev-parse", "--short=12", "HEAD"))
    path = tmp_path / "history.jsonl"
    for number, commit in enumerate(commits[:2]):
        remember(run(run_id=f"r{number}", commit=commit), path)
    history = load_history(path)
    assert [each.header.run_id for each in runs_at(history, "main", tmp_path)] == ["r1"]
    assert [each.header.run_id for each in runs_at(history, "main~2", tmp_path)] == ["r0"]
    assert [each.header.run_id for each in runs_at(history, commits[0][:7], tmp_path)] == ["r0"]
    with pytest.raises(InputError, match="holds no run of 'nowhere'"):
        runs_at(history, "nowhere", tmp_path)


def series(levels: list[tuple[int, float]], scatter: float = 0.02, seed: int = 0) -> list[float]:
    stream = np.random.default_rng(seed)
    return [float(level * np.exp(stream.normal(0, scatter))) for count, level in levels for _ in range(count)]


def test_steps_are_found_where_they_are() -> None:
    found = change_points(series([(12, 1.0), (10, 1.2), (9, 0.9)]))
    assert [at for at, _, _ in found] == [12, 22]
    assert [ratio for _, ratio, _ in found] == pytest.approx([1.2, 0.75], rel=0.03)
    assert all(p <= 0.01 for _, _, p in found)


def test_what_is_no_step_is_not_told() -> None:
    assert change_points([1.0] * 30) == []
    assert change_points(series([(12, 1.0), (12, 1.02)], scatter=0.001)) == []  # below the threshold
    assert change_points(series([(12, 1.0), (12, 1.02)], scatter=0.001), threshold=0.01) != []
    spike = series([(24, 1.0)])
    spike[10] = 5.0
    assert change_points(spike) == []
    assert change_points([1.0, 1.0, 2.0, 2.0]) == []
    false = sum(bool(change_points(series([(20, 1.0)], 0.1, seed))) for seed in range(100))
    assert false <= 4


def test_a_trend_shows_its_steps_with_their_commits(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    many(path, series([(8, 1.0), (8, 1.3)]))
    remember(run(result(None), run_id="failed", started_at="2026-02-01T00:00:00+00:00"), path)
    remember(run(result(records=5), run_id="small", started_at="2025-02-01T00:00:00+00:00"), path)
    [trend] = trends(load_history(path), "generate/memory")
    assert (len(trend.entries), trend.left_out) == (16, 2)
    [step] = trend.steps
    assert (step.commit_before, step.commit, step.at) == (f"{7:012x}", f"{8:012x}", 8)
    assert trend.to_dict()["steps"][0]["ratio"] == pytest.approx(1.3, rel=0.05)
    assert len(trends(load_history(path), last=4)[0].entries) == 4
    assert trends(load_history(path), "generate csv") == []
    assert trends(load_history(path), "gen") == []


def test_a_case_that_always_failed_has_no_trend(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    remember(run(result(None)), path)
    [trend] = trends(load_history(path))
    assert (trend.entries, trend.steps, trend.left_out) == ((), (), 1)


def test_bars_fill_the_height() -> None:
    assert bars([1.0, 2.0, 3.0]) == "▁▅█"
    assert bars([1.0, 1.0]) == "▄▄"
    assert bars([]) == ""
