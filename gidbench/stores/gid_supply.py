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
        self._next = self._end = 0

    def take(self, count: int, expected_more: int = 0) -> npt.NDArray[np.int64]:
        """`count` ordinals, int64. Raises CapacityError where the store has too few left."""
        held = np.arange(self._next, min(self._end, self._next + count), dtype=np.int64)
        self._next += held.size
        lacking = count - held.size
        if not lacking:
            return held
        spare = min(expected_more, MOST_AT_ONCE, max(0, self._store.gids_left() - lacking))
        self._next = self._store.reserve_gids(lacking + spare)
        self._end = self._next + lacking + spare
        fresh = np.arange(self._next, self._next + lacking, dtype=np.int64)
        self._next += lacking
        gid.check_capacity(int(fresh[0]), lacking)
        return np.concatenate([held, fresh])

    def close(self) -> None:
        """Give back what was reserved and not taken, unless somebody reserved a range since."""
        if self._next < self._end:
            self._store.return_gids(self._next, self._end)
        self._next = self._end = 0
