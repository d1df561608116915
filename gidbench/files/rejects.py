"""The rejects file: every record that was not accepted, where it stood, why, and its original text."""

from __future__ import annotations

import contextlib
import csv
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Protocol, TextIO

from gidbench.errors import TooManyRejectsError
from gidbench.files.atomic import replacing
from gidbench.records import Reason

COLUMNS = ("record", "line", "sheet", "cell", "reason", "column", "value", "original")


class Reject(NamedTuple):
    """A record that was not accepted.

    Attributes
    ----------
    record:
        Its number in the file, from 1 on.
    line:
        The line it begins on, from 1 on; in a workbook "" (it has a sheet and a cell).
    sheet, cell:
        Of a workbook: the name of the sheet, and the cell of the value or else the first one of the row.
    reason:
        Why; its code is written.
    column, value:
        Title of the column and text of the field that is the reason, exactly as it stands in the file; of a
        duplicate the 16 digits. "" where it is the record as a whole.
    original:
        The text of the record, as it stands in the file.
    """

    record: int
    line: int | str
    sheet: str
    cell: str
    reason: Reason
    column: str
    value: str
    original: str


class Rejects(Protocol):
    """Somewhere for records that were not accepted."""

    def add(self, reject: Reject) -> None: ...

    def seal(self) -> None:
        """Write out everything that was added."""
        ...


def _row(reject: Reject) -> tuple[object, ...]:
    return (*reject[:4], reject.reason.code, *reject[5:])


class RejectsFile:
    """A CSV file (RFC 4180, UTF-8) that appears at the end of the block, and only if a record was added.

    Where none was, a file of that name is removed: it would be an earlier run's. Where the block fails, it
    stays as it is, unless there were too many rejects: they are kept then. Columns: see `Reject`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stack = contextlib.ExitStack()
        self._file: TextIO | None = None
        self._writer: Any = None

    def __enter__(self) -> RejectsFile:
        return self

    def add(self, reject: Reject) -> None:
        if self._file is None:
            beside = self._stack.enter_context(replacing(self._path))
            self._file = self._stack.enter_context(beside.open("w", encoding="utf-8", newline=""))
            self._writer = csv.writer(self._file, lineterminator="\n")
            self._writer.writerow(COLUMNS)
        self._writer.writerow(_row(reject))

    def seal(self) -> None:
        if self._file:
            self._file.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, TooManyRejectsError):
            self._stack.close()
            return
        self._stack.__exit__(kind, error, trace)
        if kind is None and self._file is None and self._path.is_file():
            self._path.unlink()


class GrowingRejects:
    """The same file for a run that is kept range by range: what was added for a range stays when the range does.

    Parameters
    ----------
    first_record:
        Rejects from this one on are taken off a file that is there: their range was not kept.
    """

    def __init__(self, path: Path, first_record: int) -> None:
        self._path, self._first = path, first_record
        self._file: TextIO | None = None
        self._writer: Any = None
        self._kept = 0  # bytes

    def __enter__(self) -> GrowingRejects:
        rows: list[list[str]] = []
        if self._first > 1 and self._path.is_file():
            with self._path.open(encoding="utf-8", newline="") as file:
                found = csv.reader(file)
                next(found, None)
                rows = [row for row in found if int(row[0]) < self._first]
        with replacing(self._path) as beside:
            self._file = beside.open("w", encoding="utf-8", newline="")
            self._writer = csv.writer(self._file, lineterminator="\n")
            self._writer.writerow(COLUMNS)
            self._empty = self._file.tell()
            self._writer.writerows(rows)
            self.keep()
        return self

    def add(self, reject: Reject) -> None:
        self._writer.writerow(_row(reject))

    def seal(self) -> None:
        assert self._file
        self._file.flush()

    def keep(self) -> None:
        """What was added so far stays."""
        assert self._file
        self._file.flush()
        self._kept = self._file.tell()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._file
        if isinstance(error, TooManyRejectsError):
            self.keep()
        with contextlib.suppress(OSError):  # a full disk has failed before
            self._file.flush()
        self._file.truncate(self._kept)
        self._file.close()
        if self._kept == self._empty:
            self._path.unlink()
