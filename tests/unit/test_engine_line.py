"""work_ordered: who makes what comes next takes it."""

from __future__ import annotations

import threading
import time
from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gidbench.engine import work_ordered

PATIENCE_S = 10


def nothing() -> None:
    """A tick of nobody."""


@given(st.lists(st.integers(), max_size=40), st.integers(1, 5))
def test_everything_is_made_once_and_taken_in_order(items, workers):
    taken: list[str] = []
    work_ordered(str, taken.append, items, workers=workers, tick=nothing)
    assert taken == [str(item) for item in items]


def test_what_is_late_holds_those_after_it_back_but_not_their_making():
    third_is_made, made, taken = threading.Event(), [], []

    def make(item: int) -> int:
        if item == 0 and not third_is_made.wait(PATIENCE_S):
            raise AssertionError("waited in vain")
        made.append(item)
        if item == 2:
            assert taken == []
            third_is_made.set()
        return item

    work_ordered(make, taken.append, range(6), workers=2, tick=nothing)
    assert taken == list(range(6))
    assert made.index(2) < made.index(0)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_no_more_than_two_items_beyond_the_workers_are_in_flight(workers):
    lock, begun, most = threading.Lock(), 0, 0
    taken: list[int] = []

    def items():
        nonlocal begun, most
        for number in range(200):
            begun += 1
            most = max(most, begun - len(taken))
            yield number

    def take(item: int) -> None:
        with lock:
            taken.append(item)

    def make(item: int) -> int:
        if item % 50 == 0:
            time.sleep(0.01)  # the others get ahead as far as they may
        return item

    work_ordered(make, take, items(), workers=workers, tick=nothing)
    assert taken == list(range(200))
    assert most <= workers + 2


def test_nothing_is_taken_by_two_threads_at_once():
    inside = threading.Lock()

    def take(_: int) -> None:
        assert inside.acquire(blocking=False)
        time.sleep(0.0005)
        inside.release()

    work_ordered(lambda item: item, take, range(60), workers=4, tick=nothing)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("where", ["make", "take", "items", "tick"])
@pytest.mark.parametrize("failure", [ValueError("no"), KeyboardInterrupt()], ids=["error", "interrupt"])
def test_the_first_failure_stops_all_and_is_raised(where, workers, failure):
    begun, taken = [], []

    def items():
        for number in range(1_000):
            begun.append(number)
            if where == "items" and number == 7:
                raise failure
            yield number

    def make(item: int) -> int:
        if where == "make" and item == 7:
            raise failure
        return item

    def take(item: int) -> None:
        if where == "take" and item == 7:
            raise failure
        taken.append(item)

    def tick() -> None:
        if where == "tick" and len(taken) >= 7:
            raise failure

    with pytest.raises(type(failure)):
        work_ordered(make, take, items(), workers=workers, tick=tick)
    assert taken == list(range(len(taken)))
    # a tick is the caller's, who may be late while the others go on
    assert len(begun) <= 8 + workers + 2 or where == "tick"
    if where != "tick":
        assert len(taken) <= 7
    count = len(begun)
    time.sleep(0.01)
    assert len(begun) == count  # nobody goes on behind our back


def test_the_caller_works_too_and_ticks_are_on_its_thread():
    names, ticks = set(), []

    def make(_: int) -> None:
        names.add(threading.current_thread().name)
        time.sleep(0.001)

    work_ordered(make, lambda _: None, range(40), workers=2, tick=lambda: ticks.append(threading.get_ident()))
    assert threading.current_thread().name in names
    assert len(names) == 2
    assert set(ticks) == {threading.get_ident()}


@pytest.mark.parametrize("failure", [None, ValueError("no")], ids=["done", "failed"])
def test_no_thread_is_left_at_the_end(failure):
    def make(item: int) -> None:
        if item == 20 and failure:
            raise failure

    before = set(threading.enumerate())
    with pytest.raises(ValueError, match="no") if failure else nullcontext():
        work_ordered(make, lambda _: None, range(40), workers=4, tick=nothing)
    assert set(threading.enumerate()) <= before
