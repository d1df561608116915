"""Trying again: how often, how long to wait in between, and when to leave a server alone. Pure: time is passed in."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception

from gidbench.errors import InputError, StoreError

T = TypeVar("T")


class NotTriedError(StoreError):
    """A circuit breaker is open: the server failed too often, and is left alone for `wait_s` seconds.

    It passes, unless whoever waits for that has given up.
    """

    transient = True
    wait_s: float = 0.0


@dataclass(frozen=True)
class RetryPolicy:
    """Exponential back-off with jitter: waits of half to whole `first_wait_s` · 2^n, at most `longest_wait_s`.

    Attributes
    ----------
    attempts:
        Calls in all, the first included; 1 to 1,000.
    deadline_s:
        No further call begins later than this after the first began.
    """

    attempts: int = 6
    first_wait_s: float = 0.2
    longest_wait_s: float = 8.0
    deadline_s: float = 120.0

    def __post_init__(self) -> None:
        if not 1 <= self.attempts <= 1_000:
            raise InputError(
                f"{self.attempts} attempts are not from 1 to 1,000", "Change the number of attempts"
            )
        if min(self.first_wait_s, self.longest_wait_s, self.deadline_s) < 0:
            raise InputError("a wait between attempts is below 0 s", "Make it 0 s or more")

    def wait_s(self, failures: int, draw: float) -> float:
        """The wait after so many failures; `draw` is from 0 to 1."""
        whole = min(self.longest_wait_s, self.first_wait_s * 2.0 ** min(failures - 1, 64))
        return whole * (0.5 + draw / 2)

    def call(
        self,
        work: Callable[[], T],
        transient: Callable[[BaseException], bool],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        draw: Callable[[], float] = random.random,
        before_wait: Callable[[BaseException, float], None] | None = None,
    ) -> T:
        """The result of `work`, called again while it fails transiently; else its last error.

        An error that says how long to wait (`wait_s`, as of NotTriedError) is waited for at least so long.
        `before_wait` is told each error that is followed by another attempt, and the wait until then.
        """
        began = clock()

        def wait(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked = float(getattr(error, "wait_s", 0.0))
            return max(self.wait_s(state.attempt_number, draw()), asked)

        def stop(state: RetryCallState) -> bool:
            late = clock() - began + state.upcoming_sleep > self.deadline_s
            return state.attempt_number >= self.attempts or late

        def tell(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            if before_wait is not None and error is not None:
                before_wait(error, state.upcoming_sleep)

        trying = Retrying(
            sleep=sleep,
            stop=stop,
            wait=wait,
            retry=retry_if_exception(transient),
            before_sleep=tell,
            reraise=True,
        )
        return trying(work)


NO_RETRY = RetryPolicy(attempts=1)


class CircuitBreaker:
    """Leaves a server alone that failed `failures` times in a row, then lets one call try it.

    Closed: calls go through. Open: they are refused for `cool_down_s`. Half-open: one goes through, the others
    are refused until it is over; its success closes the breaker, its failure opens it for another cool-down.
    """

    def __init__(
        self,
        name: str,
        failures: int = 5,
        cool_down_s: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if failures < 1 or cool_down_s < 0:
            raise InputError(
                f"a breaker of {failures} failures and {cool_down_s:g} s is none",
                "Take 1 or more, and 0 s or more",
            )
        self._name, self._most, self._cool_down_s, self._clock = name, failures, cool_down_s, clock
        self._lock = threading.Lock()
        self._failures = 0
        self._opened_at: float | None = None
        self._probing = False

    @property
    def state(self) -> str:
        """closed, open or half-open."""
        with self._lock:
            if self._opened_at is None:
                return "closed"
            return "open" if self._left_s() > 0 else "half-open"

    @contextmanager
    def attempt(self, counts: Callable[[BaseException], bool] | None = None) -> Iterator[None]:
        """One call. Raises NotTriedError, without having called, where the breaker is open.

        `counts` says of an error whether it speaks against the server; another one counts as an answer of it.
        """
        probe = self._enter()
        try:
            yield
        except BaseException as error:
            # A call that was broken off says nothing of the server.
            broken_off = not isinstance(error, Exception)
            self._leave(probe, failed=None if broken_off else counts is None or counts(error))
            raise
        self._leave(probe, failed=False)

    def _left_s(self) -> float:
        assert self._opened_at is not None
        return self._opened_at + self._cool_down_s - self._clock()

    def _enter(self) -> bool:
        with self._lock:
            if self._opened_at is None:
                return False
            left = self._left_s()
            if left <= 0 and not self._probing:
                self._probing = True
                return True
            # While another call probes, a moment is enough to know how that went.
            wait_s = left if left > 0 else min(1.0, self._cool_down_s)
        error = NotTriedError(
            f"{self._name} failed {self._most} times in a row and is not tried again for {max(wait_s, 0.1):.1f} s",
            "Look at the error before this one, or whether the server is up",
        )
        error.wait_s = wait_s
        raise error

    def _leave(self, probe: bool, *, failed: bool | None) -> None:
        with self._lock:
            if probe:
                self._probing = False
            if failed is None:
                return
            if not failed:
                self._failures, self._opened_at = 0, None
                return
            self._failures += 1
            if probe or (self._opened_at is None and self._failures >= self._most):
                self._opened_at = self._clock()
