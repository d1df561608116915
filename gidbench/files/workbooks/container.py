"""The zip package of a workbook: its central directory from a memory map, its parts as streams of bytes.

Only what is asked for is inflated, block by block and within limits; nothing is ever written under a name
that the archive gives.
"""

from __future__ import annotations

import bz2
import mmap
import posixpath
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from zlib_ng import zlib_ng

from gidbench.errors import InputError
from gidbench.files.options import Limits

_END, _END_64, _LOCATOR_64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_CENTRAL, _LOCAL = b"PK\x01\x02", b"PK\x03\x04"
_END_SIZE, _CENTRAL_SIZE, _LOCAL_SIZE = 22, 46, 30
_MOST_COMMENT = 65_535
_MOST_ENTRIES = 200_000
_ENCRYPTED = 1
_UTF8_NAME = 0x800
STORED, DEFLATED, BZIP2 = 0, 8, 12
_ZlibError: type[Exception] = zlib_ng.error  # type: ignore[assignment]
BLOCK = 2 << 20  # inflated bytes at once
_INPUT = 256 << 10  # compressed bytes at once
_RATIO_FROM = 64 << 20  # the ratio is looked at once so much is inflated
_ANEW = "Save it anew from Excel as .xlsx, or as .csv"
_WHOLE = "Copy it anew, or save it anew; it did not arrive whole"


@dataclass(frozen=True)
class Entry:
    """A part of the archive, by its central record."""

    name: str
    method: int
    flags: int
    crc: int
    packed: int
    size: int
    place: int


def normal_name(name: str) -> str:
    """A part's name for comparison: any case, either slash, no dots, from the root on."""
    plain = posixpath.normpath("/" + name.replace("\\", "/"))
    return plain.lstrip("/").lower()


