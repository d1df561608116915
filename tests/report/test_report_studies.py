"""Growth, workers, settings, the previous run and history in the page; absent where nothing is known."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from report_past import around, dated, make_history, make_past
from report_runs import HOSTILE, Maker, make_full_run, make_hostile_run, make_result, make_run
from study_runs import make_scaling, make_tuning
from test_report_page import Outline, embedded

from gidbench.bench.comparing import compare_runs
from gidbench.bench.results import RunResults
from gidbench.bench.studies import scaling_line, tuning_line
from gidbench.bench.tuning_space import Point
from gidbench.report import more_figures
from gidbench.report.inline import Drawing
from gidbench.report.page import LIMIT_BYTES, render
from gidbench.report.past import NOTHING, Past, comparison_view, previous_view, trend_view
from gidbench.report.study import study_view
from gidbench.report.tuning_figure import ink_on
from gidbench.report.view import build_view


def studied(run: RunResults) -> RunResults:
    return replace(
        run,
        scalings=[scaling_line(make_scaling(), "gidbench bench generate --scale 1e4..1e8")],
        tunings=[tuning_line(make_tuning(), "gidbench tune generate")],
    )


@pytest.fixture(scope="module")
def whole() -> RunResults:
    """The last of twelve runs, with studies."""
    return studied(make_history()[-1])


@pytest.fixture(scope="module")
def page(whole: RunResults) -> str:
    return render(whole, "gidbench run\ngidbench tune generate", make_past(make_history()))


def drawings(run: RunResults, past: Past) -> list[Drawing]:
    operation = build_view(run, "", past).operations[0]
    found = [
        more_figures.scaling("a", "t", operation.study.scalings[0].result),
        more_figures.efficiency("b", "t", operation.study.scalings[0].result),
        more_figures.surface("c", "t", operation.study.tunings[0].result),
        more_figures.comparison("d", "t", operation.comparison),
        more_figures.history("e", "t", operation.trend),
    ]
    return [drawing for drawing in found if drawing is not None]


def test_each_figure_is_there_with_its_sentence(page: str) -> None:
    seen = Outline(page).seen
    for wanted in (
        "memory, 10,000 to 10,000,000 records: time grows in proportion to the records (exponent 1.00, 95 % interval",
        "to csv: memory grows as records ^",
        "it was killed",
        "2 workers are 1.80 times as fast as one on 1,000,000 records (95 % interval 1.70 – 1.90)",
        "each does 90 % of what one does alone",
        "Better than the defaults: workers 2, batch size 10,000 has 1.30 x the defaults' speed",
        "Set ULTRA_PARALLEL_WORKERS=2 ULTRA_BATCH_SIZE=10000",
        "5 of 6 choices of workers and batch size were tried in 40 trials, 12.0 s in all.",
        "1 of 6 choices were not tried: no time was left.",
        "12 runs from 1 March 2026 to 12 March 2026",
        "From 8 March 2026, 05:06 UTC, commit 000000000007 on it is slower: +30 % time.",
        "Against the previous run",
        "The previous run: 11 March 2026, 05:06 UTC, Test CPU, commit 00000000000a, gidbench 0.1.0.",
        "the same within 3 %",
    ):
        assert wanted in seen, wanted
    for kind in ("scaling1", "workers1", "tuning1", "comparison", "history"):
        assert page.count(f'id="o1-{kind}"') == 1


def test_without_any_of_it_there_is_no_heading(full_run: RunResults) -> None:
    page = render(full_run, "gidbench run")
    outline = Outline(page)
    for absent in ("Scaling", "Workers", "Tuning", "previous run", "History", "Put together"):
        assert absent not in outline.seen, absent
    assert 'href="#previous"' not in page


def test_the_figures_have_text_alternatives_and_the_pages_colours(whole: RunResults) -> None:
    found = drawings(whole, make_past(make_history()))
    assert len(found) == 5
    for drawing in found:
        for source in (drawing.wide, drawing.narrow):
            root = ElementTree.fromstring(source)
            assert root.get("role") == "img"
            assert all(child.text for child in list(root)[:2])
            assert "currentColor" in source
            assert "font-family" not in source
        assert drawing.wide != drawing.narrow
    # only the heat map has colours of its own, which are the same on any page, as the ink on them is
    for place in (0, 1, 3, 4):
        assert not re.findall(r"(?:fill|stroke): ?#[0-9a-fA-F]{6}", found[place].wide)


def test_drawing_again_gives_the_same_page(whole: RunResults, page: str) -> None:
    assert render(whole, "gidbench run\ngidbench tune generate", make_past(make_history())) == page


def test_ids_are_unique_and_headings_in_order(page: str) -> None:
    outline = Outline(page)
    ids = [attributes["id"] for _, attributes in outline.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in outline.elements:
        for name in (attributes.get("aria-labelledby") or "").split():
            assert name in ids
    levels = [int(tag[1]) for tag, _ in outline.elements if re.fullmatch("h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all("scope" in each for each in outline.of("th"))
    assert len(outline.of("caption")) == len(outline.of("table"))


def test_studies_are_in_the_raw_results(page: str) -> None:
    lines = embedded(Outline(page))
    assert [line["kind"] for line in lines][-2:] == ["scaling", "tuning"]


def test_a_file_of_studies_alone_has_no_empty_scoreboard(run: Maker) -> None:
    page = render(studied(run()), "gidbench tune generate")
    outline = Outline(page)
    assert "looked into was dummy data generation (its growth and its settings)" in outline.seen
    for absent in ("Scoreboard", "All cases", "Correctness", "Noise and warm-up", "no result"):
        assert absent not in outline.seen, absent
    assert page.count('id="s1-scaling1"') == 1
    ids = {attributes.get("id") for _, attributes in outline.elements}
    for attributes in outline.of("a"):
        href = attributes.get("href") or ""
        assert not href.startswith("#") or href[1:] in ids, href


def test_a_case_that_got_slower_is_told_in_words_and_shape(run: Maker, result: Maker) -> None:
    before = dated(run(result(headline=True, **around(2.0)), result(variant="csv", **around(1.0))), 1)
    after = dated(run(result(headline=True, **around(2.4)), result(variant="csv", **around(0.8))), 2)
    past = Past(compare_runs(before, after), "the previous run")
    view = previous_view(past)
    assert view is not None
    assert view.words == "Memory (+20 % time) is slower; csv (−20 % time) is faster."
    assert [case.verdict for case in view.cases] == ["worse", "better"]
    page = render(after, "", past)
    assert "worse, +20 %" in page  # in the figure
    assert '<span aria-hidden="true">▲</span> worse' in page


def test_other_hosts_are_marked_and_get_no_verdict(run: Maker, result: Maker) -> None:
    before = dated(run(result(headline=True, **around(2.0))), 1, cpu="Another CPU")
    after = dated(run(result(headline=True, **around(4.0))), 2)
    past = Past(compare_runs(before, after), "the previous run")
    seen = Outline(render(after, "", past)).seen
    assert "Other machine: cpu Another CPU in A, Test CPU in B" in seen
    assert "Nothing can be told for sure of one case." in seen
    view = comparison_view(past, "generate")
    assert view is not None
    assert [case.verdict for case in view.cases] == ["inconclusive"]


def test_one_run_is_no_trend_and_few_can_have_no_step() -> None:
    runs = make_history(2)
    one = replace(make_past(runs).trends[0], entries=make_past(runs).trends[0].entries[:1])
    assert trend_view(Past(trends=(one,)), "generate", "memory") is None
    view = trend_view(make_past(runs), "generate", "memory")
    assert view is not None
    assert "only with 6 runs or more" in view.words
    assert trend_view(make_past(runs), "generate", "csv") is None
    assert trend_view(NOTHING, "generate", "memory") is None


def test_many_runs_are_drawn_up_to_a_number() -> None:
    known = make_past([*make_history(12), *make_history(12)])
    entries = known.trends[0].entries * 20
    view = trend_view(
        replace(known, trends=(replace(known.trends[0], entries=entries),)), "generate", "memory"
    )
    assert view is not None
    assert len(view.runs) == 60
    assert all(0 < step.at < 60 for step in view.steps)


def test_hostile_studies_and_histories_are_text() -> None:
    run = make_hostile_run()
    growth = make_scaling()
    hostile = replace(
        growth,
        database=HOSTILE,
        workers_note=HOSTILE,
        growths=[replace(each, variant="$\\frac{1}{0}$", title=HOSTILE) for each in growth.growths],
    )
    strategy = Point(50_000, 2, 3, "$\\frac{1}{0}$")
    tuned = make_tuning()
    space = replace(tuned.space, values={"strategy": (HOSTILE, "$\\frac{1}{0}$")}, default=strategy)
    cells = tuple(replace(cell, point=replace(strategy, strategy=HOSTILE)) for cell in tuned.cells)
    tuned = replace(tuned, database=HOSTILE, space=space, cells=cells, chosen=strategy)
    run = replace(
        run,
        scalings=[scaling_line(replace(hostile, operation="generate"), HOSTILE)],
        tunings=[tuning_line(replace(tuned, operation=HOSTILE), HOSTILE)],
    )
    other = dated(run, 1, HOSTILE, cpu=HOSTILE)
    page = render(run, HOSTILE, Past(compare_runs(other, run), HOSTILE), HOSTILE)
    assert page.count("<script") == 2
    assert page.count("</script") == 2
    assert "<iframe" not in page


def test_a_full_page_is_well_within_the_limit() -> None:
    full = make_full_run()
    peers = [
        make_result(operation, f"peer {name}", peer=name, against="memory", walls_s=[5.0, 6.0, 7.0])
        for operation in ("generate", "process", "sync")
        for name in "abcdefgh"
    ]
    run = replace(
        full,
        results=[*full.results, *peers],
        scalings=[scaling_line(make_scaling(name), "") for name in ("generate", "process", "sync")],
        tunings=[tuning_line(make_tuning(name), "") for name in ("generate", "process", "sync")],
    )
    page = render(run, "gidbench run", make_past(make_history()))
    assert len(page.encode()) < LIMIT_BYTES / 2


def test_the_ink_on_any_colour_can_be_read() -> None:
    for red in range(0, 256, 15):
        for green in range(0, 256, 15):
            ground = (red / 255, green / 255, 0.5)
            parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in ground]
            luminance = 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
            ink = 1.0 if ink_on(ground) == "#ffffff" else 0.0
            light, dark = max(luminance, ink), min(luminance, ink)
            assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_settings_on_a_server_have_panels(run: Maker) -> None:
    tuned = make_tuning()
    values = {
        "workers": (1, 2),
        "batch_size": (10_000, 50_000),
        "strategy": ("auto", "rows"),
        "pool_size": (3, 4),
    }
    cells = tuple(
        replace(tuned.cells[4], point=Point(batch, workers, pool, strategy), ratio=1.0 + pool / 10)
        for workers in (1, 2)
        for batch in (10_000, 50_000)
        for strategy in ("auto", "rows")
        for pool in (3, 4)
    )
    tuned = replace(tuned, space=replace(tuned.space, values=values), cells=cells)
    made = replace(run(), tunings=[tuning_line(tuned, "")])
    drawing = more_figures.surface("x", "t", study_view(made, "generate").tunings[0].result)
    assert drawing is not None
    for source in (drawing.wide, drawing.narrow):
        words = re.findall(r"<text[^>]*>([^<]*)</text>", source)
        assert sum("pool size" in word for word in words) == 4
        assert sum(word == "1.30" for word in words) == 8


def test_of_many_combinations_the_fastest_are_drawn(run: Maker) -> None:
    tuned = make_tuning()
    pools = tuple(range(3, 13))
    values = {"workers": (1, 2), "batch_size": (10_000, 50_000), "pool_size": pools}
    cells = tuple(
        replace(tuned.cells[4], point=Point(batch, workers, pool, "auto"), ratio=1.0 + pool / 10)
        for workers in (1, 2)
        for batch in (10_000, 50_000)
        for pool in pools
    )
    space = replace(tuned.space, values=values)
    tuned = replace(tuned, space=space, cells=cells, chosen=Point(10_000, 1, 3, "auto"))
    view = study_view(replace(run(), tunings=[tuning_line(tuned, "")]), "generate").tunings[0]
    assert view.left_out == "Of ten combinations of pool size, the six with the fastest choices are drawn."
    drawing = more_figures.surface("x", "t", view.result)
    assert drawing is not None
    words = re.findall(r"<text[^>]*>(pool size \d+)</text>", drawing.wide)
    assert words == [
        f"pool size {pool}" for pool in (3, 8, 9, 10, 11, 12)
    ]  # the chosen one's, and the fastest
    height = float(re.findall(r'viewBox="0 0 \S+ (\S+)"', drawing.wide)[0])
    assert height < 900


def test_the_card_says_who_is_usual_and_what_limits(run: Maker, result: Maker) -> None:
    limits = [
        {"name": "disk write", "title": "writing a file", "unit": "bytes/s", "value": 2**30, "share": 1.4},
        {
            "name": "own insert",
            "title": "the database's own INSERT",
            "unit": "records/s",
            "value": 2e6,
            "share": 0.55,
        },
    ]
    made = run(
        result("process", "csv", headline=True, walls_s=[0.9, 1.0, 1.1], limits=limits),
        result("process", "peer pandas", walls_s=[29.0, 30.0, 31.0], peer="pandas", against="csv"),
        result("process", "peer duckdb", walls_s=[4.9, 5.0, 5.1], peer="duckdb", against="csv"),
    )
    operation = build_view(made, "").operations[0]
    assert operation.card.usual.startswith("30× as fast as pandas [")
    assert "; 5× as fast as the fastest peer, duckdb [" in operation.card.usual
    assert operation.card.limit == "55 % of what the database's own INSERT allows (2.00 M/s)."
    assert operation.limits_words == (
        "Nearest to a bound: csv reaches 55 % of the database's own INSERT. Above 100 %, so no bound at all here:"
        " writing a file (csv)."
    )
    seen = Outline(render(made, "")).seen
    assert "Against the usual way" in seen
    assert "Share of the limit" in seen


def test_a_slower_one_is_called_slower(run: Maker, result: Maker) -> None:
    made = run(
        result("generate", "memory", headline=True, walls_s=[9.0, 10.0, 11.0]),
        result("generate", "peer faker", walls_s=[0.9, 1.0, 1.1], peer="faker", against="memory"),
    )
    assert build_view(made, "").operations[0].card.usual.startswith("Slower than faker: 0.1× its rate [")


def test_make_run_knows_nothing_of_before() -> None:
    view = build_view(make_run(make_result(headline=True)), "")
    assert (view.previous, view.studied, view.merged) == (None, (), "")
    assert view.operations[0].card.usual == ""
