"""A zip container that is written as its content comes (PKWARE, APPNOTE.TXT 6.3.10).

Sizes are written into the header of an entry when it ends, so the file must be seekable. Without times: the
same content gives the same bytes. The ZIP64 form is used only where 32 bits are too few, since LibreOffice 7
opens no other; room for it is kept by an extra field of unused content.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

from gidbench.files.deflating import FINAL_BLOCK, Piece, combine, deflate

_VERSION, _VERSION_64 = 20, 45
_UTF8_NAME = 1 << 11
_DEFLATED = 8
_FIRST_DAY = (1 << 5) | 1  # 1980-01-01, the earliest there is
_MOST_32 = 0xFFFFFFFF  # says: look into the ZIP64 field
_MOST_16 = 0xFFFF
_ZIP64, _PADDING = 0x0001, 0xA11E  # ids of extra fields; the second is Apache's for padding


@dataclass
class _Entry:
    name: bytes
    offset: int
    crc: int = 0
    packed: int = 0
    length: int = 0

    def fields(self) -> tuple[int, ...]:
        """Flags, method, time, date, CRC-32 and sizes, as both headers have them."""
        sizes = (_MOST_32, _MOST_32) if self.is_large else (self.packed, self.length)
        return (_UTF8_NAME, _DEFLATED, 0, _FIRST_DAY, self.crc, *sizes)

    @property
    def is_large(self) -> bool:
        return max(self.packed, self.length) >= _MOST_32


class ZipStream:
    """Entries one after the other; `close` writes the directory and leaves the file object open."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._start = file.tell()
        self._entries: list[_Entry] = []

    def add(self, name: str, content: str) -> None:
        """A whole small entry."""
        self.begin(name)
        self.append(deflate(content.encode()))
        self.end()

    def begin(self, name: str) -> None:
        entry = _Entry(name.encode(), self._here())
        self._entries.append(entry)
        self._file.write(_local_header(entry))

    def append(self, piece: Piece) -> None:
        """Add to the entry that was begun last."""
        entry = self._entries[-1]
        self._file.write(piece.data)
        entry.crc = combine(entry.crc, piece.crc, piece.length)
        entry.packed += len(piece.data)
        entry.length += piece.length

    def end(self) -> None:
        entry = self._entries[-1]
        self._file.write(FINAL_BLOCK)
        entry.packed += len(FINAL_BLOCK)
        end = self._file.tell()
        self._file.seek(self._start + entry.offset)
        self._file.write(_local_header(entry))
        self._file.seek(end)

    def close(self) -> None:
        begun = self._here()
        for entry in self._entries:
            self._file.write(_directory_entry(entry))
        ended = self._here()
        count, size = len(self._entries), ended - begun
        if begun >= _MOST_32 or count >= _MOST_16:
            versions = (_VERSION_64, _VERSION_64, 0, 0)
            self._file.write(struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, *versions, count, count, size, begun))
            self._file.write(struct.pack("<IIQI", 0x07064B50, 0, ended, 1))
        count, begun = min(count, _MOST_16), min(begun, _MOST_32)
        self._file.write(struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, size, begun, 0))

    def _here(self) -> int:
        return self._file.tell() - self._start


def _local_header(entry: _Entry) -> bytes:
    """Of the same length whatever the sizes turn out to be."""
    extra = struct.pack("<HHQQ", _PADDING, 16, 0, 0)
    if entry.is_large:
        extra = struct.pack("<HHQQ", _ZIP64, 16, entry.length, entry.packed)
    version = _VERSION_64 if entry.is_large else _VERSION
    head = struct.pack("<IHHHHHIIIHH", 0x04034B50, version, *entry.fields(), len(entry.name), len(extra))
    return head + entry.name + extra


def _directory_entry(entry: _Entry) -> bytes:
    large = [entry.length, entry.packed] if entry.is_large else []
    if entry.offset >= _MOST_32:
        large.append(entry.offset)
    extra = struct.pack(f"<HH{len(large)}Q", _ZIP64, 8 * len(large), *large) if large else b""
    version = _VERSION_64 if large else _VERSION
    head = struct.pack("<IHHHHHHIII", 0x02014B50, version, version, *entry.fields())
    tail = struct.pack("<HHHHHII", len(entry.name), len(extra), 0, 0, 0, 0, min(entry.offset, _MOST_32))
    return head + tail + entry.name + extra
