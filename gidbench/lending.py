"""Memory that is used again: scratch arrays by name, and buffers that are lent and given back.

It belongs to seats. A thread has a seat of its own until it ends, and the next one gets it, with its memory: to touch
new memory costs a tenth of the time that a million records take. (Threads that are kept would do the same, but one
that wakes up may share a core with who woke it for a while; a new one begins on an idle core.)
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

_LARGEST_KEPT_BYTES, _MOST_KEPT = 16 << 20, 4  # of a seat's buffers that wait to be lent again
_mine = threading.local()


class _Seat:
    """A number that no other living thread has."""

    _numbers, _free = itertools.count(), deque[int]()

    def __init__(self) -> None:
        try:
            self.number = self._free.pop()
        except IndexError:
            self.number = next(self._numbers)

    def __del__(self) -> None:
        self._free.append(self.number)


def seat() -> int:
    """The number of the present thread's seat."""
    try:
        held: _Seat = _mine.seat
    except AttributeError:
        held = _mine.seat = _Seat()
    return held.number


class Scratch:
    """Arrays that are used again and again, by name, each thread its own; valid until the next `take` of the name."""

    def __init__(self) -> None:
        self._by_seat: dict[int, dict[object, npt.NDArray[Any]]] = {}
        self._mine = threading.local()

    def take(self, name: object, size: int, dtype: Any) -> npt.NDArray[Any]:
        """An uninitialised array of shape (size,)."""
        try:
            arrays = self._mine.arrays
        except AttributeError:
            arrays = self._mine.arrays = self._by_seat.setdefault(seat(), {})
        held: npt.NDArray[Any] | None = arrays.get(name)
        if held is None or held.size < size or held.dtype != dtype:
            held = arrays[name] = np.empty(size + size // 8, dtype)
        return held[:size]


@dataclass(frozen=True)
class Lent:
    """Memory that is lent, until it is given back: an array of bytes, uninitialised at first."""

    memory: npt.NDArray[np.uint8]
    _home: deque[npt.NDArray[np.uint8]]

    def give_back(self) -> None:
        if self.memory.nbytes <= _LARGEST_KEPT_BYTES and len(self._home) < _MOST_KEPT:
            self._home.append(self.memory)


_homes: dict[int, deque[npt.NDArray[np.uint8]]] = {}


def lend(size: int) -> Lent:
    """Memory of at least `size` bytes to render a part into, to be given back when the part is written.

    A thread gets what it had before, whoever gave it back: it may still be in the cache of its core (a sixth
    faster on two cores than what the other thread had).
    """
    home = _homes.setdefault(seat(), deque())
    with suppress(IndexError):
        held = home.pop()
        if held.size >= size:
            return Lent(held, home)
    return Lent(np.empty(size + size // 8, np.uint8), home)
