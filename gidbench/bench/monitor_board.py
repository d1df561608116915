"""A board of counters that the process that measures writes and its parent reads, in memory that both share.

A counter is one store of eight bytes, so the measured call never waits: no lock, no system call, no file. The memory
has no name in any file system and goes with the processes.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import secrets
import sys
import tempfile
import threading
import time
from collections.abc import Callable

from gidbench.engine import Progress

# What a process does with its turn.
IDLE, PREPARING, TIMED, VERIFYING = range(4)
# Places of the counters. SEEN_NS is the moment (perf_counter_ns, the same clock in all processes) of DONE.
_STAGE, _BEGAN_NS, _SEEN_NS, _DONE, _TOTAL, _BYTES, _IN_USE, _POOL = range(8)
_SIZE = mmap.PAGESIZE
_UNKNOWN = -1
_POOL_S = 0.25


class Snapshot:
    """The counters at one moment; `done` of `total` units is 0 of 0 where the call does not tell by records or bytes.

    `pool_in_use` and `pool_size` are None where there is no pool.
    """

    __slots__ = ("began_ns", "bytes_done", "done", "pool_in_use", "pool_size", "seen_ns", "stage", "total")

    def __init__(self, cells: memoryview[int]) -> None:
        (self.stage, self.began_ns, self.seen_ns, self.done, self.total, self.bytes_done, in_use, size) = (
            cells[:8]
        )
        self.pool_in_use = None if in_use == _UNKNOWN else in_use
        self.pool_size = None if size == _UNKNOWN else size


class Board:
    """The parent's side makes it and passes `name` (and `descriptor`, on POSIX) on; the other side attaches to it."""

    def __init__(self, memory: mmap.mmap, name: str = "", descriptor: int | None = None) -> None:
        self.name, self.descriptor = name, descriptor
        self._memory = memory
        self._cells = memoryview(memory).cast("q")

    @classmethod
    def create(cls) -> Board:
        if sys.platform == "win32":
            name = f"gidbench-{secrets.token_hex(8)}"
            board = cls(mmap.mmap(-1, _SIZE, tagname=name), name)
        else:
            descriptor = _anonymous()
            board = cls(mmap.mmap(descriptor, _SIZE), str(descriptor), descriptor)
        board._cells[_IN_USE] = board._cells[_POOL] = _UNKNOWN
        return board

    @classmethod
    def attach(cls, name: str) -> Board:
        """That of the parent, by its name."""
        if sys.platform == "win32":
            return cls(mmap.mmap(-1, _SIZE, tagname=name))
        memory = mmap.mmap(int(name), _SIZE)
        os.close(int(name))
        return cls(memory)

    @property
    def passed_on(self) -> tuple[int, ...]:
        """Descriptors that the other process must inherit."""
        return () if self.descriptor is None else (self.descriptor,)

    def read(self) -> Snapshot:
        return Snapshot(self._cells)

    def stage(self, which: int) -> None:
        """Say what is done now; nothing of it is done yet."""
        cells = self._cells
        cells[_DONE] = cells[_TOTAL] = cells[_BYTES] = 0
        cells[_BEGAN_NS] = cells[_SEEN_NS] = time.perf_counter_ns()
        cells[_STAGE] = which

    def progress(self, progress: Progress) -> None:
        """A callback for the measured operation: half a microsecond."""
        if progress.unit == "steps":  # which say nothing of records
            return
        cells = self._cells
        cells[_BYTES] = progress.bytes_done
        cells[_TOTAL] = progress.total
        cells[_DONE] = progress.done
        cells[_SEEN_NS] = time.perf_counter_ns()

    def follow_pool(self, read: Callable[[], tuple[int, int] | None]) -> None:
        """Write how a pool is used, four times a second, on a thread of its own, for as long as the process lives."""

        def follow() -> None:
            while True:
                found = read()
                with contextlib.suppress(ValueError):  # closed
                    if found is not None:
                        self._cells[_IN_USE], self._cells[_POOL] = found
                time.sleep(_POOL_S)

        threading.Thread(target=follow, name="gidbench-pool", daemon=True).start()

    def close(self) -> None:
        """Give the memory back; it is gone when the other side has done so, too."""
        self._cells.release()
        self._memory.close()
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


def _anonymous() -> int:
    """A file of a page without a name: in memory where the system has such (a disk may make a writer wait)."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("gidbench")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.truncate(descriptor, _SIZE)
    return descriptor
