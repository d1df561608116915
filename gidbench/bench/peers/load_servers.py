"""Other ways to load rows into SQL Server: pandas, and mssql-python by itself."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd
import pyarrow as pa
from sqlalchemy import create_engine

from gidbench.engine import map_ordered
from gidbench.stores.sqlserver.address import Address
from gidbench.stores.sqlserver.writing.model import WriteOptions


def frame_of(batches: list[pa.RecordBatch]) -> pd.DataFrame:
    """Batches as pandas has them; to make it is not timed."""
    frame: pd.DataFrame = pa.Table.from_batches(batches).to_pandas(date_as_object=True)
    return frame


class ToSql:
    """pandas.to_sql by SQLAlchemy and pyodbc, one connection that is kept.

    `by_row`: without SQLAlchemy's INSERT … VALUES of many rows, all but the last of which are lost on Babelfish
    without a word (119 of 2,000 rows arrived).
    """

    def __init__(self, address: Address, *, fast: bool, by_row: bool) -> None:
        import pyodbc

        self._engine = create_engine(
            "mssql+pyodbc://",
            creator=lambda: pyodbc.connect(address.odbc_string()),
            fast_executemany=fast,
            use_insertmanyvalues=not by_row,
        )

    def load(self, table: str, frame: pd.DataFrame) -> int:
        """Append to a table, in one transaction."""
        with self._engine.begin() as connection:
            frame.to_sql(table, connection, if_exists="append", index=False)
        return len(frame)

    def close(self) -> None:
        self._engine.dispose()


class BareBulkCopy:
    """bulkcopy_arrow on connections that are open, one call on each, all fed from one iterator."""

    def __init__(self, address: Address, connections: int) -> None:
        import mssql_python

        mssql_python.pooling(enabled=False)
        self._connections = [
            mssql_python.connect(address.mssql_python_string(), autocommit=True) for _ in range(connections)
        ]

    def load(
        self, table: str, batches: Iterable[pa.RecordBatch], columns: list[str], options: WriteOptions
    ) -> int:
        shared = _Shared(batches)

        def copy(connection: Any) -> int:
            first = next(iter(shared), None)
            if first is None:  # the driver refuses to copy nothing
                return 0
            with connection.cursor() as cursor:
                done = cursor.bulkcopy_arrow(
                    table,
                    itertools.chain([first], shared),
                    timeout=0,
                    column_mappings=columns,
                    table_lock=options.table_lock,
                    keep_nulls=options.keep_nulls,
                )
            return int(done["rows_copied"])

        return sum(map_ordered(copy, self._connections, workers=len(self._connections)))

    def close(self) -> None:
        for connection in self._connections:
            connection.close()


class _Shared:
    """An iterator that several threads may draw from."""

    def __init__(self, items: Iterable[pa.RecordBatch]) -> None:
        self._items, self._lock = iter(items), threading.Lock()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        while True:
            with self._lock:
                item = next(self._items, None)
            if item is None:
                return
            yield item
