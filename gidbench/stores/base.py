"""What every database must do for gidbench, and nothing of how."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gidbench.records import EMPLOYEE, GLOBAL_ID, PERSON_FIELDS
from gidbench.stores.fitting import SchemaReport
from gidbench.stores.naming import Names

OUTCOMES = ("inserted", "updated", "deactivated", "reactivated", "unchanged", "conflict")


@dataclass(frozen=True)
class AuditEntry:
    """One line of `audit_log`: what ran, with which parameters, to what end. No personal data."""

    operation: str
    started_at: datetime
    outcome: str
    counts: dict[str, Any]
    parameters: dict[str, Any]


class Store(Protocol):
    """A database with the tables of `gidbench.records`.

    Writers take their turn by `lock`; what happens inside `transaction` is kept as a whole or not at all.
    """

    @property
    def name(self) -> str:
        """The URL, without any credential."""
        ...

    @property
    def version(self) -> str: ...

    @property
    def names(self) -> Names:
        """How our tables and columns are called in this database."""
        ...

    def create_tables(self) -> SchemaReport:
        """Create what is missing; existing tables stay as they are.

        Raises InputError where the columns of one do not fit, having made nothing.
        """
        ...

    def create_table(self, table: str, schema: pa.Schema) -> None:
        """Create a table of one's own; one that is there stays, and must have these columns."""
        ...

    def schema_of(self, table: str) -> pa.Schema:
        """Columns of any table, as SCHEMA.TABLE or TABLE; InputError where there is none of that name."""
        ...

    def count(self, table: str) -> int: ...

    def clear(self, table: str) -> None: ...

    def read(self, table: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Some columns of every row, on a connection of its own: others may be used meanwhile.

        no_ktp and g_id come without the spaces that a CHAR column has filled them up with.
        """
        ...

    def keys(self, table: str) -> npt.NDArray[np.int64]:
        """Every no_ktp of a table as a number."""
        ...

    def append(self, table: str, batches: Iterable[pa.RecordBatch]) -> int:
        """Insert batches of the table's schema, pulled one by one; what the iterable raises is raised."""
        ...

    def load_facts(self) -> dict[str, Any]:
        """How the last `append` went about it, in plain values; empty where there is nothing to choose."""
        ...

    def transaction(self) -> AbstractContextManager[None]: ...

    def lock(self, purpose: str, timeout_s: float) -> AbstractContextManager[None]:
        """Hold the store-wide lock `purpose`; StoreBusyError after `timeout_s` seconds."""
        ...

    def reserve_gids(self, count: int) -> int:
        """First ordinal of a range of `count` that nobody else gets.

        Final at once, whatever becomes of a transaction under way. Raises CapacityError, having changed
        nothing, where too few are left.
        """
        ...

    def return_gids(self, first: int, end: int) -> bool:
        """Take back the unused ordinals first .. end - 1, if they are the last that were handed out."""
        ...

    def gids_left(self) -> int: ...

    def record(self, entry: AuditEntry) -> None:
        """Append a line to `audit_log`."""
        ...

    def entries(self, operation: str) -> list[AuditEntry]:
        """The lines of `audit_log` that an operation has left, in the order of their moments."""
        ...

    def has_table(self, table: str) -> bool:
        """Whether a table of ours is there; nothing is created."""
        ...

    def matching(
        self, table: str, columns: Sequence[str], column: str, values: pa.StringArray
    ) -> Iterator[pa.RecordBatch]:
        """`columns` of the rows whose `column` (a text) is among the values, which are distinct, without null.

        Texts are compared exactly. The values may be many (millions): stage them where parameters end.
        """
        ...

    def change_mark(self) -> ChangeMark | None:
        """How far `employee` has come: who reads the table after this call sees all that is before the mark.

        None where the table has no column that tells changes, or is empty. A transaction under way that will
        commit below the mark must not be missed: MIN_ACTIVE_ROWVERSION(), or some minutes less than the last
        `updated_at`.
        """
        ...

    def changed(self, mark: ChangeMark, columns: Sequence[str]) -> Iterator[pa.RecordBatch] | None:
        """`columns` of the rows of `employee` changed at or after a mark: their value in `mark.column`, or
        `deleted_at` where that is a moment, is not below it. None where the store no longer tells by that column.
        """
        ...

    def synchroniser(self, now: datetime) -> Synchroniser:
        """The steps of a synchronisation within this store: of its `employee` into its `global_id`."""
        ...

    def merger(self, now: datetime) -> Merger:
        """The target's side of a synchronisation that streams: rows come in, are staged, then merged at once.

        Called under the lock `global_id`; what runs that died have left staged may be dropped now. Nothing
        is created before the first of its `stage_...` is called.
        """
        ...

    def write_back(self, assignments: Iterable[pa.RecordBatch]) -> int:
        """Set employee.g_id from batches of (id, g_id), in order of id; returns the rows changed.

        Not called inside `transaction`. Batches may be kept one by one: the next sync finds what is missing.
        Rows that are no longer there are passed over; `updated_at` stays.
        """
        ...

    def close(self) -> None: ...


class Synchroniser(Protocol):
    """The steps of a synchronisation inside one store, in the order in which they are taken.

    All are taken inside one transaction; no row leaves the server, but for G_IDs where the store wants so.
    """

    def scan(self) -> int:
        """Take stock of `employee`; returns its rows."""
        ...

    def compare(self) -> dict[str, int]:
        """Rows by outcome; `gone`: people of the target whom the source does not know; `unwritten`: source
        rows of known people that do not carry their G_ID. Changes nothing (a dry run ends here)."""
        ...

    def conflicts(self) -> pa.Table:
        """(id, kept_id) of source rows that share their no_ktp with the row that counts, or have none."""
        ...

    def assign(self, expected: int) -> int:
        """Give each of the `expected` newcomers a G_ID, by the rules of `gidbench.stores.numbering.number`.

        Newcomers are the rows that count of people whom the target does not know, in order of id. Returns how
        many there were. The sequence is moved on, in this transaction.
        Raises CapacityError where too few G_IDs are left.
        """
        ...

    def insert(self) -> int:
        """Insert the newcomers under their G_IDs."""
        ...

    def update(self) -> int:
        """Bring changed, deactivated and reactivated people, and those who are gone, up to date."""
        ...

    def write_back(self) -> int:
        """Set employee.g_id where a row that counts does not carry its person's; `updated_at` stays."""
        ...

    def verify(self) -> dict[str, int]:
        """Violations by law; all zero where the target agrees with the source."""
        ...


class Merger(Protocol):
    """The target's side of a synchronisation that streams.

    First, outside of any transaction: `stage_people`, `next_ordinal`, `stage_decisions`, each once. What is
    staged lies in tables of this run's own name; several connections may load them. Then, inside
    `Store.transaction`: `reserve`, `insert`, `update`, `deactivate`, `verify`, in this order, each once; and
    at last, whatever became of it, `close`, outside again. Every count is held against what was decided, so
    each must be the rows that the statement itself has changed. The lock `global_id` is held throughout, the
    lock `g_id_sequence` from before `next_ordinal` to the end of the transaction.
    """

    def stage_people(self, batches: Iterable[pa.RecordBatch]) -> int:
        """Take in batches of STAGED_PEOPLE, pulled one by one while the source is read; returns their rows.

        What the iterable raises is raised. More rows are staged than count in the end: decisions name them
        by id, which is unique among them.
        """
        ...

    def next_ordinal(self) -> int:
        """Where the G_ID sequence stands; reserves nothing."""
        ...

    def stage_decisions(self, batches: Iterable[pa.RecordBatch]) -> int:
        """Take in batches of DECISIONS; returns their rows.

        `action` is INSERT (the staged row `id` becomes a person under `g_id`, which nobody has), UPDATE (the
        person of this `g_id` becomes as the staged row `id` says) or DEACTIVATE (the person of this `g_id` is
        gone; `id` is null). Each action's rows are in order: of id, of id, of g_id.
        """
        ...

    def reserve(self, count: int, beyond: int) -> int:
        """First ordinal of a range of `count`, all beyond `beyond`; given back if the transaction fails."""
        ...

    def insert(self) -> int:
        """Insert the people of INSERT, with source 'database', created and updated now; returns how many."""
        ...

    def update(self) -> int:
        """Set the person fields (not no_ktp), status and updated_at of the people of UPDATE; returns how many."""
        ...

    def deactivate(self) -> int:
        """Set status and updated_at of the people of DEACTIVATE who are active; returns how many."""
        ...

    def verify(self, people: int) -> dict[str, int]:
        """Violations by law after the merge: `lost_or_added`, by how much the rows of `global_id` differ from
        `people`; `repeated_g_id` and `repeated_no_ktp`, which need no look where the table has unique keys."""
        ...

    def close(self) -> None:
        """Drop what was staged; called once, also after a failure, and must not raise then."""
        ...


@dataclass(frozen=True)
class ChangeMark:
    """A point in the history of `employee`.

    Attributes
    ----------
    column:
        What tells changes: `updated_at`, or the name of a rowversion column.
    value:
        Its value as text that sorts and compares as the store needs it; ISO for a moment, 0x and 16
        hexadecimal digits for a rowversion.
    last_id, rows:
        The highest id of the table, and how many rows it has; all of one moment.
    """

    column: str
    value: str
    last_id: int
    rows: int


SOURCE_COLUMNS = ("id", "name", "personal_number", "no_ktp", "passport_id", "bod", "g_id", "deleted_at")
TARGET_COLUMNS = ("g_id", "name", "personal_number", "no_ktp", "passport_id", "bod", "status")
COMPARED = ("name", "personal_number", "passport_id", "bod")

STAGED_PEOPLE = pa.schema(
    [EMPLOYEE.field(name) for name in ("id", *PERSON_FIELDS)] + [GLOBAL_ID.field("status")]
)
INSERT, UPDATE, DEACTIVATE = range(3)
DECISIONS = pa.schema(
    [
        pa.field("id", pa.int64()),
        pa.field("g_id", pa.string(), nullable=False),
        pa.field("action", pa.int16(), nullable=False),
    ]
)
