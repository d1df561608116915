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
        self._buffers = [np.ones(size // 8, np.uint64) for _ in range(threads)]  # touched once, here

    def fill(self) -> int:
        """Fill all buffers at once, and say how many bytes that were."""

        def fill(buffer: npt.NDArray[np.uint64]) -> int:
            fill_words(buffer, np.uint64(7))
            return buffer.nbytes

        return sum(map_ordered(fill, self._buffers, workers=len(self._buffers)))


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
