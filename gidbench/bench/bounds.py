"""Speed of light: what physics or the server sets, measured in the same run, and the share of it that a case reaches.

| bound | measured as | held against it |
|---|---|---|
| memory write | every worker fills a buffer larger than the caches | bytes of Arrow or text that a generation makes |
| memory read | every worker adds such a buffer up | bytes of the file that processing takes in |
| page cache write | a buffer written to a file, not waited for | bytes of the file that a generation writes |
| disk write | the same until it is on the disk (fsync) | all bytes that the process hands to the system to write |
| page cache read | the file read again | bytes of the file that processing takes in |
| disk read | the same after it was dropped from the cache | the same; above 1 only where the cache had it |
| inflate | the sheet of a workbook, by zlib-ng on one thread | inflated bytes of the workbook's sheet |
| loopback | TCP on 127.0.0.1; another machine's network is slower | bytes of the rows that go to a server |
| own insert | the database's INSERT … SELECT of the same rows | records per second of what writes these rows |
| own compare | its join of both tables, each value compared | records per second of a sync that finds no change |

A share is the case's rate over the bound's. Above 1 for a disk says that the page cache took what the disk did not
yet write; for the database that the case's way in (by columns, on several threads) is faster than its own statement.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gidbench.bench import limits
from gidbench.bench.database_limits import own_rates
from gidbench.bench.ground import Bench
from gidbench.bench.results import Result
from gidbench.engine import Cancellation
from gidbench.errors import GidbenchError, OperationCancelled
from gidbench.stores.opening import parse_url

_MEMORY_BYTES, _FILE_BYTES = 256 << 20, 64 << 20
_SHEET_ROWS = 50_000
_LEAST_MEMORY = 32 << 20  # of each thread


@dataclass(frozen=True)
class Bound:
    """What can't be passed: `value` in units per second."""

    name: str
    title: str
    unit: str
    value: float


@dataclass(frozen=True)
class Bounds:
    """Those of an operation, by name; `inflated_share`: inflated bytes for each byte of a workbook."""

    known: dict[str, Bound]
    inflated_share: float = 0.0
    is_server: bool = False


def measure_bounds(operation: str, bench: Bench, cancellation: Cancellation | None = None) -> Bounds:
    """Measure what is held against the cases of an operation: a few seconds. What can't be measured is left out.

    Raises OperationCancelled, between two of them.
    """
    token = cancellation or Cancellation()
    known: dict[str, Bound] = {}
    is_server = parse_url(bench.database).get_backend_name() == "mssql"

    def add(name: str, title: str, measure: Callable[[], float], unit: str = "bytes/s") -> None:
        token.check()
        try:
            known[name] = Bound(name, title, unit, measure())
        except (OSError, GidbenchError):  # a full disk, a port that is closed: the cases are measured anyway
            return

    _add_memory(operation, bench.workers, add)
    _add_files(operation, bench.folder, add)
    if is_server:
        add(
            "loopback",
            "TCP over this machine's loopback",
            lambda: limits.several(limits.loopback_bytes_per_second),
        )
    share = 0.0
    if operation == "process":
        deflated, inflated, size = _sheet(bench)
        share = inflated / size
        inflate = lambda: limits.several(lambda: limits.inflate_bytes_per_second(deflated))  # noqa: E731
        add("inflate", "inflating a sheet by zlib-ng, one thread", inflate)
    token.check()
    try:
        rates = own_rates(operation, bench, token)
    except OperationCancelled:
        raise
    except GidbenchError:
        rates = {}
    titles = {
        "insert": "the database's own INSERT … SELECT of the same rows",
        "compare": "the database's own comparison of both tables",
    }
    known |= {
        f"own {name}": Bound(f"own {name}", titles[name], "records/s", rate) for name, rate in rates.items()
    }
    return Bounds(known, share, is_server)


