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

    def create_tables(self) -> None:
        """Create what is missing; existing tables stay as they are."""
        ...

    def create_table(self, table: str, schema: pa.Schema) -> None:
        """Create a table of one's own; one that is there stays, and must have these columns."""
        ...

    def schema_of(self, table: str) -> pa.Schema:
        """Columns of any table, as SCHEMA.TABLE or TABLE; InputError where there is none of that name."""
        ...

    def count(self, table: str) -> int: ...

    def clear(self, table: str) -> None: ...

    def read(self, table: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]: ...

    def keys(self, table: str) -> npt.NDArray[np.int64]:
        """Every no_ktp of a table as a number."""
        ...

    def append(self, table: str, batches: Iterable[pa.RecordBatch]) -> int:
        """Insert batches of the table's schema, pulled one by one; what the iterable raises is raised."""
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

    def synchroniser(self, now: datetime) -> Synchroniser:
        """The steps of a synchronisation into this store's `global_id`."""
        ...

    def write_back(self, assignments: Iterable[pa.RecordBatch]) -> int:
        """Set employee.g_id from batches of (id, g_id); returns the rows changed."""
        ...

    def close(self) -> None: ...


class Synchroniser(Protocol):
    """The steps of a synchronisation, in the order in which they are taken, inside one transaction."""

    def scan_local(self) -> int:
        """Take `employee` of this very store as the source; returns its rows."""
        ...

    def scan_foreign(self, batches: Iterable[pa.RecordBatch]) -> int:
        """Take the batches (`SOURCE_COLUMNS`) as the source; returns their rows."""
        ...

    def compare(self) -> dict[str, int]:
        """Rows by outcome; `gone`: people of the target whom the source does not know; `unwritten`: source
        rows of known people that do not carry their G_ID."""
        ...

    def conflicts(self) -> pa.Table:
        """(id, kept_id) of source rows that share their no_ktp with the row that counts, or have none."""
        ...

    def newcomers(self) -> pa.Table:
        """(id, g_id) of people to insert, in order of id; g_id is the one they bring along, or null."""
        ...

    def taken(self, gids: pa.Array) -> pa.Array:
        """Those of the given G_IDs that the target holds already."""
        ...

    def reserve(self, count: int, beyond: int) -> int:
        """First ordinal of a range of `count`, all beyond `beyond`; given back if the transaction fails."""
        ...

    def insert(self, assignments: pa.Table) -> int:
        """Insert the newcomers under their G_IDs: (id, g_id)."""
        ...

    def update(self) -> int:
        """Bring changed, deactivated and reactivated people, and those who are gone, up to date."""
        ...

    def write_back_local(self) -> int:
        """Set employee.g_id of the source in this very store."""
        ...

    def missing_write_backs(self) -> pa.Table:
        """(id, g_id) of source rows that do not carry their G_ID."""
        ...

    def verify(self) -> dict[str, int]:
        """Violations by law; all zero where the target agrees with the source."""
        ...


SOURCE_COLUMNS = ("id", "name", "personal_number", "no_ktp", "passport_id", "bod", "g_id", "deleted_at")
