"""Notebooks and the workbench in a real JupyterLab, by a browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab_pages import DEAD, ERROR, Lab, errors_in, set_parameters, texts_of
from nbconvert import HTMLExporter
from playwright.sync_api import expect
from servers import Server, free_port, own_jupyter

from gidbench import notebooks

pytestmark = pytest.mark.slow

NAMES = sorted(path.stem for path in notebooks.folder().glob("*.ipynb"))
SMALL = {"records": 300, "processes": 1, "rounds": 1}
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
    context = browser.new_context(viewport={"width": 1500, "height": 2600})
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
