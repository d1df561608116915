"""What an operation returns: counts, time, phases; shown as a small table in Jupyter."""

from __future__ import annotations

import dataclasses
import html
import logging
import time
from dataclasses import dataclass, field
from typing import Any, TypeVar

from gidbench.tiers import tier_of
from gidbench.units import format_count, format_rate, format_seconds

_log = logging.getLogger("gidbench")


@dataclass(frozen=True)
class Outcome:
    """The common part of every result.

    Attributes
    ----------
    operation:
        `generate`, `process` or `sync`.
    records:
        Records handled.
    seconds:
        Wall seconds from the call to its return, imports and compilation excluded.
    phases, busy:
        See `gidbench.engine.Context`.
    """

    operation: str
    records: int
    seconds: float
    phases: dict[str, float] = field(default_factory=dict)
    busy: dict[str, float] = field(default_factory=dict)

    @property
    def records_per_second(self) -> float:
        return self.records / self.seconds if self.seconds > 0 else 0.0

    @property
    def tier(self) -> str:
        """Tier of this one call. A tier to quote takes rounds and an interval: `gidbench run`."""
        return tier_of(self.records_per_second)

    def counts(self) -> dict[str, int | str]:
        """What happened to the records, by name; each kind of result has its own."""
        return {}

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "operation": self.operation,
            "records": self.records,
            "wall_s": self.seconds,
            "records_per_second": self.records_per_second,
            "tier": self.tier,
            **self.counts(),
            "phases_s": dict(self.phases),
            "busy_s": dict(self.busy),
        }

    def rows(self) -> list[tuple[str, str]]:
        """(label, value) pairs as people read them."""
        counts = [
            (name.replace("_", " "), format_count(value) if isinstance(value, int) else value)
            for name, value in self.counts().items()
        ]
        phases = ", ".join(f"{name} {format_seconds(spent)}" for name, spent in self.phases.items())
        return [
            ("records", format_count(self.records)),
            *counts,
            ("time", format_seconds(self.seconds)),
            ("rate", f"{format_rate(self.records_per_second)} ({self.tier})"),
            *([("phases", phases)] if phases else []),
        ]

    def __str__(self) -> str:
        width = max(len(label) for label, _ in self.rows())
        return "\n".join(f"{label:<{width}}  {value}" for label, value in self.rows())

    def _repr_html_(self) -> str:
        body = "".join(
            f'<tr><th scope="row" style="text-align:left">{html.escape(label)}</th>'
            f'<td style="text-align:left">{html.escape(value)}</td></tr>'
            for label, value in self.rows()
        )
        return (
            f"<table><caption>gidbench {html.escape(self.operation)}</caption><tbody>{body}</tbody></table>"
        )


Done = TypeVar("Done", bound=Outcome)


def finished(result: Done, started_ns: int) -> Done:
    """The result with the time of the whole call, and a line of it in the log."""
    result = dataclasses.replace(result, seconds=(time.perf_counter_ns() - started_ns) / 1e9)
    counts = ", ".join(
        f"{name} {value:,}" for name, value in result.counts().items() if isinstance(value, int)
    )
    _log.info(
        "%s: %s records in %.3f s (%.0f/s)%s",
        result.operation,
        f"{result.records:,}",
        result.seconds,
        result.records_per_second,
        f"; {counts}" if counts else "",
    )
    return result
