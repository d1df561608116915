"""Other ways to convert a file and to read a workbook, and ours next to them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import fastexcel
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gidbench.engine import map_ordered
from gidbench.errors import VerificationError
from gidbench.files.workbooks.reader import WorkbookReader
from gidbench.settings import load_settings

_FEW_CELLS = 3  # columns of text that both readers give alike


def copied_by_duckdb(target: Path, source: Path, *, types: str) -> Path:
    """CSV to Parquet by its COPY, snappy as by default; all text, or the types found out."""
    text = "true" if types == "text" else "false"
    with duckdb.connect() as connection:
        connection.execute("SET preserve_insertion_order = true")
        connection.execute(
            f"COPY (FROM read_csv('{source}', all_varchar = {text})) TO '{target}' (FORMAT parquet)"
        )
    return target


def prove_conversion(convert: Callable[[], Any], records: int) -> None:
    """Raise VerificationError unless a conversion has written so many rows of employees."""
    done = convert()
    path = Path(done if isinstance(done, Path) else done.destination)
    found = pq.ParquetFile(path).metadata
    if found.num_rows != records or found.num_columns < _FEW_CELLS:
        raise VerificationError(
            f"{path.name} has {found.num_rows:,} rows, not {records:,}", "Its time would say nothing"
        )


def book_by_us(path: Path) -> list[pa.RecordBatch]:
    """All cells of a workbook's first sheet as text, by our reader on all threads."""
    reader = WorkbookReader(path)
    wanted = range(len(reader.header))
    names = [f"{place}" for place in wanted]

    def parsed(piece: tuple[int, Any]) -> pa.RecordBatch:
        return pa.RecordBatch.from_arrays(list(reader.parse(piece[1], wanted).columns), names)

    try:
        return list(map_ordered(parsed, reader.chunks(), workers=load_settings().workers))
    finally:
        reader.close()


def book_by_fastexcel(path: Path) -> pa.RecordBatch:
    """The same by fastexcel, whose dates are text, too."""
    return fastexcel.read_excel(path).load_sheet(0, dtypes="string").to_arrow()


def prove_cells(path: Callable[[], Path], read: Callable[[Path], Any], who: str) -> None:
    """Raise VerificationError unless a reader finds the names and numbers that fastexcel finds."""
    found, expected = read(path()), book_by_fastexcel(path())
    batches = found if isinstance(found, list) else [found]
    columns = [
        [value for batch in batches for value in batch.column(place).to_pylist()]
        for place in range(1, 1 + _FEW_CELLS)
    ]
    wanted = [expected.column(place).to_pylist() for place in range(1, 1 + _FEW_CELLS)]
    if columns != wanted:
        raise VerificationError(f"{who} has not read the same cells", "Its time would say nothing")


def same_cells(one: Path, other: Path) -> bool:
    """Whether two workbooks have the same cells, as fastexcel sees them."""
    first, second = (book_by_fastexcel(path) for path in (one, other))
    return bool(first.schema.names == second.schema.names) and all(
        pc.all(pc.equal(pc.fill_null(a, ""), pc.fill_null(b, ""))).as_py()
        for a, b in zip(first.columns, second.columns, strict=True)
    )
