"""Progress across processes: a notebook's kernel writes it to a file, the batch that waits reads it.

A file named like it with `.stop` behind it asks the kernel to stop.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from pathlib import Path

from gidbench.engine import Cancellation, Progress

VARIABLE = "GIDBENCH_PROGRESS_FILE"
_INTERVAL_S = 0.1


class ProgressFile:
    """Writes the latest progress, ten times a second at most, and looks for the wish to stop."""

    def __init__(self, path: Path, cancellation: Cancellation) -> None:
        self._path, self._cancellation = path, cancellation
        self._stop = stop_file(path)
        self._last = 0.0

    @classmethod
    def from_environment(cls, cancellation: Cancellation) -> ProgressFile | None:
        """The file that the waiting batch has named; None where there is no such batch."""
        name = os.environ.get(VARIABLE)
        return cls(Path(name), cancellation) if name else None

    def look(self) -> None:
        """Cancel where the wish to stop is there."""
        if self._stop.exists():
            self._cancellation.cancel()

    def __call__(self, progress: Progress) -> None:
        self.look()
        now = time.monotonic()
        if now - self._last < _INTERVAL_S and progress.done < progress.total:
            return
        self._last = now
        beside = self._path.with_suffix(".part")
        beside.write_text(json.dumps(asdict(progress)), encoding="utf-8")
        beside.replace(self._path)


def stop_file(path: Path) -> Path:
    return path.with_name(path.name + ".stop")


def read(path: Path) -> Progress | None:
    """The latest progress; None where there is none yet."""
    try:
        return Progress(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
