"""What is asked for, as one value: from arguments, from a result's header, to a line of the shell and back."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gidbench.bench.databases import without_password
from gidbench.bench.results import RunHeader
from gidbench.bench.schedule import PROCESSES
from gidbench.bench.suite import OPERATIONS, VARIANTS, chosen, named
from gidbench.errors import InputError
from gidbench.settings import AUTO, Settings
from gidbench.stores.opening import parse_url

SEED, RECORDS = 7, 1_000_000
_COUNTS = ("records", "processes", "rounds", "seed", "batch_size", "workers", "pool_size")


@dataclass(frozen=True)
class Request:
    """What `gidbench run` is asked for; 0, empty and False leave it to the settings, or to gidbench.

    Attributes
    ----------
    operations:
        In the order in which they run, each once.
    cases:
        Variants of any of these operations; empty: all. An operation that has none of them is left out.
    strategy:
        How rows are written to SQL Server; empty: the setting, `auto` where that is not set.
    source:
        A file of the user's own for `process`, in the place of its cases.
    database:
        URL, with a password or without; it is not shown.
    """

    operations: tuple[str, ...] = OPERATIONS
    records: int = RECORDS
    processes: int = 0
    rounds: int = 0
    cases: tuple[str, ...] = ()
    seed: int = SEED
    batch_size: int = 0
    workers: int = 0
    pool_size: int = 0
    strategy: str = ""
    peers: bool = False
    source: str = ""
    database: str = field(default="", repr=False)

    @classmethod
    def asked(
        cls, operations: str | Sequence[str] = (), cases: str | Sequence[str] = (), **given: Any
    ) -> Request:
        """From arguments as people give them: names with commas or one by one, None for what is not given.

        Raises InputError, naming the known ones, for operations or cases that are unknown or do not go together.
        """
        names = named(operations) or OPERATIONS
        if unknown := [name for name in names if name not in OPERATIONS]:
            raise InputError(
                f"{', '.join(unknown)} cannot be measured", f"Use any of {', '.join(OPERATIONS)}"
            )
        ordered = tuple(name for name in OPERATIONS if name in names)
        others = ordered
        if given.get("source"):
            if "process" not in ordered:
                raise InputError(
                    "a source is for process, which is left out", "Add it, or leave the source out"
                )
            others = tuple(name for name in ordered if name != "process")
        known = {name: value for name, value in given.items() if value is not None}
        return cls(operations=ordered, cases=_known_cases(others, named(cases)), **known)

    @classmethod
    def of(cls, header: RunHeader, operations: Sequence[str] = ()) -> Request:
        """What a run was asked for, by the header of its result file and the operations that its results are of.

        What is recorded as it worked out counts as asked for only where it is not what it would have been anyway.
        """
        given = header.parameters
        rounds, processes = given.get("rounds"), given.get("processes")
        fields = Settings.model_fields
        usual = {
            "batch_size": fields["batch_size"].default,
            "workers": header.host.get("usable_cores"),
            "pool_size": fields["pool_size"].default,
        }
        settings = {
            name: value for name, default in usual.items() if (value := given.get(name, default)) != default
        }
        strategy = str(given.get("strategy", ""))
        return cls(
            operations=tuple(name for name in OPERATIONS if name in operations) or OPERATIONS,
            records=int(given["records"]),
            processes=processes if isinstance(processes, int) and processes != PROCESSES else 0,
            rounds=rounds if isinstance(rounds, int) else 0,
            cases=tuple(given.get("cases", ())),
            seed=int(given["seed"]),
            strategy="" if strategy == AUTO else strategy,
            peers=bool(given.get("peers", False)),
            source=str(given.get("source", "")),
            database=str(given.get("database", "")),
            **settings,
        )

    def cases_of(self, operation: str) -> tuple[str, ...]:
        """Those of `cases` that an operation has; a file in their place has none."""
        if self.source and operation == "process":
            return ()
        return tuple(name for name in VARIANTS[operation] if name in self.cases)

    @property
    def measured(self) -> tuple[str, ...]:
        """The operations that have one of the cases, or a file in their place."""
        return tuple(
            name
            for name in self.operations
            if not self.cases or self.cases_of(name) or (self.source and name == "process")
        )

    def command(self) -> str:
        """The line of a shell that does this, of what is not usual; a password is never in it (see `note`)."""
        words = ["gidbench", "run"]
        usual = Request()
        for name in _COUNTS:
            if (value := getattr(self, name)) != getattr(usual, name):
                words += [f"--{name.replace('_', '-')}", str(value)]
        if self.operations != usual.operations:
            words += ["--operations", ",".join(self.operations)]
        if self.cases:
            words += ["--cases", ",".join(self.cases)]
        if self.strategy:
            words += ["--strategy", self.strategy]
        if self.peers:
            words.append("--peers")
        if self.source:
            words += ["--source", self.source]
        if self.database:
            words += ["--database", without_password(self.database)]
        return shlex.join(words)

    @property
    def note(self) -> str:
        """How the password is given that the command does not hold; empty where none is needed."""
        if not self.database or parse_url(self.database).get_backend_name() == "duckdb":
            return ""
        return (
            "The password is not in the command: set the environment variable DATABASE_URL to the same URL with its"
            " password"
        )


def _known_cases(operations: Sequence[str], names: tuple[str, ...]) -> tuple[str, ...]:
    """The names in the order in which they run. Raises InputError where none of the operations has one of them."""
    if names and not operations:
        raise InputError("a source is a case by itself", "Leave the cases out, or the source")
    known = tuple(dict.fromkeys(case for operation in operations for case in VARIANTS[operation]))
    if len(operations) == 1 and names:
        return chosen(operations[0], names)
    if unknown := [name for name in names if name not in known]:
        raise InputError(
            f"{', '.join(operations)} have no case {', '.join(map(repr, unknown))}",
            f"Use any of {', '.join(known)}",
        )
    return tuple(name for name in known if name in names)
