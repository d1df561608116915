"""The notebooks that come with the package, and their parameters."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from gidbench.errors import GidbenchError, InputError
from gidbench.units import parse_count

BY_OPERATION = {"generate": "01_generate", "process": "02_process", "sync": "03_sync"}
OVERVIEW = "00_overview"


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


@cache
def parameters_of(name: str) -> dict[str, str]:
    """Name and type of each parameter of a notebook, from its cell tagged `parameters`."""
    from papermill import inspect_notebook

    with _quiet():
        found = inspect_notebook(path_of(name))
    return {key: str(value["inferred_type_name"]) for key, value in found.items()}


def typed(given: Mapping[str, str], names: list[str]) -> dict[str, Any]:
    """Parameters as people give them (text), in the types that the notebooks declare.

    Raises InputError where no notebook knows a parameter, or its value is not of its type.
    """
    known: dict[str, str] = {}
    for name in names:
        known.update(parameters_of(name))
    values: dict[str, Any] = {}
    for key, text in given.items():
        if key not in known:
            raise InputError(f"no notebook has a parameter {key!r}", f"Use one of {', '.join(sorted(known))}")
        values[key] = _CONVERTED.get(known[key], str)(text)
    return values


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise InputError(f"{text!r} is neither true nor false", "Write one of these")
    return text.lower() == "true"


_CONVERTED: dict[str, Callable[[str], Any]] = {"int": parse_count, "bool": _truth}


@contextlib.contextmanager
def _quiet() -> Any:
    """papermill logs at every step; only what goes wrong is of interest."""
    logger = logging.getLogger("papermill")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def execute(source: Path, output: Path, parameters: Mapping[str, Any], variables: Mapping[str, str]) -> None:
    """Run a notebook in a kernel of this interpreter, with the output's folder as its working directory.

    The executed notebook is saved in any case; where a cell failed, it is marked, and the error is raised
    anew as the kind that it was. No path of this machine and no environment variable is kept in it.
    """
    import nbformat
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    from gidbench.kernel import kernel_manager

    try:
        with _quiet():
            papermill.execute_notebook(
                str(source),
                str(output),
                parameters=dict(parameters),
                kernel_name="python3",
                progress_bar=False,
                kernel_manager_class=kernel_manager(output.parent, variables),
            )
    except PapermillExecutionError as failure:
        raise _revive(failure, output) from None
    except DeadKernelError:
        raise GidbenchError(
            f"the kernel of {output.name} died", "Too little memory is the likely cause; use fewer records"
        ) from None
    finally:
        if output.is_file():
            notebook = nbformat.read(output, as_version=4)
            details = notebook.metadata.get("papermill", {})
            details.update(input_path=source.name, output_path=output.name)
            nbformat.write(notebook, output)


def _revive(failure: Any, output: Path) -> GidbenchError:
    """The error of a cell as the class that it was raised as; its place is told."""
    from gidbench import errors

    where = f"See the marked cell in {output}"
    kind = getattr(errors, str(failure.ename), None)
    if isinstance(kind, type) and issubclass(kind, GidbenchError):
        problem, _, remedy = str(failure.evalue).rstrip(".").rpartition(". ")
        revived: GidbenchError = kind(problem or remedy, remedy if problem else where)
        return revived
    return GidbenchError(f"{output.name} failed with {failure.ename}", where)
