"""Folders of runs: where they are, and what lies in them for a while."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from gidbench.bench.results import Result, load_results, newest
from gidbench.errors import InputError

RESULTS_FILE = "results.jsonl"


def new_folder(parent: Path) -> Path:
    """A new folder of this moment, UTC."""
    name = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    folder = parent / name
    while folder.exists():
        folder = parent / f"{name}-{secrets.token_hex(2)}"
    folder.mkdir(parents=True)
    return folder


def make_folder(folder: Path, *, shown: str = "", remedy: str = "Name another one") -> Path:
    """The folder, made where it is missing. Raises InputError, which calls it `shown`, where it can't be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{shown or folder} cannot be made a folder ({error.strerror})", remedy) from error
    return folder


def results_in(out: str | Path = "") -> list[Result]:
    """Latest result of each case of a run; empty `out`: the newest run under reports/."""
    return newest(load_results(run_folder(out)).results)


def run_folder(out: str | Path = "") -> Path:
    """The folder of a run, or the newest under reports/."""
    if out:
        return Path(out)
    runs = sorted(Path("reports").glob(f"2*/{RESULTS_FILE}"))
    if not runs:
        raise InputError("there is no run under reports/ yet", "Measure an operation first, or name a folder")
    return runs[-1].parent


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """A folder for the files of the cases, on the disk of the results; nothing of it stays."""
    with tempfile.TemporaryDirectory(prefix=".scratch-", dir=folder) as name:
        yield Path(name).resolve()
