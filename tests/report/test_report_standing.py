"""Peers, bounds and bottlenecks in the report: ratios, their intervals, words; older files have none of them."""

from __future__ import annotations

import re

import pytest
from report_runs import HOSTILE, Maker

from gidbench.bench.results import Noise, Result, RunResults
from gidbench.report import figures
from gidbench.report.page import render
from gidbench.report.standing import bottleneck_views, limit_views, peer_views, peers_words
from gidbench.report.view import build_view


def peer(result: Maker, name: str, walls: list[float], against: str = "memory", **given: object) -> Result:
    made: Result = result("generate", f"peer {name}", walls_s=walls, peer=name, against=against, **given)
    return made


@pytest.fixture
def results(result: Maker) -> list[Result]:
    """Ours in 1 s per million; a peer that is slower, one that is faster, one alike, a slow one on fewer, a missing."""
    limits = [{"name": "disk write", "title": "the disk", "unit": "bytes/s", "value": 2**30, "share": 1.4},
              {"name": "own insert", "title": "own", "unit": "records/s", "value": 2e6, "share": 0.5}]  # fmt: skip
    held = {"name": "cpu", "words": "The CPU: 1.9 of 2 cores."}
    return [
        result("generate", "memory", headline=True, walls_s=[0.9, 1.0, 1.1], limits=limits, bottleneck=held),
        peer(result, "slowish", [4.0, 5.0, 6.0]),
        peer(result, "quick", [0.4, 0.5, 0.6]),
        peer(result, "alike", [0.8, 1.05, 1.3]),
        peer(result, "snail", [9.0, 10.0, 11.0], records=10_000),
        Result(
            "generate",
            "peer gone",
            "g",
            False,
            1,
            "skipped",
            "it is not installed",
            peer="gone",
            against="memory",
        ),
        Result("generate", "peer bad", "b", False, 1, "failed", "wrong rows", peer="bad", against="memory"),
    ]


def test_ratios_are_of_rates_with_the_widest_interval(results: list[Result]) -> None:
    views = {view.name: view for view in peer_views(results)}
    assert list(views) == ["quick", "alike", "slowish", "snail", "gone", "bad"]
    slowish = views["slowish"]
    assert (slowish.ratio, slowish.times) == (pytest.approx(5.0), "5×")
    assert slowish.low == pytest.approx((1 / 1.1) / (1 / 4.0))
    assert slowish.high == pytest.approx((1 / 0.9) / (1 / 6.0))
    assert (views["snail"].records, views["slowish"].records) == ("10,000", "")
    assert views["snail"].ratio == pytest.approx(1000.0)
    assert views["gone"].why == "takes no part: it is not installed"
    assert (views["bad"].why, views["bad"].times) == ("failed: wrong rows", "–")


def test_words_say_who_is_slower_and_who_is_not_sure(results: list[Result]) -> None:
    assert peers_words(peer_views(results)) == (
        "Faster than two of four peers, slower than quick; not sure: alike. From 0.5× the rate of quick to 1,000×"
        " that of snail. On fewer records, as they are slow: snail (10,000)."
    )
    assert peers_words(peer_views(results[5:])) == "No peer could be held against a case of ours."
    assert peers_words(peer_views(results[:2])) == "Faster than one of one peers: 5× the rate of slowish."


def test_limits_and_bottlenecks_are_shown(results: list[Result]) -> None:
    disk, own = limit_views(results)
    assert (disk.value, disk.share, disk.width) == ("1.00 GiB/s", "140 %", 100.0)
    assert (own.value, own.share, own.width) == ("2.00 M/s", "50 %", 50.0)
    [held] = bottleneck_views(results)
    assert (held.variant, held.words) == ("memory", "The CPU: 1.9 of 2 cores.")


def test_the_page_has_peers_limits_and_what_holds_it_back(results: list[Result], run: Maker) -> None:
    noise = Noise("generate", "end", "noisy", ["others used 30 %"], 0.1, {})
    made = run(*results)
    page = render(RunResults(made.header, made.rounds, made.results, [noise]), "gidbench run --peers")
    assert page.count('id="o1-peers"') == 1
    assert "generate against" not in page
    assert "memory against slowish: 5× as fast" in page  # the figure's text alternative
    assert "The CPU:" in page
    assert "takes no part: it is not installed" in page
    assert "width: 100.0%" in page
    assert "Generate: the machine was noisy at the end: others used 30" in page
    view = build_view(made, "").operations[0]
    assert [case.variant for case in view.cases] == ["memory"]
    assert [case.variant for case in view.every] == [
        "memory", "peer slowish", "peer quick", "peer alike", "peer snail", "peer bad",
    ]  # fmt: skip
    assert view.agreement == ""  # peers make people of their own


def test_the_figure_has_a_bar_for_each_measured_peer(results: list[Result], run: Maker) -> None:
    operation = build_view(run(*results), "").operations[0]
    drawing = figures.draw_peers(operation)
    assert drawing is not None
    for source in (drawing.wide, drawing.narrow):
        words = re.findall(r"<text[^>]*>([^<]*)</text>", source)
        assert {"quick", "alike", "slowish", "snail", "5×", "0.5×", "1,000×"} <= set(words)
        assert "gone" not in words
        assert "var(--blue" in source
        assert "var(--vermillion" in source


def test_older_files_have_none_of_it(result: Maker, run: Maker) -> None:
    made = run(result("generate", "memory", headline=True), result("generate", "csv"))
    page = render(made, "gidbench run")
    assert "Peers" not in page
    assert "What holds it back" not in page
    assert 'class="share"' not in page
    operation = build_view(made, "").operations[0]
    assert figures.draw_peers(operation) is None
    assert (operation.peers, operation.limits, operation.bottlenecks) == ((), (), ())
    assert operation.cases[0].how_many == "1 × 3"
    assert operation.cases[0].stopped == "–"


def test_rounds_say_how_many_processes_and_why_no_more(result: Maker, run: Maker) -> None:
    made = result("generate", "memory", headline=True, processes=3, stopped_because="precise",
                  replicates_s=[[1.9], [2.0], [2.1]])  # fmt: skip
    case = build_view(run(made), "").operations[0].cases[0]
    assert case.how_many == "3 × 1"
    assert case.stopped not in ("", "–")


def test_what_data_brings_is_no_markup(result: Maker, run: Maker) -> None:
    limits = [{"name": HOSTILE, "title": HOSTILE, "unit": HOSTILE, "value": HOSTILE, "share": "x"},
              {"share": float(-1), "value": 1e9}]  # fmt: skip
    evil = result(
        "generate", "memory", headline=True, limits=limits, bottleneck={"name": HOSTILE, "words": HOSTILE}
    )
    page = render(run(evil, peer(result, HOSTILE, [3.0, 3.1, 3.2])), "")
    assert HOSTILE not in page
    assert page.count("<script>") == page.count("</script>") - 1 == 1
