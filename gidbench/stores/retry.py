"""Trying again what fails by chance, and not trying again what keeps failing."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import tenacity

from gidbench.errors import StoreError

R = TypeVar("R")
_log = logging.getLogger("gidbench")


@dataclass(frozen=True)
class RetryPolicy:
    """How often, and after which pauses, something is tried that fails by chance.

    Attributes
    ----------
    attempts:
        In all, the first included.
    first_wait_s, longest_wait_s:
        Pauses grow by two from the first to the longest; each is shortened by chance (full jitter), so that those
        who failed together do not come back together.
    overall_s:
        No further attempt after that time.
    """

    attempts: int = 5
    first_wait_s: float = 0.2
    longest_wait_s: float = 10.0
    overall_s: float = 120.0
    sleep: Callable[[float], None] = time.sleep

    def call(self, work: Callable[[], R], is_transient: Callable[[BaseException], bool]) -> R:
        """What `work` returns; its last error where no attempt succeeds, or the first that is not transient."""

        def tell(state: tenacity.RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            _log.warning("attempt %d failed (%s), trying again", state.attempt_number, type(error).__name__)

        attempts = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self.attempts) | tenacity.stop_after_delay(self.overall_s),
            wait=tenacity.wait_random_exponential(multiplier=self.first_wait_s, max=self.longest_wait_s),
            retry=tenacity.retry_if_exception(is_transient),
            before_sleep=tell,
            sleep=self.sleep,
            reraise=True,
        )
        return attempts(work)


class CircuitBreaker:
    """Refuses at once what has failed several times in a row, until a pause is over; then one may probe.

    Parameters
    ----------
    what:
        To name in the error.
    failures:
        In a row, that open it.
    pause_s:
        For which it stays open, and again after each probe that fails.
    """

    def __init__(
        self,
        what: str,
        failures: int = 5,
        pause_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what, self._most, self._pause_s, self._clock = what, failures, pause_s, clock
        self._failures, self._opened, self._probing = 0, 0.0, False
        self._lock = threading.Lock()

    @property
    def state(self) -> str:
        """`closed` (all goes through), `open` (nothing does) or `half-open` (one may probe)."""
        with self._lock:
            if self._failures < self._most:
                return "closed"
            return "open" if self._clock() - self._opened < self._pause_s else "half-open"

    def call(self, work: Callable[[], R], counts: Callable[[BaseException], bool]) -> R:
        """What `work` returns. Errors that `counts` are failures; raises StoreError while it is open."""
        self._enter()
        try:
            result = work()
        except BaseException as error:
            self._leave(failed=counts(error))
            raise
        self._leave(failed=False)
        return result

    def _enter(self) -> None:
        with self._lock:
            if self._failures < self._most:
                return
            left = self._pause_s - (self._clock() - self._opened)
            if left > 0 or self._probing:
                raise StoreError(
                    f"{self._what} has failed {self._failures} times in a row, and is not tried again"
                    f" for {max(left, 0.0):.1f} s",
                    "Mend what it said first, or wait",
                )
            self._probing = True

    def _leave(self, *, failed: bool) -> None:
        with self._lock:
            self._probing = False
            if failed:
                self._failures += 1
                self._opened = self._clock()
            else:
                self._failures = 0
