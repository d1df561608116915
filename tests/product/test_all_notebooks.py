"""Every notebook of the package under papermill with small parameters, and what is left of it."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from gidbench import notebooks
from gidbench.batch import run_batch
from gidbench.batch_outcome import BatchOutcome
from gidbench.batch_plan import Given

pytestmark = pytest.mark.timeout(900)  # all of them run in one fixture, after the kernels were compiled
SMALL = {
    "records": "5000",
    "processes": "1",
    "rounds": "1",
    "operation": "sync",
    "budget_s": "1.5",
    "sizes": "",
}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> BatchOutcome:
    place = tmp_path_factory.mktemp("all")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        return run_batch(notebooks.ALL, Given(SMALL), out=place / "made", html=True)


def test_every_notebook_runs_and_has_an_answer(done: BatchOutcome) -> None:
    assert {ran.step.name: ran.error for ran in done.ran} == dict.fromkeys(notebooks.ALL, "")
    assert done.exit_code == 0
    answers = {ran.step.name: ran.answer for ran in done.ran}
    for name in notebooks.BY_OPERATION.values():
        assert re.search(r"takes [\d.]+ m?s for 5,000 records: [\d.]+ [KM]/s, tier", answers[name]), answers[
            name
        ]
    assert answers["00_overview"].count("for 5,000 records") == 3
    assert "defaults" in answers["04_tune"]
    assert answers["05_compare"].startswith("There is one run so far, and nothing to hold it against")
    assert answers["06_your_server"].startswith("No SQL Server is named")
    assert next(ran.headline for ran in done.ran if ran.step.name == "01_generate").endswith(
        ("ULTRA", "VERY HIGH", "HIGH", "STANDARD")
    )


@pytest.mark.parametrize("name", notebooks.ALL)
def test_an_executed_notebook_holds_no_widget_no_ticks_and_no_path(done: BatchOutcome, name: str) -> None:
    path = done.folder / f"{name}.ipynb"
    text = path.read_text()
    for place in {str(done.folder.parent), str(Path.home()), str(Path(notebooks.__file__).parents[1])}:
        assert place not in text
    assert "jupyter.widget" not in text
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", ()):
            assert output.output_type != "stream", output.text
            assert output.output_type != "error"
            data = output.get("data", {})
            assert "text/html" in data or "text/markdown" in data, data
            assert "<progress" not in data.get("text/html", "")


@pytest.mark.parametrize("name", notebooks.ALL)
def test_an_exported_page_is_still_and_loads_nothing(done: BatchOutcome, name: str) -> None:
    page = (done.folder / f"{name}.html").read_text()
    assert "<script" not in page
    assert "widget-view" not in page
    assert "jupyter-widgets" not in page
    assert re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page) == []
    assert re.findall(r'@import|url\((?!data:|"?#)', page) == []
    assert page.count("<h1") == 1
    assert str(done.folder.parent) not in page
    assert len(page) < 1_500_000


def test_the_index_and_the_report_show_all(done: BatchOutcome) -> None:
    index = (done.folder / "index.html").read_text()
    for name in notebooks.ALL:
        assert f'href="{name}.html"' in index
        assert f'href="{name}.ipynb"' in index
    assert 'href="report.html"' in index
    assert 'href="report.html"' in (done.folder / "00_overview.html").read_text()
    assert (done.folder / "report.html").stat().st_size > 20_000
