"""One measurement on a thread with an event loop of its own: the kernel's stays free, and four times a second
somebody is asked to look.

The callbacks of a notebook's widgets may come on the main thread or on one of a subshell, which may end; and a cell
that computes blocks the kernel's loop. So neither carries a run.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from gidbench.bench.session import Measurement
from gidbench.engine import Progress, run_async
from gidbench.errors import OperationCancelled
from gidbench.widgets.live_history import TICK_S

RUNNING = threading.Lock()  # of this process: two measurements at once would measure each other


@dataclass(frozen=True)
class Ending:
    """How a run ended: one of these, or stopped where both are None."""

    measurement: Measurement | None = None
    error: Exception | None = None


class LiveRun:
    """A measurement under way.

    Parameters
    ----------
    measure:
        `gidbench.measure`, or what takes its place.
    on_tick:
        Called every TICK_S on the run's own thread, with the latest progress.
    on_end:
        Called once, on the same thread, after the last tick.
    """

    def __init__(
        self,
        measure: Callable[..., Measurement],
        operation: str,
        options: dict[str, Any],
        *,
        on_tick: Callable[[Progress | None], None],
        on_end: Callable[[Ending], None],
    ) -> None:
        self._measure, self._operation, self._options = measure, operation, options
        self._on_tick, self._on_end = on_tick, on_end
        self._latest: Progress | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Measurement] | None = None
        self._stopping = False
        self._lock = threading.Lock()
        self.ended: Future[Ending] = Future()

    def start(self) -> bool:
        """Begin; False, and nothing is begun, while another measurement of this process is under way."""
        if not RUNNING.acquire(blocking=False):
            return False
        context = contextvars.copy_context()  # whose cell this is, for those who write messages
        threading.Thread(
            target=context.run, args=(self._run,), name="gidbench-workbench", daemon=True
        ).start()
        return True

    def stop(self) -> None:
        """Ask it to end; from any thread, as often as one likes."""
        with self._lock:
            self._stopping = True
            if self._loop is not None and self._task is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._task.cancel)

    def _run(self) -> None:
        ending = Ending()
        try:
            with asyncio.Runner() as runner:
                ending = runner.run(self._work())
        except Exception as error:
            ending = Ending(error=error)
        finally:
            RUNNING.release()
            try:
                self._on_end(ending)
            finally:
                self.ended.set_result(ending)

    async def _work(self) -> Ending:
        task = asyncio.ensure_future(
            run_async(self._measure, self._operation, progress=self._note, **self._options)
        )
        with self._lock:
            self._loop, self._task = asyncio.get_running_loop(), task
            if self._stopping:
                task.cancel()
        due = time.monotonic()
        while True:
            due = max(due + TICK_S, time.monotonic() + TICK_S / 2)  # a late frame is not followed by a burst
            done, _ = await asyncio.wait([task], timeout=due - time.monotonic())
            if done:
                break
            self._on_tick(self._latest)
        with self._lock:
            self._task = None
        with contextlib.suppress(asyncio.CancelledError, OperationCancelled):
            try:
                return Ending(task.result())
            except OperationCancelled:
                raise
            except Exception as error:
                return Ending(error=error)
        return Ending()

    def _note(self, progress: Progress) -> None:
        self._latest = progress
