"""The rejects file: every record that was not accepted, where it stood, why, and its original text."""

from __future__ import annotations

import contextlib
import csv
import re
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Protocol, TextIO

from gidbench.errors import InputError, TooManyRejectsError
from gidbench.files.atomic import replacing
from gidbench.records import Reason

_LEAST_FOR_A_SHARE = 1_000  # records, before a share of rejects says anything
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


@dataclass(frozen=True)
class RejectLimit:
    """How many rejects are too many: more than `most`, be it a number or per cent of the records."""

    most: float
    per_cent: bool = False

    @classmethod
    def of(cls, given: int | str | RejectLimit) -> RejectLimit:
        """From a number, or text such as `100` or `2.5%`. Raises InputError where it is neither."""
        if isinstance(given, RejectLimit):
            return given
        match = re.fullmatch(r"(\d+)|(\d+(?:\.\d+)?) ?%", str(given).strip().replace("_", ""))
        if not match or float(match[2] or 0) > 100:
            raise InputError(
                f"max_rejects is {given!r}", "Give a number such as 100, or per cent such as 2.5%"
            )
        return cls(int(match[1])) if match[1] else cls(float(match[2]), per_cent=True)

    def broken(self, rejected: int, records: int, *, at_the_end: bool = False) -> bool:
        """Whether so many of the records so far are too many; a share is judged from 1,000 records on."""
        if not self.per_cent:
            return rejected > self.most
        return rejected * 100 > self.most * records and (at_the_end or records >= _LEAST_FOR_A_SHARE)

    def __str__(self) -> str:
        return f"{self.most:g} %" if self.per_cent else f"{self.most:,}"


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

    What was sealed stays where the run fails afterwards, since the range may be kept all the same. If it is not,
    the run that resumes takes these rejects off and finds them again.

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
            self.seal()
        return self

    def add(self, reject: Reject) -> None:
        self._writer.writerow(_row(reject))

    def seal(self) -> None:
        assert self._file
        self._file.flush()
        self._kept = self._file.tell()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._file
        if isinstance(error, TooManyRejectsError):
            self.seal()
        with contextlib.suppress(OSError):  # a full disk has failed before
            self._file.flush()
        self._file.truncate(self._kept)
        self._file.close()
        if self._kept == self._empty:
            self._path.unlink()


def sheet_column(position: int) -> str:
    """Letters of a sheet's column: A .. Z, AA .. ."""
    letters = ""
    position += 1
    while position:
        position, letter = divmod(position - 1, 26)
        letters = chr(65 + letter) + letters
    return letters
