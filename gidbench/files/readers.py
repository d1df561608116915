"""Which reader opens a file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from gidbench.errors import InputError
from gidbench.files.csv_reader import CsvReader
from gidbench.files.text import TableReader
from gidbench.files.workbooks.opening import open_workbook

_ZIP_MAGIC = b"PK\x03\x04"
_COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
_BLOCK = 4 << 20

WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
READERS: dict[str, Callable[[Path], TableReader]] = {
    ".csv": CsvReader,
    ".tsv": CsvReader,
    ".txt": CsvReader,
    **dict.fromkeys(WORKBOOKS, open_workbook),
}


@contextmanager
def open_reader(path: Path) -> Iterator[TableReader]:
    """A reader by the file's extension. Raises InputError where there is no such file or reader.

    Text within .gz or .zst is decompressed into a temporary file first.
    """
    if not path.exists():
        raise InputError(f"there is no file {path}", "Check the name and the folder")
    if not path.is_file():
        raise InputError(f"{path} is not a regular file", "Name a file")
    suffix = path.suffix.lower()
    if suffix in _COMPRESSIONS:
        with _decompressed(path, _COMPRESSIONS[suffix]) as plain, open_reader(plain) as reader:
            yield reader
        return
    if suffix not in READERS:
        raise InputError(f"{path.name} has the extension {suffix!r}", f"Use one of {', '.join(READERS)}")
    if suffix not in WORKBOOKS:
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


@contextmanager
def _decompressed(path: Path, codec: str) -> Iterator[Path]:
    """The content of a compressed file in a temporary one, which is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="gidbench-") as folder:
        plain = Path(folder) / path.stem
        try:
            with pa.input_stream(str(path), compression=codec) as source, plain.open("wb") as target:
                while block := source.read(_BLOCK):
                    target.write(block)
        except (OSError, pa.ArrowException) as error:
            raise InputError(
                f"{path.name} cannot be decompressed ({str(error).splitlines()[0]})", "Check that it is whole"
            ) from error
        yield plain
