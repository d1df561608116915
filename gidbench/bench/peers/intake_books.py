"""Other readers of a workbook of employees, reading alone, each in the form that it gives by itself."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from gidbench.records import EMPLOYEE, PERSON_FIELDS

_TEXTS = ("name", "personal_number", "no_ktp", "passport_id")


def by_pandas(path: Path) -> Any:
    """pandas.read_excel by calamine, the quickest of its engines; no_ktp would be a number without a type."""
    import pandas as pd

    return pd.read_excel(path, engine="calamine", dtype=dict.fromkeys(_TEXTS, "str"))


def by_calamine(path: Path) -> list[list[Any]]:
    """python-calamine into rows of Python's values, header and all."""
    from python_calamine import CalamineWorkbook

    with CalamineWorkbook.from_path(str(path)) as book:
        return book.get_sheet_by_index(0).to_python()


def by_polars(path: Path) -> Any:
    """polars.read_excel by its engine calamine."""
    import polars as pl

    return pl.read_excel(path, engine="calamine", schema_overrides=dict.fromkeys(_TEXTS, pl.String))


def by_openpyxl(path: Path) -> list[tuple[Any, ...]]:
    """openpyxl, read-only, into rows of Python's values, header and all."""
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True)
    try:
        return list(book.worksheets[0].iter_rows(values_only=True))
    finally:
        book.close()


def people_of_rows(rows: Any) -> pa.Table:
    """Rows of Python's values, the first of which is the header, as a table of people."""
    header, *body = rows
    places = {str(title): place for place, title in enumerate(header)}
    return pa.table({name: [_plain(row[places[name]], name) for row in body] for name in PERSON_FIELDS})


def people_of_arrow(read: Any) -> pa.Table:
    """Of a batch or a table of Arrow."""
    table = read if isinstance(read, pa.Table) else pa.Table.from_batches([read])
    return _typed({name: table[name].combine_chunks() for name in PERSON_FIELDS})


def people_of_frame(frame: Any) -> pa.Table:
    """Of a frame of pandas or polars."""
    if hasattr(frame, "to_arrow"):
        return people_of_arrow(frame.select(list(PERSON_FIELDS)).to_arrow())
    return people_of_arrow(pa.Table.from_pandas(frame[list(PERSON_FIELDS)], preserve_index=False))


def _typed(columns: dict[str, Any]) -> pa.Table:
    """Strings as plain ones, dates as dates, whatever a library makes of them."""
    fixed: dict[str, Any] = {}
    for name, column in columns.items():
        wanted = EMPLOYEE.field(name).type
        if pa.types.is_date32(wanted) and not pa.types.is_date32(column.type):
            text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
            column = column.cast(pa.string()).cast(pa.timestamp("us")) if text else column
        fixed[name] = column.cast(wanted, safe=False)
    return pa.table(fixed)


def _plain(value: Any, name: str) -> Any:
    if name == "bod":
        if isinstance(value, datetime):
            return value.date()
        return value if isinstance(value, date) else date.fromisoformat(str(value)[:10])
    return None if value is None or value == "" else str(value)
