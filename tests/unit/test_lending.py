"""Memory that is used again: by one thread at a time, and by the next on its seat."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from gidbench import lending
from gidbench.lending import Scratch, lend

PATIENCE_S = 10


def on_another_thread(function):
    """What a function returns on a thread of its own, which has ended then."""
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join(PATIENCE_S)
    return found[0]


@pytest.fixture
def own_thread(monkeypatch):
    """Run a function on a thread that nothing was lent to yet."""
    monkeypatch.setattr(lending, "_homes", {})
    return on_another_thread


def test_no_two_living_threads_have_the_same_seat():
    meeting, seats = threading.Barrier(6), []

    def sit() -> None:
        seats.append(lending.seat())
        meeting.wait(PATIENCE_S)
        assert lending.seat() in seats

    threads = [threading.Thread(target=sit) for _ in range(5)]
    for thread in threads:
        thread.start()
    seats.append(lending.seat())
    meeting.wait(PATIENCE_S)
    for thread in threads:
        thread.join(PATIENCE_S)
    assert len(set(seats)) == 6


def test_the_next_thread_gets_the_seat_and_its_memory():
    scratch = Scratch()

    def work() -> tuple[int, int]:
        return lending.seat(), scratch.take("name", 1_000, np.int64).ctypes.data

    first, address = on_another_thread(work)
    assert on_another_thread(work) == (first, address)
    assert work() != (first, address)  # our own seat is another


def test_scratch_has_the_size_and_type_that_are_asked_for_and_is_used_again():
    scratch = Scratch()
    small = scratch.take("name", 100, np.int64)
    assert scratch.take("other", 100, np.int64).ctypes.data != small.ctypes.data
    assert scratch.take("name", 50, np.int64).ctypes.data == small.ctypes.data
    for size, kind in ((0, np.int64), (100, np.uint8), (10_000, np.int32)):
        found = scratch.take("name", size, kind)
        assert (found.size, found.dtype) == (size, kind)


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
        return sum(kept.nbytes for kept in lending._homes[lending.seat()])

    assert own_thread(lend_much) <= lending._MOST_KEPT * lending._LARGEST_KEPT_BYTES
