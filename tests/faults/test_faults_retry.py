"""Trying again and not trying again, by a clock of the test's own."""

from __future__ import annotations

import pytest
from fake_server import patient

from gidbench.errors import StoreError
from gidbench.stores.retry import CircuitBreaker, RetryPolicy


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def failing(times: int, error: type[Exception] = ConnectionError) -> tuple[list[int], object]:
    calls: list[int] = []

    def work() -> str:
        calls.append(1)
        if len(calls) <= times:
            raise error
        return "done"

    return calls, work


def test_what_passes_is_tried_again_with_growing_pauses_that_chance_shortens() -> None:
    waits: list[list[float]] = []
    for _ in range(200):
        waits.append([])
        calls, work = failing(4)
        assert patient(waits[-1].append).call(work, lambda e: isinstance(e, ConnectionError)) == "done"
        assert len(calls) == 5
    for place, most in enumerate((0.2, 0.4, 0.8, 1.6)):
        found = [each[place] for each in waits]
        assert 0 <= min(found) < most / 4
        assert most * 3 / 4 < max(found) <= most
    assert len({each[0] for each in waits}) > 100


def test_what_stays_is_raised_after_the_last_attempt_and_what_is_no_chance_at_once() -> None:
    calls, work = failing(99)
    with pytest.raises(ConnectionError):
        patient().call(work, lambda _: True)
    assert len(calls) == 5
    calls, work = failing(99)
    with pytest.raises(ConnectionError):
        patient().call(work, lambda _: False)
    assert len(calls) == 1


def test_no_attempt_begins_after_the_overall_time() -> None:
    calls, work = failing(99)
    with pytest.raises(ConnectionError):
        RetryPolicy(overall_s=0.0, sleep=lambda _: None).call(work, lambda _: True)
    assert len(calls) == 1


def test_the_breaker_opens_after_failures_in_a_row_and_one_probe_closes_it() -> None:
    clock = Clock()
    breaker = CircuitBreaker("connecting", failures=3, pause_s=10, clock=clock)

    def fail() -> None:
        raise ConnectionError

    def call(work: object) -> object:
        return breaker.call(work, lambda e: isinstance(e, ConnectionError))  # type: ignore[arg-type]

    for _ in range(2):
        with pytest.raises(ConnectionError):
            call(fail)
    assert call(lambda: 1) == 1  # in a row
    for _ in range(3):
        assert breaker.state == "closed"
        with pytest.raises(ConnectionError):
            call(fail)
    assert breaker.state == "open"
    clock.now += 9
    reached: list[int] = []
    with pytest.raises(StoreError, match=r"failed 3 times in a row, and is not tried again for 1\.0 s"):
        call(lambda: reached.append(1))
    assert not reached
    clock.now += 2
    assert breaker.state == "half-open"

    def probe() -> str:
        with pytest.raises(StoreError, match="not tried again"):  # one probes, the others wait
            call(lambda: reached.append(1))
        raise ConnectionError

    with pytest.raises(ConnectionError):
        call(probe)
    assert breaker.state == "open"
    clock.now += 11
    assert call(lambda: 2) == 2
    assert breaker.state == "closed"
    assert not reached


def test_errors_that_do_not_count_leave_the_breaker_closed() -> None:
    breaker = CircuitBreaker("connecting", failures=1, clock=Clock())

    def fail() -> None:
        raise ValueError

    for _ in range(3):
        with pytest.raises(ValueError):  # noqa: PT011
            breaker.call(fail, lambda e: isinstance(e, ConnectionError))
    assert breaker.state == "closed"
