"""Notebooks and the workbench in a real JupyterLab, by a browser."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from bench_pages import TIERS, Bench
from lab_pages import DEAD, ERROR, PANEL, Lab, errors_in, set_parameters, texts_of
from nbconvert import HTMLExporter
from playwright.sync_api import expect
from servers import Server, free_port, own_jupyter

from gidbench import notebooks
from gidbench.cli_run import requested, run

pytestmark = pytest.mark.slow

NAMES = list(notebooks.ALL)
SMALL = {"records": 5000, "processes": 1, "rounds": 1, "budget_s": 1.5, "sizes": ""}
PANEL_CELLS = ('import gidbench\n\ngidbench.workbench("generate", records=2000)', "6 * 7")
STOPS_WITHIN_S = 0.5
SLOW_MACHINE = 4  # other tests may have its cores meanwhile
SETTINGS = ("DATABASE_URL", "ULTRA_", "GIDBENCH_")


@pytest.fixture(scope="module")
def lab(
    browser: Any, servers: list[Server], pages: list[Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    """One JupyterLab for the file, as `gidbench lab` starts it, and one page on it."""
    folder, log = tmp_path_factory.mktemp("work"), tmp_path_factory.mktemp("log") / "lab.log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    environment |= own_jupyter(tmp_path_factory.mktemp("jupyter"))
    port = str(free_port())
    server = Server(
        ["gidbench", "lab", "--no-browser", "--port", port, "--folder", str(folder)], folder, log, environment
    )
    servers.append(server)
    url = server.wait_for_text(rf"http://[^\s/]+:{port}/lab\S*token=\w+")
    server.wait_for_answer(url)
    for name in NAMES:
        set_parameters(folder / f"{name}.ipynb", **SMALL)
    cells = [nbformat.v4.new_code_cell(source) for source in PANEL_CELLS]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    panel = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(panel, folder / "panel.ipynb")
    context = browser.new_context(viewport={"width": 1500, "height": 2600}, accept_downloads=True)
    page = context.new_page()
    pages.append(page)
    yield Lab(page, url, folder)
    context.close()


def test_the_notebooks_are_in_the_folder(lab: Lab) -> None:
    assert len(NAMES) >= 4
    for name in NAMES:
        expect(lab.page.locator(f".jp-DirListing-item[title^='Name: {name}.ipynb']")).to_be_visible()


@pytest.mark.parametrize("name", [*NAMES[1:], NAMES[0]])  # the overview tells of what the others measured
def test_a_notebook_runs_without_an_error(lab: Lab, name: str, new_page: Any, tmp_path: Path) -> None:
    panel = lab.open(name)
    lab.run_all(within_s=120)
    notebook = lab.save(name)
    assert panel.locator(ERROR).all_inner_texts() == []
    assert not DEAD.search(panel.inner_text())
    assert errors_in(notebook) == []
    said = texts_of(notebook)
    for private in (str(lab.folder), str(Path.home()), str(notebooks.folder())):
        assert private not in said
    lab.close(name)

    page = tmp_path / f"{name}.html"
    page.write_text(HTMLExporter().from_notebook_node(notebook)[0], "utf-8")
    exported = new_page(offline=True)
    exported.goto(page.as_uri(), wait_until="domcontentloaded")
    assert not DEAD.search(exported.locator("body").inner_text())
    assert exported.locator("script[type='application/vnd.jupyter.widget-view+json']").count() == 0
    assert exported.locator("h1").first.inner_text().rstrip("¶").endswith("?")


@pytest.fixture(scope="module")
def bench(lab: Lab) -> Bench:
    """The workbench, in a notebook of its own with another cell under it."""
    lab.open("panel")
    lab.run_all(within_s=60)
    return Bench(lab.page)


def small(bench: Bench, *cases: str, records: str = "2000", rounds: str = "1") -> None:
    """Settings of a run that takes a moment."""
    bench.choose("operation", "Generate employees")
    for case in ("memory", "CSV file", "Parquet file", "database"):
        bench.tick("cases", case, case in cases)
    bench.type("records", records)
    bench.type("processes", "1")
    bench.type("rounds", rounds)
    bench.type("database", "")


def test_the_command_agrees_with_the_settings(bench: Bench) -> None:
    bench.expect_command("gidbench run --records 2000 --operations generate")
    bench.choose("operation", "Process a file")
    bench.expect_command("gidbench run --records 2000 --operations process")
    bench.type("records", "1,234,567")
    bench.type("batch_size", "10k")
    bench.type("workers", "1")
    bench.type("rounds", "3")
    bench.type("processes", "2")
    bench.tick("cases", "Excel workbook into the database", False)
    bench.type("database", "duckdb:///people.duckdb")
    wanted = "--records 1234567 --processes 2 --rounds 3"
    settings = "--operations process --cases csv --database duckdb:///people.duckdb"
    expect(bench.command_box).to_have_value(re.compile(re.escape(settings) + "$"))
    assert wanted in bench.command
    # what the panel says and what the shell takes are the same request
    words = shlex.split(bench.command)
    assert words[:2] == ["gidbench", "run"]
    asked = requested(run.make_context("run", words[2:]).params)
    assert (asked.records, asked.batch_size, asked.workers) == (1_234_567, 10_000, 1)
    assert (asked.operations, asked.cases, asked.rounds, asked.processes) == (("process",), ("csv",), 3, 2)
    assert asked.database == "duckdb:///people.duckdb"


def test_the_slider_and_the_entry_are_one_setting(bench: Bench) -> None:
    entry = bench.field("records").locator("input").first
    bench.slide_to(0.5)
    expect(entry).to_have_value("100,000")
    expect(bench.command_box).to_have_value(re.compile("--records 100000 "))
    bench.slide_to(1)
    expect(entry).to_have_value("100,000,000")
    bench.type("records", "1e3")
    expect(bench.command_box).to_have_value(re.compile("--records 1000 "))
    assert bench.slider_stands_at() == pytest.approx(1 / 6, abs=0.02)  # of 100 to 100 M


def test_what_cannot_be_used_is_a_sentence_and_is_not_run(bench: Bench) -> None:
    bench.type("batch_size", "many")
    told = bench.field("batch_size").get_by_role("alert")
    expect(told).to_contain_text("'many' is not a whole number")
    expect(bench.run_button).to_be_disabled()
    bench.type("batch_size", "50,000")
    expect(told).to_have_count(0)
    expect(bench.run_button).to_be_enabled()


def test_an_error_is_a_sentence_with_its_remedy(bench: Bench) -> None:
    small(bench, "memory")
    bench.type("database", "duckdb:////no/such/folder/people.duckdb")
    bench.run_button.click()
    expect(bench.problem).to_be_visible(timeout=60_000)
    said = bench.problem.inner_text()
    assert re.search(r"\w.*\. [A-Z]\w+ ", said), said
    assert "Traceback" not in bench.root.inner_text()
    expect(bench.run_button).to_be_enabled()
    bench.type("database", "")


def test_progress_moves_other_cells_run_and_stop_stops(bench: Bench, lab: Lab) -> None:
    before = set((lab.folder / "reports").glob("*"))
    small(bench, "memory", "CSV file", "database", records="200k", rounds="1000")
    bench.run()
    first = bench.wait_until_further(-1.0)
    second = bench.wait_until_further(first)
    assert second > first
    rate = bench.live.locator("dt", has_text="Records/s").locator("xpath=following-sibling::dd")
    expect(rate).to_contain_text(re.compile(r"\d"), timeout=60_000)
    assert bench.live.locator("svg").count() > 0
    frame = bench.live.inner_html()
    lab.page.wait_for_function(
        "(frame) => document.querySelector('.gb-live').innerHTML !== frame", arg=frame, timeout=10_000
    )

    panel = lab.page.locator(PANEL)
    lab.write_cell(panel, 1, "6 * 7 * 1000")
    lab.page.keyboard.press("Control+Enter")
    cell = panel.locator(".jp-CodeCell").nth(1)
    expect(cell.locator(".jp-OutputArea-output")).to_contain_text("42000", timeout=30_000)
    expect(bench.stop_button).to_be_enabled()  # it measures all the while

    assert _measuring()
    took = bench.stop_and_time()
    assert took <= STOPS_WITHIN_S * SLOW_MACHINE
    expect(bench.root.locator(".gb-message.gb-stopped")).to_contain_text("Stopped.")
    # soon nothing is left: no process, no database, no file but the results of what was over
    until = time.monotonic() + 15
    while left := _measuring() + _scratch(lab.folder, before):
        assert time.monotonic() < until, left
        time.sleep(0.1)


def _scratch(folder: Path, before: set[Path]) -> list[str]:
    """What the runs have in their folders besides results."""
    made = [each for each in (folder / "reports").glob("*") if each not in before]
    return [path.name for each in made for path in each.iterdir() if path.name != "results.jsonl"]


def _measuring() -> list[str]:
    """Processes under this one that measure: by the module that they run."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            line = " ".join(process.cmdline())
            if "gidbench.bench" in line:
                found.append(line)
    return found


