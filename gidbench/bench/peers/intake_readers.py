"""Other readers of a CSV file of employees, into Arrow, with the types given: reading alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv

from gidbench.records import EMPLOYEE

_SQL_TYPES = {
    pa.int64(): "BIGINT",
    pa.string(): "VARCHAR",
    pa.date32(): "DATE",
    pa.timestamp("us"): "TIMESTAMP",
}


def by_pyarrow(path: Path, columns: Sequence[str] = ()) -> pa.Table:
    """All columns, or some of them, by its own threads."""
    types = {field.name: field.type for field in EMPLOYEE}
    options = pyarrow.csv.ConvertOptions(column_types=types, include_columns=list(columns))
    return pyarrow.csv.read_csv(path, convert_options=options)


def by_duckdb(path: Path) -> pa.Table:
    """All columns; quick as it need not keep the order, which processing must."""
    types = {field.name: _SQL_TYPES[field.type] for field in EMPLOYEE}
    with duckdb.connect() as connection:
        connection.execute("SET preserve_insertion_order = false")
        return connection.read_csv(str(path), header=True, columns=types).to_arrow_table()


def by_polars(path: Path) -> pa.Table:
    import polars as pl

    kinds: dict[pa.DataType, Any] = {
        pa.int64(): pl.Int64(),
        pa.string(): pl.String(),
        pa.date32(): pl.Date(),
        pa.timestamp("us"): pl.Datetime("us"),
    }
    schema = {field.name: kinds[field.type] for field in EMPLOYEE}
    return pl.read_csv(path, schema=schema).to_arrow()


_MOMENTS = [field.name for field in EMPLOYEE if field.type == pa.timestamp("us")]


def by_pandas(path: Path) -> Any:
    """By pandas' own engine in C: types given, dates and moments parsed by their form."""
    import pandas as pd

    kinds = {field.name: "int64" if field.type == pa.int64() else "str" for field in EMPLOYEE}
    dates = [*_MOMENTS, "bod"]
    return pd.read_csv(
        path,
        engine="c",
        dtype={name: kind for name, kind in kinds.items() if name not in dates},
        parse_dates=dates,
        date_format="ISO8601",
    )


def by_pandas_arrow(path: Path) -> Any:
    """By pandas' engine pyarrow, into Arrow's types, so that nothing is converted."""
    import pandas as pd

    types = {field.name: pd.ArrowDtype(field.type) for field in EMPLOYEE}
    return pd.read_csv(path, engine="pyarrow", dtype=types, dtype_backend="pyarrow")


def table_of_frame(frame: Any) -> pa.Table:
    """What pandas has read, as a table of employees."""
    return pa.Table.from_pandas(frame, preserve_index=False).cast(EMPLOYEE)
