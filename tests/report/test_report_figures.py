"""The figures: text alternatives, the page's colours and fonts, nothing that clashes."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import matplotlib
import pytest
from report_runs import Maker

from gidbench.bench.results import RunResults
from gidbench.report import figures
from gidbench.report.figures import Drawing
from gidbench.report.view import OperationView, build_view

NAMESPACE = "{http://www.w3.org/2000/svg}"


def drawings(operation: OperationView) -> list[str]:
    made: list[Drawing | None] = [
        figures.draw_rounds(operation),
        figures.draw_phases(operation),
        figures.draw_resources(operation),
    ]
    return [source for drawing in made if drawing for source in (drawing.wide, drawing.narrow)]


@pytest.fixture
def sources(full_run: RunResults) -> list[str]:
    return [source for operation in build_view(full_run, "").operations for source in drawings(operation)]


def test_every_figure_has_a_text_alternative(sources: list[str]) -> None:
    assert len(sources) == 18
    for source in sources:
        root = ElementTree.fromstring(source)
        assert root.get("role") == "img"
        named = {
            child.get("id"): child.text
            for child in root
            if child.tag in (f"{NAMESPACE}title", f"{NAMESPACE}desc")
        }
        wanted = (root.get("aria-labelledby") or "").split()
        assert wanted == list(named)
        assert all(named[name] for name in wanted)


def test_the_alternative_says_the_numbers(full_run: RunResults) -> None:
    operations = build_view(full_run, "").operations
    assert "memory: median 10.0 M/s [9.09 M, 11.1 M]" in figures.draw_rounds(operations[0]).wide
    assert "initial: failed" in figures.draw_rounds(operations[2]).narrow
    phases = figures.draw_phases(operations[1])
    assert phases is not None
    assert "csv, 2.00 s: load 1.50 s (75 %)" in phases.wide


def test_no_two_figures_share_an_id(sources: list[str]) -> None:
    ids = [name for source in sources for name in re.findall(r'\sid="([^"]+)"', source)]
    assert len(ids) == len(set(ids))


def test_references_stay_inside_their_figure(sources: list[str]) -> None:
    for source in sources:
        ids = set(re.findall(r'\sid="([^"]+)"', source))
        assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', source)) <= ids


def test_nothing_of_another_page(sources: list[str]) -> None:
    for source in sources:
        assert source.startswith("<svg")
        assert "<!DOCTYPE" not in source
        assert "<?xml" not in source
        assert "metadata" not in source
        assert "<style" not in source
        assert re.findall(r"https?://[^\"]+", source) == ["http://www.w3.org/2000/svg"]


def test_colours_and_fonts_are_the_pages(sources: list[str]) -> None:
    for source in sources:
        assert "font-family" not in source
        assert "DejaVu" not in source
        assert "currentColor" in source
        colours = set(re.findall(r"(?:fill|stroke): ?(#[0-9a-fA-F]{6})", source))
        assert colours == set(), "a colour that the page does not decide would not follow light and dark"


def test_drawing_again_gives_the_same(full_run: RunResults, sources: list[str]) -> None:
    again = [source for operation in build_view(full_run, "").operations for source in drawings(operation)]
    assert again == sources


def test_a_notebooks_style_has_no_part_in_it(full_run: RunResults, sources: list[str]) -> None:
    loud: Any = {"font.size": 30.0, "axes.facecolor": "black", "lines.linewidth": 9.0, "svg.fonttype": "path"}
    with matplotlib.rc_context(loud):
        again = [
            source for operation in build_view(full_run, "").operations for source in drawings(operation)
        ]
        assert matplotlib.rcParams["font.size"] == 30.0, "and it is left as it was"
    assert again == sources


def test_names_are_text_not_formulas(result: Maker, run: Maker) -> None:
    case = result("generate", "$\\frac{1}{0}$ & <b>", phases_s={"$x^2$": 1.0, "数据": 0.5})
    source = " ".join(drawings(build_view(run(case), "").operations[0]))
    assert "$\\frac{1}{0}$ &amp;" in source
    assert "$x^2$" in source
    assert "数据" in source
    assert "<b>" not in source


@pytest.mark.parametrize("samples", [0, 1, 2])
def test_few_samples(result: Maker, run: Maker, samples: int) -> None:
    names = ("t_s", "cpu_cores", "rss_bytes", "io_bytes_per_s")
    line = {name: [0.0 if name.startswith("io") else 1.0 * (n + 1) for n in range(samples)] for name in names}
    drawing = figures.draw_resources(build_view(run(result(timeline=line)), "").operations[0])
    assert (drawing is None) == (samples == 0)


def test_no_phases(result: Maker, run: Maker) -> None:
    operation = build_view(run(result(phases_s={}, timeline={})), "").operations[0]
    assert figures.draw_phases(operation) is not None, "all of the round is outside any phase"
    assert figures.draw_resources(operation) is None
    assert operation.phases_words == "memory has no named phases; its round took 2.00 s."


def test_many_rounds_do_not_make_it_heavy(result: Maker, run: Maker) -> None:
    walls = [1.0 + 0.0001 * n for n in range(5_001)]
    drawing = figures.draw_rounds(build_view(run(result(walls_s=walls)), "").operations[0])
    assert len(drawing.wide) < 50_000


@pytest.mark.parametrize("seconds", [1e-4, 0.5, 1e3])
def test_any_speed_can_be_drawn(result: Maker, run: Maker, seconds: float) -> None:
    case = result(walls_s=[seconds * 0.9, seconds, seconds * 1.2], phases_s={"load": seconds * 0.8})
    source = figures.draw_rounds(build_view(run(case), "").operations[0]).wide
    assert ">ULTRA<" in source
    assert (">STANDARD<" in source) == (seconds == 1e3)
