"""Comparing every row of both tables anew: sums by range of key, then the rows of ranges that differ."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gidbench.arrays import fixed_values
from gidbench.errors import VerificationError
from gidbench.kernels import pairing
from gidbench.keyset import KeySet
from gidbench.records import ACTIVE, NON_ACTIVE
from gidbench.stores.base import COMPARED, SOURCE_COLUMNS, TARGET_COLUMNS, Store
from gidbench.synchronising.job import Job
from gidbench.synchronising.rows import Numbering, hashes_of

RANGES = 64  # of keys of 16 digits; one more for all others
MOST_TOLD = 20
_HASHED = ("no_ktp", *COMPARED, "g_id", "status")
_WIDTH = 10**pairing.KEY_DIGITS // RANGES
Keys = npt.NDArray[np.int64]


@dataclass
class Differences:
    """People about whom the tables disagree, and what of some of them, by id or G_ID and columns."""

    count: int = 0
    told: list[str] = field(default_factory=list)

    def add(self, who: str, what: str) -> None:
        self.count += 1
        if len(self.told) < MOST_TOLD:
            self.told.append(f"{who} ({what})")


def compare_again(source: Store, target: Store, job: Job) -> None:
    """Raise VerificationError where `global_id` does not say what `employee` says.

    Both are read afresh. A person's row must agree in every field, status and G_ID with the row of theirs that
    counts; whom the source does not know must not be active. About 15 bytes a person are kept.
    """
    found = _Comparison(source, target, job).differences()
    if found.count:
        more = f" and {found.count - len(found.told):,} more" if found.count > len(found.told) else ""
        raise VerificationError(
            f"{found.count:,} people differ between employee and global_id: {', '.join(found.told)}{more}",
            "The changes of this run are kept; where nobody wrote to the tables meanwhile, report this as a fault",
        )


class _Comparison:
    def __init__(self, source: Store, target: Store, job: Job) -> None:
        self._source, self._target, self._job = source, target, job
        self._salt = int.from_bytes(os.urandom(8))
        self._numbering = Numbering()
        self._known = KeySet()  # keys of the source
        self._repeated = np.empty(0, np.int64)

    def differences(self) -> Differences:
        found = Differences()
        self._learn_keys()
        sums = np.zeros((2, RANGES + 1), np.uint64)
        for keys, _, hashes in self._employees():
            _add(sums[0], keys, hashes)
        for keys, hashes in self._people(found):
            _add(sums[1], keys, hashes)
        differing = sums[0] != sums[1]
        if differing.any():
            self._tell(self._differing_keys(differing), found)
        return found

    def _learn_keys(self) -> None:
        repeated = []
        for batch in self._source.read("employee", ["no_ktp"]):
            keys = self._numbering.keys(batch.column("no_ktp"))
            keys = keys[keys >= 0]
            repeated.append(keys[~self._known.add(keys)])
        self._repeated = np.unique(np.concatenate([self._repeated, *repeated]))

    def _employees(self) -> Iterator[tuple[Keys, npt.NDArray[np.int64], npt.NDArray[np.uint64]]]:
        """(keys, ids, hashes) of the rows that count, under the columns of the target."""
        kept: list[tuple[Keys, npt.NDArray[np.int64], npt.NDArray[np.uint64], npt.NDArray[np.bool_]]] = []
        for batch in self._source.read("employee", SOURCE_COLUMNS):
            self._job.context.cancellation.check()
            keys = self._numbering.keys(batch.column("no_ktp"))
            ids = fixed_values(batch.column("id"), np.int64)
            status = pc.if_else(batch.column("deleted_at").is_null(), ACTIVE, NON_ACTIVE)
            hashes = hashes_of(batch.append_column("status", status), _HASHED, self._salt)
            single = keys >= 0
            if self._repeated.size:
                among = np.isin(keys, self._repeated)
                single &= ~among
                deleted = batch.column("deleted_at").is_valid().to_numpy(zero_copy_only=False)
                kept.append((keys[among], ids[among], hashes[among], deleted[among]))
            yield keys[single], ids[single], hashes[single]
        if kept:
            keys, ids, hashes, deleted = (np.concatenate(column) for column in zip(*kept, strict=True))
            order = np.lexsort((ids, deleted, keys))
            first = order[np.unique(keys[order], return_index=True)[1]]
            yield keys[first], ids[first], hashes[first]

    def _people(self, found: Differences | None) -> Iterator[tuple[Keys, npt.NDArray[np.uint64]]]:
        """(keys, hashes) of the people whom the source knows; of others, those who are active are found."""
        for batch in self._target.read("global_id", TARGET_COLUMNS):
            self._job.context.cancellation.check()
            keys = self._numbering.keys(batch.column("no_ktp"))
            known = (keys >= 0) & self._known.holds(keys)
            if found is not None and not known.all():
                strangers = batch.filter(pa.array(~known))
                for g_id in strangers.filter(pc.equal(strangers["status"], ACTIVE))["g_id"].to_pylist():
                    found.add(g_id, "active, but not in employee")
            hashes = hashes_of(batch, _HASHED, self._salt)
            yield keys[known], hashes[known]

    def _differing_keys(self, differing: npt.NDArray[np.bool_]) -> Keys:
        """Keys of the people in some ranges about whom the tables disagree, in rising order."""
        employees = _by_key(((keys, hashes) for keys, _, hashes in self._employees()), differing)
        people = _by_key(self._people(None), differing)
        _, left, right = np.intersect1d(employees[0], people[0], assume_unique=True, return_indices=True)
        other = employees[0][left[employees[1][left] != people[1][right]]]
        return np.union1d(np.setxor1d(employees[0], people[0], assume_unique=True), other)

    def _tell(self, keys: Keys, found: Differences) -> None:
        """Count the people of some keys, and say of the first which columns differ."""
        told = keys[: MOST_TOLD - len(found.told)]
        found.count += keys.size - told.size
        texts = pa.array([self._numbering.key_text(key) for key in told.tolist()], pa.string())
        employees: dict[str, dict[str, Any]] = {}
        people: dict[str, list[dict[str, Any]]] = {}
        for batch in self._source.matching("employee", SOURCE_COLUMNS, "no_ktp", texts):
            for row in batch.to_pylist():
                row["status"] = ACTIVE if row["deleted_at"] is None else NON_ACTIVE
                other = employees.get(row["no_ktp"])
                if other is None or _order(row) < _order(other):
                    employees[row["no_ktp"]] = row
        for batch in self._target.matching("global_id", TARGET_COLUMNS, "no_ktp", texts):
            for row in batch.to_pylist():
                people.setdefault(row["no_ktp"], []).append(row)
        for text in texts.to_pylist():
            employee, rows = employees.get(text), people.get(text, [])
            if employee is None:
                found.add(rows[0]["g_id"] if rows else "one", "changed while it was compared")
                continue
            columns = [name for name in _HASHED if len(rows) == 1 and rows[0][name] != employee[name]]
            what = (
                "not in global_id"
                if not rows
                else "twice in global_id"
                if len(rows) > 1
                else ", ".join(columns)
            )
            found.add(f"id {employee['id']}", what or "changed while it was compared")


def _by_key(
    rows: Iterable[tuple[Keys, npt.NDArray[np.uint64]]], differing: npt.NDArray[np.bool_]
) -> tuple[Keys, npt.NDArray[np.uint64]]:
    """(keys in rising order, sum of the hashes of each) of the rows of some ranges."""
    all_keys, all_hashes = [np.empty(0, np.int64)], [np.empty(0, np.uint64)]
    for keys, hashes in rows:
        wanted = differing[_ranges(keys)]
        all_keys.append(keys[wanted])
        all_hashes.append(hashes[wanted])
    keys, hashes = np.concatenate(all_keys), np.concatenate(all_hashes)
    order = np.argsort(keys)
    distinct, starts = np.unique(keys[order], return_index=True)
    return distinct, np.add.reduceat(hashes[order], starts) if distinct.size else hashes


def _order(row: dict[str, Any]) -> tuple[bool, int]:
    return row["deleted_at"] is not None, row["id"]


def _ranges(keys: Keys) -> npt.NDArray[np.intp]:
    ranges: npt.NDArray[np.intp] = np.minimum(keys // _WIDTH, RANGES).astype(np.intp)
    return ranges


def _add(sums: npt.NDArray[np.uint64], keys: Keys, hashes: npt.NDArray[np.uint64]) -> None:
    """Add each row's hash to the sum of its range, modulo 2^64."""
    if keys.size:
        ranges = _ranges(keys).astype(np.uint8)
        order = np.argsort(ranges, kind="stable")
        present, starts = np.unique(ranges[order], return_index=True)
        sums[present] += np.add.reduceat(hashes[order], starts)
