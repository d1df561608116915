"""Memory that goes round: lent to render a part into, given back when the part is written, lent again."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_LARGEST_KEPT_BYTES, _MOST_KEPT = 16 << 20, 4  # of a thread's memory that waits to be lent again
_lenders = threading.local()


@dataclass(frozen=True)
class Lent:
    """Memory that is lent, until it is given back: an array of bytes, uninitialised at first."""

    memory: npt.NDArray[np.uint8]
    _home: deque[npt.NDArray[np.uint8]]

    def give_back(self) -> None:
        if self.memory.nbytes <= _LARGEST_KEPT_BYTES and len(self._home) < _MOST_KEPT:
            self._home.append(self.memory)


def lend(size: int) -> Lent:
    """Memory of at least `size` bytes to render a part into, to be given back when the part is written.

    A thread gets what it had before, whoever gave it back: it may still be in the cache of its core (a sixth
    faster on two cores than what the other thread had).
    """
    home: deque[npt.NDArray[np.uint8]] | None = getattr(_lenders, "home", None)
    if home is None:
        home = _lenders.home = deque()
    with suppress(IndexError):
        held = home.pop()
        if held.size >= size:
            return Lent(held, home)
    return Lent(np.empty(size + size // 8, np.uint8), home)
