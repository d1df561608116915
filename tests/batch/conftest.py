"""Notebooks of a user's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

Make = Callable[..., Path]


@pytest.fixture
def make_notebook(tmp_path: Path) -> Make:
    """Write a notebook `NAME.ipynb` with a parameters cell (none: empty) and cells; Markdown begins with #."""

    def make(name: str, parameters: str, *cells: str) -> Path:
        made = []
        if parameters:
            made.append(nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
        for source in cells:
            new = nbformat.v4.new_markdown_cell if source.startswith("#") else nbformat.v4.new_code_cell
            made.append(new(source))
        notebook = nbformat.v4.new_notebook(cells=made)
        notebook.metadata["kernelspec"] = {
            "name": "python3",
            "display_name": "Python 3",
            "language": "python",
        }
        path = tmp_path / f"{name}.ipynb"
        nbformat.write(notebook, path)
        return path

    return make
