"""What notebooks show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gidbench import Progress
from gidbench.bench.results import Noise, Result
from gidbench.bench.summary import answer, how, noise_of, rounds_of
from gidbench.findings import Check
from gidbench.operations import GenerationResult
from gidbench.widgets import markup, progress, tables

GOOD = Result(
    "generate",
    "memory",
    "employees to memory",
    True,
    1_000_000,
    "ok",
    rounds=5,
    median_s=0.9,
    low_s=0.8,
    high_s=1.1,
    records_per_second=1_111_111.0,
    records_per_second_low=909_090.0,
    records_per_second_high=1_250_000.0,
    target_met=True,
    tier="VERY HIGH",
    tier_reached="ULTRA",
    borderline=True,
)
BAD = Result("sync", "initial", "a <b>", True, 10, "failed", "the rows differ <script>. Report it.")


def test_a_table_has_a_row_a_case_and_shows_strings_as_text() -> None:
    page = tables.results_html([GOOD, BAD])
    assert page.count("<tr>") == 3
    assert "1.11\N{NO-BREAK SPACE}M/s" in page
    assert "VERY HIGH (borderline ULTRA)" in page
    assert "<script>" not in page
    assert "the rows differ &lt;script&gt;" in page


def test_the_answer_says_rate_tier_borderline_and_target() -> None:
    words = answer([GOOD])
    assert "900 ms for 1,000,000 records: 1.11 M/s, tier VERY HIGH." in words
    assert "The median lies in ULTRA" in words
    assert "is kept" in words
    assert "Nothing could be measured" in answer([BAD])


def measured(*replicates: list[float], why: str = "asked", variant: str = "memory") -> Result:
    rounds = sum(map(len, replicates))
    return replace(
        GOOD,
        variant=variant,
        processes=len(replicates),
        rounds=rounds,
        replicates_s=list(replicates),
        stopped_because=why,
    )


def test_processes_and_rounds_are_told_with_why_there_were_no_more() -> None:
    even, uneven = measured([1.0, 1.0], [1.0, 1.0]), measured([1.0, 1.0], [1.0], why="budget", variant="csv")
    assert rounds_of(even) == "2 × 2"
    assert rounds_of(uneven) == "2 processes, 3 rounds"
    assert rounds_of(GOOD) == "1 × 5"  # of a file of version 1
    assert rounds_of(BAD) == "–"
    assert how([even, replace(even, variant="csv"), BAD]) == ["generate: 2 × 2, as asked"]
    assert how([even, uneven]) == [
        "generate: memory 2 × 2, as asked; csv 2 processes, 3 rounds, time budget over"
    ]
    page = tables.results_html([even, BAD])
    assert '<td style="text-align:left">2 × 2</td><td style="text-align:left">as asked</td>' in page


def test_the_worst_noise_of_an_operation_is_told_with_its_reasons() -> None:
    noise = [
        Noise("generate", "start", "quiet", [], 0.03, {}),
        Noise("generate", "middle", "noisy", ["others <worked>: end them"], 0.03, {}),
        Noise("sync", "start", "quiet", [], 0.03, {}),
    ]
    assert noise_of(noise) == [
        "generate: the machine was noisy at the middle: others <worked>: end them.",
        "sync: the machine was quiet.",
    ]
    page = tables.results_html([GOOD], noise)
    assert "Noise of generate: the machine was noisy at the middle: others &lt;worked&gt;: end them." in page
    assert "small differences mean nothing" in answer([GOOD], noise[:2])
    unusable = [replace(noise[1], verdict="unusable")]
    assert "do not rely on these numbers" in answer([GOOD], unusable)
    assert "The machine was" not in answer([GOOD], noise[2:])


class _Handle:
    """What a notebook gives to replace an output by."""

    def __init__(self) -> None:
        self.pages: list[str] = []

    def update(self, shown: Any) -> None:
        self.pages.append(shown.data)


def test_the_bar_follows_the_progress_in_one_place_and_is_gone_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times = iter([10.0, 10.1, 10.3, 10.35])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(times))
    handle = _Handle()
    bar = progress._Bar(handle)
    bar(Progress("round <1>", 3, 4))
    bar(Progress("round 2", 3, 4))  # too soon to be seen
    bar(Progress("starting", 0, 1))
    bar(Progress("done", 1, 1, last=True))
    first, second, last = handle.pages
    assert 'value="0.750"' in first
    assert "round &lt;1&gt;" in first
    assert "value=" not in second  # it is not known how far that is
    assert last == ""
    assert "widget" not in "".join(handle.pages)


def test_the_bar_of_a_cell_that_failed_is_gone_too() -> None:
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    shell = InteractiveShell()
    handle = _Handle()
    progress._end_with_the_cell(progress._Bar(handle), shell.events)
    with capture_output():
        shell.run_cell("1 / 0")
        shell.run_cell("2")
    assert handle.pages == [""]


@pytest.mark.parametrize("name", ["GIDBENCH_PROGRESS_FILE", "GIDBENCH_HEADLESS"])
def test_in_a_batch_there_is_no_bar(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "somewhere")
    assert progress.bar() is None


def test_no_folder_of_this_machine_and_no_password_is_shown() -> None:
    page = markup.table_html(
        ("what", "found", "nothing"),
        [
            ("drivers", "FreeTDS (/usr/lib/x86_64/odbc/libtdsodbc.so); C:\\Users\\me\\x.dll", ""),
            (
                "database",
                "duckdb:////home/me/data/people.duckdb, mssql+pyodbc://sa:secret@db.example/people",
                "",
            ),
            ("ratio", "12.5 M/s <b>", ""),
        ],
        numeric=("found",),
    )
    assert "FreeTDS (libtdsodbc.so); x.dll" in page
    assert "duckdb:///people.duckdb, mssql+pyodbc://sa:***@db.example/people" in page
    assert "home" not in page
    assert "12.5\N{NO-BREAK SPACE}M/s &lt;b&gt;" in page
    assert "nothing" not in page  # a column in which nothing stands


def test_a_link_leads_from_the_notebook_wherever_its_kernel_works(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    report = Path("reports") / "a run" / "report.html"
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.delenv("GIDBENCH_NOTEBOOKS", raising=False)
    assert markup.link_from_here(report) == "reports/a%20run/report.html"
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "one.ipynb").touch()
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "below" / "one.ipynb"))
    assert markup.link_from_here(report) == "../reports/a%20run/report.html"
    monkeypatch.setenv(
        "JPY_SESSION_NAME", str(tmp_path / "one.ipynb")
    )  # where the kernel works, so the server thinks
    assert markup.link_from_here(report) == "reports/a%20run/report.html"
    monkeypatch.setenv("GIDBENCH_NOTEBOOKS", str(tmp_path / "below"))
    assert markup.link_from_here(report) == "../reports/a%20run/report.html"


def test_sentences_are_text_but_for_code() -> None:
    assert markup.said("a_b *c* <d> `e_f` [g]", "", "two").data == (
        r"a\_b \*c\* &lt;d> `e_f` \[g\]" + "\n\ntwo"
    )


CHECKS = [
    Check("Python", "good", "CPython 3.13 at /home/me/bin/python"),
    Check("cores", "good", "2 usable"),
    Check("memory", "note", "1 GiB free", "Close programs"),
    Check("ODBC drivers", "bad", "none", "Install one"),
]


def test_checks_are_told_with_what_to_do_and_in_short_only_what_matters() -> None:
    page = tables.checks(CHECKS).data
    assert "CPython 3.13</td>" in page
    assert page.count("<tr>") == 5
    assert "1 of 4 checks found something that must be mended: ODBC drivers." in page
    short = tables.checks(CHECKS[:3], short=True).data
    assert short.count("<tr>") == 3
    assert "This machine is ready; 1 of 3 checks found what could be better." in short
    assert "All 2 checks passed: this machine is ready." in tables.checks(CHECKS[:2]).data


def test_where_nothing_is_measured_yet_there_is_a_sentence(tmp_path: Path) -> None:
    for shown in (tables.report(), tables.answers(), tables.report(tmp_path), tables.answers(tmp_path)):
        assert "Nothing is measured yet" in shown.data


def test_a_result_displays_as_a_table_in_jupyter() -> None:
    page = GenerationResult("generate", 10, 2.0, {"generate": 2.0}, destination="<memory>")._repr_html_()
    assert page.startswith("<table>")
    assert "&lt;memory&gt;" in page
    assert "5.00 /s (STANDARD)" in page
