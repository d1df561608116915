"""Who of a file is admitted: parts checked on many threads, then decided on and numbered in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gidbench import gid
from gidbench.engine import Context, ending, map_ordered, work_ordered
from gidbench.errors import TooManyRejectsError
from gidbench.files.fields import FieldReader, fields_of
from gidbench.files.rejects import Reject, RejectLimit, Rejects, sheet_column
from gidbench.files.text import TableReader
from gidbench.keyset import KeySet
from gidbench.records import ACTIVE, GLOBAL_ID, Reason
from gidbench.validation import Checked, Validation


class Supply(Protocol):
    """Where ordinals of G_IDs come from: see `gidbench.stores.gid_supply.GidSupply`."""

    def take(self, count: int, expected_more: int = 0) -> npt.NDArray[np.int64]: ...


class LooseGids:
    """G_IDs for people who go to no table: from the first one on."""

    def __init__(self) -> None:
        self._next = gid.FIRST_ORDINAL

    def take(self, count: int, expected_more: int = 0) -> npt.NDArray[np.int64]:  # noqa: ARG002
        gid.check_capacity(self._next, count)
        self._next += count
        return np.arange(self._next - count, self._next, dtype=np.int64)


@dataclass(frozen=True)
class _Part:
    """A checked part, and where in the file it begins."""

    reader: TableReader
    checked: Checked
    record: int
    line: int

    @cached_property
    def size(self) -> int:
        return int(self.checked.codes.size)


class Admission:
    """One run over one file.

    Parameters
    ----------
    first, last:
        Numbers of the first and the last record to take in, from 1 on; None: the last of the file.
    limit:
        Rejects beyond it raise TooManyRejectsError.
    several:
        Whether `keep` will be called between ranges.

    Attributes
    ----------
    supply:
        Of G_IDs; may be exchanged between two calls of `batches`.
    """

    def __init__(
        self,
        reader: TableReader,
        refused: Rejects,
        supply: Supply,
        *,
        workers: int,
        context: Context,
        today: date,
        moment: datetime,
        first: int = 1,
        last: int | None = None,
        limit: RejectLimit | None = None,
        several: bool = False,
    ) -> None:
        self._reader, self._refused, self.supply = reader, refused, supply
        self._workers, self._context, self._moment = workers, context, moment
        self._first, self._last, self._limit = first, last, limit
        self._validation = Validation(reader.header, today)
        self._seen = KeySet()
        self._stored: KeySet | None = None
        self._keep_keys, self._kept = several, list[npt.NDArray[np.int64]]()
        self._total_units = reader.size
        self._units = 0
        self._next_record, self._next_line = 1, 0
        self._sheet: TableReader | None = None
        self._part: _Part | None = None
        self._done_rows = 0  # of the part
        self._over = False
        self.records = self.accepted = 0
        self.reasons: Counter[Reason] = Counter()

    # --- what comes in ------------------------------------------------------------------------------------

    def know(self, keys: npt.NDArray[np.int64]) -> None:
        """People who are in the table already: they are duplicates."""
        if keys.size:
            self._stored = self._stored or KeySet(keys.size)
            self._stored.add(keys)

    def _pieces(self) -> Iterator[tuple[TableReader, int, Any]]:
        for place, sheet in enumerate(self._reader.sheets()):
            self._total_units += sheet.size if place else 0
            for units, chunk in sheet.chunks():
                if self._over:
                    return
                yield sheet, units, chunk

    def _check(self, piece: tuple[TableReader, int, Any]) -> tuple[TableReader, int, Checked]:
        self._context.cancellation.check()
        reader, units, chunk = piece
        found = None
        with self._context.stage("parse"):
            if isinstance(reader, FieldReader):
                found = reader.locate(chunk, self._validation.wanted)
            if found is None:
                found = fields_of(reader.parse(chunk, self._validation.wanted))
        with self._context.stage("validate"):
            checked = self._validation.check(found)
        if isinstance(reader, FieldReader):
            reader.release(chunk)
        return reader, units, checked

    def _placed(self, found: tuple[TableReader, int, Checked]) -> _Part:
        """What was checked next, with its place in the file."""
        reader, units, checked = found
        self._units += units
        if reader is not self._sheet:
            self._sheet, self._next_line = reader, reader.header_lines + 1
        part = _Part(reader, checked, self._next_record, self._next_line)
        self._next_record += part.size
        self._next_line += checked.source.line_count
        return part

    # --- what comes out -----------------------------------------------------------------------------------

    def hand_on(self, take: Callable[[pa.RecordBatch], None]) -> None:
        """All accepted rows to `take`, in order; whichever thread has the next ones takes them."""

        def taken(found: tuple[TableReader, int, Checked]) -> None:
            part = self._placed(found)
            batch = self._settle(part, 0, part.size)
            if batch is not None:
                take(batch)

        work_ordered(self._check, taken, self._pieces(), workers=self._workers, tick=self._report)
        self.finish()

    @cached_property
    def parts(self) -> Generator[_Part, None, None]:
        """The parts of the file, checked; to be closed at the end of the run."""

        def parts() -> Generator[_Part, None, None]:
            checked = map_ordered(
                self._check,
                self._pieces(),
                workers=self._workers,
                cancellation=self._context.cancellation,
            )
            with ending(checked):
                for found in checked:
                    yield self._placed(found)

        return parts()

    @property
    def unit(self) -> str:
        return self._reader.unit

    def keep(self) -> None:
        """Those who were accepted so far are in the table."""
        for keys in self._kept:
            self.know(keys)
        self._kept, self._seen = [], KeySet()

    @property
    def next_record(self) -> int:
        """Number of the record that the next call of `batches` begins with."""
        part = self._part
        return max(self._first, self._next_record if part is None else part.record + self._done_rows)

    def more(self) -> bool:
        """Whether there are records left."""
        while not self._over:
            part = self._part
            if part is not None and self._done_rows < part.size:
                first = max(part.record + self._done_rows, self._first)
                if first < part.record + part.size:
                    self._over = self._last is not None and first > self._last
                    return not self._over
            self._part, self._done_rows = next(self.parts, None), 0
            self._over = self._part is None
        return False

    def batches(self, count: int | None = None) -> Generator[pa.RecordBatch, None, None]:
        """Accepted rows of the next `count` records, or of all that are left."""
        end = None if count is None else self.next_record + count
        while self.more() and (end is None or self.next_record < end):
            part = self._part
            assert part is not None
            low, high = self.next_record - part.record, part.size
            for bound in (end, None if self._last is None else self._last + 1):
                high = high if bound is None else min(high, bound - part.record)
            batch = self._settle(part, low, high)
            self._done_rows = high
            if batch is not None:
                yield batch
            self._report()
        if not self.more():
            self.finish()

    def _report(self) -> None:
        self._context.report("processing", self._units, self._total_units, self._reader.unit)

    # --- decisions ----------------------------------------------------------------------------------------

    def _settle(self, part: _Part, low: int, high: int) -> pa.RecordBatch | None:
        """Decide on the records low .. high - 1 of a part; the accepted ones with their G_IDs."""
        if self._first > part.record + low or (
            self._last is not None and self._last < part.record + high - 1
        ):
            low = max(low, self._first - part.record)
            high = min(high, high if self._last is None else self._last + 1 - part.record)
            self._over = self._last is not None and self._last < part.record + part.size
        if low >= high:
            return None
        with self._context.stage("decide"):
            fit = self._decide(part, low, high)
            return self._number(part.checked, fit, low, high) if fit.any() else None

    def _decide(self, part: _Part, low: int, high: int) -> npt.NDArray[np.bool_]:
        """Which of the records are accepted; the others are written to the rejects file."""
        keys = part.checked.keys[low:high]
        if not self.records:  # one growth in the place of many
            self._seen.reserve(keys.size * self._total_units // max(1, self._units))
        fresh = fit = self._seen.add(keys)
        if self._stored is not None:
            fit = fresh & ~self._stored.holds(keys)
        for row in np.flatnonzero(~fit).tolist():
            code = int(part.checked.codes[low + row])
            if not code:
                code = Reason.DUPLICATE_IN_TABLE if fresh[row] else Reason.DUPLICATE_IN_FILE
            self._refuse(part, low + row, Reason(code), self.records + row + 1)
        if self._keep_keys:
            self._kept.append(keys[fit])
        self.records += high - low
        self.accepted += int(np.count_nonzero(fit))
        return fit

    def _refuse(self, part: _Part, row: int, reason: Reason, records: int) -> None:
        self.reasons[reason] += 1
        source = part.checked.source
        position, value = part.checked.faults.get(row, (-1, ""))
        if reason.is_duplicate:
            position, value = self._validation.positions["no_ktp"], f"{part.checked.keys[row]:016}"
        line: int | str = part.line + int(source.lines[row])
        sheet, cell = part.reader.sheet_name, ""
        if sheet:
            cell, line = f"{sheet_column(max(position, 0))}{line}", ""
        column = self._reader.header[position] if position >= 0 else ""
        self._refused.add(
            Reject(part.record + row, line, sheet, cell, reason, column, value, source.raw(row))
        )
        if self._limit and not reason.is_duplicate and self._limit.broken(self.rejected, records):
            self._give_up(records)

    def finish(self) -> None:
        """Judge the share of rejects at the end."""
        if self._limit and self._limit.broken(self.rejected, self.records, at_the_end=True):
            self._give_up(self.records)

    def _give_up(self, records: int) -> None:
        self._refused.seal()
        kept = "Only the ranges before are kept" if self._keep_keys else "None of the others is kept"
        raise TooManyRejectsError(
            f"{self.rejected:,} of {records:,} records were rejected, more than {self._limit}",
            f"{kept}; see in the rejects file what is wrong with these",
        )

    @property
    def duplicate(self) -> int:
        return sum(count for reason, count in self.reasons.items() if reason.is_duplicate)

    @property
    def rejected(self) -> int:
        return sum(count for reason, count in self.reasons.items() if not reason.is_duplicate)

    def totals(self) -> dict[str, int]:
        return {
            "records": self.records,
            "accepted": self.accepted,
            "duplicate": self.duplicate,
            "rejected": self.rejected,
        }

    # --- rows ---------------------------------------------------------------------------------------------

    def _number(self, part: Checked, fit: npt.NDArray[np.bool_], low: int, high: int) -> pa.RecordBatch:
        """Accepted rows of a part with their G_IDs, as a batch of `global_id_file`."""
        count = int(np.count_nonzero(fit))
        mask = None if count == fit.size else pa.array(fit)

        def kept(column: pa.Array) -> pa.Array:
            column = column if high - low == len(column) else column.slice(low, high - low)
            return column if mask is None else column.filter(mask)

        offsets, status, source, moments = self._alike(max(count, len(part.name)))
        identity = pa.StringArray.from_buffers(len(part.name), offsets, part.digits)
        ordinals = self.supply.take(count, self._expected_more())
        if int(ordinals[-1]) - int(ordinals[0]) == count - 1:  # they rise, so none is left out
            gids = gid.encode_range(int(ordinals[0]), count)
        else:
            gids = gid.encode_array(ordinals)
        number = kept(part.personal_number)
        if part.unnumbered:
            lacking = pc.equal(pc.binary_length(number), 0)
            number = pc.if_else(lacking, pc.binary_join_element_wise("GID", gids, "-"), number)
        return pa.RecordBatch.from_arrays(
            [
                gids,
                kept(part.name),
                number,
                kept(identity),
                kept(part.passport_id),
                kept(part.bod),
                status.slice(0, count),
                source.slice(0, count),
                moments.slice(0, count),
                moments.slice(0, count),
            ],
            schema=GLOBAL_ID,
        )

    def _alike(self, rows: int) -> tuple[pa.Buffer, pa.Array, pa.Array, pa.Array]:
        """Offsets of no_ktp and the columns that are the same in all rows: every batch looks at the same ones."""
        if rows > self._alike_rows:
            self._alike_rows = rows + rows // 4
            moment = pa.scalar(self._moment, pa.timestamp("us"))
            self._alikes = (
                pa.py_buffer(np.arange(0, 16 * self._alike_rows + 1, 16, dtype=np.int32)),
                pa.repeat(ACTIVE, self._alike_rows),
                pa.repeat("file", self._alike_rows),
                pa.repeat(moment, self._alike_rows),
            )
        return self._alikes

    _alike_rows = 0
    _alikes: tuple[pa.Buffer, pa.Array, pa.Array, pa.Array]

    def _expected_more(self) -> int:
        """Records that the rest of the file will have accepted, if it is like the part so far."""
        return self.accepted * max(0, self._total_units - self._units) // max(1, self._units)