def _add_memory(operation: str, workers: int, add: Callable[..., None]) -> None:
    memory = limits.MemoryWrite(workers, max(_MEMORY_BYTES // workers, _LEAST_MEMORY))
    threads = f"{workers} threads" if workers > 1 else "one thread"

    def measured(work: Callable[[], int]) -> Callable[[], float]:
        return lambda: limits.several(lambda: limits.per_second(work))

    if operation != "process":
        add("memory write", f"filling memory by {threads}", measured(memory.fill))
    else:
        add("memory read", f"reading memory by {threads}", measured(memory.add_up))


def _add_files(operation: str, folder: Path, add: Callable[..., None]) -> None:
    path, content = folder / "limit.bin", memoryview(bytes(range(256)) * (_FILE_BYTES // 256))

    def written(durable: bool) -> float:
        return limits.several(
            lambda: limits.file_write_bytes_per_second(path, content, durable=durable), goes=3
        )

    def read(cold: bool) -> float:
        return limits.several(lambda: limits.file_read_bytes_per_second(path, cold=cold), goes=3)

    try:
        add("disk write", "writing a file until it is on the disk", lambda: written(True))
        if operation == "generate":
            add("page cache write", "writing a file to the page cache", lambda: written(False))
        if operation == "process" and path.exists():
            add("disk read", "reading a file from the disk", lambda: read(True))
            add("page cache read", "reading a file from the page cache", lambda: read(False))
    finally:
        path.unlink(missing_ok=True)


def _sheet(bench: Bench) -> tuple[bytes, int, int]:
    """The deflated sheet of a workbook of few people, its inflated size, and the size of the workbook."""
    path = bench.intake("xlsx", min(bench.records, _SHEET_ROWS))
    with zipfile.ZipFile(path) as book:
        sheet = max(book.infolist(), key=lambda part: part.file_size)
    with path.open("rb") as file:
        file.seek(sheet.header_offset)
        head = file.read(30)
        file.seek(int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little"), 1)
        return file.read(sheet.compress_size), sheet.file_size, path.stat().st_size


def limits_of(result: Result, bounds: Bounds) -> list[dict[str, Any]]:
    """The bounds that hold for a case, each with the share of it that the case reaches; the tightest first."""
    if result.status != "ok" or result.median_s <= 0:
        return []
    found = []
    for name, amount in _amounts(result, bounds).items():
        bound = bounds.known.get(name)
        if bound is not None and amount and bound.value > 0:
            found.append({**asdict(bound), "share": amount / bound.value})
    return sorted(found, key=lambda limit: -float(limit["share"]))


def limits_for(
    operation: str, bench: Bench, results: list[Result]
) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """The limits of each of an operation's results, by operation and variant, measured now."""
    bounds = measure_bounds(operation, bench)
    return {(result.operation, result.variant): limits_of(result, bounds) for result in results}


def _amounts(result: Result, bounds: Bounds) -> dict[str, float | None]:
    """What a case does per second, by the bound that it is held against."""
    variant = result.against or result.variant
    amounts: dict[str, float | None] = {}
    into_database = variant == "database"
    if result.operation == "generate":
        if not (bounds.is_server and into_database):
            amounts["memory write"] = result.bytes_per_second
        if variant in ("csv", "parquet"):
            amounts["page cache write"] = result.bytes_per_second
    if result.operation == "process":
        amounts |= dict.fromkeys(("memory read", "page cache read", "disk read"), result.bytes_per_second)
        if variant.startswith("xlsx"):
            amounts["inflate"] = result.bytes_per_second * bounds.inflated_share
        into_database = variant in ("csv", "xlsx")
    if result.operation == "sync":
        into_database = variant == "initial"
        amounts["own compare"] = result.records_per_second if variant == "unchanged" else None
    if into_database:
        amounts["own insert"] = result.records_per_second
    if bounds.is_server and into_database and result.operation != "sync":
        amounts["loopback"] = result.bytes_per_second
    if result.written_bytes and (variant in ("csv", "parquet") or (into_database and not bounds.is_server)):
        amounts["disk write"] = result.written_bytes / result.median_s
    return amounts
