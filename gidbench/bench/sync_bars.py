"""The bars of loading and synchronising: who takes part in `gidbench bench sync`, and what must come out."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

from gidbench.bench.comparison import Comparison, check_extent, compare, together
from gidbench.bench.sync_embedded import Files, embedded_bars
from gidbench.engine import Cancellation, ProgressCallback
from gidbench.errors import InputError
from gidbench.kernels.warmup import compile_all
from gidbench.settings import load_settings
from gidbench.stores.opening import parse_url, safe_name

EMBEDDED_RECORDS, SERVER_RECORDS = 1_000_000, 200_000


def compare_synchronising(
    records: int | None = None,
    *,
    database: str | None = None,
    rounds: int = 5,
    seed: int = 7,
    workers: int | None = None,
    peers: bool = True,
    huge: bool = False,
    scratch: Path | None = None,
    progress: ProgressCallback | None = None,
    cancellation: Cancellation | None = None,
) -> Comparison:
    """Measure synchronising, and with a server loading, against their bars, in one run, contenders taking turns.

    Parameters
    ----------
    records:
        Of each table; slow ways of writing load fewer, and rates are compared. Default: EMBEDDED_RECORDS, or
        SERVER_RECORDS.
    database:
        URL of a SQL Server's database whose tables are empty. What is made there has names of its own, and is
        dropped in the end. None: DuckDB files.
    workers:
        Threads, and connections of a load.
    peers:
        Whether other libraries take part.
    huge:
        With `database`: whether 2 million records are loaded as well, for memory.
    scratch:
        Folder for DuckDB files, which are removed; default: the system's.
    """
    count = records if records is not None else SERVER_RECORDS if database else EMBEDDED_RECORDS
    check_extent(count, rounds)
    threads = load_settings(workers=workers).workers
    left_out: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        if database is None:
            compile_all()
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="gidbench-", dir=scratch))
            groups = [embedded_bars(Files(Path(folder), seed, threads), count, peers=peers)]
        else:
            if parse_url(database).get_backend_name() != "mssql":
                raise InputError(
                    f"{safe_name(database)} is no SQL Server",
                    "Name one, or leave out the database to measure DuckDB",
                )
            # drivers that only this needs
            from gidbench.bench.load_bars import load_bars, memory_bars
            from gidbench.bench.server_subject import opened
            from gidbench.bench.sync_server import server_bars

            subject = stack.enter_context(opened(database, count, seed, threads))
            compile_all()
            loads, bars, left_out = load_bars(subject, peers=peers)
            syncs, sync_bars, no_sync = server_bars(subject, database, peers=peers)
            left_out |= no_sync
            groups = [(loads, bars), (syncs, sync_bars)]
            if huge:
                groups.append(memory_bars(database, subject))
        result = compare(*together(groups), rounds=rounds, progress=progress, cancellation=cancellation)
    result.left_out = left_out
    return result
