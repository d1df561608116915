"""Two runs: what may be compared, what is told, and what is withheld."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_runs import STEADY, result, run, times

from gidbench.bench.comparing import compare_runs, pooled
from gidbench.bench.comparison_texts import change, markdown, row, summary
from gidbench.bench.results import load_results

OLD = Path(__file__).parent / "results_version_1.jsonl"


def test_each_case_gets_its_verdict_and_what_one_run_lacks_is_told() -> None:
    before = run(
        result(),
        result(variant="csv"),
        result(variant="parquet"),
        result(operation="sync", variant="initial"),
    )
    after = run(
        result(times(1.2)), result(times(0.8), variant="csv"), result(None, variant="parquet"), run_id="b"
    )
    found = {case.name: case for case in compare_runs(before, after).cases}
    assert {name: case.verdict for name, case in found.items()} == {
        "generate memory": "worse",
        "generate csv": "better",
        "generate parquet": "not measured",
        "sync initial": "not measured",
    }
    assert found["generate parquet"].marks == ("failed in B: it broke",)
    assert found["sync initial"].marks == ("B does not have it",)
    assert summary(compare_runs(before, after)) == "1 worse, 1 better, 2 not measured"


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"host": {"cpu": "another"}}, "other machine: cpu AMD EPYC in A, another in B"),
        ({"host": {"memory_bytes": 8_000_000_000}}, "other machine: memory bytes"),
        ({"parameters": {"seed": 8}}, "other data: seed 7 in A, 8 in B"),
        ({"database": "mssql://host/db"}, "other database: embedded in A, mssql://host/db in B"),
    ],
)
def test_other_machines_data_and_databases_get_no_verdict_unless_wanted(other: dict, why: str) -> None:
    case = {"operation": "sync", "variant": "initial"}
    before, after = run(result(**case)), run(result(times(1.5), **case), run_id="b", **other)
    [withheld] = compare_runs(before, after).cases
    assert (withheld.verdict, withheld.judgement.withheld) == ("inconclusive", True)
    assert withheld.judgement.ratio == pytest.approx(1.5)
    assert why in withheld.judgement.why
    assert any(why in mark for mark in compare_runs(before, after).marks)
    [given] = compare_runs(before, after, anyway=True).cases
    assert given.verdict == "worse"


def test_another_database_does_not_matter_to_what_uses_none() -> None:
    found = compare_runs(run(), run(result(times(1.5)), run_id="b", database="mssql://host/db"))
    assert found.cases[0].verdict == "worse"


@pytest.mark.parametrize("other", [{"records": 500_000}, {"value": "another"}])
def test_other_records_or_output_get_no_verdict(other: dict) -> None:
    [case] = compare_runs(run(), run(result(times(1.5), **other), run_id="b")).cases
    assert case.judgement.withheld
    assert "other" in case.judgement.why


def test_versions_and_settings_are_marked_but_compared() -> None:
    after = run(
        result(times(1.5)),
        run_id="b",
        host={"gidbench": "0.6.0", "packages": {"numpy": "3.0"}, "memory_bytes": 25_100_000_000},
        parameters={"workers": 4},
    )
    found = compare_runs(run(), after)
    assert found.cases[0].verdict == "worse"
    assert found.marks == (
        "gidbench 0.5.0 in A, 0.6.0 in B",
        "numpy 2.4.6 in A, 3.0 in B",
        "workers 2 in A, 4 in B",
    )


def test_a_run_with_itself_is_told_and_the_same() -> None:
    found = compare_runs(run(), run())
    assert found.marks[0] == "both are the same run"
    assert found.cases[0].judgement.same


def test_noise_is_told_and_a_machine_too_busy_gives_no_verdict() -> None:
    before = run(calibration_s=1.0)
    noisy = run(result(times(1.5)), run_id="b", calibration_s=1.0, noise="noisy")
    assert compare_runs(before, noisy).cases[0].marks == ("B was noisy",)
    assert compare_runs(before, noisy).cases[0].verdict == "worse"
    unusable = run(result(times(1.5)), run_id="b", calibration_s=1.0, noise="unusable")
    [case] = compare_runs(before, unusable).cases
    assert (case.verdict, case.judgement.withheld) == ("inconclusive", True)
    assert compare_runs(before, unusable, anyway=True).cases[0].verdict == "worse"


def test_a_machine_that_slowed_down_itself_explains_the_difference() -> None:
    before = run(calibration_s=1.0)
    [same] = compare_runs(before, run(result(times(1.2)), run_id="b", calibration_s=1.2)).cases
    assert same.verdict == "inconclusive"
    assert "the machine itself was 20 % slower in B: the interval is wider" in same.marks
    [slower] = compare_runs(before, run(result(times(1.2)), run_id="b", calibration_s=1.0)).cases
    assert slower.verdict == "worse"


def test_old_files_have_one_process_and_are_compared_as_such() -> None:
    old = load_results(OLD)
    found = compare_runs(old, old)
    assert found.cases
    assert all("one process a side" in case.judgement.why for case in found.cases if case.judgement)


def test_runs_are_taken_together_where_they_are_alike() -> None:
    runs = [
        run(run_id="a"),
        run(run_id="b", host={"cpu": "another"}),
        run(result(None), run_id="c"),
        run(result(times(1.01)), result(variant="csv"), run_id="d"),
    ]
    found = pooled(runs)
    assert found.header.run_id == "d"
    together = {each.variant: each for each in found.results}
    assert together["memory"].processes == 6
    assert together["memory"].replicates_s == [*STEADY, *times(1.01)]
    assert together["csv"].processes == 3
    other = pooled([run(run_id="a"), run(result(value="another"), run_id="b")])
    assert other.results[0].processes == 3


def test_markdown_has_a_row_a_case_and_nothing_ends_its_table() -> None:
    before = run(result(), result(None, variant="csv"), result(variant="x|y<b>"))
    after = run(
        result(times(1.2)), result(variant="csv"), result(variant="x|y<b>"), run_id="b", commit="bbbbbbbb"
    )
    text = markdown(compare_runs(before, after), "main", "a branch")
    lines = [line for line in text.splitlines() if line.startswith("| ") and "gidbench" not in line]
    assert len(lines) == 4
    assert "**worse**" in lines[1]
    assert "+20 %" in lines[1]
    assert "failed in A: it broke" in lines[2]
    assert r"x\|y&lt;b>" in lines[3]
    assert "commit `bbbbbbbb`" in text
    assert row(compare_runs(before, after).cases[2])[5] == "same"


@pytest.mark.parametrize(
    ("ratio", "text"), [(1.05, "+5.0 %"), (0.95, "−5.0 %"), (1.5, "+50 %"), (3.25, "3.25 x"), (1.0, "+0.0 %")]
)
def test_changes_are_told_in_per_cent_or_times(ratio: float, text: str) -> None:
    assert change(ratio) == text
