"""New files that are on their way to the disk from the first part on: for those that are waited for until there.

124 MB of CSV until on the disk: 2.2 GiB/s where fsync begins with it after the last part, 3.6 where the system is
told after each one (sync_file_range, Linux). Elsewhere that would only take time from the work. Reserving room
ahead (fallocate) was tried as well: 40 runs were 5 % faster in the median and no faster in the mean, as some
stood still for 0.1 to 0.8 s behind the journal.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

_BEGIN_WRITING = 2  # SYNC_FILE_RANGE_WRITE


def _find_sync_file_range() -> Callable[[int, int, int, int], int] | None:
    """A function of the C library of Linux that Python has not."""
    if not sys.platform.startswith("linux"):
        return None
    with contextlib.suppress(AttributeError, OSError):
        function = ctypes.CDLL(None).sync_file_range
        function.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]
        found: Callable[[int, int, int, int], int] = function
        return found
    return None


_sync_file_range = _find_sync_file_range()


class _EarlyFile(io.FileIO):
    """A file that is written from its beginning to its end."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "wb")
        self._written = 0

    def write(self, data: Any) -> int:
        written = super().write(data)
        if _sync_file_range is not None:  # what fails here is tried again, and told, by fsync
            _sync_file_range(self.fileno(), self._written, written, _BEGIN_WRITING)
        self._written += written
        return written


def open_early(path: Path) -> BinaryIO:
    """A new file for writing, buffered, whose content goes to the disk as it comes."""
    return io.BufferedWriter(_EarlyFile(path))
