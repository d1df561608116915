"""What a file is by its first bytes, whatever its name says."""

from __future__ import annotations

import re

from gidbench.errors import InputError

_ZIPS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_SPREADSHEETML = "Save it anew from Excel as .xlsx"
_OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "a PDF document", "Export the table it shows as .xlsx or .csv"),
    (b"\x1f\x8b", "a gzip file", "Name it .gz, or decompress it first"),
    (b"\x28\xb5\x2f\xfd", "a zstd file", "Name it .zst, or decompress it first"),
    (b"{\\rtf", "an RTF document", "Save its table as .xlsx or .csv"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "Unpack it first"),
    (b"Rar!", "a RAR archive", "Unpack it first"),
    (b"\xfd7zXZ\x00", "an xz file", "Decompress it first"),
    (b"BZh", "a bzip2 file", "Decompress it first"),
    (b"PAR1", "a Parquet file", "Name it .parquet"),
    (b"ARROW1", "an Arrow file", "Name it .arrow"),
    (b"\x89PNG", "a picture", "Give the table itself"),
    (b"\xff\xd8\xff", "a picture", "Give the table itself"),
)
# The first records (BOF) of workbooks before OLE: BIFF 2, 3, 4
_EARLY_BIFF = (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00", b"\x09\x00\x06\x00")


def is_zip(head: bytes) -> bool:
    return head.startswith(_ZIPS)


def refuse(name: str, head: bytes) -> InputError:
    """The error for a file that is no workbook, which names it for what it is. `head`: its first kilobytes."""

    def wrong(what: str, remedy: str) -> InputError:
        return InputError(f"{name} cannot be read as a workbook: it is {what}", remedy)

    if not head:
        return wrong("empty", "Give a workbook with a header row")
    if not head.strip(b"\0"):
        return wrong("nothing but zero bytes", "Copy it anew; it did not arrive")
    for magic, what, remedy in _OTHERS:
        if head.startswith(magic):
            return wrong(what, remedy)
    if head.startswith(_EARLY_BIFF):
        return wrong("a workbook of Excel 4 or older", "Save it anew from a spreadsheet program as .xlsx")
    text = _as_text(head)
    if text is None:
        return wrong("of no kind that is known", "Save it anew from Excel as .xlsx, or as .csv")
    start = re.sub(r"^\s*(<\?xml[^>]*\?>|<!--.*?-->|\s)*", "", text, flags=re.DOTALL).lower()
    if "urn:schemas-microsoft-com:office:spreadsheet" in start:
        return wrong("an XML spreadsheet of Excel 2003", _SPREADSHEETML)
    if re.match(r"<(!doctype\s+html|html|head|body|table|meta|div|style)\b", start):
        return wrong("an HTML page", "Open it in Excel and save it as .xlsx")
    if start.startswith("<"):
        return wrong("an XML document, not a package of them", _SPREADSHEETML)
    if start.startswith("mime-version:"):
        return wrong("a web archive (MHTML)", "Open it in Excel and save it as .xlsx")
    return wrong("text", "Name it .csv if it holds delimited text")


def not_text(name: str, head: bytes) -> InputError | None:
    """The error for a file that is named as delimited text and is something else; None where it may be text."""
    for magic, what, remedy in (
        *_OTHERS,
        (OLE, "an OLE file, as .xls is", "Name it .xls if it is a workbook"),
    ):
        if head.startswith(magic):
            return InputError(f"{name} is {what}, not delimited text", remedy)
    if is_zip(head):
        return InputError(f"{name} is a zip archive or workbook, not text", "Name it .xlsx if it is one")
    if re.match(rb"\s*<(!doctype\s+html|html)\b", head, re.IGNORECASE):
        return InputError(
            f"{name} is an HTML page, not delimited text", "Open it in Excel and save it as .xlsx"
        )
    return None


def _as_text(head: bytes) -> str | None:
    """The beginning of a file as text, or None if it is none."""
    if head.startswith(_BOMS[1:]):
        return head.decode("utf-16", "replace").lstrip("\ufeff")
    plain = head.removeprefix(_BOMS[0])
    controls = sum(byte < 32 and byte not in b"\t\n\v\f\r\x1a\x1b" for byte in plain)
    if controls * 100 > len(plain):
        return None
    return plain.decode("utf-8", "replace")
