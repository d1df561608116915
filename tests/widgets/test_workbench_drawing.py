"""Samples to a chart and numbers, results to cards and tables: text in, text out."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import made_runs
import pytest
from fake_measure import SAMPLE

from gidbench.bench.comparing import compare_runs
from gidbench.bench.request import Request
from gidbench.bench.results import Noise, Result, Round, append
from gidbench.bench.watching import Sample
from gidbench.engine import Progress
from gidbench.widgets import cards, live_chart, live_numbers, session_runs
from gidbench.widgets.live_history import SPAN_S, History
from gidbench.widgets.results_panel import exported_html, message, sentence_of

HOSTILE = "<script>alert(1)</script>"


def parsed(text: str) -> ElementTree.Element:
    """Well-formed, so that nothing of it can run over into what stands beside it."""
    return ElementTree.fromstring(f"<div>{text.replace('aria-sort=ascending', '')}</div>")


def filled(count: int, cores: int = 2) -> History:
    history = History()
    for index in range(count):
        rate = None if index % 10 == 3 else 1e6 + index * 1e4
        history.add(
            replace(SAMPLE, t_s=index / 4, records_per_s=rate, cpu_percent=tuple(range(10, 10 + cores)))
        )
    return history


def test_the_history_forgets_what_is_older_than_a_minute() -> None:
    history = filled(1000)
    times = [ago for ago, _ in history.series(lambda sample: sample.t_s)]
    assert times[-1] == 0
    assert -SPAN_S <= times[0] < -SPAN_S + 0.5


@pytest.mark.parametrize(
    ("rate", "top"), [(3e2, "10 M"), (1.2e6, "10 M"), (9.9e6, "100 M"), (2.5e7, "100 M")]
)
def test_the_axis_of_rates_holds_the_tiers_the_target_and_the_rate(rate: float, top: str) -> None:
    history = History()
    history.add(replace(SAMPLE, records_per_s=rate))
    drawn = live_chart.chart(history)
    assert f">{top}, logarithmic<" in drawn
    for mark in ("ULTRA 1 M", "VERY HIGH 500 K", "HIGH 100 K", "target 200 K"):
        assert mark in drawn
    shares = [float(each.split("%")[0]) for each in drawn.split("bottom:")[1:5]]
    assert all(0 < share < 100 for share in shares)
    assert shares == sorted(shares[:3], reverse=True) + shares[3:]


@pytest.mark.parametrize("cores", [0, 1, 2, 4, 64])
def test_the_chart_is_well_formed_for_any_number_of_cores(cores: int) -> None:
    tree = parsed(live_chart.chart(filled(241, cores)))
    assert len(list(tree.iter("svg"))) == 3
    assert all("nan" not in path.get("d", "") for path in tree.iter("path"))


def test_the_chart_moves_to_the_left_and_has_gaps_where_nothing_is_known() -> None:
    drawn = live_chart.chart(filled(20))
    line = next(path for path in parsed(drawn).iter("path") if path.get("class") == "gb-line").get("d", "")
    assert line.count("M") == 3  # two gaps
    assert line.split()[-2].endswith("600") or line.split()[-2] == "600"
    assert "now 1.19 M/s, between 1.00 M/s and 1.19 M/s" in drawn


def test_a_chart_of_nothing_says_so() -> None:
    assert "nothing yet" in live_chart.chart(History())


def test_the_numbers_are_those_of_the_sample() -> None:
    told = live_numbers.tiles(SAMPLE, {})
    for words in ("1.23 M", "12.3 M", "98.8", "97 · 12 %", "512 MiB", ">7<", "3 <small>of 20</small>", ">0<"):
        assert words in told, words
    bar = live_numbers.bar(SAMPLE)
    for words in ("generate csv, process 2, round 3", "29 %", "about 31 s left", 'aria-valuenow="29"'):
        assert words in bar, words
    parsed(told + bar)


def test_what_is_not_known_has_a_dash_and_one_sentence() -> None:
    nothing = Sample()
    told = live_numbers.tiles(nothing, dict.fromkeys(("queries", "pool_in_use"), "DuckDB does not tell"))
    assert told.count("DuckDB does not tell") == 1
    assert "None" not in told
    assert "gb-unknown" in live_numbers.bar(nothing)
    assert "looking at the machine" in live_numbers.bar(nothing, Progress("looking at the machine", 0, 1))


def test_it_is_said_aloud_seldom() -> None:
    announcer = live_numbers.Announcer()
    said = [announcer.words(replace(SAMPLE, t_s=tick / 4)) for tick in range(4 * 60)]
    spoken = [words for words in said if words]
    assert len(spoken) == 4
    assert spoken[0] == "Measuring: 29 % done, generate csv, about 31 s left."


def hostile_result() -> Result:
    return replace(
        made_runs.result(variant=HOSTILE),
        title=HOSTILE,
        tier="ULTRA",
        tier_reached="ULTRA",
        records_per_second_low=9e5,
        records_per_second_high=1.1e6,
        phases_s={HOSTILE: 0.4, "commit": 0.3},
        limits=[{"name": "x", "title": HOSTILE, "unit": "records/s", "value": 4e6, "share": 0.25}],
        bottleneck={"name": "cpu", "words": HOSTILE},
    )


def test_a_card_says_tier_interval_target_limit_bottleneck_and_phases() -> None:
    told = cards.first_card(
        [replace(hostile_result(), target_met=True)], [Noise("generate", "end", "noisy", [HOSTILE], 0.1, {})]
    )
    for words in (
        "ULTRA",
        "900 K/s to 1.10 M/s",
        "✓ met",
        "25 %",
        "&lt;script&gt;",
        "40 %",
        "Noisy machine",
        "commit",
    ):
        assert words in told, words
    assert "<script" not in told
    parsed(told)


def test_a_failed_case_and_a_single_round_are_told() -> None:
    failed = replace(made_runs.result(None), error=HOSTILE)
    told = cards.first_card([failed])
    assert "failed" in told
    assert "&lt;script&gt;" in told
    assert "(3 × 3 rounds)" in cards.first_card([made_runs.result()])
    uneven = cards.first_card([made_runs.result([[1.0, 1.1], [1.0], [1.0]])])
    assert "3 processes, 4 rounds" in uneven
    assert "rounds rounds" not in uneven
    assert "there is none" in cards.first_card([made_runs.result([[1.0]])])


def test_the_headline_stands_first_and_peers_are_held_against_ours() -> None:
    ours = [replace(made_runs.result(variant="csv"), headline=False), made_runs.result()]
    peer = replace(
        made_runs.result(made_runs.times(4.0), variant="peer x"),
        headline=False,
        peer=HOSTILE,
        against="memory",
    )
    assert "generate memory" in cards.first_card([*ours, peer])
    others = cards.other_cards([*ours, peer])
    assert "generate csv" in others
    assert "generate memory" not in others
    assert "&lt;script&gt;" in others
    assert "4×" in others
    assert cards.other_cards(ours[1:]) == ""
    parsed(others)


def session_run(
    number: int, factor: float = 1.0, folder: Path = Path("reports/x"), **asked: object
) -> session_runs.SessionRun:
    request = Request(("generate",), database=HOSTILE, **asked)  # type: ignore[arg-type]
    result = replace(made_runs.result(made_runs.times(factor)), tier="ULTRA")
    return session_runs.SessionRun(
        number, "12:00:00", request, (result,), (), folder, request.batch_size or 50_000, 2
    )


def test_the_table_of_runs_is_sorted_by_any_column() -> None:
    runs = [session_run(1, 2.0), session_run(2, 1.0, batch_size=10_000), session_run(3, 4.0)]

    def order(by: str, *, ascending: bool) -> list[str]:
        tree = parsed(
            session_runs.runs_table(runs, by, ascending=ascending).replace("=descending", '="descending"')
        )
        return [str(row.find("th").text) for row in tree.find(".//tbody") or []]  # type: ignore[union-attr]

    assert order("run", ascending=False) == ["3", "2", "1"]
    assert order("median", ascending=True) == ["2", "1", "3"]
    assert order("records/s", ascending=False) == ["2", "1", "3"]
    assert order("batch size", ascending=True)[0] == "2"
    assert "<script" not in session_runs.runs_table(runs)
    for name in session_runs.SORTS:
        session_runs.runs_table(runs, name)


def test_a_comparison_says_better_worse_or_inconclusive_in_words() -> None:
    before = made_runs.run(
        made_runs.result(), made_runs.result(variant="csv"), made_runs.result(variant="parquet")
    )
    after = made_runs.run(
        made_runs.result(made_runs.times(2.0)),
        made_runs.result(made_runs.times(0.5), variant="csv"),
        made_runs.result(variant="parquet"),
        run_id="b",
    )
    told = session_runs.comparison_html(compare_runs(before, after), HOSTILE, "after")
    for words in (" worse<", " better<", " same<", "&lt;script&gt;"):
        assert words in told, words
    assert "<script" not in told


def test_what_a_stopped_run_has_kept_is_told(tmp_path: Path) -> None:
    assert session_runs.kept(tmp_path) == ""
    made_runs.write(tmp_path, made_runs.run())
    assert session_runs.kept(tmp_path) == ""
    for index in (0, 1, 2):
        done = Round("generate", "csv", index, index == 0, 1.0, 1.0, 1, None, None, {})
        append(tmp_path / "results.jsonl", done)
    assert "2 verified rounds (2 of csv) are kept in" in session_runs.kept(tmp_path)


def test_result_files_are_offered_newest_first(tmp_path: Path) -> None:
    for name in ("20260101T000000Z", "20260301T000000Z", "20260201T000000Z"):
        made_runs.write(tmp_path / name, made_runs.run())
    found = session_runs.result_files(tmp_path, [tmp_path / "20260201T000000Z"])
    assert [folder.name for _, folder in found] == ["20260301T000000Z", "20260101T000000Z"]


def test_a_report_is_linked_where_it_can_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "reports" / "report.html"
    path.parent.mkdir()
    path.write_text("<p>report</p>")
    told = exported_html(path)
    assert "<code>reports/report.html</code>" in told
    assert 'download="report.html"' in told
    monkeypatch.setenv("JPY_PARENT_PID", "123")
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "jpserver-123.json").write_text(f'{{"root_dir": "{tmp_path}", "base_url": "/base/"}}')
    assert 'href="/base/files/reports/report.html"' in exported_html(path)


def test_errors_are_sentences_without_passwords() -> None:
    assert sentence_of(KeyError("x")).startswith("Something went wrong that nobody foresaw (KeyError).")
    told = message("problem", f"mssql://sa:s3cret@h {HOSTILE}")
    assert "s3cret" not in told
    assert "<script" not in told
