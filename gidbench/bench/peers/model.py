"""What a peer is: what people would otherwise write for an operation, and what it takes to hold it against ours."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from gidbench.stores.naming import OURS, Names


@dataclass(frozen=True)
class Peer:
    """The common part.

    Attributes
    ----------
    name, title:
        A word to refer to it by, and what it does.
    against:
        The variant of ours that it does the same as, or a part of the same.
    modules:
        What must be installed.
    most:
        Records that it is given at most, as it is slow; None: as many as ours.
    """

    name: str
    title: str
    against: str
    modules: tuple[str, ...]
    most: int | None

    def records(self, asked: int) -> int:
        """How many records it is given where so many are asked for."""
        return asked if self.most is None else min(asked, self.most)

    def lacks(self) -> str:
        """Why it can't be tried on this machine; empty where it can."""
        missing = [module for module in self.modules if importlib.util.find_spec(module) is None]
        if not missing:
            return ""
        are = "is" if len(missing) == 1 else "are"
        return f'{", ".join(missing)} {are} not installed: pip install "gidbench[peers]"'


@dataclass(frozen=True)
class Maker(Peer):
    """Makes the table of employees: `make(records, seed)`. Proof: `checks.check_people`."""

    make: Callable[[int, int], pa.Table]


@dataclass(frozen=True)
class Reader(Peer):
    """Reads a file of employees.

    Attributes
    ----------
    read:
        The timed work, in whatever form the library gives.
    people:
        Untimed: what was read, as a table with the columns of a person. Proof: the digest of these.
    load:
        Timed, too, where it goes on to put what it accepts into a database: (what was read, URL).
    """

    kind: str
    read: Callable[[Path], Any]
    people: Callable[[Any], pa.Table]
    load: Callable[[Any, str], int] | None = None


@dataclass(frozen=True)
class Syncer(Peer):
    """Makes global_id of a database agree with its employee: `sync(URL, names)`, which returns the rows changed.

    Proof: the same rows as ours, initially and after people have changed, left and gone.

    Attributes
    ----------
    backend:
        Of the database's URL: duckdb or mssql.
    hinders:
        Why the database's server can't do it; empty where it can.
    """

    backend: str
    sync: Callable[[str, Names], int]
    hinders: Callable[[str], str] = lambda _: ""


def in_file(work: Callable[[Path], int]) -> Callable[[str, Names], int]:
    """A sync of a DuckDB file, by the URL of the file; its tables have our names."""
    from gidbench.stores.opening import duckdb_path, parse_url

    def by_url(url: str, names: Names) -> int:
        path = duckdb_path(parse_url(url))
        assert path is not None
        assert names is OURS
        return work(path)

    return by_url
