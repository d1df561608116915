"""Result files: they follow their schema, files of every version load, and pandas gets them with one call."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd
import pytest

import gidbench
from gidbench.bench.results import (
    SCHEMA_VERSION,
    Noise,
    Result,
    Round,
    RunHeader,
    ScalingLine,
    TuningLine,
    append,
    load_results,
)
from gidbench.errors import InputError

HERE = Path(__file__).parent
SCHEMA = json.loads((resources.files("gidbench.bench") / "results.schema.json").read_text("utf-8"))
# each kind, and the version that it has been the same since
KINDS: dict[str, tuple[type, int]] = {
    "run": (RunHeader, 3),
    "noise": (Noise, 2),
    "round": (Round, 2),
    "result": (Result, 2),
    "scaling": (ScalingLine, 3),
    "tuning": (TuningLine, 3),
}


def check(line: Any, version: int) -> None:
    schema = {"$ref": f"#/$defs/line_{version}", "$defs": SCHEMA["$defs"]}
    jsonschema.Draft202012Validator(schema).validate(line)


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in path.read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that a measurement has just written."""
    folder = tmp_path_factory.mktemp("written") / "run"
    gidbench.measure("generate", records=2000, processes=2, rounds=2, out=folder)
    return folder / "results.jsonl"


def test_the_schema_is_one(written: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(lines_of(written)[0])


@pytest.mark.parametrize("kind", KINDS)
def test_it_knows_every_field_of_the_present_version(kind: str) -> None:
    made, since = KINDS[kind]
    known = SCHEMA["$defs"][f"{kind}_{since}"]
    assert set(known["properties"]) == {each.name for each in fields(made)}
    assert {"$ref": f"#/$defs/{kind}_{since}"} in SCHEMA["$defs"][f"line_{SCHEMA_VERSION}"]["oneOf"]


def test_what_is_written_follows_it(written: Path) -> None:
    lines = lines_of(written)
    for line in lines:
        check(line, SCHEMA_VERSION)
    assert [line["kind"] for line in lines].count("noise") == 3
    assert [line["kind"] for line in lines].count("round") == 2 * 3 * 4
    assert [line["kind"] for line in lines[-5:]] == ["result"] * 4 + ["noise"]


def test_a_failed_case_follows_it_too(tmp_path: Path) -> None:
    check(asdict(Result("op", "a", "t", True, 1, "failed", "it fell")), SCHEMA_VERSION)
    check(asdict(Round("op", "a", 0, True, 0.0, 0.0, 0, None, None, {}, "it fell", 2)), SCHEMA_VERSION)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("result", {"low_s": -1.0}),
        ("result", {"status": "so-so"}),
        ("result", {"weather": "fine"}),
        ("result", {"stopped_because": "bored"}),
        ("round", {"process": -1}),
        ("round", {"wall_s": "1 s"}),
        ("noise", {"verdict": "loud"}),
        ("noise", {"readings": {"others_share": "much"}}),
        ("run", {"schema": SCHEMA_VERSION + 1}),
    ],
)
def test_it_refuses_what_is_none(written: Path, kind: str, change: dict[str, Any]) -> None:
    line = next(line for line in lines_of(written) if line["kind"] == kind)
    with pytest.raises(jsonschema.ValidationError):
        check({**line, **change}, SCHEMA_VERSION)


@pytest.mark.parametrize("name", ["results_version_1.jsonl", "results_version_1_run.jsonl"])
def test_files_of_version_1_follow_theirs_and_load(name: str) -> None:
    lines = lines_of(HERE / name)
    for line in lines:
        check(line, 1)
    found = load_results(HERE / name)
    assert found.header.schema == 1
    assert found.noise == []
    assert all(each.process == 0 for each in found.rounds)
    assert len(found.results) == sum(line["kind"] == "result" for line in lines)


def test_a_file_of_version_2_follows_its_schema_and_loads() -> None:
    """Made with gidbench 0.6.0, and cut down to two cases."""
    lines = lines_of(HERE / "results_version_2.jsonl")
    for line in lines:
        check(line, 2)
    found = load_results(HERE / "results_version_2.jsonl")
    assert found.header.schema == 2
    assert [result.variant for result in found.results] == ["memory", "csv"]
    assert (found.scalings, found.tunings) == ([], [])


