"""Take in a file of people: validate, remove duplicates, number, account for every record."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gidbench import gid
from gidbench.engine import Context, ending, map_ordered
from gidbench.errors import VerificationError
from gidbench.files.rejects import RejectsFile
from gidbench.files.text import TableReader
from gidbench.kernels import intake, keytable
from gidbench.keyset import KeySet
from gidbench.outcome import Outcome
from gidbench.records import ACTIVE, GLOBAL_ID, Reason
from gidbench.stores.base import AuditEntry, Store
from gidbench.stores.gid_supply import GidSupply
from gidbench.units import utc_now
from gidbench.validation import Checked, Validation

TABLE = "global_id_file"


@dataclass(frozen=True)
class ProcessResult(Outcome):
    """What became of a file's records: accepted + duplicate + rejected = records."""

    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    rejects_path: Path | None = None

    def counts(self) -> dict[str, int | str]:
        named: dict[str, int | str] = {
            "accepted": self.accepted,
            "duplicate": self.duplicate,
            "rejected": self.rejected,
        }
        if self.reasons:
            named["reasons"] = ", ".join(f"{code} {count:,}" for code, count in self.reasons.items())
        if self.rejects_path:
            named["rejects"] = str(self.rejects_path)
        return named


def process_file(
    reader: TableReader,
    store: Store,
    *,
    rejects: Path,
    workers: int,
    context: Context,
    today: date | None = None,
    clock: Callable[[], datetime] = utc_now,
    lock_timeout_s: float = 30.0,
) -> ProcessResult:
    """Process one open file into `global_id_file` of a store; all of it is kept, or nothing.

    Records that are not accepted go to the file `rejects`, which exists afterwards only if there are any.
    Raises InputError where a required column is missing, CapacityError where the G_IDs run out.
    """
    started = time.perf_counter_ns()
    moment = clock()
    with store.lock(TABLE, lock_timeout_s), RejectsFile(rejects) as refused:
        run = _Intake(reader, store, refused, workers, context, today or date.today(), moment)
        try:
            with ending(run.accepted_batches()) as batches, store.transaction():
                with context.phase("open"):
                    run.load_known_keys()
                with context.phase("load"):
                    inserted = store.append(TABLE, batches)
                with context.phase("verify"):
                    run.verify(inserted)
                refused.seal()
                store.record(AuditEntry("process", moment, "done", run.totals(), {"unit": reader.unit}))
                run.committing = True
                committing = time.perf_counter_ns()
            context.end_phase("commit", committing)
        finally:
            run.give_back()
    return run.result((time.perf_counter_ns() - started) / 1e9, rejects)


