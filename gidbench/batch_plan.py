"""What a batch is to do: every notebook with every combination of parameters, checked before anything runs."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gidbench import notebooks
from gidbench.bench.databases import lasting, require_empty
from gidbench.bench.session import check_request
from gidbench.errors import InputError
from gidbench.log import redact
from gidbench.parameters import Parameter, from_text, from_yaml, parameters_in, require_known
from gidbench.settings import load_settings
from gidbench.stores.opening import safe_name

_MOST_STEPS = 1_000
_LONGEST_NAME = 80  # of a folder; its path must fit what systems allow
_REQUEST = ("records", "rounds", "processes", "budget_s")


@dataclass(frozen=True)
class Step:
    """One notebook with one choice of parameters.

    Attributes
    ----------
    source, is_ours:
        The notebook, and whether it is one of the package.
    folder:
        Where it goes, below that of the batch; empty: there itself.
    parameters:
        What is put into it; a database's URL is none of these where it is ours, or holds a password.
    database:
        URL that it gets through the environment; empty: what the batch has.
    shown:
        What was chosen for it, as text without passwords.
    takes_out:
        Whether it has a parameter `out`, for its results.
    at:
        The combination of what is swept, as text; a notebook need not know all of it.
    """

    source: Path
    is_ours: bool
    folder: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    database: str = ""
    shown: Mapping[str, str] = field(default_factory=dict)
    takes_out: bool = False
    at: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.source.stem


@dataclass(frozen=True)
class Given:
    """Parameters as they are given: texts of the command line, values of YAML files, and what is swept, as texts."""

    texts: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    sweep: Mapping[str, Sequence[str]] = field(default_factory=dict)


def load_values(paths: Iterable[Path]) -> dict[str, Any]:
    """Parameters of YAML files; a later file comes before an earlier one. Raises InputError."""
    import yaml

    values: dict[str, Any] = {}
    for path in paths:
        try:
            found = yaml.safe_load(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            mark = getattr(error, "problem_mark", None)
            where = f" (line {mark.line + 1})" if mark is not None else ""
            raise InputError(
                f"{path} cannot be read as YAML{where}", "Mend it, or name another file"
            ) from None
        if found is None:
            continue
        if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
            raise InputError(f"{path} holds no parameters", "Write a line `name: value` for each")
        values |= found
    return values


def parse_sweep(texts: Iterable[str]) -> dict[str, list[str]]:
    """`records=1e5,1e6`: values with commas between, or with semicolons where a value has commas itself."""
    swept: dict[str, list[str]] = {}
    for text in texts:
        name, sign, listed = text.partition("=")
        name = name.strip()
        mark = ";" if ";" in listed else ","
        values = [value.strip() for value in listed.split(mark)]
        if not sign or not name.isidentifier() or not all(values):
            raise InputError(f"{text!r} is no sweep", "Write it like records=1e5,1e6")
        if name in swept:
            raise InputError(f"{name} is swept twice", "Give all its values at once")
        if len(set(values)) < len(values):
            raise InputError(f"the sweep of {name} holds a value twice", "Name each value once")
        swept[name] = values
    return swept


def plan(names: Sequence[str], given: Given) -> list[Step]:
    """Every notebook at every combination of what is swept; one combination after the other.

    The overview is the last of each, since it shows what the others measured. Raises InputError for a notebook that is
    not there, a parameter that none of them has, a value that is not of its type, and what cannot be measured.
    """
    sources = list(dict.fromkeys(notebooks.find(name) for name in names))
    if not sources:
        raise InputError("no notebook is named", f"Name a file, or any of {', '.join(notebooks.ALL)}")
    stems = [source.stem for source in sources]
    if twice := sorted({stem for stem in stems if stems.count(stem) > 1}):
        raise InputError(f"two notebooks are called {twice[0]}", "Run them as two batches")
    sources.sort(key=lambda source: source.stem == notebooks.OVERVIEW)
    declared = {source: parameters_in(source) for source in sources}
    known = {name: each for found in declared.values() for name, each in found.items()}
    _check_names(given, known)
    combinations = [
        dict(zip(given.sweep, values, strict=True)) for values in itertools.product(*given.sweep.values())
    ]
    if len(combinations) * len(sources) > _MOST_STEPS:
        raise InputError(
            f"{len(combinations) * len(sources):,} notebooks would run, and {_MOST_STEPS:,} is the most",
            "Sweep fewer values",
        )
    folders = _folders(combinations)
    steps = [
        replace(_step(source, declared[source], given, chosen, folder), at=_told(chosen, known))
        for chosen, folder in zip(combinations, folders, strict=True)
        for source in sources
    ]
    _check_request(steps)
    return steps


def _check_names(given: Given, known: Mapping[str, Parameter]) -> None:
    for name in (*given.texts, *given.values, *given.sweep):
        if name == "out":
            raise InputError("out is where the batch puts its results", "Name a folder by --out")
        require_known(name, known)
    both = sorted({*given.sweep} & {*given.texts, *given.values})
    if both:
        raise InputError(f"{both[0]} is both given and swept", "Leave one of them out")


def _step(
    source: Path, declared: Mapping[str, Parameter], given: Given, chosen: Mapping[str, str], folder: str
) -> Step:
    values = {
        **{
            name: from_yaml(declared[name], value) for name, value in given.values.items() if name in declared
        },
        **{
            name: from_text(declared[name], text)
            for name, text in {**given.texts, **chosen}.items()
            if name in declared
        },
    }
    is_ours = source.parent == notebooks.folder()
    database, shown = "", {}
    for name, value in list(values.items()):
        is_secret = isinstance(value, str) and redact(value) != value
        shown[name] = safe_name(value) if name == "database" and value else str(value)
        if name == "database" and value and (is_ours or is_secret):
            database = lasting(str(values.pop(name)))
        elif is_secret:
            raise InputError(
                f"the parameter {name} holds a password, which would stay in the notebook",
                "Give it through the environment",
            )
    return Step(source, is_ours, folder, values, database, shown, "out" in declared)


def _told(chosen: Mapping[str, str], known: Mapping[str, Parameter]) -> dict[str, str]:
    """A combination as people read it: 100000 for 1e5, and no password."""
    return {
        name: safe_name(text) if name == "database" and text else str(from_text(known[name], text))
        for name, text in chosen.items()
    }


def _folders(combinations: Sequence[Mapping[str, str]]) -> list[str]:
    """A name for each combination, readable and its own."""
    names: list[str] = []
    for number, chosen in enumerate(combinations, 1):
        told = {name: safe_name(text) if name == "database" else text for name, text in chosen.items()}
        name = "_".join(f"{name}-{_plain(text)}" for name, text in told.items())[:_LONGEST_NAME].rstrip("-_.")
        names.append(name if name.lower() not in (known.lower() for known in names) else f"{name}-{number}")
    return names


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.+]+", "-", text).strip("-.") or "none"


def _check_request(steps: Sequence[Step]) -> None:
    """What the notebooks would refuse themselves is told now, not when their turn comes."""
    databases: set[str] = set()
    for step in steps:
        if not step.is_ours:
            continue
        values = step.parameters
        asked = {name: values[name] for name in _REQUEST if name in values}
        check_request(**{"records": 1, "rounds": 0, **asked})
        load_settings(batch_size=values.get("batch_size") or None, workers=values.get("workers") or None)
        if step.database and step.name in notebooks.BY_OPERATION.values():
            databases.add(step.database)
    for url in sorted(databases):
        require_empty(url)
