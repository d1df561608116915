"""What a conversion returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gidbench.files.text import Decision
from gidbench.outcome import Outcome


@dataclass(frozen=True)
class ConversionResult(Outcome):
    """What became of a table.

    Attributes
    ----------
    columns:
        Of the table; with their types in `types`, by name.
    malformed, repaired:
        Records that could not be placed, which are in `malformed_path`; and those that could be after all.
    reasons:
        Of both, by code.
    decisions:
        What was found out about the source, and how sure that is.
    warnings:
        What the reader of the result should know.
    """

    columns: int = 0
    malformed: int = 0
    repaired: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    destination: str = ""
    bytes_written: int = 0
    malformed_path: Path | None = None
    types: dict[str, str] = field(default_factory=dict)
    decisions: tuple[Decision, ...] = ()
    warnings: tuple[str, ...] = ()

    def counts(self) -> dict[str, int | str]:
        named: dict[str, int | str] = {
            "columns": self.columns,
            "destination": self.destination,
            "bytes_written": self.bytes_written,
        }
        if self.repaired:
            named["repaired"] = self.repaired
        if self.malformed:
            named["malformed"] = self.malformed
            named["malformed_list"] = str(self.malformed_path)
        if self.reasons:
            named["reasons"] = ", ".join(f"{code} {count:,}" for code, count in self.reasons.items())
        return named

    def to_dict(self) -> dict[str, Any]:
        decisions = [
            {"what": each.what, "value": each.value, "sure": each.sure, "why": each.why}
            for each in self.decisions
        ]
        return {
            **super().to_dict(),
            "malformed": self.malformed,
            "repaired": self.repaired,
            "types": dict(self.types),
            "decisions": decisions,
            "warnings": list(self.warnings),
        }
