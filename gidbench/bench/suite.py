"""The cases of `gidbench run`: what is measured of each operation, on which input, against which truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from gidbench.bench import source_case
from gidbench.bench.case import Case, TimedCall, Verified
from gidbench.bench.ground import AGREED, PERSONS, Agreement, Bench
from gidbench.bench.peer_cases import peer_cases, peers_left_out
from gidbench.bench.results import Result
from gidbench.digest import digest_of
from gidbench.engine import Cancellation
from gidbench.errors import InputError, VerificationError
from gidbench.files.xlsx_writer import MAX_ROWS
from gidbench.generating import GenerationResult
from gidbench.operations import generate, process, sync
from gidbench.outcome import Outcome
from gidbench.processing import TABLE as FILE_TABLE
from gidbench.processing import ProcessResult
from gidbench.records import EMPLOYEE, PERSON_FIELDS
from gidbench.stores.opening import open_store
from gidbench.synchronisation import SyncResult

__all__ = ["OPERATIONS", "VARIANTS", "Bench", "cases_for", "chosen", "left_out"]

OPERATIONS = ("generate", "process", "sync")
VARIANTS = {
    "generate": ("memory", "csv", "parquet", "database"),
    "process": ("csv", "xlsx", "csv memory", "xlsx memory"),
    "sync": ("initial", "unchanged"),
}
_WITH_PEERS = ("csv memory", "xlsx memory")  # most peers read, and put nothing into a database
_LOAD_FACTS = ("strategy", "why", "workers", "parts", "log_bytes", "waits_ms")


def chosen(operation: str, cases: str | Sequence[str]) -> tuple[str, ...]:
    """The variants of an operation that are asked for, a text with commas or one by one, in their usual order.

    Raises InputError, naming the known ones, for another, and for another operation.
    """
    if operation not in VARIANTS:
        raise InputError(f"there is no operation {operation!r}", f"Use one of {', '.join(OPERATIONS)}")
    given = named(cases)
    known = VARIANTS[operation]
    if unknown := [name for name in given if name not in known]:
        raise InputError(
            f"{operation} has no case {', '.join(map(repr, unknown))}", f"Use any of {', '.join(known)}"
        )
    return tuple(name for name in known if name in given)


def named(cases: str | Sequence[str]) -> tuple[str, ...]:
    """The names in a text with commas between them, or in a sequence."""
    parts = cases.split(",") if isinstance(cases, str) else cases
    return tuple(dict.fromkeys(name.strip() for name in parts if name.strip()))


def _wanted(operation: str, bench: Bench) -> tuple[str, ...]:
    if operation == "process" and bench.source:
        return (source_case.VARIANT,)
    if bench.cases:
        return bench.cases
    return tuple(name for name in VARIANTS[operation] if bench.peers or name not in _WITH_PEERS)


def cases_for(operation: str, bench: Bench) -> list[Case]:
    """The cases of one of OPERATIONS, ours first; with `bench.peers` those of the peers that can be tried here, too.

    Of `bench.cases` only, where any are named, and of the peers only those that are held against one of them.

    The same arguments give the same cases, in whichever process. Raises InputError for another name.
    """
    builders: dict[str, Callable[[Bench], list[Case]]] = {
        "generate": _generate_cases,
        "process": _process_cases,
        "sync": _sync_cases,
    }
    if operation not in builders:
        raise InputError(f"there is no operation {operation!r}", f"Use one of {', '.join(OPERATIONS)}")
    wanted = _wanted(operation, bench)
    ours = builders[operation](bench)
    if not bench.peers:
        return ours
    return [*ours, *(case for case in peer_cases(operation, bench) if case.against in wanted)]


def left_out(operation: str, bench: Bench) -> list[Result]:
    """A result for each peer that can't be tried here, which says why; none without `bench.peers`."""
    if not bench.peers:
        return []
    wanted = _wanted(operation, bench)
    return [result for result in peers_left_out(operation, bench) if result.against in wanted]


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
                progress=bench.progress,
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
    cases = [
        case("memory", "employees to Arrow batches in memory", lambda outcome: iter(outcome.batches)),
        case("csv", "employees to a CSV file", lambda _: _read_csv(csv), out=csv),
        case("parquet", "employees to a Parquet file", lambda _: _read_parquet(parquet), out=parquet),
        case(
            "database",
            "employees into the database's table",
            lambda _: bench.read("employee", EMPLOYEE.names),
            into=bench.database,
            replace=True,
        ),
    ]
    return [each for each in cases if each.variant in _wanted("generate", bench)]


