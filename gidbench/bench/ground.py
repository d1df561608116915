"""What the cases of all operations stand on: the database and files of a run, and what must be found in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from gidbench.bench.databases import begin_afresh
from gidbench.digest import digest_of
from gidbench.engine import ProgressCallback
from gidbench.errors import VerificationError
from gidbench.files.writers import write_file
from gidbench.generation.plan import employees, parts
from gidbench.outcome import Outcome
from gidbench.records import EMPLOYEE, NON_ACTIVE, PERSON_FIELDS
from gidbench.stores.opening import open_store

PART_ROWS = 50_000
AGREED = (*PERSON_FIELDS, "status", "g_id")
PERSONS = pa.schema([field for field in EMPLOYEE if field.name in PERSON_FIELDS])


def people(seed: int, count: int) -> Iterator[pa.RecordBatch]:
    """The first employees of a seed, part by part, as no operation that is timed makes them."""
    plan = employees(seed)
    for part in parts(0, count, PART_ROWS):
        yield plan.batch(*part)


@dataclass(frozen=True)
class Bench:
    """What all cases share.

    Attributes
    ----------
    folder:
        Scratch folder for the files of the cases.
    database:
        URL of a database whose tables are empty and may be filled.
    first_ordinal:
        Where its sequence of G_IDs stands; each round begins there again, or ten million records would use
        them up.
    peers:
        Whether other tools take part as cases of their own.
    cases:
        The variants of ours that take part; empty: all that usually do. Peers of others stay away, too.
    source:
        A file of the user's own, whose intake takes the place of the cases of processing.
    progress:
        Who is told, within the timed calls, how far they are.
    """

    folder: Path
    database: str
    first_ordinal: int
    records: int
    seed: int
    batch_size: int
    workers: int
    peers: bool = False
    cases: tuple[str, ...] = ()
    source: str = ""
    progress: ProgressCallback | None = field(default=None, compare=False, repr=False)

    def people(self, count: int | None = None) -> Iterator[pa.RecordBatch]:
        """The employees that every case is about."""
        return people(self.seed, self.records if count is None else count)

    def intake(self, kind: str, count: int) -> Path:
        """A file of so many of them: CSV has all columns, a workbook those of a person. Made when first asked for."""
        path = self.folder / f"intake-{count}.{kind}"
        if not path.exists():
            schema = EMPLOYEE if kind == "csv" else PERSONS
            write_file(path, (batch.select(schema.names) for batch in self.people(count)), schema)
        return path

    def persons_digest(self, count: int) -> str:
        """Digest of what describes so many of them."""
        return digest_of(batch.select(list(PERSON_FIELDS)) for batch in self.people(count))

    def begin_afresh(self, *tables: str) -> None:
        """Empty tables, and take back the G_IDs that were handed out for their rows."""
        begin_afresh(self.database, self.first_ordinal, *tables)

    def read(self, table: str, columns: Any) -> Iterator[pa.RecordBatch]:
        """Columns of a table of the database."""
        with open_store(self.database) as store:
            yield from store.read(table, list(columns))


@dataclass(frozen=True)
class PeerOutcome(Outcome):
    """What somebody else's tool has made: in its own form, or the rows that it changed."""

    made: Any = field(default=None, repr=False)


@dataclass(frozen=True)
class Agreement:
    """What global_id holds after a first sync of so many employees."""

    bench: Bench
    records: int

    @cached_property
    def _expected(self) -> tuple[str, int]:
        """Digest of the people, and how many of them are deleted."""
        deleted, persons = 0, []
        for batch in self.bench.people(self.records):
            deleted += batch.num_rows - batch.column("deleted_at").null_count
            persons.append(batch.select(list(PERSON_FIELDS)))
        return digest_of(persons), deleted

    def check(self) -> tuple[str, int]:
        """Digest and bytes of the people of global_id. Raises VerificationError where these are not the employees."""
        expected, deleted = self._expected
        inactive, gids, persons = 0, 0, []
        for batch in self.bench.read("global_id", AGREED):
            inactive += int(pc.sum(pc.equal(batch.column("status"), NON_ACTIVE)).as_py())
            gids += batch.num_rows - batch.column("g_id").null_count
            persons.append(batch.select(list(PERSON_FIELDS)))
        value = digest_of(persons)
        if value != expected or inactive != deleted or gids != self.records:
            raise VerificationError(
                f"global_id holds {value} with {inactive:,} {NON_ACTIVE}, not {expected} with {deleted:,}",
                "Report this as a fault",
            )
        return value, sum(part.nbytes for part in persons)
