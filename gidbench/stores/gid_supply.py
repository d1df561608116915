"""G_IDs by the range: few reservations, no gap where it can be helped."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gidbench import gid
from gidbench.stores.base import Store

MOST_AT_ONCE = 1_000_000  # a crash may leave so many unused; a reservation costs a few milliseconds


class GidSupply:
    """Hands out ordinals of G_IDs, in rising order, from ranges reserved in a store.

    Each reservation is final in the store, so two supplies never hand out the same ordinal. Ranges are
    larger than what is needed at once; what is left of the last one is given back by `close`.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._first = self._next = self._end = 0  # of the ranges that followed each other without a gap

    def take(self, count: int, expected_more: int = 0) -> npt.NDArray[np.int64]:
        """`count` ordinals, int64. Raises CapacityError where the store has too few left."""
        held = np.arange(self._next, min(self._end, self._next + count), dtype=np.int64)
        self._next += held.size
        lacking = count - held.size
        if not lacking:
            return held
        spare = min(expected_more, MOST_AT_ONCE, max(0, self._store.gids_left() - lacking))
        reserved = self._store.reserve_gids(lacking + spare)
        if reserved != self._end:  # the first one, or somebody else took a range in between
            self._first = reserved
        self._next, self._end = reserved, reserved + lacking + spare
        fresh = np.arange(self._next, self._next + lacking, dtype=np.int64)
        self._next += lacking
        gid.check_capacity(int(fresh[0]), lacking)
        return np.concatenate([held, fresh])

    def close(self, *, used: bool = True) -> None:
        """Give back what was reserved and not taken, unless somebody reserved a range since.

        Without `used`, what was taken goes back, too: nobody has seen it.
        """
        unused = self._next if used else self._first
        if unused < self._end:
            self._store.return_gids(unused, self._end)
        self._first = self._next = self._end = 0