def _process_cases(bench: Bench) -> list[Case]:
    if bench.source:
        return [source_case.source_case(bench)]
    how: dict[str, Any] = {"workers": bench.workers, "progress": bench.progress}

    def case(kind: str, title: str, records: int, columns: pa.Schema, *, into: bool = True) -> Case:
        expected = bench.persons_digest(records)

        def prepare(cancellation: Cancellation) -> TimedCall:
            path = bench.intake(kind, records)
            if not into:
                rejects = bench.folder / "rejects.csv"
                return lambda: process(path, rejects=rejects, cancellation=cancellation, **how)
            bench.begin_afresh(FILE_TABLE)
            return lambda: process(path, bench.database, cancellation=cancellation, **how)

        def verify(outcome: Outcome) -> Verified:
            if not isinstance(outcome, ProcessResult):
                raise TypeError("a processing case times process")
            found = (batch.select(list(PERSON_FIELDS)) for batch in outcome.batches)
            value = digest_of(bench.read(FILE_TABLE, PERSON_FIELDS) if into else found)
            if value != expected:
                raise VerificationError(
                    f"the rows of {FILE_TABLE} are not the people of the file ({value}, not {expected})",
                    "Report this as a fault",
                )
            facts = {name: outcome.counts()[name] for name in ("accepted", "duplicate", "rejected")}
            size = bench.intake(kind, records).stat().st_size
            return Verified(value, records * len(columns), size, {**facts, "file_bytes": size})

        family = f"intake of {records}"
        variant = kind if into else f"{kind} memory"
        return Case("process", variant, title, variant == "csv", records, family, prepare, verify)

    sheet = min(bench.records, MAX_ROWS - 1)
    builders: dict[str, Callable[[], Case]] = {
        "csv": lambda: case(
            "csv", "a CSV file of all ten columns, into the database", bench.records, EMPLOYEE
        ),
        "xlsx": lambda: case(
            "xlsx", "a workbook of the five intake columns, into the database", sheet, PERSONS
        ),
        "csv memory": lambda: case(
            "csv", "a CSV file, all of processing, into memory", bench.records, EMPLOYEE, into=False
        ),
        "xlsx memory": lambda: case(
            "xlsx", "a workbook, all of processing, into memory", sheet, PERSONS, into=False
        ),
    }
    return [builders[variant]() for variant in _wanted("process", bench)]


def _sync_cases(bench: Bench) -> list[Case]:
    agreement = Agreement(bench, bench.records)

    def verify(outcome: Outcome, wanted: dict[str, int]) -> Verified:
        if not isinstance(outcome, SyncResult):
            raise TypeError("a synchronisation case times sync")
        found = {name: value for name, value in outcome.counts().items() if isinstance(value, int)}
        if found != {**dict.fromkeys(found, 0), **wanted}:
            raise VerificationError(
                f"the outcomes are {found}, but should be {wanted}", "Report this as a fault"
            )
        value, size = agreement.check()
        return Verified(value, bench.records * len(AGREED), size, wanted)

    def prepare_initial(cancellation: Cancellation) -> TimedCall:
        bench.begin_afresh("employee", "global_id")
        generate(bench.records, seed=bench.seed, into=bench.database, replace=True, cancellation=cancellation)
        return lambda: sync(bench.database, progress=bench.progress, cancellation=cancellation)

    def prepare_unchanged(cancellation: Cancellation) -> TimedCall:
        with open_store(bench.database) as store:
            store.create_tables()
            filled = store.count("employee")
        if filled != bench.records:  # none, or those of a peer that takes fewer
            bench.begin_afresh("employee", "global_id")
            generate(bench.records, seed=bench.seed, into=bench.database, cancellation=cancellation)
        sync(bench.database, cancellation=cancellation)
        return lambda: sync(bench.database, progress=bench.progress, cancellation=cancellation)

    first = {"inserted": bench.records, "written_back": bench.records}
    cases = [
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
    return [each for each in cases if each.variant in _wanted("sync", bench)]


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
