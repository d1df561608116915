"""The rejects file: every record that was not accepted, where it stood, why, and its original text."""

from __future__ import annotations

import contextlib
import csv
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from gidbench.files.atomic import replacing
from gidbench.records import Reason

COLUMNS = ("record", "line", "reason", "original")


class RejectsFile:
    """A CSV file (RFC 4180, UTF-8) that appears at the end of the block, and only if a record was added.

    Where none was, a file of that name is removed: it would be an earlier run's. Where the block fails, it
    stays as it is.

    Columns: `record` and `line` count from 1 (in a workbook, `line` is the sheet's row); `reason` is a code
    of `gidbench.records.Reason`; `original` is the record as it stood in the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stack = contextlib.ExitStack()
        self._file: TextIO | None = None
        self._writer: Any = None

    def __enter__(self) -> RejectsFile:
        return self

    def add(self, record: int, line: int, reason: Reason, original: str) -> None:
        if self._file is None:
            beside = self._stack.enter_context(replacing(self._path))
            self._file = self._stack.enter_context(beside.open("w", encoding="utf-8", newline=""))
            self._writer = csv.writer(self._file, lineterminator="\n")
            self._writer.writerow(COLUMNS)
        self._writer.writerow((record, line, reason.code, original))

    def seal(self) -> None:
        """Write out everything, so that only the renaming is left for the end of the block."""
        if self._file:
            self._file.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)
        if kind is None and self._file is None and self._path.is_file():
            self._path.unlink()
