"""The notebooks that come with the package: where they are, what they take, and how one is executed."""

from __future__ import annotations

import contextlib
import html
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from gidbench.errors import GidbenchError, InputError
from gidbench.log import redact
from gidbench.parameters import from_text, parameters_in, require_known
from gidbench.widgets.markup import HEADLESS, SESSION

BY_OPERATION = {"generate": "01_generate", "process": "02_process", "sync": "03_sync"}
OVERVIEW = "00_overview"
ALL = (OVERVIEW, *BY_OPERATION.values(), "04_tune", "05_compare", "06_your_server")

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_ERROR_TAG = "papermill-error-cell-tag"


@cache
def folder() -> Path:
    """Where the notebooks are: inside an installed package, or beside it in a clone."""
    package = Path(__file__).resolve().parent
    for place in (package / "_notebooks", package.parent / "notebooks"):
        if (place / f"{OVERVIEW}.ipynb").is_file():
            return place
    raise GidbenchError("the notebooks are not where the package expects them", "Install gidbench again")


def path_of(name: str) -> Path:
    return folder() / f"{name}.ipynb"


def find(name: str) -> Path:
    """A notebook by its path, or one of the package by its name: `01_generate` or `generate`.

    Raises InputError where there is no such notebook.
    """
    given = name.removesuffix(".ipynb")
    for known in ALL:
        if given in (known, known.partition("_")[2]) and not (given != name and Path(name).is_file()):
            return path_of(known)
    path = Path(name)
    if path.is_file():
        return path.resolve()
    raise InputError(f"there is no notebook {name!r}", f"Name a file, or one of {', '.join(ALL)}")


def parameters_of(name: str) -> dict[str, str]:
    """Name and type of each parameter of a notebook, from its cell tagged `parameters`."""
    return {key: each.type for key, each in parameters_in(path_of(name)).items()}


def typed(given: Mapping[str, str], names: list[str]) -> dict[str, Any]:
    """Parameters as people give them (text), in the types that the notebooks declare.

    Raises InputError where no notebook knows a parameter, or its value is not of its type.
    """
    known = {key: each for name in names for key, each in parameters_in(path_of(name)).items()}
    return {key: from_text(require_known(key, known), text) for key, text in given.items()}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """papermill logs at every step; only what goes wrong is of interest."""
    logger = logging.getLogger("papermill")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def execute(
    source: Path,
    output: Path,
    parameters: Mapping[str, Any],
    variables: Mapping[str, str],
    place: Path | None = None,
) -> None:
    """Run a notebook in a kernel of this interpreter, in `place` (default: the output's folder).

    The executed notebook is saved in any case; where a cell failed, it is marked, and the error is raised
    anew as the kind that it was. No path of this machine and no environment variable is kept in it.
    """
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    from gidbench.kernel import NAME, kernel_manager

    manager = kernel_manager(
        place or output.parent, {HEADLESS: "1", SESSION: str(output.resolve()), **variables}
    )
    try:
        with _quiet():
            papermill.execute_notebook(
                str(source),
                str(output),
                parameters=dict(parameters),
                kernel_name=NAME,
                language="python",
                progress_bar=False,
                kernel_manager_class=manager,
            )
    except PapermillExecutionError as failure:
        raise _revive(failure, output) from None
    except DeadKernelError:
        raise GidbenchError(
            f"the kernel of {output.name} died", "Too little memory is the likely cause; use fewer records"
        ) from None
    finally:
        if output.is_file():
            _tidy(source, output)


def _tidy(source: Path, output: Path) -> None:
    """Take out of an executed notebook what only this machine knows, and what no reader can use."""
    import nbformat

    notebook = nbformat.read(output, as_version=4)
    details = notebook.metadata.get("papermill", {})
    details.update(input_path=source.name, output_path=output.name)
    notebook.metadata.pop("widgets", None)  # of a kernel that is gone: nobody can move them
    failed = ""
    for cell in notebook.cells:
        for found in cell.get("outputs", ()):
            if found.output_type == "error":
                found.traceback = [_without_paths(redact(line), output.parent) for line in found.traceback]
                found.evalue = _without_paths(redact(found.evalue), output.parent)
                failed = str(found.evalue or found.ename)
    marks = [cell for cell in notebook.cells if _ERROR_TAG in cell.metadata.get("tags", ())]
    for cell, words in zip(marks, _marks(failed), strict=False):
        cell.source = words
    nbformat.write(notebook, output)


def _marks(failed: str) -> tuple[str, str]:
    """What stands on top of a failed notebook, and before the cell: papermill's own words, in red, are hard to read
    on a dark ground and do not say what happened."""
    told = html.escape(" ".join(failed.split())) or "the kernel ended"
    return (
        f"<p><strong>An Exception was encountered:</strong> {told} "
        '<a href="#papermill-error-cell">Go to the cell.</a></p>',
        '<p id="papermill-error-cell"><strong>This cell failed:</strong></p>',
    )


def _without_paths(text: str, place: Path) -> str:
    """A line of a traceback, its files named from where they are installed."""
    known = {str(Path(__file__).resolve().parents[1]), str(place), str(Path.cwd()), str(Path.home())}
    known |= {path for path in sys.path if len(path) > 1} | {sys.prefix, sys.base_prefix}
    for path in sorted(known, key=len, reverse=True):
        if len(path) > 1:
            text = text.replace(path.rstrip("/\\") + "/", "").replace(path.rstrip("/\\") + "\\", "")
    return text


def _revive(failure: Any, output: Path) -> GidbenchError:
    """The error of a cell as the class that it was raised as; its place is told."""
    from gidbench import errors

    where = f"See the marked cell in {output}"
    kind = getattr(errors, str(failure.ename), None)
    if isinstance(kind, type) and issubclass(kind, GidbenchError):
        problem, _, remedy = str(failure.evalue).rstrip(".").rpartition(". ")
        revived: GidbenchError = kind(problem or remedy, remedy if problem else where)
        return revived
    said = _COLOURS.sub("", str(failure.evalue or "")).strip().splitlines()
    told = f" ({redact(said[0])[:200].rstrip('.')})" if said else ""
    return GidbenchError(f"{output.name} failed with {failure.ename}{told}", where)
