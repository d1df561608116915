"""Retries and the breaker, with a clock that the test moves."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gidbench.errors import InputError, StoreError
from gidbench.stores.retry import NO_RETRY, CircuitBreaker, NotTriedError, RetryPolicy


class Time:
    def __init__(self) -> None:
        self.now = 100.0
        self.waits: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


class Flaky:
    """Fails so often, then answers."""

    def __init__(self, failures: int, error: Exception | None = None, takes_s: float = 0.0) -> None:
        self.failures, self.calls, self.takes_s = failures, 0, takes_s
        self.error = error or ConnectionResetError("cut")
        self.time: Time | None = None

    def __call__(self) -> str:
        self.calls += 1
        if self.time:
            self.time.now += self.takes_s
        if self.calls <= self.failures:
            raise self.error
        return "done"


def call(policy: RetryPolicy, work: Flaky, time: Time, draw: float = 1.0) -> str:
    work.time = time
    return policy.call(
        work,
        lambda error: isinstance(error, (ConnectionResetError, NotTriedError)),
        clock=time.clock,
        sleep=time.sleep,
        draw=lambda: draw,
    )


def test_waits_double_up_to_the_longest() -> None:
    time, work = Time(), Flaky(5)
    assert call(RetryPolicy(6, 0.5, 3.0, 100.0), work, time) == "done"
    assert time.waits == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_chance_takes_up_to_half_of_a_wait() -> None:
    time = Time()
    call(RetryPolicy(6, 0.5, 3.0, 100.0), Flaky(3), time, draw=0.0)
    assert time.waits == [0.25, 0.5, 1.0]


@given(st.integers(1, 200), st.floats(0, 1))
def test_a_wait_is_never_longer_than_the_longest(failures: int, draw: float) -> None:
    assert 1.0 <= RetryPolicy(longest_wait_s=4.0, first_wait_s=2.0).wait_s(failures, draw) <= 4.0


def test_the_last_error_is_raised_when_the_attempts_are_used_up() -> None:
    time, work = Time(), Flaky(99)
    with pytest.raises(ConnectionResetError):
        call(RetryPolicy(4, 1.0, 1.0, 100.0), work, time)
    assert work.calls == 4
    assert len(time.waits) == 3


def test_what_is_not_transient_is_not_tried_again() -> None:
    time, work = Time(), Flaky(99, ValueError("wrong"))
    with pytest.raises(ValueError, match="wrong"):
        call(RetryPolicy(), work, time)
    assert work.calls == 1
    assert not time.waits


def test_no_attempt_begins_after_the_deadline() -> None:
    time, work = Time(), Flaky(99, takes_s=3.0)
    with pytest.raises(ConnectionResetError):
        call(RetryPolicy(50, 1.0, 1.0, 10.0), work, time)
    assert work.calls == 3  # at 0, 4 and 8 s; the next would begin at 12 s
    assert time.now == 111.0


def test_an_error_that_says_how_long_is_waited_for() -> None:
    error = NotTriedError("open", "wait")
    error.wait_s = 7.0
    time = Time()
    call(RetryPolicy(3, 0.1, 0.2, 100.0), Flaky(1, error), time)
    assert time.waits == [7.0]


def test_each_retry_is_told() -> None:
    told: list[tuple[str, float]] = []
    time, work = Time(), Flaky(2)
    RetryPolicy(5, 1.0, 9.0).call(
        work,
        lambda error: True,
        clock=time.clock,
        sleep=time.sleep,
        draw=lambda: 1.0,
        before_wait=lambda error, wait_s: told.append((type(error).__name__, wait_s)),
    )
    assert told == [("ConnectionResetError", 1.0), ("ConnectionResetError", 2.0)]


def test_one_attempt_is_no_retry() -> None:
    work = Flaky(1)
    with pytest.raises(ConnectionResetError):
        NO_RETRY.call(work, lambda error: True)
    assert work.calls == 1


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"first_wait_s": -1}, {"deadline_s": -0.1}])
def test_policies_that_are_none_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError):
        RetryPolicy(**wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError):
        CircuitBreaker("db", 0)


def fail(breaker: CircuitBreaker, error: BaseException | None = None) -> None:
    error = error or ConnectionResetError()
    with pytest.raises(type(error)), breaker.attempt():
        raise error


def test_the_breaker_opens_tries_once_and_closes() -> None:
    time = Time()
    breaker = CircuitBreaker("the server", 3, 10.0, time.clock)
    for _ in range(3):
        assert breaker.state == "closed"
        fail(breaker)
    assert breaker.state == "open"
    time.now += 4
    with pytest.raises(NotTriedError, match=r"3 times in a row and is not tried again for 6\.0 s") as caught:
        with breaker.attempt():
            raise AssertionError("was called")
    assert isinstance(caught.value, StoreError)
    assert caught.value.wait_s == 6.0
    time.now += 6
    assert breaker.state == "half-open"
    fail(breaker)  # the probe: one failure is enough to open it again
    assert breaker.state == "open"
    time.now += 10
    with breaker.attempt():
        pass
    assert breaker.state == "closed"
    fail(breaker)
    assert breaker.state == "closed"


def test_only_failures_in_a_row_count() -> None:
    breaker = CircuitBreaker("db", 2, 1.0, Time().clock)
    for _ in range(5):
        fail(breaker)
        with breaker.attempt():
            pass
    assert breaker.state == "closed"


def test_an_error_that_does_not_count_is_an_answer_and_an_interrupt_is_none() -> None:
    breaker = CircuitBreaker("db", 2, 1.0, Time().clock)
    fail(breaker)
    with pytest.raises(KeyError), breaker.attempt(lambda error: not isinstance(error, KeyError)):
        raise KeyError
    fail(breaker)
    assert breaker.state == "closed"
    fail(breaker, KeyboardInterrupt())
    assert breaker.state == "closed"
    fail(breaker)
    assert breaker.state == "open"


def test_one_thread_probes_and_the_others_wait_for_what_it_finds() -> None:
    time = Time()
    breaker = CircuitBreaker("db", 1, 5.0, time.clock)
    fail(breaker)
    time.now += 5
    inside, leave = threading.Event(), threading.Event()

    def probe() -> None:
        with breaker.attempt():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=probe)
    thread.start()
    assert inside.wait(10)
    with pytest.raises(NotTriedError), breaker.attempt():
        pass
    leave.set()
    thread.join(10)
    with breaker.attempt():
        pass
    assert breaker.state == "closed"


def test_an_interrupted_probe_lets_another_one_try() -> None:
    time = Time()
    breaker = CircuitBreaker("db", 1, 5.0, time.clock)
    fail(breaker)
    time.now += 5
    fail(breaker, KeyboardInterrupt())
    with breaker.attempt():
        pass
    assert breaker.state == "closed"
