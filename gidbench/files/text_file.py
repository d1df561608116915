"""A text file as UTF-8 in a memory map."""

from __future__ import annotations

import mmap
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gidbench.files.encodings import as_utf8, canonical, find_encoding
from gidbench.files.text import Decision

_BLANK_LINES = re.compile(r"[\r\n][\r\n ]*\Z")
_BLOCK = 64 << 10
_PADDING = 16  # NULs at the end of a file from here on are no text


class TextFile:
    """The bytes of a text file, in UTF-8; those of another encoding are kept in a temporary file.

    Attributes
    ----------
    data, array:
        The bytes, as a map and as uint8 (n,).
    start, size:
        The first byte of text, behind a byte order mark, and the end of it: NULs at the end of a file are
        what an unfinished write leaves behind.
    encoding:
        What was decided.
    """

    def __init__(self, path: Path, encoding: str | None) -> None:
        self.data = _mapped(path)
        self.encoding, self.start = find_encoding(self.data)
        if encoding is not None:
            name = canonical(encoding)
            marked = self.start if name == self.encoding.value or name.startswith(("utf-16", "utf-32")) else 0
            if name in ("utf-16", "utf-32"):  # its mark, or what the bytes look like, says which
                guess = self.encoding.value
                name = guess if guess.startswith(name) else f"{name}-le"
            self.encoding = Decision("encoding", name, 1.0, "as said")
            self.start = marked
        self._converted = None
        if self.encoding.value != "utf-8" and len(self.data):
            self._converted = as_utf8(path, self.encoding.value, self.start)
            if isinstance(self.data, mmap.mmap):
                self.data.close()
            filled = self._converted.tell()
            self.data = mmap.mmap(self._converted.fileno(), 0, access=mmap.ACCESS_READ) if filled else b""
            self.start = 0
        self.array: npt.NDArray[np.uint8] = np.frombuffer(self.data, np.uint8)
        self.size = len(self.data)
        end = self._end_of_text()
        if self.size - end >= _PADDING:
            self.size = end

    def _end_of_text(self) -> int:
        """Position behind the last byte that is not NUL."""
        end = len(self.data)
        while end > self.start:
            begin = max(self.start, end - _BLOCK)
            if kept := len(self.data[begin:end].rstrip(b"\0")):
                return begin + kept
            end = begin
        return end

    def raw(self, starts: npt.NDArray[np.int64], end: int) -> Callable[[int], str]:
        """The original text of the records that begin at `starts`, the last of which ends at `end`."""
        data = self.data

        def raw(record: int) -> str:
            until = int(starts[record + 1]) if record + 1 < starts.size else end
            text = data[int(starts[record]) : until].decode("utf-8", "backslashreplace").rstrip("\r\n")
            return _BLANK_LINES.sub("", text) if text.endswith(" ") else text

        return raw

    def forget(self, start: int, end: int) -> None:
        """Let the system drop the pages of what was read; else all of the file counts as our memory."""
        if hasattr(mmap, "MADV_DONTNEED") and isinstance(self.data, mmap.mmap):
            first = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE
            if end - first >= mmap.PAGESIZE:
                length = (end - first) // mmap.PAGESIZE * mmap.PAGESIZE
                self.data.madvise(mmap.MADV_DONTNEED, first, length)

    def close(self) -> None:
        del self.array
        if self._converted is not None:
            self._converted.close()
        try:
            if isinstance(self.data, mmap.mmap):
                self.data.close()
        except BufferError:  # a batch still looks into it; it is unmapped with the last one
            return


def _mapped(path: Path) -> mmap.mmap | bytes:
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return b""
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
