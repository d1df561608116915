"""The workbench as a page of Voila: it measures there, and nothing on it breaks WCAG 2.2 A and AA."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from accessibility import violations
from bench_pages import TIERS, Bench
from playwright.sync_api import Route, expect
from servers import Server, free_port, own_jupyter

pytestmark = pytest.mark.slow

CELL = 'import gidbench\n\ngidbench.workbench("generate", records=2000, cases="memory,csv", processes=1, rounds=2)'
SETTINGS = ("DATABASE_URL", "ULTRA_", "GIDBENCH_")


@pytest.fixture(scope="module")
def voila(servers: list[Server], tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of a page that has the workbench and nothing else."""
    folder = tmp_path_factory.mktemp("work")
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [nbformat.v4.new_code_cell(CELL)]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, folder / "panel.ipynb")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    environment |= own_jupyter(tmp_path_factory.mktemp("jupyter"))
    port = free_port()
    server = Server(
        ["voila", "panel.ipynb", "--no-browser", "--port", str(port), "--Voila.ip=127.0.0.1"],
        folder,
        tmp_path_factory.mktemp("log") / "voila.log",
        environment,
    )
    servers.append(server)
    url = f"http://127.0.0.1:{port}/"
    server.wait_for_text(r"Voil\S+ is running at")
    return url


def only_this_machine(route: Route) -> None:
    """Voila's frame asks a server of others for its icons; the panel needs none of them."""
    if "//127.0.0.1:" in route.request.url:
        route.continue_()
    else:
        route.abort()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_from_settings_to_a_card_without_a_violation(voila: str, new_page: Any, scheme: str) -> None:
    page = new_page(color_scheme=scheme, viewport={"width": 1300, "height": 1600})
    page.route("**/*", only_this_machine)
    page.goto(f"{voila}?theme={scheme}", timeout=90_000)
    bench = Bench(page)
    bench.expect_command(
        "gidbench run --records 2000 --processes 1 --rounds 2 --operations generate --cases memory,csv"
    )
    bench.type("batch_size", "many")
    expect(bench.field("batch_size").get_by_role("alert")).to_be_visible()
    assert violations(page) == []
    bench.type("batch_size", "50,000")

    bench.run()
    bench.wait_until_further(0)
    assert violations(page, within=".gb-live") == []
    bench.wait_for_the_end()
    expect(bench.cards).to_have_count(2)
    expect(bench.cards.first.locator(".gb-badge")).to_have_text(TIERS)
    bench.root.get_by_role("button", name="Export report").click()
    expect(bench.root.get_by_role("link", name="download it")).to_be_visible()
    assert violations(page) == []
    if os.environ.get("GIDBENCH_TEST_PICTURES"):
        page.screenshot(
            path=Path(os.environ["GIDBENCH_TEST_PICTURES"]) / f"voila-{scheme}.png", full_page=True
        )
