"""Which reader opens a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gidbench.errors import InputError
from gidbench.files.csv_reader import CsvReader
from gidbench.files.excel_reader import ExcelReader
from gidbench.files.text import TableReader

_ZIP_MAGIC = b"PK\x03\x04"


READERS: dict[str, Callable[[Path], TableReader]] = {
    ".csv": CsvReader,
    ".tsv": CsvReader,
    ".txt": CsvReader,
    ".xlsx": ExcelReader,
}


@contextmanager
def open_reader(path: Path) -> Iterator[TableReader]:
    """A reader by the file's extension. Raises InputError where there is no such file or reader."""
    if not path.exists():
        raise InputError(f"there is no file {path}", "Check the name and the folder")
    if not path.is_file():
        raise InputError(f"{path} is not a regular file", "Name a file")
    suffix = path.suffix.lower()
    if suffix not in READERS:
        raise InputError(f"{path.name} has the extension {suffix!r}", f"Use one of {', '.join(READERS)}")
    if suffix != ".xlsx":
        with path.open("rb") as file:
            if file.read(4) == _ZIP_MAGIC:
                raise InputError(
                    f"{path.name} is a zip archive or workbook, not text", "Name it .xlsx if it is one"
                )
    reader = READERS[suffix](path)
    try:
        yield reader
    finally:
        reader.close()
