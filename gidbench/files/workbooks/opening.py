"""Open a workbook by what it is, whatever its name says."""

from __future__ import annotations

import mmap
from pathlib import Path

from gidbench.errors import InputError
from gidbench.files.options import DEFAULTS, ReadOptions
from gidbench.files.text import TableReader
from gidbench.files.workbooks import kinds
from gidbench.files.workbooks.container import Package, is_open_document
from gidbench.files.workbooks.fallback import CalamineReader, calamine_sheets
from gidbench.files.workbooks.parts import read_book
from gidbench.files.workbooks.reader import WorkbookReader

_HEAD_BYTES = 8192
_MOST_OTHER_BYTES = 512 << 20  # inflated, of all parts; calamine holds all of it
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_STREAMS = tuple(name.encode("utf-16-le") for name in ("Workbook", "Book"))
_DOCUMENTS = {
    "WordDocument": "a Word document",
    "PowerPoint Document": "a presentation",
    "__nameid": "a mail",
}


def open_workbook(path: Path, options: ReadOptions = DEFAULTS) -> TableReader:
    """A reader for a workbook of any kind. Raises InputError where the file is none, naming what it is."""
    other = _other_kind(path, options)
    return WorkbookReader(path, options) if other is None else CalamineReader(path, options, why=other)


def sheet_names(path: Path, options: ReadOptions = DEFAULTS) -> list[str]:
    """Names of a workbook's worksheets, in its order; the sheets themselves are not looked at."""
    if _other_kind(path, options) is not None:
        return calamine_sheets(path)
    package = Package(path, options.limits)
    try:
        return [sheet.name for sheet in read_book(package).sheets]
    finally:
        package.close()


def _other_kind(path: Path, options: ReadOptions) -> str | None:
    """Why calamine has to read a file, or None for one that we read ourselves."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        if head.startswith(kinds.OLE):
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return _ole_kind(path, content)
    if not kinds.is_zip(head) and b"PK\x03\x04" not in head:
        raise kinds.refuse(path.name, head)
    package = Package(path, options.limits)
    try:
        if package.find("xl/workbook.bin") is not None:
            return _checked(package, "it is a binary workbook (.xlsb)")
        if is_open_document(package):
            return _checked(package, "it is an OpenDocument spreadsheet (.ods)")
        return None
    finally:
        package.close()


def _ole_kind(path: Path, content: mmap.mmap) -> str:
    if content.find(_ENCRYPTED) >= 0:
        raise InputError(f"{path.name} is encrypted", "Remove the password in Excel and save it anew")
    if any(content.find(stream) >= 0 for stream in _STREAMS):
        return "it is a workbook of Excel 97 or before (.xls)"
    for stream, what in _DOCUMENTS.items():
        if content.find(stream.encode("utf-16-le")) >= 0:
            raise InputError(f"{path.name} cannot be read as a workbook: it is {what}", "Give a workbook")
    raise InputError(
        f"{path.name} cannot be read as a workbook: it is an OLE document of another kind", "Give a workbook"
    )


def _checked(package: Package, why: str) -> str:
    """The reason, once it is known that calamine will not fill the memory."""
    size = package.inflated_size(_MOST_OTHER_BYTES)
    if size > _MOST_OTHER_BYTES:
        raise InputError(
            f"the parts of {package.name} inflate to more than {_MOST_OTHER_BYTES:,} bytes",
            "Save it as .xlsx, which can be read piece by piece",
        )
    return why
