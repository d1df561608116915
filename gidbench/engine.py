"""Running work over parts: threads, order, a bounded number in flight, progress, cancellation.

Kernels release the interpreter lock, so threads are enough. This is the one place in gidbench that starts
any for work.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from gidbench.errors import OperationCancelled

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Progress:
    """How far an operation is.

    Attributes
    ----------
    phase, done, total, unit:
        `done` of `total` units (records, bytes, steps, rounds) of the present phase.
    last:
        Set on the very last report, after which none follows.
    bytes_done:
        How many bytes were made or read by then, where that is known and not the unit itself.
    """

    phase: str
    done: int
    total: int
    unit: str = "records"
    last: bool = False
    bytes_done: int = 0


ProgressCallback = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """The callback of nobody."""


class Cancellation:
    """A flag that the caller sets and the work looks at between parts."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Set it, from any thread; it stays set."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether it is set."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise OperationCancelled once `cancel` was called."""
        if self._event.is_set():
            raise OperationCancelled("the operation was cancelled", "Nothing was kept; run it again")


@dataclass
class Context:
    """What an operation reports to and is stopped by; measures its phases.

    Attributes
    ----------
    phases:
        Wall seconds of each top-level phase, in the order they ran.
    busy:
        Thread seconds of each stage inside a pipelined phase; stages overlap, so these may add up to
        more than the wall time.
    """

    progress: ProgressCallback | None = None
    cancellation: Cancellation = field(default_factory=Cancellation)
    phases: dict[str, float] = field(default_factory=dict)
    busy: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def report(
        self, phase: str, done: int, total: int, unit: str = "records", *, bytes_done: int = 0
    ) -> None:
        self.cancellation.check()
        if self.progress:
            self.progress(Progress(phase, done, total, unit, bytes_done=bytes_done))

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time a top-level phase."""
        self.cancellation.check()
        started = time.perf_counter_ns()
        try:
            yield
        finally:
            self.end_phase(name, started)

    def end_phase(self, name: str, started_ns: int) -> None:
        """Count the time since `started_ns` (perf_counter_ns) to a phase that no block encloses."""
        self.phases[name] = self.phases.get(name, 0.0) + (time.perf_counter_ns() - started_ns) / 1e9

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage that may run on several threads at once."""
        started = time.perf_counter_ns()
        try:
            yield
        finally:
            spent = (time.perf_counter_ns() - started) / 1e9
            with self._lock:
                self.busy[name] = self.busy.get(name, 0.0) + spent


@contextmanager
def ending(items: Generator[T, None, None]) -> Iterator[Generator[T, None, None]]:
    """Close a generator at the end of the block, so that the threads behind it end with it.

    They must not wait for the garbage collector: it may run while another thread starts, and joining one
    then is a deadlock.
    """
    try:
        yield items
    finally:
        with suppress(ValueError):  # still running where the statement that reads it was interrupted
            items.close()


def map_ordered(
    function: Callable[[T], R],
    items: Iterable[T],
    *,
    workers: int,
    cancellation: Cancellation | None = None,
) -> Generator[R, None, None]:
    """`function` of each item on `workers` threads, results in the order of the items.

    At most workers + 2 items are in flight, so a slow consumer holds the producer back and memory stays
    flat. The first error stops the rest and is raised here.
    """
    ahead = workers + 2
    pending: deque[Future[R]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="gidbench") as pool:
        try:
            for item in items:
                if cancellation:
                    cancellation.check()
                pending.append(pool.submit(function, item))
                if len(pending) >= ahead:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def work_ordered(
    make: Callable[[T], R],
    take: Callable[[R], None],
    items: Iterable[T],
    *,
    workers: int,
    tick: Callable[[], None],
) -> None:
    """`make` of each item on `workers` threads, of which the caller's is one; `take` of what came, in order.

    Whichever thread made what is next takes it, and all that follows and is there already: so nobody waits
    for somebody to take, and there are no more threads than work at once (a thread that only takes costs a
    sixth of the throughput on two cores). At most workers + 2 items are in flight. `tick` is called on the
    caller's thread now and then, and may raise. The first error stops all and is raised here.
    """
    line = _Line(make, take, iter(items), workers + 2)
    others = [threading.Thread(target=line.work, name=f"gidbench_{n}") for n in range(1, workers)]
    try:
        for other in others:
            other.start()
        line.work(tick)
    finally:
        line.stop()
        for other in others:
            if other.ident is not None:
                other.join()
    if line.error is not None:
        raise line.error
    tick()


