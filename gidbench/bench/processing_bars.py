"""The bars of processing: who takes part in `gidbench bench process`, and what must come out."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from gidbench.bench import intake_process
from gidbench.bench.comparison import (
    PROOF_RECORDS,
    Bar,
    Comparison,
    Contender,
    check_extent,
    compare,
    together,
)
from gidbench.bench.peers import intake_files
from gidbench.bench.peers.intake_checks import check_people, people_digest
from gidbench.bench.peers.model import Reader
from gidbench.bench.peers.registry import BOOK_READERS, CSV_READERS
from gidbench.bench.turns import typical, warm
from gidbench.converting import convert
from gidbench.engine import Cancellation, ProgressCallback
from gidbench.errors import InputError
from gidbench.kernels.warmup import compile_all
from gidbench.operations import generate, process
from gidbench.settings import load_settings

_SHEET_RECORDS = 1_000_000  # a sheet has room for 48,575 more
# How many times as fast we must be; the others are told, and nothing is asked.
_LEAST = {"pyarrow": 1.0, "duckdb": 2.0, "polars": 2.0, "pandas": 15.0}
_LEAST_BOOKS = {"fastexcel": 3.0, "openpyxl": 60.0}
_FEW, _HUGE = 1_000_000, 100_000_000
_KEY_BYTES, _MOST_BYTES = 12, 1_000_000_000


@dataclass(frozen=True)
class _Inputs:
    """Files of employees that all contenders read."""

    folder: Path
    records: int
    seed: int
    workers: int

    def path(self, kind: str, records: int) -> Path:
        """A file of so many employees, made when it is first asked for."""
        path = self.folder / f"{records}.{kind}"
        if not path.exists():
            generate(records, seed=self.seed, workers=self.workers, out=path)
        return path

    @property
    def sheet_records(self) -> int:
        return min(self.records, _SHEET_RECORDS)


def compare_processing(
    records: int = 5_000_000,
    *,
    rounds: int = 5,
    seed: int = 7,
    workers: int | None = None,
    peers: bool = True,
    huge: bool = False,
    scratch: Path | None = None,
    progress: ProgressCallback | None = None,
    cancellation: Cancellation | None = None,
) -> Comparison:
    """Measure processing and conversion against their bars, in one run, contenders taking turns.

    Parameters
    ----------
    records:
        Of the CSV file; a workbook has a million at most, slow peers read fewer, and rates are compared.
    peers:
        Whether other libraries take part.
    huge:
        Whether files of 1 and 100 million records (13 GB) are processed by whole processes as well, for time
        per record and memory.
    scratch:
        Folder for the files, which are removed; default: the system's.
    """
    check_extent(records, rounds)
    threads = load_settings(workers=workers).workers
    compile_all()
    with tempfile.TemporaryDirectory(prefix="gidbench-", dir=scratch) as name:
        inputs = _Inputs(Path(name), records, seed, threads)
        groups = [_ours(inputs)]
        if peers:
            groups.append(_peers(inputs))
        if huge:
            groups.append(_huge(inputs))
        return compare(*together(groups), rounds=rounds, progress=progress, cancellation=cancellation)


def _rate(records: int, work: Callable[[], object]) -> float:
    """Records per second of a call, after one that does not count."""

    def once() -> float:
        started = time.perf_counter()
        kept = work()
        spent = time.perf_counter() - started
        del kept
        return records / spent

    return warm(once)


def _reading(
    name: str, title: str, records: int, work: Callable[[], object], prove: Callable[[], None]
) -> Contender:
    return Contender(name, f"{title}, {records:,} records", "records/s", partial(_rate, records, work), prove)


def _processed(inputs: _Inputs, kind: str, records: int) -> Any:
    return process(inputs.path(kind, records), workers=inputs.workers, rejects=inputs.folder / "rejects.csv")


def _converted(inputs: _Inputs, types: str) -> Any:
    source = inputs.path("csv", inputs.records)
    return convert(source, inputs.folder / f"ours-{types}.parquet", types=types, workers=inputs.workers)


def _accepts_all(inputs: _Inputs, kind: str, records: int) -> None:
    result = _processed(inputs, kind, records)
    expected = _people(inputs, PROOF_RECORDS)
    if (result.accepted, result.records) != (records, records):
        raise InputError(
            f"{result.accepted:,} of {records:,} employees were accepted", "See the rejects file"
        )
    few = _processed(inputs, kind, PROOF_RECORDS)
    check_people(few.to_arrow(), expected, f"processing of {kind}")


def _people(inputs: _Inputs, records: int) -> str:
    """Digest of the people themselves."""
    return people_digest(generate(records, seed=inputs.seed, workers=inputs.workers).batches)


def _ours(inputs: _Inputs) -> tuple[list[Contender], list[Bar]]:
    records, sheet = inputs.records, inputs.sheet_records
    contenders = [
        _reading(
            name,
            f"processing of a {kind} file, to Arrow",
            count,
            partial(_processed, inputs, kind, count),
            partial(_accepts_all, inputs, kind, count),
        )
        for name, kind, count in (("csv", "csv", records), ("xlsx", "xlsx", sheet))
    ]
    contenders += [
        _reading(
            f"to parquet, {types}",
            f"convert CSV to Parquet, --types {types}",
            records,
            partial(_converted, inputs, types),
            partial(intake_files.prove_conversion, partial(_converted, inputs, types), records),
        )
        for types in ("text", "infer")
    ]
    return contenders, [Bar("a workbook processed (ULTRA)", "xlsx", 1e6)]


def _peers(inputs: _Inputs) -> tuple[list[Contender], list[Bar]]:
    contenders: list[Contender] = []
    bars: list[Bar] = []
    for peer in CSV_READERS:
        contenders.append(_peer(inputs, peer, inputs.records))
        bars.append(Bar(f"CSV processed / {peer.title}", "csv", _LEAST.get(peer.name), peer.name))
    for types in ("text", "infer"):
        name = f"duckdb copy, {types}"
        copied = partial(
            intake_files.copied_by_duckdb, inputs.folder / f"theirs-{types}.parquet", types=types
        )
        work = partial(_read, inputs, "csv", inputs.records, copied)
        title = f"DuckDB COPY to Parquet, {'all text' if types == 'text' else 'types found out'}"
        prove = partial(intake_files.prove_conversion, work, inputs.records)
        contenders.append(_reading(name, title, inputs.records, work, prove))
        bars.append(Bar(f"CSV to Parquet ({types}) / DuckDB COPY", f"to parquet, {types}", 1.2, name))
    sheet = inputs.sheet_records
    prove = partial(
        intake_files.prove_cells,
        partial(inputs.path, "xlsx", PROOF_RECORDS),
        intake_files.book_by_us,
        "xlsx read",
    )
    ours = partial(_read, inputs, "xlsx", sheet, intake_files.book_by_us)
    contenders.append(_reading("xlsx read", "a workbook read, all columns as text", sheet, ours, prove))
    for peer in BOOK_READERS:
        contenders.append(_peer(inputs, peer, sheet))
        bars.append(
            Bar(f"a workbook read / {peer.title}", "xlsx read", _LEAST_BOOKS.get(peer.name), peer.name)
        )
    return contenders, bars


def _read(inputs: _Inputs, kind: str, records: int, read: Callable[[Path], Any]) -> Any:
    return read(inputs.path(kind, records))


def _peer(inputs: _Inputs, peer: Reader, records: int) -> Contender:
    count = peer.records(records)
    work = partial(_read, inputs, peer.kind, count, peer.read)
    return _reading(peer.name, peer.title, count, work, partial(_prove, inputs, peer))


def _prove(inputs: _Inputs, peer: Reader) -> None:
    few = inputs.path(peer.kind, PROOF_RECORDS)
    check_people(peer.people(peer.read(few)), _people(inputs, PROOF_RECORDS), peer.name)


def _huge(inputs: _Inputs) -> tuple[list[Contender], list[Bar]]:
    """A hundred million records by whole processes, batches handed on and not kept: time and memory."""
    found: dict[int, intake_process.Finding] = {}

    def rate(records: int) -> float:
        path, first = (inputs.path("csv", count) for count in (records, _FEW))
        found[records] = intake_process.measure(path, inputs.workers, first)
        return records / found[records].wall_s

    def head_room() -> float:
        return (_MOST_BYTES + _KEY_BYTES * _HUGE) / found[_HUGE].peak_rss_bytes

    contenders = [
        Contender(
            "few", f"processing of {_FEW:,} records", "records/s", partial(typical, partial(rate, _FEW), 5)
        ),
        Contender("huge", f"processing of {_HUGE:,} records", "records/s", partial(rate, _HUGE)),
        Contender("head room", "1 GB and 12 bytes a key / peak memory of the latter", "ratio", head_room),
    ]
    return contenders, [
        Bar(f"CSV of {_HUGE / 1e6:g}M records / of {_FEW / 1e6:g}M", "huge", 0.85, "few"),
        Bar("1 GB + 12 bytes a key / peak memory", "head room", 1),
    ]
