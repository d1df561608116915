"""Take in a file of people: normalise, validate, de-duplicate, number, account for every record."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gidbench import gid
from gidbench.engine import Context, map_ordered
from gidbench.errors import VerificationError
from gidbench.files.csv_reader import FLAG_REASONS
from gidbench.files.rejects import RejectsFile
from gidbench.files.text import TableReader, TextBatch
from gidbench.kernels import intake, keytable
from gidbench.keyset import KeySet
from gidbench.outcome import Outcome
from gidbench.records import (
    ACTIVE,
    EARLIEST_BIRTH,
    GLOBAL_ID,
    NAME_LENGTH,
    PERSONAL_NUMBER_LENGTH,
    Reason,
    map_header,
)
from gidbench.stores.base import AuditEntry, Store
from gidbench.stores.gid_supply import GidSupply
from gidbench.units import utc_now

TABLE = "global_id_file"
_EPOCH = date(1970, 1, 1)
# Unicode's White_Space. Arrow's utf8_trim_whitespace takes off U+001C to U+001F, too, which `intake.trim`
# does not: a name's end would depend on what else is in its batch.
_BLANKS = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_FIELDS = ("name", "no_ktp", "bod", "passport_id", "personal_number")


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


@dataclass(frozen=True)
class _Checked:
    """A normalised batch: one reason code per record (0: fit), its key, and the columns as they will be."""

    source: TextBatch
    units: int
    codes: npt.NDArray[np.uint8]
    keys: npt.NDArray[np.int64]
    name: pa.StringArray
    personal_number: pa.StringArray
    passport_id: pa.StringArray
    bod: pa.Array


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
        run = _Intake(reader, store, refused, workers, context, today or moment.date(), moment)
        try:
            with store.transaction():
                with context.phase("open"):
                    run.load_known_keys()
                with context.phase("load"):
                    inserted = store.append(TABLE, run.accepted_batches())
                with context.phase("verify"):
                    run.verify(inserted)
                refused.seal()
                store.record(AuditEntry("process", moment, "done", run.totals(), {"unit": reader.unit}))
                run.committing = True
                committing = time.perf_counter_ns()
            context.phases["commit"] = (time.perf_counter_ns() - committing) / 1e9
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
        self._positions = map_header(reader.header)
        self._wanted = [self._positions[name] for name in _FIELDS if name in self._positions]
        self._earliest = (date.fromisoformat(EARLIEST_BIRTH) - _EPOCH).days
        self._latest = (today - _EPOCH).days
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

    def accepted_batches(self) -> Iterator[pa.RecordBatch]:
        line, record = self._reader.header_lines + 1, 1
        checked = map_ordered(
            self._check, self._reader.chunks(), workers=self._workers, cancellation=self._context.cancellation
        )
        for part in checked:
            with self._context.stage("decide"):
                self._units += part.units
                fit = self._decide(part, line, record)
                line += part.source.line_count
                record += part.codes.size
                if fit.any():
                    yield self._number(part, fit)
            self._context.report("processing", self._units, self._reader.size, self._reader.unit)

    def _check(self, piece: tuple[int, Any]) -> _Checked:
        units, chunk = piece
        with self._context.stage("parse"):
            source = self._reader.parse(chunk, self._wanted)
        with self._context.stage("validate"):
            return self._validate(source, units)

    def _validate(self, source: TextBatch, units: int) -> _Checked:
        count = source.flags.size
        columns = dict(zip((n for n in _FIELDS if n in self._positions), source.columns, strict=True))
        blank = pa.array([""], pa.string()).take(pa.array(np.zeros(count, np.int32)))
        name, name_codes = _trimmed(columns["name"], *NAME_LENGTH)
        number, number_codes = _trimmed(columns.get("personal_number", blank), *PERSONAL_NUMBER_LENGTH)
        keys, key_codes = np.empty(count, np.int64), np.empty(count, np.uint8)
        intake.national_ids(*_buffers(columns["no_ktp"]), keys, key_codes)
        days, day_codes = np.empty(count, np.int32), np.empty(count, np.uint8)
        intake.birth_dates(*_buffers(columns["bod"]), self._earliest, self._latest, days, day_codes)
        passport, passport_codes = _passports(columns.get("passport_id", blank))

        codes = np.zeros(count, np.uint8)
        for (
            reasons,
            found,
        ) in (  # the last assignment wins, so the first rule in the list of reasons stands last
            ({intake.TOO_LONG: Reason.PERSONAL_NUMBER_TOO_LONG}, number_codes),
            ({intake.INVALID: Reason.PASSPORT_ID_INVALID}, passport_codes),
            (
                {
                    intake.MISSING: Reason.BOD_MISSING,
                    intake.INVALID: Reason.BOD_INVALID,
                    intake.TOO_SHORT: Reason.BOD_BEFORE_1900,
                    intake.TOO_LONG: Reason.BOD_IN_FUTURE,
                },
                day_codes,
            ),
            ({intake.MISSING: Reason.NO_KTP_MISSING, intake.INVALID: Reason.NO_KTP_INVALID}, key_codes),
            (
                {
                    intake.MISSING: Reason.NAME_MISSING,
                    intake.TOO_SHORT: Reason.NAME_TOO_SHORT,
                    intake.TOO_LONG: Reason.NAME_TOO_LONG,
                },
                name_codes,
            ),
            (FLAG_REASONS, source.flags),
        ):
            if found.any():
                table = np.zeros(256, np.uint8)
                for code, reason in reasons.items():
                    table[code] = reason
                translated = table[found]
                codes = np.where(translated != 0, translated, codes)
        bod = pa.Array.from_buffers(pa.date32(), count, [None, pa.py_buffer(days)])
        return _Checked(source, units, codes, keys, name, number, passport, bod)

    def _decide(self, part: _Checked, line: int, record: int) -> npt.NDArray[np.bool_]:
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

    def _number(self, part: _Checked, fit: npt.NDArray[np.bool_]) -> pa.RecordBatch:
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


def _buffers(column: pa.StringArray) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """(offsets, bytes) of a string column without nulls."""
    _, offsets, data = column.buffers()
    bounds = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    return bounds, np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)


def _trimmed(
    column: pa.StringArray, shortest: int, longest: int
) -> tuple[pa.StringArray, npt.NDArray[np.uint8]]:
    """The column without white space around it, in NFC, and a code for each length out of bounds."""
    bounds, data = _buffers(column)
    ascii_only = not data.size or data.max() < 0x80
    if not ascii_only:  # other scripts have other blanks, and letters in several parts
        column = pc.utf8_trim(pc.utf8_normalize(column, form="NFC"), characters=_BLANKS)
        bounds, data = _buffers(column)
    codes = np.empty(len(column), np.uint8)
    if intake.measure(bounds, data, ascii_only, shortest, longest, codes):
        offsets, out = np.empty(len(column) + 1, np.int32), np.empty(data.size, np.uint8)
        intake.trim(bounds, data, offsets, out)
        used = out[: offsets[-1]]
        column = pa.StringArray.from_buffers(len(column), pa.py_buffer(offsets), pa.py_buffer(used))
    return column, codes


def _passports(column: pa.StringArray) -> tuple[pa.StringArray, npt.NDArray[np.uint8]]:
    bounds, data = _buffers(column)
    offsets, out = np.empty(len(column) + 1, np.int32), np.empty(data.size, np.uint8)
    valid, codes = np.empty((len(column) + 7) // 8, np.uint8), np.empty(len(column), np.uint8)
    nulls = intake.passport_ids(bounds, data, offsets, out, valid, codes)
    buffers = [pa.py_buffer(valid), pa.py_buffer(offsets), pa.py_buffer(out[: offsets[-1]])]
    return pa.Array.from_buffers(pa.string(), len(column), buffers, null_count=nulls), codes
