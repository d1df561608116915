"""Which encoding a text file has, and the file as UTF-8 bytes to look at."""

from __future__ import annotations

import codecs
import mmap
import re
import tempfile
from pathlib import Path
from typing import IO

from gidbench.errors import InputError
from gidbench.files.text import Decision

SAMPLE_BYTES = 256 << 10
_BLOCK = 4 << 20
_BOMS = (  # the longer first: UTF-32 LE begins as UTF-16 LE does
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MULTIBYTE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_UNDEFINED = "gidbench-c1"  # bytes that cp1252 leaves undefined stand for themselves, as in browsers


def _as_control(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    piece = error.object[error.start : error.end]
    return piece.decode("latin-1") if error.encoding == "charmap" else "\ufffd" * len(piece), error.end


codecs.register_error(_UNDEFINED, _as_control)


def decoded(data: bytes, encoding: str) -> str:
    """Text of some bytes: what cp1252 leaves undefined as control characters, what cannot be as U+FFFD."""
    return data.decode(encoding, _UNDEFINED)


def find_encoding(data: mmap.mmap | bytes) -> tuple[Decision, int]:
    """The encoding of a file by its mark, or by its first, middle and last bytes; and the mark's length."""
    head = data[:4]
    for mark, name in _BOMS:
        if head.startswith(mark):
            return Decision("encoding", name, 1.0, "its byte order mark"), len(mark)
    size = len(data)
    sample = data[:SAMPLE_BYTES]
    if wide := _without_mark(sample):
        return Decision("encoding", wide, 0.9, "every other byte is NUL, as Latin letters have it"), 0
    pieces = [sample]
    if size > SAMPLE_BYTES:
        middle, last = size // 2, max(SAMPLE_BYTES, size - SAMPLE_BYTES)
        pieces += [data[middle : middle + SAMPLE_BYTES], data[last:]]
    good = bad = 0
    for piece in pieces:
        if piece.isascii():
            continue
        rest, pairs = _MULTIBYTE.subn(b"", piece)
        rest = rest[3:] if piece is not sample else rest  # a character may be cut at the edges
        rest = rest[:-3] if piece is not pieces[-1] else rest
        good += pairs
        bad += len(re.findall(rb"[\x80-\xff]+", rest))
    if not good and not bad:
        return Decision("encoding", "utf-8", 0.9, "nothing but ASCII was seen"), 0
    if good >= bad:
        why = f"{good:,} characters of several bytes are right" + (f", {bad:,} are not" if bad else "")
        return Decision("encoding", "utf-8", good / (good + bad), why), 0
    return Decision("encoding", "cp1252", 0.8, f"{bad:,} pieces are not UTF-8"), 0


def _without_mark(sample: bytes) -> str | None:
    """UTF-16 without its mark: digits, delimiters and line ends have a NUL as their upper half."""
    half = len(sample) // 2
    if half < 3 or len(sample) % 2 or b"\0" not in sample:
        return None
    even, odd = sample[: 2 * half : 2].count(0), sample[1 : 2 * half : 2].count(0)
    for few, many, name in ((even, odd, "utf-16-le"), (odd, even, "utf-16-be")):
        if many > max(1, half * 0.3) and few * 20 < many:
            return name
    return None


def canonical(encoding: str) -> str:
    """Python's name of an encoding that a caller names. Raises InputError where there is none."""
    try:
        name = codecs.lookup(encoding).name
        "a".encode(name)  # hex, rot13 and the like turn no text into bytes
    except (LookupError, TypeError, ValueError) as error:
        raise InputError(
            f"there is no encoding {encoding!r}", "Use utf-8, utf-16, cp1252, latin-1 or another of Python's"
        ) from error
    return {"utf-8-sig": "utf-8", "ascii": "utf-8"}.get(name, name)


def as_utf8(path: Path, encoding: str, skip: int) -> IO[bytes]:
    """The file in UTF-8, as a temporary one that nobody else sees and that goes when it is closed."""
    target = tempfile.TemporaryFile(prefix="gidbench-")  # noqa: SIM115
    decoder = codecs.getincrementaldecoder(encoding)(_UNDEFINED)
    try:
        with path.open("rb") as source:
            source.seek(skip)
            while block := source.read(_BLOCK):
                target.write(decoder.decode(block).encode("utf-8", "replace"))
            target.write(decoder.decode(b"", final=True).encode("utf-8", "replace"))
        target.flush()
    except BaseException:
        target.close()
        raise
    return target
