"""What the machine itself can do: the bounds that results are held against.

Each measurement is short; `several` says what is typical. A file is measured on the disk of the folder it is in.
"""

from __future__ import annotations

import os
import socket
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gidbench.engine import map_ordered
from gidbench.kernels.fills import fill_words

_FILL_BYTES = 256 << 20  # of each thread: several times what any cache holds
_BLOCK_BYTES = 1 << 20
_LOOPBACK_BYTES = 64 << 20


def several(measure: Callable[[], float], goes: int = 5, budget_s: float = 1.0) -> float:
    """The median of some goes after one that does not count; at least three, even if the time is over."""
    measure()
    found: list[float] = []
    began = time.perf_counter()
    while len(found) < goes and (len(found) < 3 or time.perf_counter() - began < budget_s):
        found.append(measure())
    return statistics.median(found)


class MemoryWrite:
    """Bandwidth of writing memory: each thread fills a buffer that is larger than the caches."""

    def __init__(self, threads: int, size: int = _FILL_BYTES) -> None:
        self._buffers = [np.ones(size // 8, np.uint64) for _ in range(threads)]  # touched once, here

    def fill(self) -> int:
        """Fill all buffers at once, and say how many bytes that were."""

        def fill(buffer: npt.NDArray[np.uint64]) -> int:
            fill_words(buffer, np.uint64(7))
            return buffer.nbytes

        return sum(map_ordered(fill, self._buffers, workers=len(self._buffers)))

    def add_up(self) -> int:
        """Read all buffers at once, by numpy's sum, and say how many bytes that were."""

        def add(buffer: npt.NDArray[np.uint64]) -> int:
            np.add.reduce(buffer)
            return buffer.nbytes

        return sum(map_ordered(add, self._buffers, workers=len(self._buffers)))


def per_second(work: Callable[[], int]) -> float:
    """What a call did per second, by the number that it returns."""
    began = time.perf_counter()
    done = work()
    return done / (time.perf_counter() - began)


def file_write_bytes_per_second(path: Path, content: memoryview, *, durable: bool) -> float:
    """Of writing a buffer to a new file in blocks of 1 MiB; `durable`: until it is on the disk (fsync)."""
    path.unlink(missing_ok=True)
    began = time.perf_counter()
    with path.open("wb", buffering=0) as file:
        for start in range(0, len(content), _BLOCK_BYTES):
            file.write(content[start : start + _BLOCK_BYTES])
        if durable:
            os.fsync(file.fileno())
    return len(content) / (time.perf_counter() - began)


def file_read_bytes_per_second(path: Path, *, cold: bool) -> float:
    """Of reading a file into one buffer; `cold`: after the system was asked to drop it from its page cache.

    Where a system can't be asked (no posix_fadvise) or does not listen (tmpfs), a cold read is a warm one.
    """
    block = bytearray(_BLOCK_BYTES)
    with path.open("rb", buffering=0) as file:
        if cold and hasattr(os, "posix_fadvise"):
            os.fsync(file.fileno())  # what is not on the disk yet can't be dropped
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        began = time.perf_counter()
        done = 0
        while count := file.readinto(block):
            done += count
        return done / (time.perf_counter() - began)


def inflate_bytes_per_second(deflated: bytes) -> float:
    """Inflated bytes per second of a raw deflate stream, by zlib-ng on one thread."""
    from zlib_ng import zlib_ng

    began = time.perf_counter()
    machine, done, rest = zlib_ng.decompressobj(-15), 0, deflated
    while rest and not machine.eof:
        done += len(machine.decompress(rest, _BLOCK_BYTES))
        rest = machine.unconsumed_tail
    return done / (time.perf_counter() - began)


def loopback_bytes_per_second(size: int = _LOOPBACK_BYTES) -> float:
    """Of sending bytes over TCP from one thread to another on 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        block = bytes(_BLOCK_BYTES)

        def send() -> None:
            with socket.create_connection(server.getsockname()) as line:
                for _ in range(0, size, _BLOCK_BYTES):
                    line.sendall(block)

        sender = threading.Thread(target=send, name="gidbench-loopback", daemon=True)
        sender.start()
        line, _ = server.accept()
        with line:
            into, done, began = bytearray(_BLOCK_BYTES), 0, time.perf_counter()
            while count := line.recv_into(into):
                done += count
            spent = time.perf_counter() - began
        sender.join()
    return done / spent
