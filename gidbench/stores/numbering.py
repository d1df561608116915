"""Which G_ID a newcomer gets: one rule for every way to synchronise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Ordinals = npt.NDArray[np.int64]


def keep_brought(
    brought: Ordinals, taken: Callable[[Ordinals], npt.NDArray[np.bool_]]
) -> npt.NDArray[np.bool_]:
    """True where a newcomer keeps the G_ID that they bring along.

    A G_ID is for life: who brings a valid one along that nobody holds keeps it; of several who bring the same
    one, the first.

    Parameters
    ----------
    brought:
        Ordinals of the newcomers' G_IDs in order of id, below 0 where there is none or no valid one.
    taken:
        Whether each of some ordinals, distinct and in rising order, is held by somebody in the target.
    """
    keep = np.zeros(brought.size, np.bool_)
    distinct, first = np.unique(brought, return_index=True)
    valid = distinct >= 0
    distinct, first = distinct[valid], first[valid]
    if distinct.size:
        keep[first[~taken(distinct)]] = True
    return keep


def number(brought: Ordinals, keep: npt.NDArray[np.bool_], reserve: Callable[[int, int], int]) -> Ordinals:
    """The ordinal of each newcomer, in order of id: the one they keep, or the next of the sequence.

    reserve(count, beyond) is the first ordinal of a range of `count`, all beyond those that are kept, so that
    the sequence never comes upon one of them.
    """
    needed = int(np.count_nonzero(~keep))
    beyond = int(brought[keep].max()) if needed < brought.size else -1
    first = reserve(needed, beyond)
    ordinals = brought.copy()
    ordinals[~keep] = np.arange(first, first + needed)
    return ordinals