class Package:
    """A zip archive that is open for reading. Raises InputError where it is none, or is not whole."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.name, self._limits = path.name, limits
        if path.stat().st_size == 0:
            raise self._broken("it is empty")
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.size = len(self._map)
        try:
            self._entries = self._directory()
        except struct.error as error:
            self.close()
            raise self._broken("its directory is cut short") from error
        except InputError:
            self.close()
            raise

    def close(self) -> None:
        self._map.close()

    def names(self) -> list[str]:
        """The names of all parts, as they are compared."""
        return list(self._entries)

    def find(self, name: str) -> Entry | None:
        """A part by name, whatever its case and slashes. Raises InputError where that could be several."""
        found = self._entries.get(normal_name(name), [])
        exact = [entry for entry in found if entry.name.replace("\\", "/").lstrip("/") == name.lstrip("/")]
        if len(found) > 1 and len(exact) != 1:
            raise InputError(
                f"{self.name} has {len(found)} parts of the name {name!r}, so that nobody knows which one counts",
                _ANEW,
            )
        return exact[0] if exact else found[0] if found else None

    def inflated_size(self, most: int) -> int:
        """Bytes of all parts together, found by inflating them; no further than beyond `most`."""
        size = 0
        for entry in (entry for entries in self._entries.values() for entry in entries):
            for block in self.blocks(entry):
                size += len(block)
                if size > most:
                    return size
        return size

    def read(self, entry: Entry, most: int) -> bytes:
        """All of a small part. Raises InputError where it is larger than `most` bytes."""
        blocks, size = [], 0
        for block in self.blocks(entry):
            size += len(block)
            if size > most:
                raise InputError(
                    f"{self.name} has a part {entry.name!r} of more than {most:,} bytes where a small one belongs",
                    _ANEW,
                )
            blocks.append(block)
        return b"".join(blocks)

    def blocks(self, entry: Entry) -> Iterator[bytes]:
        """The content of a part in order; after the last block its length and CRC are known to be right."""
        start = self._data_start(entry)
        size, crc = 0, 0
        for block in self._inflated(entry, start):
            size += len(block)
            crc = zlib_ng.crc32(block, crc)
            if size > self._limits.inflated_bytes:
                raise InputError(
                    f"the part {entry.name!r} of {self.name} inflates to more than "
                    f"{self._limits.inflated_bytes:,} bytes",
                    "Raise the limit inflated_bytes if the file can be trusted",
                )
            yield block
        if crc != entry.crc or (size != entry.size and entry.size != 0xFFFFFFFF):
            raise self._broken(f"the part {entry.name!r} does not match its checksum")

    def _check_ratio(self, entry: Entry, size: int, packed: int) -> None:
        """Look at how much came of so many bytes."""
        most = self._limits.inflate_ratio
        if size > _RATIO_FROM and size > most * max(1, packed):
            raise InputError(
                f"the part {entry.name!r} of {self.name} inflates to more than {most:,} times its size, as a "
                "zip bomb does",
                "Raise the limit inflate_ratio if the file can be trusted",
            )

    def _inflated(self, entry: Entry, start: int) -> Iterator[bytes]:
        end = start + entry.packed
        if entry.method == STORED:
            for at in range(start, end, BLOCK):
                yield self._map[at : min(end, at + BLOCK)]
        elif entry.method == DEFLATED:
            yield from self._deflated(entry, start, end)
        elif entry.method == BZIP2:
            unpacker = bz2.BZ2Decompressor()
            at, size = start, 0
            try:
                while not unpacker.eof:
                    more = self._map[at : min(end, at + _INPUT)] if unpacker.needs_input else b""
                    if unpacker.needs_input and not more:
                        raise self._broken(f"the part {entry.name!r} is cut short")
                    at += len(more)
                    block = unpacker.decompress(more, BLOCK)
                    size += len(block)
                    self._check_ratio(entry, size, at - start)
                    yield block
            except OSError as error:
                raise self._broken(f"the part {entry.name!r} cannot be inflated") from error
        else:
            raise InputError(
                f"the part {entry.name!r} of {self.name} is compressed by method {entry.method}, which is not known",
                _ANEW,
            )

    def _deflated(self, entry: Entry, start: int, end: int) -> Iterator[bytes]:
        unpacker = zlib_ng.decompressobj(-15)
        at, rest, size = start, b"", 0
        try:
            while not unpacker.eof:
                if not rest:
                    rest = self._map[at : min(end, at + _INPUT)]
                    at += len(rest)
                before = len(rest)
                block = unpacker.decompress(rest, BLOCK)
                rest = unpacker.unconsumed_tail
                size += len(block)
                self._check_ratio(entry, size, at - start - len(rest))
                if block:
                    yield block
                elif not unpacker.eof and len(rest) == before:
                    raise self._broken(f"the part {entry.name!r} is cut short")
        except _ZlibError as error:
            raise self._broken(f"the part {entry.name!r} cannot be inflated ({error})") from error

    def _data_start(self, entry: Entry) -> int:
        """Where a part's bytes begin: behind its local header, whose own sizes do not count."""
        if entry.flags & _ENCRYPTED:
            raise InputError(f"{self.name} is encrypted", "Remove the password in Excel and save it anew")
        at = entry.place
        if not 0 <= at <= len(self._map) - _LOCAL_SIZE or self._map[at : at + 4] != _LOCAL:
            raise self._broken(f"the part {entry.name!r} is not where its directory says")
        name, extra = struct.unpack_from("<HH", self._map, at + 26)
        start = at + _LOCAL_SIZE + int(name) + int(extra)
        if start + entry.packed > len(self._map):
            raise self._broken(f"the part {entry.name!r} is cut short")
        return start

    def _directory(self) -> dict[str, list[Entry]]:
        end = self._end_record()
        count, size, place = struct.unpack_from("<HII", self._map, end + 10)
        top = end
        if self._map[max(0, end - 20) : end - 16] == _LOCATOR_64:
            top, count, size, place = self._end_64(end, count, size, place)
        start = top - size  # what stands before the archive shifts every place by as much
        if start < 0 or (size and self._map[start : start + 4] != _CENTRAL):
            start = place
        shift = start - place
        if count > _MOST_ENTRIES:
            raise InputError(f"{self.name} has {count:,} parts; {_MOST_ENTRIES:,} are the most", _ANEW)
        return self._records(start, top, shift)

    def _records(self, start: int, end: int, shift: int) -> dict[str, list[Entry]]:
        found: dict[str, list[Entry]] = {}
        count = 0
        at = start
        while at + _CENTRAL_SIZE <= end and self._map[at : at + 4] == _CENTRAL:
            flags, method, crc, packed, size, name_size, extra_size, comment_size, place = struct.unpack_from(
                "<2xHH4xIIIHHH8xI", self._map, at + 6
            )
            behind = at + _CENTRAL_SIZE
            raw = self._map[behind : behind + name_size]
            extra = self._map[behind + name_size : behind + name_size + extra_size]
            if 0xFFFFFFFF in (packed, size, place):
                packed, size, place = _sizes_64(extra, packed, size, place)
            name = raw.decode("utf-8" if flags & _UTF8_NAME else "cp437", "replace")
            if not name.endswith("/"):
                entry = Entry(name, method, flags, crc, packed, size, place + shift)
                found.setdefault(normal_name(name), []).append(entry)
            count += 1
            at = behind + name_size + extra_size + comment_size
            if count > _MOST_ENTRIES:
                raise InputError(f"{self.name} has more than {_MOST_ENTRIES:,} parts", _ANEW)
        if not found:
            raise self._broken("its directory names no part")
        return found

    def _end_record(self) -> int:
        lowest = max(0, len(self._map) - _END_SIZE - _MOST_COMMENT)
        end = self._map.rfind(_END, lowest)
        while end >= 0 and end + _END_SIZE > len(self._map):
            end = self._map.rfind(_END, lowest, end)
        if end < 0:
            raise self._broken("it is a zip archive without its end")
        return end

    def _end_64(self, end: int, count: int, size: int, place: int) -> tuple[int, int, int, int]:
        [at] = struct.unpack_from("<Q", self._map, end - 12)
        if self._map[at : at + 4] != _END_64:
            at = self._map.rfind(_END_64, 0, end - 20)
            if at < 0:
                return end, count, size, place
        count, size, place = struct.unpack_from("<QQQ", self._map, at + 32)
        return at, count, size, place

    def _broken(self, what: str) -> InputError:
        return InputError(f"{self.name} cannot be read as a workbook: {what}", _WHOLE)


def _sizes_64(extra: bytes, packed: int, size: int, place: int) -> tuple[int, int, int]:
    """(packed, size, place) with those replaced that stand in the extra field of zip64."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            values = [
                value for (value,) in struct.iter_unpack("<Q", extra[at + 4 : at + 4 + length // 8 * 8])
            ]
            if size == 0xFFFFFFFF and values:
                size = values.pop(0)
            if packed == 0xFFFFFFFF and values:
                packed = values.pop(0)
            if place == 0xFFFFFFFF and values:
                place = values.pop(0)
        at += 4 + length
    return packed, size, place


_ODF = re.compile(rb"application/vnd\.oasis\.opendocument\.spreadsheet")


def is_open_document(package: Package) -> bool:
    """Whether the package is an OpenDocument spreadsheet."""
    entry = package.find("mimetype")
    if entry is not None and entry.size < 200 and _ODF.match(package.read(entry, 200)):
        return True
    return package.find("content.xml") is not None and package.find("meta-inf/manifest.xml") is not None
