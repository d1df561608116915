"""New files that get their room on the disk before what is written needs it.

Writing to room that is reserved (fallocate, Linux) takes half the time: the file system then finds a place
for 64 MiB at once, not for every page. 124 MB of CSV: 4.9 GB/s without, 7.6 with it, 9.7 from a buffer that
is still in the cache.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

_AHEAD_BYTES = 64 << 20
_LEAST_BYTES = 1 << 20  # of one write: small files are not worth the calls
_KEEP_SIZE = 1  # FALLOC_FL_KEEP_SIZE: the file is as long as what was written


def _find_fallocate() -> Callable[[int, int, int, int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    with contextlib.suppress(AttributeError, OSError):
        function = ctypes.CDLL(None, use_errno=True).fallocate64
        function.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
        found: Callable[[int, int, int, int], int] = function
        return found
    return None


_fallocate = _find_fallocate()


class GrowingFile(io.FileIO):
    """A file for writing from its beginning to its end; gives back what it reserved and did not need."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "wb")
        self._reserved = self._written = 0
        self._reserves = _fallocate is not None

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        if self._reserves and size >= _LEAST_BYTES and self._written + size > self._reserved:
            self._reserve(self._written + size + _AHEAD_BYTES)
        written = super().write(data)
        self._written += written
        return written

    def close(self) -> None:
        if not self.closed and self._reserved > self._written:
            with contextlib.suppress(OSError):  # nothing is wrong with what was written
                self.truncate(self._written)
        super().close()

    def _reserve(self, end: int) -> None:
        """Reserve room up to `end`; a file system that cannot, or has too little left, is not asked again."""
        assert _fallocate is not None
        start = max(self._reserved, self._written)
        if _fallocate(self.fileno(), _KEEP_SIZE, start, end - start) == 0:
            self._reserved = end
        else:
            self._reserves = False


def open_new(path: Path) -> BinaryIO:
    """A new file for writing, buffered."""
    return io.BufferedWriter(GrowingFile(path))
