"""Every peer there is, by operation: what `gidbench run --peers` and the bars take part with, and what tests prove."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from gidbench.bench.peers import intake_books, intake_files, intake_readers
from gidbench.bench.peers.model import Maker, Reader, Syncer, in_file
from gidbench.stores.naming import Names
from gidbench.stores.opening import parse_url


@cache
def _duckdb_connection() -> Any:
    from gidbench.bench.peers import people_duckdb

    return people_duckdb.connect()


def _by_duckdb(records: int, seed: int) -> pa.Table:
    from gidbench.bench.peers import people_duckdb

    return people_duckdb.make(_duckdb_connection(), records, seed)


def _by_numpy(records: int, seed: int) -> pa.Table:
    from gidbench.bench.peers import people_numpy

    return people_numpy.make(records, seed)


def _by_pandas(records: int, seed: int) -> pa.Table:
    from gidbench.bench.peers import people_pandas

    return people_pandas.make(records, seed)


def _by_polars(records: int, seed: int) -> pa.Table:
    from gidbench.bench.peers import people_polars

    return people_polars.make(records, seed)


def _by_mimesis(records: int, seed: int) -> pa.Table:
    from gidbench.bench.peers import people_python

    return people_python.mimesis(records, seed)


def _by_faker(records: int, seed: int) -> pa.Table:
    from gidbench.bench.peers import people_python

    return people_python.faker(records, seed)


MAKERS = (
    Maker("numpy", "numpy + pyarrow, vectorised", "memory", (), None, _by_numpy),
    Maker("numpy + pandas", "numpy + pandas, vectorised", "memory", (), None, _by_pandas),
    Maker("duckdb", "DuckDB SQL", "memory", (), None, _by_duckdb),
    Maker("polars", "polars expressions", "memory", ("polars",), None, _by_polars),
    Maker("mimesis", "mimesis", "memory", ("mimesis",), 20_000, _by_mimesis),
    Maker("faker", "Faker", "memory", ("faker",), 5_000, _by_faker),
)


def _processed_by_pandas(path: Path) -> pa.Table:
    from gidbench.bench.peers.intake_pandas import process_by_pandas

    return process_by_pandas(path, date.today())


def _loaded_by_pandas(people: pa.Table, url: str) -> int:
    from gidbench.bench.peers.intake_load import load_people

    return load_people(people, url)


def _same(table: Any) -> pa.Table:
    return table


def _csv(name: str, title: str, modules: tuple[str, ...], most: int | None, **how: Any) -> Reader:
    against = "csv" if "load" in how else "csv memory"
    return Reader(name, title, against, modules, most, kind="csv", **{"people": _same, **how})


def _book(name: str, title: str, modules: tuple[str, ...], most: int | None, **how: Any) -> Reader:
    return Reader(name, title, "xlsx memory", modules, most, kind="xlsx", **how)


_FRAME = intake_readers.table_of_frame
CSV_READERS = (
    _csv("pyarrow", "pyarrow, types given, reading alone", (), None, read=intake_readers.by_pyarrow),
    _csv("duckdb", "DuckDB, types given, reading alone", (), None, read=intake_readers.by_duckdb),
    _csv(
        "polars", "polars, types given, reading alone", ("polars",), None, read=intake_readers.by_polars,
    ),
    _csv(
        "pandas pyarrow", "pandas, engine pyarrow, types given, reading alone", (), None,
        read=intake_readers.by_pandas_arrow, people=_FRAME,
    ),
    _csv(
        "pandas c", "pandas, engine C, types given, reading alone", (), 500_000,
        read=intake_readers.by_pandas, people=_FRAME,
    ),
    _csv(
        "pandas", "pandas, all of processing", (), 500_000,
        read=_processed_by_pandas, load=_loaded_by_pandas,
    ),
)  # fmt: skip
BOOK_READERS = (
    _book(
        "fastexcel", "fastexcel, reading alone", ("fastexcel",), None,
        read=intake_files.book_by_fastexcel, people=intake_books.people_of_arrow,
    ),
    _book(
        "polars xlsx", "polars.read_excel, reading alone", ("polars", "fastexcel"), None,
        read=intake_books.by_polars, people=intake_books.people_of_frame,
    ),
    _book(
        "calamine", "python-calamine, reading alone", ("python_calamine",), 200_000,
        read=intake_books.by_calamine, people=intake_books.people_of_rows,
    ),
    _book(
        "pandas xlsx", "pandas.read_excel, engine calamine, reading alone", ("python_calamine",), 200_000,
        read=intake_books.by_pandas, people=intake_books.people_of_frame,
    ),
    _book(
        "openpyxl", "openpyxl read-only, reading alone", ("openpyxl",), 20_000,
        read=intake_books.by_openpyxl, people=intake_books.people_of_rows,
    ),
)  # fmt: skip


def _merged_by_pandas(path: Path) -> int:
    from gidbench.bench.peers.sync_pandas import sync_by_pandas

    return sync_by_pandas(path)


def _merged_by_sql(path: Path, *, by: str) -> int:
    from gidbench.bench.peers import sync_sql

    return int(getattr(sync_sql, f"sync_by_{by}")(path))


def _merged_by_server(url: str, names: Names, *, by: str) -> int:
    from gidbench.bench.peers import sync_tsql  # its driver takes a while to load

    return int(getattr(sync_tsql, f"sync_by_{by}")(url, names))


def _without_merge(url: str) -> str:
    from gidbench.bench.peers.sync_tsql import merge_hinders

    return merge_hinders(url)


def _embedded(name: str, title: str, work: Callable[[Path], int]) -> Syncer:
    return Syncer(name, title, "initial", (), None, "duckdb", in_file(work))


def _server(name: str, title: str, most: int | None, by: str, **how: Any) -> Syncer:
    work = partial(_merged_by_server, by=by)
    return Syncer(name, title, "initial", ("pyodbc",), most, "mssql", work, **how)


SYNCERS = (
    _embedded("pandas", "pandas: read both tables, merge, write back", _merged_by_pandas),
    _embedded(
        "sql", "plain SQL: INSERT … SELECT and UPDATE by hand", partial(_merged_by_sql, by="statements")
    ),
    _embedded("merge", "plain SQL: MERGE by hand", partial(_merged_by_sql, by="merge")),
    _server("pandas", "pandas: read both tables, merge, to_sql fast_executemany", 20_000, "pandas"),
    _server("sql", "plain T-SQL: INSERT … SELECT and UPDATE by hand", None, "statements"),
    _server("merge", "plain T-SQL: MERGE by hand", None, "merge", hinders=_without_merge),
)


def syncers_for(url: str) -> list[Syncer]:
    """Those of a database's kind."""
    backend = parse_url(url).get_backend_name()
    return [peer for peer in SYNCERS if peer.backend == backend]
