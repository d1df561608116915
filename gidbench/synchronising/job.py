"""What both ways to synchronise share: their steps told, their counts checked, their findings."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa

from gidbench.engine import Context
from gidbench.errors import VerificationError
from gidbench.stores.base import OUTCOMES, AuditEntry, Store


@dataclass(frozen=True)
class Findings:
    """Counts by outcome (and `gone`), rows of the source, rows that were given their G_ID, conflicts by id.

    `losers` are all rows of the source that do not count, as far as a run that streams knows; the conflicts are
    those of the rows that it has read.
    """

    counts: dict[str, int]
    rows: int
    written_back: int = 0
    conflicts: pa.Table | None = None
    losers: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Job:
    """One synchronisation.

    Attributes
    ----------
    steps:
        Names of its steps; `before` is called with each as it begins.
    parameters:
        What the audit log is told of it.
    dry_run:
        End with the comparison, and change nothing.
    """

    context: Context
    moment: datetime
    steps: tuple[str, ...]
    before: Callable[[str], None] | None = None
    lock_timeout_s: float = 30.0
    workers: int = 1
    dry_run: bool = False
    parameters: dict[str, Any] = field(default_factory=dict)

    def begin(self, step: str) -> None:
        if self.before:
            self.before(step)
        self.context.report(step, self.steps.index(step), len(self.steps), "steps")

    @contextlib.contextmanager
    def step(self, step: str) -> Iterator[None]:
        self.begin(step)
        with self.context.phase(step):
            yield

    def record(self, target: Store, counts: dict[str, int]) -> None:
        outcomes = {name: counts[name] for name in OUTCOMES}
        target.record(AuditEntry("sync", self.moment, "done", outcomes, self.parameters))


def require(found: int, expected: int, what: str) -> None:
    """Raise VerificationError unless a statement did what was decided; its transaction ends by that."""
    if found != expected:
        raise VerificationError(
            f"{found:,} rows were {what} where {expected:,} were counted",
            "Nothing was changed; make sure that nobody else writes to these tables, and run it again",
        )


def check_sum(counts: dict[str, int], rows: int) -> None:
    """The outcomes must add up to the rows of the source and the people whom it does not know."""
    require(sum(counts[name] for name in OUTCOMES), rows + counts["gone"], "accounted for")


def check_laws(violations: dict[str, int]) -> None:
    """Raise VerificationError where a law is broken by any row."""
    broken = {law: count for law, count in violations.items() if count}
    if broken:
        found = ", ".join(f"{law.replace('_', ' ')}: {count:,}" for law, count in broken.items())
        raise VerificationError(
            f"global_id does not agree with employee after the merge ({found})",
            "Nothing was changed; look for rows that repeat a G_ID or a no_ktp in global_id",
        )
