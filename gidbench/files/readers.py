"""Which reader opens a file."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from gidbench.errors import EmptyFileError, InputError
from gidbench.files.csv_reader import CsvReader
from gidbench.files.inflating import COMPRESSIONS, inflated
from gidbench.files.options import DEFAULTS, ReadOptions
from gidbench.files.table_files import ArrowReader, ParquetReader
from gidbench.files.text import TableReader
from gidbench.files.workbooks import kinds
from gidbench.files.workbooks.opening import open_workbook

STANDARD_INPUT = "-"
_HEAD_BYTES = 4 << 10
_BLOCK = 4 << 20

WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
READERS: dict[str, Callable[[Path, ReadOptions], TableReader]] = {
    ".csv": CsvReader,
    ".tsv": CsvReader,
    ".txt": CsvReader,
    **dict.fromkeys(WORKBOOKS, open_workbook),
    ".parquet": ParquetReader,
    ".arrow": ArrowReader,
}
TEXTS = (".csv", ".tsv", ".txt")


def source_kind(path: Path) -> str:
    """The extension that decides on the reader of a file, without that of a compression."""
    if str(path) == STANDARD_INPUT:
        return ".csv"
    suffix = path.suffix.lower()
    return Path(path.stem).suffix.lower() if suffix in COMPRESSIONS else suffix


def check_kind(path: Path) -> None:
    """Raise InputError where no reader is there for a file's extension."""
    if source_kind(path) not in READERS:
        raise InputError(
            f"{path.name} has the extension {path.suffix.lower()!r}", f"Use one of {', '.join(READERS)}"
        )


@contextmanager
def open_reader(path: Path, options: ReadOptions = DEFAULTS) -> Iterator[TableReader]:
    """A reader by the file's extension; `-` is text on standard input.

    Raises InputError where there is no such file or reader, where it is a link, a device or a pipe and
    `options.limits.links` is not set; EmptyFileError where the file holds nothing.
    """
    with ExitStack() as stack:
        kind, name = source_kind(path), path.name
        if str(path) != STANDARD_INPUT:
            _check(path, links=options.limits.links)
        if str(path) == STANDARD_INPUT or not path.is_file():
            path = stack.enter_context(_spooled(path, kind, options))
        if path.suffix.lower() in COMPRESSIONS:
            path = stack.enter_context(inflated(path, options.limits))
        if path.stat().st_size == 0:
            raise EmptyFileError(f"{name} is empty", "Give a file with a header row")
        if kind in TEXTS:
            with path.open("rb") as file:
                if wrong := kinds.not_text(name, file.read(_HEAD_BYTES)):
                    raise wrong
        reader = READERS[kind](path, options)
        stack.callback(reader.close)
        yield reader


def _check(path: Path, *, links: bool) -> None:
    if path.is_symlink() and not links:
        raise InputError(
            f"{path} is a symbolic link", "Name the file itself, or allow links (--links, GIDBENCH_LINKS=1)"
        )
    if not path.exists():
        raise InputError(f"there is no file {path}", "Check the name and the folder")
    if path.is_dir() or not (links or path.is_file()):
        raise InputError(
            f"{path} is not a regular file",
            "Name a file; devices and pipes are read only where allowed (--links)",
        )
    check_kind(path)


@contextmanager
def _spooled(path: Path, kind: str, options: ReadOptions) -> Iterator[Path]:
    """What comes from standard input, a pipe or a device, in a temporary file."""
    with tempfile.TemporaryDirectory(prefix="gidbench-") as folder:
        name = f"standard input{kind}" if str(path) == STANDARD_INPUT else path.name
        plain = Path(folder) / name
        with ExitStack() as stack:
            source: BinaryIO = (
                sys.stdin.buffer if str(path) == STANDARD_INPUT else stack.enter_context(path.open("rb"))
            )
            target, size = stack.enter_context(plain.open("wb")), 0
            while block := source.read(_BLOCK):
                size += target.write(block)
                if size > options.limits.inflated_bytes:
                    raise InputError(
                        f"{name} goes on after {options.limits.inflated_bytes:,} bytes",
                        "Raise the limit of inflated bytes if you trust it",
                    )
        yield plain
