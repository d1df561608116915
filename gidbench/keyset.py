"""A growing set of 64-bit keys: 10 to 15 bytes a key once it is large, no Python object for any."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gidbench.arrays import array_address
from gidbench.kernels import keytable

_FULL = 0.8  # one key in seven is looked for in a second line then
_LEAST_LINES = 128  # of a part
# Small parts double; large ones grow by half. By a quarter, 60 million keys took half as long again: growing costs more
# than looking keys up, since memory that is taken for the first time is slow.
_SMALL_LINES, _FACTOR = 1 << 17, 1.5
_MOST_RESERVED = 1 << 25  # keys that may not come


class KeySet:
    """Open-addressing hash set of non-negative int64 keys; `keytable.EMPTY` stands for no key.

    It consists of parts that grow one at a time: growth needs room for a second copy of one part only.

    Parameters
    ----------
    expected:
        Keys to make room for at once.
    """

    def __init__(self, expected: int = 0) -> None:
        self._tables = [np.zeros(0, np.uint64)] * keytable.PARTS
        self._addresses, self._lines, self._most, self._counts = np.zeros((4, keytable.PARTS), np.int64)
        for part in range(keytable.PARTS):
            self._resize(part, max(_LEAST_LINES, _lines_for(expected)))

    def __len__(self) -> int:
        return int(self._counts.sum())

    @property
    def nbytes(self) -> int:
        return keytable.LINE_BYTES * int(self._lines.sum())

    def add(self, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Add keys in order; True, shape (n,), where a key was not in the set before its own turn."""
        keys = np.ascontiguousarray(keys)
        fresh = np.empty(keys.size, np.uint8)
        done = 0
        while done < keys.size:
            done = int(
                keytable.insert_keys(
                    self._addresses, self._lines, self._counts, self._most, keys, done, fresh
                )
            )
            self._grow()
        return fresh.view(np.bool_)

    def holds(self, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """True, shape (n,), where a key is in the set."""
        found = np.empty(keys.size, np.uint8)
        keytable.find_keys(self._addresses, self._lines, np.ascontiguousarray(keys), found)
        return found.view(np.bool_)

    def reserve(self, expected: int) -> None:
        """Make room for so many keys in all, within reason: that is a guess."""
        lines = _lines_for(min(expected, _MOST_RESERVED))
        for part in np.flatnonzero(self._lines < lines).tolist():
            self._resize(part, lines)

    def _grow(self) -> None:
        """Make room in the parts that are full."""
        for part in np.flatnonzero(self._counts >= self._most).tolist():
            lines = int(self._lines[part])
            self._resize(part, int(lines * (2.0 if lines < _SMALL_LINES else _FACTOR)))

    def _resize(self, part: int, lines: int) -> None:
        room = np.empty(
            keytable.PLACES * (lines + 1), np.uint64
        )  # numpy asks for huge pages for `empty` only
        skip = -array_address(room) % keytable.LINE_BYTES // 8
        larger = room[skip : skip + keytable.PLACES * lines]
        larger[:] = 0
        keytable.rehash(self._tables[part], array_address(larger), lines)
        self._tables[part] = larger
        self._addresses[part], self._lines[part] = array_address(larger), lines
        self._most[part] = int(keytable.PLACES * lines * _FULL)


def _lines_for(keys: int) -> int:
    """Of a part of a set of so many keys, some more than the mean."""
    mean = keys / keytable.PARTS
    return int((mean + 8 * mean**0.5) / _FULL / keytable.PLACES) + 8
