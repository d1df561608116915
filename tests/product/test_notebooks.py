"""The notebooks in git: no outputs, a documented parameters cell, calls and nothing else."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
import pytest

from gidbench import notebooks
from gidbench.errors import InputError

PATHS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def test_all_notebooks_are_there() -> None:
    assert [path.stem for path in PATHS] == list(notebooks.ALL)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_holds_no_outputs_and_names_the_kernel_python3(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert "papermill" not in notebook.metadata
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_each_parameter_has_a_type_a_value_and_a_help(path: Path) -> None:
    [cell] = [
        cell
        for cell in nbformat.read(path, as_version=4).cells
        if "parameters" in cell.metadata.get("tags", [])
    ]
    for line in cell.source.splitlines():
        assert re.fullmatch(r"[a-z_]+: (int|str|float|bool) = \S.*?  # \S.*", line), line
    assert set(notebooks.parameters_of(path.stem)) == {
        line.split(":")[0] for line in cell.source.splitlines()
    }


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_has_no_logic_beyond_calls(path: Path) -> None:
    forbidden = (
        ast.FunctionDef,
        ast.ClassDef,
        ast.For,
        ast.While,
        ast.If,
        ast.Try,
        ast.With,
        ast.Lambda,
        ast.ListComp,
    )
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            found = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, forbidden)]
            assert found == [], cell.source


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_begins_with_its_question(path: Path) -> None:
    first = nbformat.read(path, as_version=4).cells[0]
    assert first.cell_type == "markdown"
    assert first.source.splitlines()[0].startswith("# ")
    assert first.source.splitlines()[0].endswith("?")


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_ends_with_its_answer(path: Path) -> None:
    *_, heading, last = nbformat.read(path, as_version=4).cells
    assert heading.source == "## The answer"
    assert last.cell_type == "code"
    assert "answer" in last.source


def test_notebooks_are_found_by_name_and_by_path(tmp_path: Path) -> None:
    assert notebooks.find("generate") == notebooks.find("01_generate") == notebooks.path_of("01_generate")
    assert notebooks.find("your_server") == notebooks.path_of("06_your_server")
    own = tmp_path / "01_generate.ipynb"
    own.write_bytes(notebooks.path_of("01_generate").read_bytes())
    assert notebooks.find(str(own)) == own.resolve()
    assert notebooks.find("01_generate.ipynb") == own.resolve()  # it is there, so it is meant
    assert notebooks.find("01_generate") == notebooks.path_of("01_generate")
    with pytest.raises(InputError, match=r"there is no notebook 'generation'.*00_overview, 01_generate"):
        notebooks.find("generation")
