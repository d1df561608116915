"""An executed notebook as one HTML page: no script, no network, no dead widget; the code is there to be opened."""

from __future__ import annotations

import html
import re
from importlib import resources
from pathlib import Path
from typing import Any

from gidbench import __version__
from gidbench.errors import InputError
from gidbench.files.atomic import write_text
from gidbench.parameters import TAG
from gidbench.report.style import page_style

_WIDGET = "application/vnd.jupyter.widget-view+json"
_SCRIPTS = ("application/javascript", _WIDGET)
_LIVE_ONLY = (
    "<p><em>An interactive control stood here. It works where the notebook is open: "
    "<code>gidbench lab</code>.</em></p>"
)

# Wide tables scroll on a phone; who has no mouse must get there, too.
_SCROLLS = '<div class="scroll" role="region" aria-label="Table" tabindex="0">'


def export(notebook: Path, page: Path, *, index: str = "") -> None:
    """Write a notebook as a page that loads nothing; `index` is where the page of its batch is, if there is one.

    Raises InputError where it is no notebook, or the page can't be written.
    """
    import nbformat
    from nbconvert.exporters import HTMLExporter

    try:
        read = nbformat.read(notebook, as_version=4)
    except (OSError, ValueError, nbformat.reader.NotJSONError) as error:
        raise InputError(f"{notebook} is no notebook of Jupyter", "Name a file of nbformat 4") from error
    _still(read)
    exporter = HTMLExporter(
        template_name="notebook_page",
        extra_template_basedirs=[str(resources.files("gidbench").joinpath("data"))],
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )
    ours = {
        "version": __version__,
        "title": _title(read, notebook.stem),
        "index": index,
        "style": page_style("notebook_page/notebook.css"),
        "opened": [TAG, "injected-parameters"],
    }
    text, _ = exporter.from_notebook_node(read, {"gidbench": ours})
    write_text(page, text)


def _still(notebook: Any) -> None:
    """Take out what works in a live notebook only, and say so where nothing else is shown; let tables scroll."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        kept = []
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if (
                isinstance(shown := data.get("text/html"), str)
                and "<table" in shown
                and "tabindex" not in shown
            ):
                data["text/html"] = f"{_SCROLLS}{shown}</div>"
            if not any(kind in data for kind in _SCRIPTS):
                kept.append(output)
                continue
            is_widget = _WIDGET in data
            for kind in _SCRIPTS:
                data.pop(kind, None)
            if is_widget and "text/html" not in data:
                data.clear()  # what is left is the name of a class
                data["text/html"] = _LIVE_ONLY
            if data:
                kept.append(output)
        if "outputs" in cell:
            cell.outputs = kept


def _title(notebook: Any, name: str) -> str:
    """The first heading."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and (found := re.search(r"^#+ +(.+)$", cell.source, re.MULTILINE)):
            return str(found[1]).strip()
    return html.escape(name)
