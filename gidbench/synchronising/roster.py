"""Everybody in the target and the source, a few dozen bytes each, and what is to become of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gidbench.errors import VerificationError
from gidbench.kernels import pairing
from gidbench.kernels.pairing import ACTIVE, DELETED, KNOWN, SEEN, STAGED
from gidbench.stores.base import DEACTIVATE, DECISIONS, INSERT, UPDATE
from gidbench.synchronising.rows import Numbering, Rows

_FULL = 0.7  # of the table of keys
_FACTOR = 1.5  # by which it grows
_LEAST = 1024
_BATCH_ROWS = 131_072
CONFLICTS = pa.schema([pa.field("id", pa.int64(), nullable=False), pa.field("kept_id", pa.int64())])

Slots = npt.NDArray[np.intp]


@dataclass
class _Columns:
    """What is known of each person, by slot."""

    flags: npt.NDArray[np.uint8]
    codes: npt.NDArray[np.int32]  # of the G_ID in the target
    hashes: npt.NDArray[np.uint64]  # of the row in the target
    winners: npt.NDArray[np.int64]  # id of the source row that counts
    carried: npt.NDArray[np.int32]  # code of the G_ID that it carries

    @classmethod
    def empty(cls, size: int) -> _Columns:
        kinds: tuple[Any, ...] = (np.uint8, np.int32, np.uint64, np.int64, np.int32)
        return cls(*(np.empty(size, kind) for kind in kinds))

    @property
    def nbytes(self) -> int:
        return sum(int(values.nbytes) for values in self.__dict__.values())

    def grow(self, size: int) -> None:
        for name, values in self.__dict__.items():
            larger = np.empty(size, values.dtype)
            larger[: values.size] = values
            setattr(self, name, larger)


class Roster:
    """Takes in the target (`know`), then the source (`meet`), row by row in any order, then decides.

    About 55 bytes a person; what a person's rows say is not kept.
    """

    def __init__(self, numbering: Numbering, expected: int = 0) -> None:
        self.numbering = numbering
        self.known = 0  # people of the target: the first slots
        self.people = 0
        self.met = 0  # rows of the source
        self._places = np.zeros(2 * max(_LEAST, int(expected / _FULL) + 1), np.uint64)
        self._columns = _Columns.empty(max(_LEAST, expected))
        self._lost: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]] = []

    @property
    def nbytes(self) -> int:
        """Of what is kept of everybody."""
        lost = sum(ids.nbytes + slots.nbytes for ids, slots in self._lost)
        return self._places.nbytes + self._columns.nbytes + lost

    def know(self, rows: Rows, flags: npt.NDArray[np.uint8]) -> None:
        """Take in rows of the target. Raises VerificationError where a no_ktp repeats or is missing."""
        self._make_room(rows.keys.size)
        done = rows.keys.size
        if rows.keys.size:
            done = min(done, int(pairing.add_people(self._places, rows.keys, self.people)))
        if done < rows.keys.size or (rows.keys < 0).any():
            raise VerificationError(
                "global_id has people who share their no_ktp, or have none",
                "Nothing was changed; look for them and keep one of each",
            )
        if (rows.codes == pairing.NO_GID).any():
            raise VerificationError(
                "global_id has people without a G_ID", "Nothing was changed; look for them, and remove them"
            )
        part, columns = slice(self.people, self.people + rows.keys.size), self._columns
        columns.flags[part], columns.codes[part], columns.hashes[part] = flags, rows.codes, rows.hashes
        self.people += rows.keys.size
        self.known = self.people

    def meet(
        self, rows: Rows, ids: npt.NDArray[np.int64], deleted: npt.NDArray[np.uint8]
    ) -> npt.NDArray[Any]:
        """Take in rows of the source; uint8 of shape (n,): 1 where a row must be staged."""
        count = rows.keys.size
        self.met += count
        self._make_room(count)
        to_stage = np.empty(count, np.uint8)
        if not count:
            return to_stage
        # a row that counts until a better one comes is lost as well: never more than one a row
        lost_ids, lost_slots = np.empty((2, count), np.int64)
        columns = self._columns
        people, lost = pairing.pair_rows(
            self._places,
            rows.keys,
            rows.hashes,
            ids,
            deleted,
            rows.codes,
            self.people,
            columns.hashes,
            columns.flags,
            columns.winners,
            columns.carried,
            to_stage,
            lost_ids,
            lost_slots,
        )
        self.people = int(people)
        if lost:
            self._lost.append((lost_ids[:lost].copy(), lost_slots[:lost].copy()))
        return to_stage

    def decide(self) -> Decisions:
        """What is to become of everybody, now that both tables have gone by."""
        flags = self._columns.flags[: self.people]
        known, seen = (flags & KNOWN) != 0, (flags & SEEN) != 0
        deleted, active, staged = (flags & DELETED) != 0, (flags & ACTIVE) != 0, (flags & STAGED) != 0
        both = known & seen
        gone = known & ~seen
        stopped, returned = both & deleted & active, both & ~deleted & ~active
        changed = both & staged
        newcomers = self._by_id(np.flatnonzero(seen & ~known))
        counts = {
            "inserted": newcomers.size,
            "updated": _count(changed & ~stopped & ~returned),
            "deactivated": _count(stopped) + _count(gone & active),
            "reactivated": _count(returned),
            "unchanged": _count(both & ~staged) + _count(gone & ~active),
            "conflict": sum(ids.size for ids, _ in self._lost),
            "gone": _count(gone),
        }
        return Decisions(
            self, counts, newcomers, self._by_id(np.flatnonzero(changed)), np.flatnonzero(gone & active)
        )

    def conflicts(self) -> pa.Table | None:
        """(id, kept_id) of the source rows that do not count, in order of id."""
        if not self._lost:
            return None
        ids = np.concatenate([ids for ids, _ in self._lost])
        slots = np.concatenate([slots for _, slots in self._lost])
        order = np.argsort(ids)
        ids, slots = ids[order], slots[order]
        kept = pa.array(self._columns.winners[slots], pa.int64(), mask=slots < 0)
        return pa.table([pa.array(ids), kept], CONFLICTS)

    def losers(self, before: Sequence[int]) -> list[int]:
        """Ids of the rows that do not count: those found here, and those of before of which that is still true."""
        still = np.array(before, np.int64)
        if still.size:
            seen = (self._columns.flags[: self.people] & SEEN) != 0
            counting = self._columns.winners[: self.people][seen]
            still = still[~np.isin(still, counting)]
        lost: list[int] = np.unique(np.concatenate([still, *(ids for ids, _ in self._lost)])).tolist()
        return lost

    def brought(self, slots: Slots) -> npt.NDArray[np.int64]:
        """Ordinals of the G_IDs that the rows of some people carry; below 0 where there is none."""
        return self._columns.carried[slots].astype(np.int64)

    def taken(self, ordinals: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Whether each of some ordinals, in rising order, is held by a person of the target."""
        found = np.zeros(ordinals.size, np.bool_)
        for start in range(0, self.known, _BATCH_ROWS):
            held = self._columns.codes[start : min(start + _BATCH_ROWS, self.known)].astype(np.int64)
            at = np.searchsorted(ordinals, held)
            at[at == ordinals.size] = 0
            found[at[ordinals[at] == held]] = True
        return found

    def repeated_gids(self) -> int:
        """How many people more than G_IDs there are, newcomers with theirs included."""
        codes = np.sort(self._columns.codes[: self.people])
        return _count(codes[1:] == codes[:-1])

    def name(self, slots: Slots, ordinals: npt.NDArray[np.int64]) -> None:
        """Give new people their G_IDs."""
        self._columns.codes[slots] = ordinals

    def rows(self, slots: Slots, action: int) -> Iterator[pa.RecordBatch]:
        """Batches of DECISIONS for some people."""
        for start in range(0, slots.size, _BATCH_ROWS):
            part = slots[start : start + _BATCH_ROWS]
            ids = (
                pa.nulls(part.size, pa.int64())
                if action == DEACTIVATE
                else pa.array(self._columns.winners[part])
            )
            columns = [ids, self.gids(part), pa.array(np.full(part.size, action, np.int16))]
            yield pa.RecordBatch.from_arrays(columns, schema=DECISIONS)

    def gids(self, slots: Slots) -> pa.StringArray:
        return self.numbering.gids(self._columns.codes[slots])

    def unwritten(self) -> Slots:
        """People whose source row does not carry their G_ID, in order of its id."""
        people, columns = slice(0, self.people), self._columns
        missing = ((columns.flags[people] & SEEN) != 0) & (columns.codes[people] != columns.carried[people])
        return self._by_id(np.flatnonzero(missing))

    def write_backs(self, slots: Slots) -> Iterator[pa.RecordBatch]:
        """Batches of (id, g_id)."""
        for batch in self.rows(slots, INSERT):
            yield batch.select(["id", "g_id"])

    def _by_id(self, slots: Slots) -> Slots:
        return slots[np.argsort(self._columns.winners[slots], kind="stable")]

    def _make_room(self, more: int) -> None:
        """Room for so many more people."""
        needed = self.people + more
        if needed > self._columns.flags.size:
            self._columns.grow(max(needed, int(self._columns.flags.size * _FACTOR)))
        if needed > _FULL * (self._places.size // 2):
            capacity = max(int(needed / _FULL) + 1, int(self._places.size // 2 * _FACTOR))
            larger = np.zeros(2 * capacity, np.uint64)
            pairing.move_people(self._places, larger)
            self._places = larger


@dataclass(frozen=True)
class Decisions:
    """What is to become of everybody: counts by outcome (and `gone`), and the people of each action."""

    roster: Roster
    counts: dict[str, int]
    newcomers: Slots
    changed: Slots
    departed: Slots

    def __len__(self) -> int:
        return self.newcomers.size + self.changed.size + self.departed.size

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Batches of DECISIONS, once the newcomers have their G_IDs."""
        yield from self.roster.rows(self.newcomers, INSERT)
        yield from self.roster.rows(self.changed, UPDATE)
        yield from self.roster.rows(self.departed, DEACTIVATE)


def _count(mask: npt.NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(mask))
