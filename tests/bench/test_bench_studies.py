"""Scalings and tunings in result files: what is written comes back, follows the schema, and names no secret or path."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from study_runs import make_scaling, make_tuning

import gidbench
from gidbench.bench import recording
from gidbench.bench.results import SCHEMA_VERSION, Result, append, load_results
from gidbench.bench.studies import newest_studies, scaling_line, scaling_of, tuning_line, tuning_of
from gidbench.errors import InputError
from gidbench.findings import Check

SCHEMA = json.loads((resources.files("gidbench.bench") / "results.schema.json").read_text("utf-8"))


def check(line: Any) -> None:
    schema = {"$ref": f"#/$defs/line_{SCHEMA_VERSION}", "$defs": SCHEMA["$defs"]}
    jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(line)))


def test_a_scaling_comes_back_as_it_was(tmp_path: Path) -> None:
    made = make_scaling()
    line = scaling_line(made, "gidbench bench generate --scale 1e4..1e7")
    check(asdict(line))
    path = recording.record(tmp_path / "new", line, "", {"rounds": 5})
    for text in path.read_text("utf-8").splitlines():
        check(json.loads(text))
    [found] = load_results(path).scalings
    assert found == line
    assert scaling_of(found) == made


def test_a_tuning_comes_back_as_it_was(tmp_path: Path) -> None:
    made = make_tuning()
    line = tuning_line(made, "gidbench tune generate")
    check(asdict(line))
    path = recording.record(tmp_path / "new", line, "", {"records": 1_000_000})
    [found] = load_results(path.parent).tunings
    assert found == line
    assert tuning_of(found) == made


def test_without_best_and_gain_too() -> None:
    made = replace(make_tuning(), best=None, gain=None, chosen=make_tuning().space.default)
    line = tuning_line(made, "")
    check(asdict(line))
    assert tuning_of(line) == made


def test_no_path_of_the_machine_is_kept() -> None:
    named = Check("settings file", "note", "/home/ann/x.env is not one of the files that gidbench reads")
    made = replace(make_tuning(), applied="/home/ann/x.env", findings=(named, Check("cores", "good", "2")))
    line = tuning_line(made, "")
    assert "/home" not in json.dumps(asdict(line))
    assert line.applied == "x.env"
    assert [each["name"] for each in line.findings] == ["cores"]


def test_a_study_is_added_to_a_run_and_to_an_older_file(tmp_path: Path) -> None:
    old = Path(__file__).parent / "results_version_1.jsonl"
    (tmp_path / "results.jsonl").write_bytes(old.read_bytes())
    recording.record(tmp_path, scaling_line(make_scaling(), ""), "", {})
    found = load_results(tmp_path)
    assert found.header.schema == 1
    assert found.results == load_results(old).results
    assert len(found.scalings) == 1


def test_a_study_is_not_added_to_what_is_no_result_file(tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").write_text("no JSON\n")
    with pytest.raises(InputError, match="is not JSON"):
        recording.record(tmp_path, scaling_line(make_scaling(), ""), "", {})
    with pytest.raises(InputError, match="is not JSON"):
        gidbench.tune("generate", out=tmp_path, budget_s=1)  # told before anything is measured
    assert (tmp_path / "results.jsonl").read_text() == "no JSON\n"
    with pytest.raises(InputError, match="is no folder"):
        gidbench.scale("generate", [1_000], out=tmp_path / "results.jsonl")


def test_the_newest_of_each_operation_and_database_counts() -> None:
    lines = [
        replace(scaling_line(make_scaling(), ""), operation=operation, database=database, seed=seed)
        for operation, database, seed in (("a", "x", 1), ("a", "y", 2), ("b", "x", 3), ("a", "x", 4))
    ]
    assert sorted(line.seed for line in newest_studies(lines)) == [2, 3, 4]


@pytest.mark.parametrize(
    "change",
    [
        {"growth": [{"variant": "v"}]},
        {"growth": "many"},
        {"workers_scale": {}},
        {"workers": "two"},
        {"workers_scale": {"records": 1, "note": "", "efficiencies": [{"workers": "x", "seconds": 1.0}]}},
    ],
)
def test_a_damaged_scaling_is_refused_with_a_sentence(change: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="scaling line is damaged"):
        scaling_of(replace(scaling_line(make_scaling(), ""), **change))


@pytest.mark.parametrize("field", ["seconds", "peak_rss_bytes", "time"])
def test_numbers_that_are_none_are_refused(field: str) -> None:
    line = scaling_line(make_scaling(), "")
    growth = json.loads(json.dumps(line.growth))
    if field == "time":
        growth[0]["time"]["exponent"] = 1e9
    else:
        growth[0]["sizes"][0][field][0] = float("nan")
    with pytest.raises(InputError, match="scaling line is damaged"):
        scaling_of(replace(line, growth=growth))


@pytest.mark.parametrize(
    "change",
    [
        {"searched": {"colour": ["red"]}},
        {"searched": {"workers": [0]}},
        {"surface": [{"workers": 1}]},
        {"gain": {"ratio": 1.0}},
        {"chosen": {"workers": "many"}},
        {"steps": [{}]},
        {"findings": [{"name": "n"}]},
    ],
)
def test_a_damaged_tuning_is_refused_with_a_sentence(change: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="tuning line is damaged"):
        tuning_of(replace(tuning_line(make_tuning(), ""), **change))


def test_scale_keeps_its_result_and_the_line_that_repeats_it(monkeypatch: Any, tmp_path: Path) -> None:
    asked: dict[str, Any] = {}

    def scaled(operation: str, sizes: list[int], **options: Any) -> Any:
        asked.update(options, operation=operation, sizes=sizes)
        return replace(make_scaling(), operation=operation)

    monkeypatch.setattr(recording.scaling, "scale", scaled)
    out = tmp_path / "made" / "here"
    gidbench.scale("sync", "1k..8k", rounds=2, seed=3, workers=2, out=out)
    gidbench.scale("sync", [1_000, 4_000, 16_000], out=out)
    gidbench.scale("generate", "", out=out)
    gidbench.scale("generate", [], out="")
    assert asked["sizes"] == []
    found = load_results(out)
    assert [line.command for line in found.scalings] == [
        "gidbench bench sync --scale 1k..8k --rounds 2 --workers 2 --seed 3",
        "gidbench bench sync --scale 1000..16000",
        "gidbench bench generate --workers-scale",
    ]
    assert found.header.parameters == {"records": 8_000, "rounds": 2, "workers": 2, "seed": 7}
    assert found.results == []


def test_sizes_that_are_none_are_refused() -> None:
    for sizes in ([0, 10], [10, 10], [20, 10]):
        with pytest.raises(InputError, match="the sizes are"):
            gidbench.scale("generate", sizes)


def test_tune_keeps_its_result_without_the_password(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(recording.tuning, "tune", lambda *_, **__: make_tuning())
    monkeypatch.setattr(recording, "describe_database", lambda url: {"name": "db", "version": url[:5]})
    url = "mssql+pyodbc://sa:hunter2@db:1433/people?PWD=hunter2"
    fixed = {"workers": [1, 2], "batch_size": []}
    gidbench.tune("generate", records=5_000, budget_s=2.5, database=url, fixed=fixed, out=tmp_path)
    text = (tmp_path / "results.jsonl").read_text("utf-8")
    assert "hunter2" not in text
    [line] = load_results(tmp_path).tunings
    assert line.command == (
        "gidbench tune generate --records 5000 --budget 2.5 --workers 1,2 --database"
        " mssql+pyodbc://sa@db:1433/people"
    )


def test_a_real_tuning_is_kept_and_shows_itself(tmp_path: Path) -> None:
    result = gidbench.tune("generate", records=2_000, budget_s=1.5, fixed={"workers": [1, 2]}, out=tmp_path)
    [line] = load_results(tmp_path).tunings
    check(asdict(line))
    again = tuning_of(line)
    assert (again.cells, again.chosen, again.gain) == (result.cells, result.chosen, result.gain)
    shown = result._repr_html_()
    assert "<table" in shown
    assert 'scope="col"' in shown


def test_a_measurement_adds_to_a_file_that_began_with_a_study(tmp_path: Path) -> None:
    recording.record(tmp_path, scaling_line(make_scaling(), ""), "", {"records": 10})
    append(tmp_path / "results.jsonl", Result("generate", "memory", "t", True, 10, "failed", "it fell"))
    assert len(load_results(tmp_path).results) == 1


def test_a_scaling_shows_itself_in_a_notebook() -> None:
    shown = make_scaling()._repr_html_()
    assert "1,000,000" in shown
    assert "efficiency" in shown