def test_a_run_ends_in_a_tier_card_and_a_report_that_opens(bench: Bench, lab: Lab, new_page: Any) -> None:
    small(bench, "memory", "CSV file", rounds="2")
    bench.run()
    bench.wait_for_the_end()
    expect(bench.cards).to_have_count(2)
    card = bench.cards.first
    expect(card.locator(".gb-badge")).to_have_text(TIERS)
    for told in ("95 % interval", "Target", "Share of the limit", "Phases of the median round"):
        expect(card).to_contain_text(told)
    expect(bench.session.locator("tbody tr")).to_have_count(2)

    bench.root.get_by_role("button", name="Export report").click()
    with lab.page.context.expect_page() as opened:
        bench.root.get_by_role("link", name="open it in a new tab").click()
    served = opened.value
    expect(served.locator("h1")).to_have_text("Tier report")
    expect(served.locator("article.card")).to_have_count(1)
    served.close()
    with lab.page.expect_download() as started:
        bench.root.get_by_role("link", name="download it").click()
    assert started.value.suggested_filename == "report.html"
    page = new_page(offline=True)
    page.goto(Path(started.value.path()).rename(lab.folder / "downloaded.html").as_uri())
    expect(page.locator("h1")).to_have_text("Tier report")


def test_a_second_run_is_compared_with_the_first_and_the_table_sorts(bench: Bench) -> None:
    small(bench, "memory", "CSV file", records="4000", rounds="2")
    bench.run()
    bench.wait_for_the_end()
    rows = bench.session.locator("tbody tr")
    expect(rows).to_have_count(4)
    bench.root.get_by_label("Sort by").select_option(label="records")
    bench.root.get_by_label("smallest first").check()
    expect(rows.first).to_contain_text("2,000")
    bench.root.get_by_label("smallest first").uncheck()
    expect(rows.first).to_contain_text("4,000")
    chosen = bench.root.get_by_label("Compare with")
    first = next(name for name in chosen.locator("option").all_text_contents() if re.match(r"Run\s1,", name))
    chosen.select_option(label=first)
    expect(bench.root).to_contain_text("Case by case")


def test_a_saved_notebook_shows_how_to_open_the_panel(bench: Bench, lab: Lab, new_page: Any) -> None:
    notebook = lab.save("panel")
    page = lab.folder / "panel.html"
    page.write_text(HTMLExporter().from_notebook_node(notebook)[0], "utf-8")
    exported = new_page(offline=True)
    exported.goto(page.as_uri(), wait_until="domcontentloaded")
    expect(exported.locator("body")).to_contain_text("gidbench lab")
    assert not DEAD.search(exported.locator("body").inner_text())
