"""What notebooks show."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gidbench import Progress
from gidbench.bench.results import Noise, Result
from gidbench.bench.summary import answer, how, noise_of, rounds_of
from gidbench.operations import GenerationResult
from gidbench.widgets import progress, tables

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
    assert "1.11 M/s" in page
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


def test_the_bar_follows_the_progress_and_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    bar = progress.bar()
    assert isinstance(bar, progress._Bar)
    bar(Progress("round 1", 3, 4))
    assert (bar._gauge.value, bar._label.value) == (0.75, "round 1")
    bar(Progress("done", 1, 1, last=True))
    assert bar._box.comm is None


def test_in_a_batch_there_is_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIDBENCH_PROGRESS_FILE", "somewhere")
    assert progress.bar() is None


def test_a_result_displays_as_a_table_in_jupyter() -> None:
    page = GenerationResult("generate", 10, 2.0, {"generate": 2.0}, destination="<memory>")._repr_html_()
    assert page.startswith("<table>")
    assert "&lt;memory&gt;" in page
    assert "5.00 /s (STANDARD)" in page
