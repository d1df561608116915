"""`gidbench report`: made anew from files and folders, merged or refused, as a page or as Markdown."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from report_past import around, dated, make_history, make_past
from report_runs import HOSTILE, make_failed, make_hostile_run, make_result, make_run
from study_runs import make_scaling, make_tuning
from test_report_page import Outline

import gidbench
from gidbench import cli
from gidbench.bench.history import remember
from gidbench.bench.results import RunResults, append
from gidbench.bench.studies import scaling_line, tuning_line
from gidbench.errors import InputError
from gidbench.report.markdown import escaped, markdown_report
from gidbench.reporting import report_text, write_report


def write(run: RunResults, folder: Path) -> Path:
    folder.mkdir(parents=True)
    path = folder / "results.jsonl"
    for line in (run.header, *run.noise, *run.rounds, *run.results, *run.scalings, *run.tunings):
        append(path, line)
    return path


def command(*words: str | Path) -> int:
    try:
        cli.main([str(word) for word in words])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_a_page_is_made_anew(tmp_path: Path, capsys: Any) -> None:
    path = write(make_run(make_result(headline=True)), tmp_path / "run")
    target = tmp_path / "r.html"
    assert command("report", path, "-o", target) == 0
    assert "report: " in capsys.readouterr().out
    assert Outline(target.read_text("utf-8")).seen.count("Tier report") == 1
    assert command("report", tmp_path / "run") == 0
    assert (tmp_path / "run" / "report.html").read_text("utf-8") == target.read_text("utf-8")
    assert [each.name for each in tmp_path.iterdir() if each.name.endswith(".part")] == []


def test_markdown_to_a_file_and_to_standard_output(tmp_path: Path, capsys: Any) -> None:
    write(make_run(make_result(headline=True)), tmp_path / "run")
    assert command("report", tmp_path / "run", "--markdown", "-o", "-") == 0
    told = capsys.readouterr().out
    assert told.startswith("## gidbench tier report\n")
    assert command("report", tmp_path / "run", "--markdown") == 0
    assert (tmp_path / "run" / "report.md").read_text("utf-8") == told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nowhere"], "there is no result file"),
        (["empty"], "there are no results in"),
        (["run", "-o", "no/such/folder.html"], "does not exist"),
        (["run", "--history", "none.jsonl"], "there is no history"),
        (["run", "other"], "can't be one report: other machine: cpu"),
        ([], "Missing argument"),
    ],
)
def test_what_cannot_be_reported_is_one_sentence(
    tmp_path: Path, monkeypatch: Any, capsys: Any, words: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    write(make_run(make_result(headline=True)), tmp_path / "run")
    write(dated(make_run(make_result(headline=True)), 2, cpu="Another"), tmp_path / "other")
    assert command("report", *words) == 2
    error = capsys.readouterr().err
    assert told in error
    assert len(error.strip().splitlines()) == 1
    assert list(tmp_path.rglob("*.html")) == []


def test_runs_of_one_machine_are_merged_by_operation(tmp_path: Path) -> None:
    first = dated(
        make_run(
            make_result("generate", "memory", headline=True), make_result("generate", "old"), make_failed()
        ),
        1,
    )
    second = dated(make_run(make_result("generate", "memory", headline=True, walls_s=[1.0, 1.0, 1.0])), 2)
    study = replace(make_run(), tunings=[tuning_line(make_tuning(), "gidbench tune generate")])
    write(first, tmp_path / "a")
    write(second, tmp_path / "b")
    write(dated(study, 3), tmp_path / "c")
    page = report_text([tmp_path])
    seen = Outline(page).seen
    assert "Put together of 3 runs of this machine" in seen
    assert "generate of 2 March 2026 (run run02)" in seen
    assert "sync of 1 March 2026 (run run01)" in seen
    assert "settings of generate of 3 March 2026 (run run03)" in seen
    assert "generate as old" not in seen  # the newer run of an operation gives all its cases
    assert "1.00 M records/s" in seen
    assert "gidbench tune generate" in seen
    assert 'id="o1-tuning1"' in page
    assert "gidbench run" in seen


def test_files_of_studies_need_the_same_machine_only(tmp_path: Path) -> None:
    study = replace(
        make_run(database={"name": "no database"}, parameters={"records": 1, "seed": 99}),
        scalings=[scaling_line(make_scaling(), "")],
    )
    write(dated(make_run(make_result(headline=True)), 1), tmp_path / "a")
    write(dated(study, 2), tmp_path / "b")
    assert "Put together of 2 runs" in report_text([tmp_path / "a", tmp_path / "b"])
    write(dated(study, 3, cpu="Another"), tmp_path / "c")
    with pytest.raises(InputError, match="can't be one report: other machine"):
        report_text([tmp_path / "a", tmp_path / "c"])


@pytest.mark.parametrize("by", ["history", "folders"])
def test_what_was_before_is_found_beside_a_run(tmp_path: Path, by: str, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    runs = make_history()
    reports = tmp_path / "reports"
    for index, run in enumerate(runs):
        folder = reports / f"202603{index + 1:02}T050607Z"
        if by == "folders" or run is runs[-1]:
            write(run, folder)
        else:
            remember(run, reports / "history.jsonl")
    before = sorted(each.relative_to(reports) for each in reports.rglob("*"))
    path = gidbench.tier_report(folder)
    seen = Outline(path.read_text("utf-8")).seen
    assert "12 runs from 1 March 2026 to 12 March 2026" in seen
    assert "The previous run: 11 March 2026" in seen
    after = sorted(each.relative_to(reports) for each in reports.rglob("*"))
    assert [each for each in after if each not in before] == [path.relative_to(reports)]


def test_later_runs_are_not_before(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    runs = make_history(4)
    for index, run in enumerate(runs):
        write(run, tmp_path / "reports" / f"202603{index + 1:02}T050607Z")
    seen = Outline(report_text([tmp_path / "reports" / "20260302T050607Z"])).seen
    assert "Two runs from" in seen
    assert "The previous run: 1 March 2026" in seen
    assert "previous run" not in report_text([tmp_path / "reports" / "20260301T050607Z"])


def test_the_run_of_another_operation_is_not_the_previous_one(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    write(dated(make_run(make_result(headline=True, **around(2.0))), 1), tmp_path / "20260301")
    write(dated(make_run(make_result("sync", "initial", headline=True)), 2), tmp_path / "20260302")
    write(dated(make_run(make_result(headline=True, **around(2.0))), 3), tmp_path / "20260303")
    seen = Outline(report_text([tmp_path / "20260303"])).seen
    assert "The previous run: 1 March 2026" in seen


def test_markdown_has_all_in_few_words() -> None:
    runs = make_history()
    run = replace(
        runs[-1],
        scalings=[scaling_line(make_scaling(), "")],
        tunings=[tuning_line(make_tuning(), "")],
    )
    text = markdown_report(run, "gidbench run --records 1e6", make_past(runs))
    for wanted in (
        "**The operation measured meets the target of 200 K records/s",
        "| Dummy data generation |",
        "<details><summary>All cases</summary>",
        "### Against the previous run",
        "⚪ same",
        "**Generation, history:** 12 runs",
        "**Generation, growth:** memory, 10,000 to 10,000,000 records",
        "**Generation, settings:** Better than the defaults",
        "Set `ULTRA_PARALLEL_WORKERS=2",
        "```console\ngidbench run --records 1e6\n```",
    ):
        assert wanted in text, wanted
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1
    assert len(text) < 20_000


def test_markdown_escapes_what_data_brings() -> None:
    text = markdown_report(make_hostile_run(), f"gidbench {HOSTILE} ``` x")
    inside = re.sub(r"</?(?:details|summary)>", "", text)
    fenced = inside.index("````console")
    assert "<" not in inside[:fenced]
    assert inside[fenced:].count("````") == 2
    assert escaped("a|b\n`c` [d](e) <f> \\ *g*") == r"a\|b \`c\` \[d\](e) &lt;f&gt; \\ \*g\*"


def test_a_failed_operation_is_told_in_markdown() -> None:
    text = markdown_report(make_run(make_failed(headline=True)), "gidbench run")
    assert "| FAILED |" in text
    assert "the law broke" in text


def test_a_damaged_study_is_told(tmp_path: Path) -> None:
    line = scaling_line(make_scaling(), "")
    run = replace(make_run(make_result(headline=True)), scalings=[replace(line, growth=[{"variant": "x"}])])
    write(run, tmp_path / "run")
    with pytest.raises(InputError, match="a scaling line is damaged"):
        write_report([tmp_path / "run"])
    assert asdict(line)["kind"] == "scaling"
    assert not (tmp_path / "run" / "report.html").exists()


def test_the_command_is_that_of_the_run_and_says_how_the_password_is_given(tmp_path: Path) -> None:
    parameters = {
        "records": 5_000,
        "seed": 7,
        "peers": True,
        "cases": [],
        "database": "mssql+pyodbc://sa@db/people",
    }
    run = replace(
        make_run(make_result(headline=True), parameters=parameters),
        tunings=[tuning_line(make_tuning(), "gidbench tune generate")],
    )
    write(run, tmp_path / "run")
    seen = Outline(report_text([tmp_path / "run"])).seen
    assert "--peers --database mssql+pyodbc://sa@db/people # The password is not in the command" in seen
    assert seen.count("gidbench tune generate") == 1
    assert "cases" not in seen.split("Parameters")[-1].split("Repeat it")[0]  # none were chosen
