"""A case: something to measure, how to set it up, and how to tell that it did its work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gidbench.engine import Cancellation
from gidbench.outcome import Outcome

TimedCall = Callable[[], Outcome]


@dataclass(frozen=True)
class Verified:
    """What a round is found to have produced, once it is over.

    Attributes
    ----------
    value:
        Digest of the output; equal for every round of every case of a family.
    cells, bytes:
        Values and bytes that the operation took in or gave out, for cells/s and bytes/s.
    facts:
        Counts to show.
    """

    value: str
    cells: int
    bytes: int
    facts: dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One row of the report.

    Attributes
    ----------
    operation, variant:
        Together they name the case.
    title:
        What is done, in words.
    headline:
        Whether this variant stands for its operation on the scoreboard.
    family:
        Cases of a family must produce equal values.
    prepare:
        Untimed, before each round; returns the call to time.
    verify:
        Untimed, after each round; raises VerificationError where the output is wrong.
    peer, against:
        Of somebody else's tool: its name, and the variant of ours that it does the same as.
    """

    operation: str
    variant: str
    title: str
    headline: bool
    records: int
    family: str
    prepare: Callable[[Cancellation], TimedCall]
    verify: Callable[[Outcome], Verified]
    peer: str | None = None
    against: str | None = None

    @property
    def name(self) -> str:
        return f"{self.operation} {self.variant}"
