"""JupyterLab as a person uses it: notebooks opened from the list, run from the menu, saved, shut down."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Locator, Page, expect

PANEL = ".jp-NotebookPanel:not(.lm-mod-hidden)"
STARTS_WITHIN_MS = 60_000
ERROR = ".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']"  # of errors and warnings
# What a widget shows that has no model to show, or whose code did not come.
DEAD = re.compile(
    r"Loading widget|Error displaying widget|Error creating widget|Failed to display|model not found"
)

_ALL_RUN = """([panel, error]) => {
    const notebook = document.querySelector(panel);
    const prompts = [...notebook.querySelectorAll(".jp-CodeCell .jp-InputPrompt")].map((each) => each.textContent);
    return prompts.length > 0
        && (prompts.every((text) => /\\[\\d+\\]/.test(text)) || notebook.querySelector(error) !== null);
}"""


class Lab:
    """A page of JupyterLab on a folder."""

    def __init__(self, page: Page, url: str, folder: Path) -> None:
        self.page, self.url, self.folder = page, url, folder
        page.set_default_timeout(STARTS_WITHIN_MS)
        page.goto(url)
        expect(page.locator(".jp-DirListing-content")).to_be_visible()

    def open(self, name: str) -> Locator:
        """Open a notebook of the folder, and wait until its kernel is ready. Returns its panel."""
        item = self.page.locator(f".jp-DirListing-item[title^='Name: {name}.ipynb']")
        item.dblclick()
        tab = self.page.locator(".lm-TabBar-tab.lm-mod-current", has_text=f"{name}.ipynb")
        expect(tab).to_be_visible()
        panel = self.page.locator(PANEL)
        expect(panel.locator(".jp-CodeCell").first).to_be_visible()
        self._idle(panel)
        return panel

    def _idle(self, panel: Locator) -> None:
        """Until the kernel answers: what is run before it has a name is lost."""
        expect(panel.locator(".jp-Toolbar-kernelName")).to_contain_text("Python 3")
        expect(self.page.locator("#jp-main-statusbar")).to_contain_text(
            "Python 3 | Idle", timeout=STARTS_WITHIN_MS
        )
        expect(panel.locator(".jp-Notebook-ExecutionIndicator")).to_have_attribute(
            "data-status", "idle", timeout=STARTS_WITHIN_MS
        )

    def menu(self, name: str, item: str) -> None:
        self.page.get_by_role("menubar").get_by_role("menuitem", name=name, exact=True).click()
        self.page.locator(".lm-Menu").get_by_role("menuitem", name=re.compile(f"^{re.escape(item)}")).click()

    def run_all(self, within_s: float) -> None:
        """Run all cells, and wait until each has run, or one has failed."""
        self.menu("Run", "Run All Cells")
        self.page.wait_for_function(_ALL_RUN, arg=[PANEL, ERROR], timeout=within_s * 1000)

    def save(self, name: str) -> Any:
        """Save the open notebook, and read it from its file."""
        self.page.keyboard.press("Control+s")
        expect(self.page.locator(".lm-TabBar-tab.lm-mod-current.jp-mod-dirty")).to_have_count(0)
        return nbformat.read(self.folder / f"{name}.ipynb", as_version=4)

    def write_cell(self, panel: Locator, number: int, text: str) -> None:
        """Replace what a code cell holds by typing."""
        editor = panel.locator(".jp-CodeCell").nth(number).locator(".cm-content")
        editor.click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(text)

    def close(self, name: str) -> None:
        """Close the open notebook and end its kernel, by the server's own interface."""
        self.page.evaluate(
            """async (name) => {
                const settings = JSON.parse(document.getElementById("jupyter-config-data").textContent);
                const headers = { Authorization: "token " + settings.token };
                const base = settings.baseUrl + "api/sessions";
                for (const session of await (await fetch(base, { headers })).json())
                    if (session.path === name)
                        await fetch(base + "/" + session.id, { method: "DELETE", headers });
            }""",
            f"{name}.ipynb",
        )
        tab = self.page.locator(".lm-TabBar-tab.lm-mod-current", has_text=f"{name}.ipynb")
        tab.locator(".lm-TabBar-tabCloseIcon").click()
        expect(self.page.locator(".lm-TabBar-tab", has_text=f"{name}.ipynb")).to_have_count(0)


def errors_in(notebook: Any) -> list[str]:
    """Every output of a notebook that tells of an error or a warning."""
    return [
        json.dumps(output.get("evalue") or output.get("text"))
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "error" or output.get("name") == "stderr"
    ]


def texts_of(notebook: Any) -> str:
    """All that the outputs of a notebook hold, as text."""
    return "\n".join(json.dumps(output) for cell in notebook.cells for output in cell.get("outputs", []))


def set_parameters(path: Path, **values: Any) -> None:
    """Replace values in the parameters cell of a notebook's file; those that it does not have are left out."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", []):
            for name, value in values.items():
                cell.source = re.sub(
                    rf"^({name}: \w+ = )\S.*?(?=  #|$)",
                    lambda match, value=value: match[1] + repr(value),
                    cell.source,
                    flags=re.MULTILINE,
                )
    nbformat.write(notebook, path)
