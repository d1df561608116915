"""A growing set of 64-bit keys: 16 to 32 bytes a key, no Python object for any."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gidbench.kernels import keytable


class KeySet:
    """Open-addressing hash set of non-negative int64 keys; `keytable.EMPTY` stands for no key.

    Parameters
    ----------
    expected:
        Keys to make room for at once.
    """

    def __init__(self, expected: int = 0) -> None:
        self._count = 0
        self._table = _table_for(expected)

    def __len__(self) -> int:
        return self._count

    def add(self, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Add keys in order; True, shape (n,), where a key was not in the set before its own turn."""
        needed = self._count + keys.size
        if 2 * needed > self._table.size:
            larger = _table_for(needed)
            keytable.rehash(self._table, larger)
            self._table = larger
        fresh = np.empty(keys.size, np.uint8)
        self._count += int(keytable.insert_keys(self._table, np.ascontiguousarray(keys), fresh))
        return fresh.view(np.bool_)

    def holds(self, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """True, shape (n,), where a key is in the set."""
        found = np.empty(keys.size, np.uint8)
        keytable.find_keys(self._table, np.ascontiguousarray(keys), found)
        return found.view(np.bool_)


def _table_for(keys: int) -> npt.NDArray[np.int64]:
    size = 1 << max(10, (2 * keys).bit_length())
    return np.full(size, keytable.EMPTY, np.int64)
