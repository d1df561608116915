"""What the machine itself can do: the bounds that results are held against."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gidbench.engine import map_ordered
from gidbench.kernels.fills import fill_words

_FILL_BYTES = 256 << 20  # of each thread: several times what any cache holds
_BLOCK_BYTES = 1 << 20


class MemoryWrite:
    """Bandwidth of writing memory: each thread fills a buffer that is larger than the caches."""

    def __init__(self, threads: int, size: int = _FILL_BYTES) -> None:
        self._buffers = [np.zeros(size // 8, np.uint64) for _ in range(threads)]  # touched once, here

    def bytes_per_second(self) -> float:
        """Of one fill of all buffers at once."""

        def fill(buffer: npt.NDArray[np.uint64]) -> None:
            fill_words(buffer, np.uint64(7))

        began = time.perf_counter()
        for _ in map_ordered(fill, self._buffers, workers=len(self._buffers)):
            pass
        return sum(buffer.nbytes for buffer in self._buffers) / (time.perf_counter() - began)


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
