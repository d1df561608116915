"""The cases of `gidbench run`: what is measured of each operation, on which input, against which truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from gidbench.bench.case import Case, TimedCall, Verified
from gidbench.digest import digest_of
from gidbench.engine import Cancellation
from gidbench.errors import InputError, VerificationError
from gidbench.files.writers import write_file
from gidbench.files.xlsx_writer import MAX_ROWS
from gidbench.generating import GenerationResult
from gidbench.generation.plan import employees, parts
from gidbench.operations import generate, process, sync
from gidbench.outcome import Outcome
from gidbench.processing import TABLE as FILE_TABLE
from gidbench.processing import ProcessResult
from gidbench.records import EMPLOYEE, NON_ACTIVE, PERSON_FIELDS
from gidbench.stores.opening import open_store
from gidbench.synchronisation import SyncResult

OPERATIONS = ("generate", "process", "sync")
_PART_ROWS = 50_000
_LOAD_FACTS = ("strategy", "why", "workers", "parts", "log_bytes")
_AGREED = (*PERSON_FIELDS, "status", "g_id")


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
    """

    folder: Path
    database: str
    first_ordinal: int
    records: int
    seed: int
    batch_size: int
    workers: int

    def people(self, count: int | None = None) -> Iterator[pa.RecordBatch]:
        """The employees that every case is about."""
        plan = employees(self.seed)
        for part in parts(0, self.records if count is None else count, _PART_ROWS):
            yield plan.batch(*part)


def cases_for(operation: str, bench: Bench) -> list[Case]:
    """The cases of one of OPERATIONS. Raises InputError for another name."""
    builders: dict[str, Callable[[Bench], list[Case]]] = {
        "generate": _generate_cases,
        "process": _process_cases,
        "sync": _sync_cases,
    }
    if operation not in builders:
        raise InputError(f"there is no operation {operation!r}", f"Use one of {', '.join(OPERATIONS)}")
    return builders[operation](bench)


def _generate_cases(bench: Bench) -> list[Case]:
    def case(
        variant: str, title: str, read: Callable[[GenerationResult], Iterator[pa.RecordBatch]], **to: Any
    ) -> Case:
        def prepare(cancellation: Cancellation) -> TimedCall:
            if (
                "out" in to
            ):  # a new file: to take the place of an older one, ext4 first begins to write it to the disk
                to["out"].unlink(missing_ok=True)
            return lambda: generate(
                bench.records,
                seed=bench.seed,
                batch_size=bench.batch_size,
                workers=bench.workers,
                cancellation=cancellation,
                **to,
            )

        def verify(outcome: Outcome) -> Verified:
            if not isinstance(outcome, GenerationResult):
                raise TypeError("a generation case times generate")
            value = digest_of(read(outcome))
            facts = {"destination": variant, "bytes": outcome.bytes_written}
            facts |= {name: outcome.load[name] for name in _LOAD_FACTS if name in outcome.load}
            return Verified(value, bench.records * len(EMPLOYEE), outcome.bytes_written, facts)

        return Case(
            "generate", variant, title, variant == "memory", bench.records, "employees", prepare, verify
        )

    csv, parquet = bench.folder / "people.csv", bench.folder / "people.parquet"
    return [
        case("memory", "employees to Arrow batches in memory", lambda outcome: iter(outcome.batches)),
        case("csv", "employees to a CSV file", lambda _: _read_csv(csv), out=csv),
        case("parquet", "employees to a Parquet file", lambda _: _read_parquet(parquet), out=parquet),
        case(
            "database",
            "employees into the database's table",
            lambda _: _read_table(bench.database, "employee", EMPLOYEE.names),
            into=bench.database,
            replace=True,
        ),
    ]


def _process_cases(bench: Bench) -> list[Case]:
    columns = [EMPLOYEE.get_field_index(name) for name in PERSON_FIELDS]
    schema = pa.schema([EMPLOYEE.field(index) for index in columns])

    def case(suffix: str, title: str, records: int, wanted: pa.Schema) -> Case:
        path = bench.folder / f"intake{suffix}"
        expected = digest_of(batch.select(list(PERSON_FIELDS)) for batch in bench.people(records))

        def prepare(cancellation: Cancellation) -> TimedCall:
            if not path.exists():
                people = (batch.select(wanted.names) for batch in bench.people(records))
                write_file(path, people, wanted)
            _begin_afresh(bench, FILE_TABLE)
            return lambda: process(path, bench.database, workers=bench.workers, cancellation=cancellation)

        def verify(outcome: Outcome) -> Verified:
            if not isinstance(outcome, ProcessResult):
                raise TypeError("a processing case times process")
            value = digest_of(_read_table(bench.database, FILE_TABLE, PERSON_FIELDS))
            if value != expected:
                raise VerificationError(
                    f"the rows of {FILE_TABLE} are not the people of the file ({value}, not {expected})",
                    "Report this as a fault",
                )
            facts = {name: outcome.counts()[name] for name in ("accepted", "duplicate", "rejected")}
            size = path.stat().st_size
            return Verified(value, records * len(wanted), size, {**facts, "file_bytes": size})

        family = f"intake of {records}"
        return Case("process", suffix[1:], title, suffix == ".csv", records, family, prepare, verify)

    return [
        case(".csv", "a CSV file of all ten columns, into the database", bench.records, EMPLOYEE),
        case(
            ".xlsx",
            "a workbook of the five intake columns, into the database",
            min(bench.records, MAX_ROWS - 1),
            schema,
        ),
    ]