class _Line:
    """Items on their way through `work_ordered`."""

    def __init__(
        self, make: Callable[[T], R], take: Callable[[R], None], items: Iterator[T], ahead: int
    ) -> None:
        self.error: BaseException | None = None
        self._make, self._take, self._items, self._ahead = make, take, items, ahead
        self._changed = threading.Condition()
        self._made: dict[int, Any] = {}
        self._begun = self._taken = 0
        self._over = self._taking = False

    def stop(self) -> None:
        """Begin nothing more; what was begun is still taken unless there was an error."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def work(self, tick: Callable[[], None] | None = None) -> None:
        """Make items until there are none. The caller, who has a `tick`, hears of its own errors directly."""
        try:
            while (begun := self._begin()) is not None:
                place, item = begun
                result = self._make(item)
                self._hand_over(place, result)
                if tick:
                    tick()
        except BaseException as error:
            with self._changed:
                self.error = self.error or error
            self.stop()

    def _begin(self) -> tuple[int, Any] | None:
        with self._changed:
            while self._begun - self._taken >= self._ahead and not self._over:
                self._changed.wait()
            if not self._over:
                for item in self._items:
                    self._begun += 1
                    return self._begun - 1, item
            self._over = True
            return None

    def _hand_over(self, place: int, result: Any) -> None:
        with self._changed:
            self._made[place] = result
            if self._taking:
                return
            self._taking = True
        while True:
            with self._changed:
                if self._taken not in self._made or self.error:
                    self._taking = False
                    self._changed.notify_all()
                    return
                result = self._made.pop(self._taken)
            self._take(result)
            with self._changed:
                self._taken += 1


def share_out(
    items: Iterable[T],
    work: Callable[[Iterator[T]], None],
    *,
    workers: int,
    ahead: int = 2,
    cancellation: Cancellation | None = None,
) -> None:
    """Hand items to `workers` threads, each of which runs `work` once on an iterator of what it gets.

    The caller's thread pulls the items; at most `ahead` of them wait, so slow workers hold the source back. The
    first error, of the source, of a worker or by cancellation, ends the iterators of all with OperationCancelled,
    and is raised here when every thread has ended.
    """
    queue: _Queue[T] = _Queue(ahead)

    def run() -> None:
        try:
            work(queue.items())
        except BaseException as error:
            queue.fail(error)

    threads = [threading.Thread(target=run, name=f"gidbench_{n}") for n in range(workers)]
    try:
        for thread in threads:
            thread.start()
        for item in items:
            if cancellation:
                cancellation.check()
            if not queue.put(item):
                break
        queue.end()
    except BaseException as error:
        queue.fail(error)
    finally:
        for thread in threads:
            if thread.ident is not None:
                thread.join()
    if queue.error is not None:
        raise queue.error


class _Queue(Generic[T]):
    """A bounded queue between one thread that puts and several that take."""

    def __init__(self, most: int) -> None:
        self.error: BaseException | None = None
        self._most, self._waiting, self._over = most, deque[T](), False
        self._changed = threading.Condition()

    def put(self, item: T) -> bool:
        """Wait for room; False once there was an error."""
        with self._changed:
            while len(self._waiting) >= self._most and self.error is None:
                self._changed.wait()
            self._waiting.append(item)
            self._changed.notify_all()
            return self.error is None

    def items(self) -> Iterator[T]:
        """What one thread takes, until there is nothing more to come."""
        while True:
            with self._changed:
                while not self._waiting and not self._over and self.error is None:
                    self._changed.wait()
                if self.error is not None:
                    raise OperationCancelled("another thread has failed", "Its own error says why")
                if not self._waiting:
                    return
                item = self._waiting.popleft()
                self._changed.notify_all()
            yield item

    def end(self) -> None:
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def fail(self, error: BaseException) -> None:
        with self._changed:
            self.error = self.error or error
            self._changed.notify_all()


async def run_async(
    operation: Callable[..., R], *args: Any, progress: ProgressCallback | None = None, **kwargs: Any
) -> R:
    """Run a blocking operation off the event loop.

    Progress arrives on the loop's own thread. Cancelling the awaiting task stops the operation at its next
    part and waits until it has cleaned up.
    """
    loop = asyncio.get_running_loop()
    cancellation = Cancellation()

    def relay(event: Progress) -> None:
        if progress:
            loop.call_soon_threadsafe(progress, event)

    work = asyncio.ensure_future(
        asyncio.to_thread(
            operation, *args, progress=relay if progress else None, cancellation=cancellation, **kwargs
        )
    )
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        cancellation.cancel()
        while not work.done():  # a second cancel must not cut the waiting short
            with suppress(asyncio.CancelledError):
                await asyncio.wait([work])
        if not work.cancelled():
            work.exception()  # taken note of, or the loop complains that nobody did
        raise