def test_every_older_version_has_a_fixture() -> None:
    assert {int(path.stem.split("_")[2]) for path in HERE.glob("results_version_*.jsonl")} == set(
        range(1, SCHEMA_VERSION)
    )


def test_a_run_of_version_1_has_all_its_cases(written: Path) -> None:
    """Made with gidbench 0.5.0: `gidbench run --records 2000 --rounds 2`."""
    table = gidbench.results(HERE / "results_version_1_run.jsonl")
    assert len(table) == 8
    assert set(table["status"]) == {"ok"}
    assert set(table["rounds"]) == {2}
    assert set(table["processes"]) == {1}
    assert table["noise"].isna().all()


def test_a_table_has_a_row_a_case_with_units_in_its_names(written: Path) -> None:
    table = gidbench.results(written.parent)
    assert list(table["variant"]) == ["memory", "csv", "parquet", "database"]
    assert set(table["noise"]) <= {"quiet", "noisy", "unusable"}
    assert str(table["started_at"].dtype).endswith("UTC]")
    first, result = table.iloc[0], load_results(written).results[0]
    for each in fields(Result):
        if each.name != "kind":
            assert first[each.name] == getattr(result, each.name), each.name
    assert [len(rounds) for rounds in first["replicates_s"]] == [2, 2]
    assert (table["records"] / table["median_s"]).tolist() == pytest.approx(
        table["records_per_second"].tolist()
    )


def test_numbers_of_a_failed_case_are_missing() -> None:
    table = gidbench.results(HERE / "results_version_1.jsonl").set_index("operation")
    assert pd.isna(table.loc["sync", ["median_s", "records_per_second", "records_per_second_low"]]).all()
    assert table.loc["sync", "records"] == 10
    assert table.loc["generate", "median_s"] == pytest.approx(0.0737, abs=1e-3)


def test_several_files_and_a_folder_of_runs_make_one_table_oldest_first(
    written: Path, tmp_path: Path
) -> None:
    old = HERE / "results_version_1_run.jsonl"
    table = gidbench.results([written, old, old])
    assert len(table) == 4 + 8
    assert list(table["started_at"]) == sorted(table["started_at"])
    for name, source in (("b", written), ("a", old)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "results.jsonl").write_bytes(source.read_bytes())
    assert gidbench.results(tmp_path)["run_id"].tolist() == table["run_id"].tolist()


def test_a_history_is_read_but_a_runs_own_file_knows_more(written: Path, tmp_path: Path) -> None:
    run = load_results(written)
    history = tmp_path / "history.jsonl"
    with history.open("w") as file:
        for run_id in (run.header.run_id, "another"):
            for result in run.results:
                line = {
                    "schema": 1,
                    "kind": "case",
                    "run_id": run_id,
                    "started_at": run.header.started_at,
                    "commit": "abc",
                    "noise": "noisy",
                    "run": {"host": run.header.host, "database": run.header.database},
                    "result": {k: v for k, v in asdict(result).items() if k not in ("timeline", "kind")},
                }
                file.write(json.dumps(line) + "\n")
        file.write('{"kind": "case", "run_id": "to')
    alone = gidbench.results(history)
    assert len(alone) == 8
    assert set(alone["noise"]) == {"noisy"}
    assert alone["median_s"].tolist()[:4] == [result.median_s for result in run.results]
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "results.jsonl").write_bytes(written.read_bytes())
    both = gidbench.results(tmp_path)
    assert len(both) == 8
    own = both[both["run_id"] == run.header.run_id]
    assert all(timeline for timeline in own["timeline"])
    assert not any(both[both["run_id"] == "another"]["timeline"])


def test_where_there_is_nothing_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there are no results in"):
        gidbench.results(tmp_path)
    with pytest.raises(InputError, match="there is no result file"):
        gidbench.results(tmp_path / "none.jsonl")


def test_the_last_result_of_a_case_is_the_one_of_the_table(written: Path, tmp_path: Path) -> None:
    copy = tmp_path / "results.jsonl"
    copy.write_bytes(written.read_bytes())
    append(copy, Result("generate", "memory", "again", True, 2000, "failed", "it fell"))
    table = gidbench.results(copy)
    assert len(table) == 4
    assert table.set_index("variant").loc["memory", "error"] == "it fell"
