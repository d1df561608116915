"""Memory that is lent: as much as was asked for, to one at a time, and to the thread that had it before."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from gidbench import lending
from gidbench.lending import lend

PATIENCE_S = 10


@pytest.fixture
def own_thread():
    """Run a function on a thread that has lent nothing yet."""

    def run(function):
        found: list[object] = []
        thread = threading.Thread(target=lambda: found.append(function()))
        thread.start()
        thread.join(PATIENCE_S)
        return found[0]

    return run


def test_a_thread_gets_back_what_it_had_whoever_gave_it_back(own_thread):
    def lend_twice() -> bool:
        first = lend(1_000)
        other = threading.Thread(target=first.give_back)
        other.start()
        other.join(PATIENCE_S)
        return lend(500).memory is first.memory

    assert own_thread(lend_twice)


def test_what_is_not_given_back_is_not_lent_again(own_thread):
    def lend_two() -> bool:
        first, second = lend(1_000), lend(1_000)
        return np.shares_memory(first.memory, second.memory)

    assert not own_thread(lend_two)


def test_there_is_always_as_much_as_was_asked_for(own_thread):
    def grow() -> list[int]:
        sizes = []
        for size in (0, 10, 5_000, 100, 70_000):
            lent = lend(size)
            sizes.append(lent.memory.size - size)
            lent.give_back()
        return sizes

    assert min(own_thread(grow)) >= 0


def test_very_much_memory_is_not_kept(own_thread):
    def lend_much() -> int:
        for size in (lending._LARGEST_KEPT_BYTES * 2, *[100] * 20):
            lent = [lend(size) for _ in range(8)]
            for each in lent:
                each.give_back()
        home = lending._lenders.home
        return sum(kept.nbytes for kept in home)

    assert own_thread(lend_much) <= lending._MOST_KEPT * lending._LARGEST_KEPT_BYTES
