"""What a check has found: of a machine, a database or a table."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Check:
    """One finding: `state` is good, note (works, could be better) or bad (something will fail)."""

    name: str
    state: str
    found: str
    remedy: str = ""

    def to_dict(self) -> dict[str, str]:
        return asdict(self)
