"""Work that ends for its caller within half a second of the wish, whatever it is at: a connection, a kernel that
compiles, a disk that is slow, a process that does not listen.

The work runs on a thread of its own; the caller's thread relays its progress and looks for the wish to stop. When it
is wished, the work ends at its next look, stops its processes and cleans up. Mostly that is done in time; where it
takes longer, the caller is free already, and the interpreter does not end before the cleaning has.
"""

from __future__ import annotations

import contextvars
import queue
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from gidbench.engine import Cancellation, Progress, ProgressCallback
from gidbench.errors import OperationCancelled

R = TypeVar("R")
PATIENCE_S = 0.3  # with the looks before and after it, half a second
_LOOK_S = 0.05

_cleaning: set[threading.Thread] = set()


class _Work(Generic[R]):
    def __init__(self, work: Callable[[Cancellation, ProgressCallback], R]) -> None:
        self.token = Cancellation()
        self.events: queue.SimpleQueue[Progress | None] = queue.SimpleQueue()
        self.result: list[R] = []
        self.error: BaseException | None = None
        self.ended = False
        self._work = work
        # no daemon: an interpreter that ends waits until everything is put away
        self.thread = threading.Thread(
            target=contextvars.copy_context().run, args=(self._run,), name="gidbench-measure", daemon=False
        )

    def _run(self) -> None:
        try:
            self.result.append(self._work(self.token, self.events.put))
        except BaseException as error:
            self.error = error
        finally:
            self.events.put(None)
            _cleaning.discard(self.thread)


def stoppable(
    work: Callable[[Cancellation, ProgressCallback], R],
    *,
    progress: ProgressCallback,
    cancellation: Cancellation,
    look: Callable[[], None] = lambda: None,
    patience_s: float | None = PATIENCE_S,
) -> R:
    """The result of `work(token, relay)`, called on another thread; what it relays comes to `progress` on this one.

    Work that was stopped before and still cleans up is waited for first.

    Parameters
    ----------
    look:
        Called 20 times a second; it may cancel.
    patience_s:
        Seconds that stopped work may take to clean up before the caller is let go; None: as many as it takes.

    Raises
    ------
    OperationCancelled; what the work raises; what `progress` raises, or an interrupt, when the work has been stopped.
    """
    while others := [each for each in _cleaning if each.is_alive()]:
        look()
        cancellation.check()
        others[0].join(_LOOK_S)
    given: _Work[R] = _Work(work)
    given.thread.start()
    trouble: BaseException | None = None
    deadline: float | None = None
    while True:
        try:
            try:
                event = given.events.get(timeout=_LOOK_S)
            except queue.Empty:
                event = Progress("", 0, 0)
            if event is None:
                given.ended = True
                break
            look()
            if cancellation.cancelled:
                given.token.cancel()
            if given.token.cancelled:
                deadline = deadline or time.monotonic() + (patience_s or 0.0)
                if patience_s is not None and time.monotonic() >= deadline:
                    break
            elif event.phase:
                progress(event)
        except BaseException as error:  # an interrupt, or an error of the callback's
            trouble = trouble or error
            given.token.cancel()
    if given.ended:
        given.thread.join()
    else:
        _cleaning.add(given.thread)
    if trouble is not None:
        raise trouble
    if given.error is not None:
        raise given.error
    if given.result:
        return given.result[0]
    raise OperationCancelled(
        "the operation was cancelled", "Nothing was kept but the rounds that were done; run it again"
    )