def _sync_cases(bench: Bench) -> list[Case]:
    deleted = 0
    persons_made = []
    for batch in bench.people():
        deleted += batch.num_rows - batch.column("deleted_at").null_count
        persons_made.append(batch.select(list(PERSON_FIELDS)))
    expected = digest_of(persons_made)

    def verify(outcome: Outcome, wanted: dict[str, int]) -> Verified:
        if not isinstance(outcome, SyncResult):
            raise TypeError("a synchronisation case times sync")
        found = {name: value for name, value in outcome.counts().items() if isinstance(value, int)}
        if found != {**dict.fromkeys(found, 0), **wanted}:
            raise VerificationError(
                f"the outcomes are {found}, but should be {wanted}", "Report this as a fault"
            )
        inactive, gids, persons = 0, 0, []
        for batch in _read_table(bench.database, "global_id", _AGREED):
            inactive += int(pc.sum(pc.equal(batch.column("status"), NON_ACTIVE)).as_py())
            gids += batch.num_rows - batch.column("g_id").null_count
            persons.append(batch.select(list(PERSON_FIELDS)))
        value = digest_of(persons)
        if value != expected or inactive != deleted or gids != bench.records:
            raise VerificationError(
                f"global_id holds {value} with {inactive:,} {NON_ACTIVE}, not {expected} with {deleted:,}",
                "Report this as a fault",
            )
        size = sum(part.nbytes for part in persons)
        return Verified(value, bench.records * len(_AGREED), size, wanted)

    def prepare_initial(cancellation: Cancellation) -> TimedCall:
        _begin_afresh(bench, "employee", "global_id")
        generate(bench.records, seed=bench.seed, into=bench.database, replace=True, cancellation=cancellation)
        return lambda: sync(bench.database, cancellation=cancellation)

    def prepare_unchanged(cancellation: Cancellation) -> TimedCall:
        with open_store(bench.database) as store:
            store.create_tables()
            filled = store.count("employee")
        if not filled:
            generate(bench.records, seed=bench.seed, into=bench.database, cancellation=cancellation)
        sync(bench.database, cancellation=cancellation)
        return lambda: sync(bench.database, cancellation=cancellation)

    first = {"inserted": bench.records, "written_back": bench.records}
    return [
        Case(
            "sync",
            "initial",
            "all employees are new: every row gets its G_ID",
            True,
            bench.records,
            "agreement",
            prepare_initial,
            lambda outcome: verify(outcome, first),
        ),
        Case(
            "sync",
            "unchanged",
            "nothing changed since the last sync",
            False,
            bench.records,
            "agreement",
            prepare_unchanged,
            lambda outcome: verify(outcome, {"unchanged": bench.records}),
        ),
    ]


def _begin_afresh(bench: Bench, *tables: str) -> None:
    """Empty tables, and take back the G_IDs that were handed out for their rows."""
    with open_store(bench.database) as store:
        store.create_tables()
        for table in tables:
            store.clear(table)
        store.return_gids(bench.first_ordinal, store.reserve_gids(0))


def _read_table(database: str, table: str, columns: Any) -> Iterator[pa.RecordBatch]:
    with open_store(database) as store:
        yield from store.read(table, list(columns))


def _read_parquet(path: Path) -> Iterator[pa.RecordBatch]:
    with pa.parquet.ParquetFile(path) as file:
        yield from file.iter_batches()


def _read_csv(path: Path) -> Iterator[pa.RecordBatch]:
    """By another reader than ours, so that writer and reader cannot be wrong together."""
    options = pa.csv.ConvertOptions(
        column_types={field.name: field.type for field in EMPLOYEE},
        null_values=[""],
        strings_can_be_null=True,
    )
    with pa.csv.open_csv(path, convert_options=options) as reader:
        yield from reader
