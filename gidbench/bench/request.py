"""What is asked for, as one value: from arguments, from a result's header, to a line of the shell."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from gidbench.bench.results import RunHeader


@dataclass(frozen=True)
class Request:
    """What `gidbench run` is asked for; 0, empty and False leave it to the settings or to gidbench."""

    operations: tuple[str, ...] = ("generate", "process", "sync")
    records: int = 1_000_000
    processes: int = 0
    rounds: int = 0
    cases: tuple[str, ...] = ()
    seed: int = 7
    batch_size: int = 0
    workers: int = 0
    pool_size: int = 0
    strategy: str = ""
    peers: bool = False
    database: str = ""

    def command(self) -> str:
        """The line of the shell that does this; a password is never in it."""
        return shlex.join(["gidbench", "run", "--records", str(self.records)])

    @classmethod
    def of(cls, header: RunHeader) -> Request:
        """What a run was asked for, by the header of its result file."""
        return cls(records=int(header.parameters["records"]))