class _Intake:
    """One run over one file: parts are checked on many threads, then decided on in order."""

    def __init__(
        self,
        reader: TableReader,
        store: Store,
        refused: RejectsFile,
        workers: int,
        context: Context,
        today: date,
        moment: datetime,
    ) -> None:
        self._reader, self._store, self._refused = reader, store, refused
        self._workers, self._context, self._moment = workers, context, moment
        self._validation = Validation(reader.header, today)
        self._known_before = 0
        self._seen = KeySet()
        self._stored: KeySet | None = None
        self._gids = GidSupply(store)
        self.committing = False  # whether the rows are on their way
        self._records = self._accepted = self._units = 0
        self._reasons: Counter[Reason] = Counter()

    def load_known_keys(self) -> None:
        """People of earlier files are duplicates, too."""
        known = self._store.keys(TABLE)
        self._known_before = known.size
        if known.size:
            self._stored = KeySet(known.size)
            self._stored.add(known)

    def accepted_batches(self) -> Generator[pa.RecordBatch, None, None]:
        line, record = self._reader.header_lines + 1, 1
        checked = map_ordered(
            self._check, self._reader.chunks(), workers=self._workers, cancellation=self._context.cancellation
        )
        with ending(checked):
            for units, part in checked:
                self._units += units
                with self._context.stage("decide"):
                    fit = self._decide(part, line, record)
                    line += part.source.line_count
                    record += part.codes.size
                    batch = self._number(part, fit) if fit.any() else None
                if batch is not None:
                    yield batch
                self._context.report("processing", self._units, self._reader.size, self._reader.unit)

    def _check(self, piece: tuple[int, Any]) -> tuple[int, Checked]:
        units, chunk = piece
        with self._context.stage("parse"):
            source = self._reader.parse(chunk, self._validation.wanted)
        with self._context.stage("validate"):
            return units, self._validation.check(source)

    def _decide(self, part: Checked, line: int, record: int) -> npt.NDArray[np.bool_]:
        """Which records are accepted; the others are written to the rejects file."""
        codes = part.codes
        candidates = np.where(codes == 0, part.keys, keytable.EMPTY)
        fresh = self._seen.add(candidates)
        codes = np.where((codes == 0) & ~fresh, np.uint8(Reason.DUPLICATE_IN_FILE), codes)
        if self._stored is not None:
            known = self._stored.holds(candidates)
            codes = np.where((codes == 0) & known, np.uint8(Reason.DUPLICATE_IN_TABLE), codes)
        fit: npt.NDArray[np.bool_] = codes == 0
        self._records += codes.size
        self._accepted += int(fit.sum())
        for row in np.flatnonzero(~fit).tolist():
            reason = Reason(int(codes[row]))
            self._reasons[reason] += 1
            self._refused.add(record + row, line + int(part.source.lines[row]), reason, part.source.raw(row))
        return fit

    def _number(self, part: Checked, fit: npt.NDArray[np.bool_]) -> pa.RecordBatch:
        """Accepted rows of a part with their G_IDs, as a batch of `global_id_file`."""
        count = int(fit.sum())
        mask = None if count == fit.size else pa.array(fit)

        def kept(column: pa.Array) -> pa.Array:
            return column if mask is None else column.filter(mask)

        keys = np.ascontiguousarray(part.keys[fit])
        digits = np.empty(count * 16, np.uint8)
        intake.format_national_ids(keys, digits)
        offsets = np.arange(0, digits.size + 1, 16, dtype=np.int32)
        gids = gid.encode_array(self._gids.take(count, self._expected_more()))
        number = kept(part.personal_number)
        lacking = pc.equal(pc.binary_length(number), 0)
        if pc.any(lacking).as_py():
            number = pc.if_else(lacking, pc.binary_join_element_wise("GID", gids, "-"), number)
        moment = pa.scalar(self._moment, pa.timestamp("us"))
        return pa.RecordBatch.from_arrays(
            [
                gids,
                kept(part.name),
                number,
                pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(digits)),
                kept(part.passport_id),
                kept(part.bod),
                pa.repeat(ACTIVE, count),
                pa.repeat("file", count),
                pa.repeat(moment, count),
                pa.repeat(moment, count),
            ],
            schema=GLOBAL_ID,
        )

    def _expected_more(self) -> int:
        """Records that the rest of the file will have accepted, if it is like the part so far."""
        return self._accepted * (self._reader.size - self._units) // max(1, self._units)

    def give_back(self) -> None:
        """Return the G_IDs that no row can have, as far as nobody reserved others since.

        A commit that fails may have arrived all the same, so those it wrote stay taken.
        """
        self._gids.close(used=self.committing)

    def verify(self, inserted: int) -> None:
        """The law: accepted + duplicate + rejected = records, and what was accepted stands in the table."""
        totals = self.totals()
        stored = self._store.count(TABLE) - self._known_before
        parts = totals["accepted"] + totals["duplicate"] + totals["rejected"]
        if parts != totals["records"] or not inserted == stored == totals["accepted"]:
            raise VerificationError(
                f"{totals['records']:,} records were read, but {parts:,} accounted for and {stored:,} stored",
                "Nothing was kept; please report this with the file's layout",
            )

    def totals(self) -> dict[str, int]:
        duplicate = sum(count for reason, count in self._reasons.items() if reason.is_duplicate)
        rejected = sum(count for reason, count in self._reasons.items() if not reason.is_duplicate)
        return {
            "records": self._records,
            "accepted": self._accepted,
            "duplicate": duplicate,
            "rejected": rejected,
        }

    def result(self, seconds: float, rejects: Path) -> ProcessResult:
        totals = self.totals()
        return ProcessResult(
            "process",
            totals["records"],
            seconds,
            dict(self._context.phases),
            dict(self._context.busy),
            totals["accepted"],
            totals["duplicate"],
            totals["rejected"],
            {reason.code: self._reasons[reason] for reason in sorted(self._reasons)},
            rejects if self._reasons else None,
        )
