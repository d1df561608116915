"""engine: order, a bounded number in flight, errors, cancellation, progress; locally and under asyncio."""

from __future__ import annotations

import asyncio
import gc
import threading
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gidbench import engine
from gidbench.engine import Cancellation, Context, Progress, map_ordered, run_async
from gidbench.errors import OperationCancelled

PATIENCE_S = 10  # until a wait that should have ended counts as a fault; never reached when all is well


_before: set[threading.Thread] = set()


@pytest.fixture(autouse=True)
def what_was_alive_before() -> None:
    """A test that failed elsewhere may keep threads alive by its traceback; they are not ours to judge."""
    _before.clear()
    _before.update(threading.enumerate())


def workers_alive() -> list[str]:
    started = set(threading.enumerate()) - _before
    return [thread.name for thread in started if thread.name.startswith("gidbench")]


def wait(event: threading.Event) -> None:
    if not event.wait(PATIENCE_S):
        raise AssertionError("waited in vain")


class Items:
    """Numbers below `count` that know how many of them were taken."""

    def __init__(self, count: int) -> None:
        self.count, self.taken = count, 0

    def __iter__(self):
        for number in range(self.count):
            self.taken += 1
            yield number


# --- map_ordered ----------------------------------------------------------------------------------


@given(st.lists(st.integers(), max_size=40), st.integers(1, 5))
def test_results_are_those_of_map(items, workers):
    assert list(map_ordered(str, items, workers=workers)) == [str(item) for item in items]


def test_results_keep_the_order_of_the_items_when_later_ones_are_done_first():
    second_done = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            wait(second_done)
        elif item == 1:
            second_done.set()
        return item

    assert list(map_ordered(work, range(6), workers=2)) == list(range(6))


def test_as_many_items_as_workers_run_at_once():
    meeting = threading.Barrier(3)
    assert list(map_ordered(lambda _: meeting.wait(PATIENCE_S) >= 0, range(3), workers=3)) == [True] * 3


def test_work_runs_off_the_calling_thread_and_no_thread_outlives_it():
    names = set(map_ordered(lambda _: threading.current_thread().name, range(20), workers=2))
    assert all(name.startswith("gidbench") for name in names)
    assert 1 <= len(names) <= 2
    assert workers_alive() == []


@given(st.integers(0, 40), st.integers(1, 6))
def test_never_more_than_two_items_beyond_the_workers_are_in_flight(count, workers):
    items, done, most = Items(count), 0, 0
    for _ in map_ordered(lambda item: item, items, workers=workers):
        most = max(most, items.taken - done)
        done += 1
    assert done == count
    assert most <= workers + 2
    if count >= workers + 2:
        assert most == workers + 2  # and it does work ahead


def test_a_consumer_that_stops_asking_stops_the_producer():
    items = Items(1_000)
    results = map_ordered(lambda item: item, items, workers=3)
    assert [next(results) for _ in range(4)] == [0, 1, 2, 3]
    assert items.taken == 4 + 3 + 2 - 1
    results.close()


def test_nothing_is_started_before_the_first_result_is_asked_for():
    items = Items(5)
    results = map_ordered(lambda item: item, items, workers=2)
    assert items.taken == 0
    assert workers_alive() == []
    assert list(results) == list(range(5))


def test_the_first_error_in_the_order_of_the_items_is_raised_and_the_rest_is_not_run():
    third_failed = threading.Event()
    started: list[int] = []

    def work(item: int) -> int:
        started.append(item)
        if item == 1:
            wait(third_failed)
            raise ValueError("the second item")
        if item == 2:
            third_failed.set()
            raise KeyError("the third item")
        return item

    items, results = Items(1_000), []
    with pytest.raises(ValueError, match="the second item"):
        for result in map_ordered(work, items, workers=2):
            results.append(result)  # noqa: PERF402 - what came before the error counts
    assert results == [0]
    assert items.taken <= 2 + 2 + 1
    assert max(started) < items.taken
    assert workers_alive() == []


@pytest.mark.parametrize("ending", ["error", "close"])
def test_items_that_still_wait_for_a_thread_at_the_end_are_not_run(ending, monkeypatch):
    ended, second_runs = threading.Event(), threading.Event()
    started: list[int] = []

    class Pool(engine.ThreadPoolExecutor):
        def shutdown(self, *args, **kwargs):
            ended.set()  # lets the second item go, and so the thread turn to the third
            super().shutdown(*args, **kwargs)

    def work(item: int) -> int:
        started.append(item)
        if item == 0 and ending == "error":
            raise ValueError("at once")
        if item == 1:
            second_runs.set()
            wait(ended)
        return item

    monkeypatch.setattr(engine, "ThreadPoolExecutor", Pool)
    results = map_ordered(work, range(100), workers=1)
    if ending == "error":
        with pytest.raises(ValueError, match="at once"):
            next(results)
    else:
        assert next(results) == 0
        wait(second_runs)
        results.close()
    assert started in ([0], [0, 1])
    assert workers_alive() == []


def test_an_error_of_the_producer_is_raised_and_the_threads_end():
    def items():
        yield 1
        raise OSError("the file is gone")

    with pytest.raises(OSError, match="the file is gone"):
        list(map_ordered(str, items(), workers=2))
    assert workers_alive() == []


def test_closing_the_results_early_ends_the_threads():
    results = map_ordered(str, Items(100), workers=2)
    assert next(results) == "0"
    assert workers_alive()
    results.close()
    assert workers_alive() == []


def test_cancellation_stops_before_another_item_is_taken():
    cancellation, items, results = Cancellation(), Items(1_000), []
    with pytest.raises(OperationCancelled):
        for result in map_ordered(str, items, workers=2, cancellation=cancellation):
            results.append(result)
            if result == "4":
                cancellation.cancel()
    assert results == ["0", "1", "2", "3", "4"]
    assert items.taken <= 5 + 2 + 2
    assert workers_alive() == []


def test_work_that_is_cancelled_beforehand_does_not_start():
    cancellation, ran = Cancellation(), []
    cancellation.cancel()
    with pytest.raises(OperationCancelled):
        list(map_ordered(ran.append, range(5), workers=2, cancellation=cancellation))
    assert ran == []


# --- Cancellation and Context ---------------------------------------------------------------------


def test_a_cancellation_is_set_once_and_stays():
    cancellation = Cancellation()
    cancellation.check()
    assert not cancellation.cancelled
    cancellation.cancel()
    cancellation.cancel()
    assert cancellation.cancelled
    with pytest.raises(OperationCancelled, match="was cancelled"):
        cancellation.check()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that stands still until told; nanoseconds."""
    hand = SimpleNamespace(now=0)
    hand.perf_counter_ns = lambda: hand.now
    monkeypatch.setattr(engine, "time", hand)
    return hand


def test_phases_are_timed_in_seconds_in_their_order_and_add_up_by_name(clock):
    context = Context()
    for name, seconds in (("write", 2), ("verify", 1), ("write", 3)):
        with context.phase(name):
            clock.now += seconds * 10**9
        clock.now += 7 * 10**9  # between phases
    assert list(context.phases.items()) == [("write", 5.0), ("verify", 1.0)]


def test_a_phase_that_fails_is_timed_too(clock):
    context = Context()
    with pytest.raises(KeyError), context.phase("write"):
        clock.now += 4 * 10**9
        raise KeyError
    assert context.phases == {"write": 4.0}


def test_stages_on_several_threads_add_up(clock):
    context, inside = Context(), threading.Barrier(5)

    def work() -> None:
        with context.stage("parse"):
            inside.wait(PATIENCE_S)  # all have read the clock
            inside.wait(PATIENCE_S)  # it has gone on

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    inside.wait(PATIENCE_S)
    clock.now += 2 * 10**9
    inside.wait(PATIENCE_S)
    for thread in threads:
        thread.join(PATIENCE_S)
    assert context.busy == {"parse": 8.0}
    assert context.phases == {}


def test_a_stage_that_fails_is_timed_too(clock):
    context = Context()
    with pytest.raises(KeyError), context.stage("parse"):
        clock.now += 10**9
        raise KeyError
    assert context.busy == {"parse": 1.0}


def test_reports_reach_the_listener():
    told: list[Progress] = []
    context = Context(told.append)
    context.report("generating", 5, 10)
    context.report("processing", 7, 9, "bytes")
    assert told == [Progress("generating", 5, 10, "records"), Progress("processing", 7, 9, "bytes")]


def test_reports_need_no_listener():
    Context().report("generating", 5, 10)


def test_once_cancelled_neither_a_report_nor_a_phase_goes_on():
    told: list[Progress] = []
    context = Context(told.append)
    context.cancellation.cancel()
    with pytest.raises(OperationCancelled):
        context.report("generating", 5, 10)
    with pytest.raises(OperationCancelled), context.phase("write"):
        raise AssertionError("the phase began")
    assert told == []
    assert context.phases == {}


def test_contexts_share_nothing():
    one, other = Context(), Context()
    one.cancellation.cancel()
    with one.stage("parse"):
        pass
    assert not other.cancellation.cancelled
    assert other.busy == {}


# --- run_async ------------------------------------------------------------------------------------


def run(coroutine):
    """`asyncio.run` that fails, rather than hangs, where the loop is not kept free."""

    async def main():
        return await asyncio.wait_for(coroutine, PATIENCE_S)

    return asyncio.run(main())


def test_the_result_and_the_arguments_pass_through():
    def operation(*args, progress, cancellation, **kwargs):
        assert progress is None
        assert isinstance(cancellation, Cancellation)
        return args, kwargs

    assert run(run_async(operation, 1, "two", three=3)) == ((1, "two"), {"three": 3})


def test_an_error_passes_through_unchanged():
    failure = ValueError("no")

    def operation(*, progress, cancellation):
        raise failure

    with pytest.raises(ValueError, match="no") as caught:
        run(run_async(operation))
    assert caught.value is failure


def test_the_loop_is_free_while_the_operation_runs():
    from_loop = threading.Event()

    def operation(*, progress, cancellation):
        wait(from_loop)  # only the loop can set it
        return threading.current_thread()

    async def main():
        work = asyncio.create_task(run_async(operation))
        await asyncio.sleep(0)
        from_loop.set()
        return await work

    assert run(main()) is not threading.main_thread()


def test_progress_arrives_on_the_thread_of_the_loop_in_order_and_before_the_result():
    told: list[tuple[int, threading.Thread]] = []

    def operation(*, progress, cancellation):
        for done in range(50):
            progress(Progress("generating", done, 50))
        return threading.current_thread()

    async def main():
        worker = await run_async(
            operation, progress=lambda event: told.append((event.done, threading.current_thread()))
        )
        return worker, len(told)

    worker, told_before = run(main())
    assert told_before == 50
    assert [done for done, _ in told] == list(range(50))
    assert {thread for _, thread in told} == {threading.main_thread()}
    assert worker is not threading.main_thread()


class Stoppable:
    """An operation that runs until it is cancelled, and then cleans up as long as it is told to."""

    def __init__(self, ending: BaseException | None = None) -> None:
        self.started, self.stopping, self.may_end = threading.Event(), threading.Event(), threading.Event()
        self.cleaned = False
        self._ending = ending

    def __call__(self, *, progress, cancellation):  # noqa: ARG002 - as operations are called
        self.started.set()
        while not cancellation.cancelled:
            threading.Event().wait(0.001)
        self.stopping.set()
        wait(self.may_end)
        self.cleaned = True
        if self._ending:
            raise self._ending
        cancellation.check()


async def until(event: threading.Event) -> None:
    await asyncio.to_thread(wait, event)


@pytest.mark.parametrize("cancels", [1, 3])
def test_cancelling_the_task_stops_the_operation_and_waits_for_its_clean_up(cancels):
    """However impatient the caller is: a second cancel must not leave the operation running unattended."""
    operation = Stoppable()

    async def main():
        work = asyncio.create_task(run_async(operation))
        await until(operation.started)
        for _ in range(cancels):
            work.cancel()
            await until(operation.stopping)
        assert not work.done()
        assert not operation.cleaned
        operation.may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert operation.cleaned

    run(main())


def test_a_failure_while_stopping_is_not_left_behind_as_a_complaint_of_the_loop():
    operation = Stoppable(OSError("disk full while cleaning up"))
    operation.may_end.set()
    complaints: list[dict] = []

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda _, about: complaints.append(about))
        work = asyncio.create_task(run_async(operation))
        await until(operation.started)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        del work
        gc.collect()
        await asyncio.sleep(0)

    run(main())
    assert operation.cleaned
    assert complaints == []


def test_a_time_limit_stops_the_operation():
    operation = Stoppable()
    operation.may_end.set()

    async def main():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await run_async(operation)
        assert operation.cleaned

    run(main())


def test_operations_beside_each_other_are_cancelled_one_by_one():
    first, second = Stoppable(), Stoppable()
    first.may_end.set()
    second.may_end.set()

    async def main():
        works = [asyncio.create_task(run_async(operation)) for operation in (first, second)]
        await until(first.started)
        await until(second.started)
        works[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await works[0]
        assert first.cleaned
        assert not second.stopping.is_set()
        works[1].cancel()
        with pytest.raises(asyncio.CancelledError):
            await works[1]

    run(main())


def test_a_generator_is_closed_at_the_end_of_its_block_whatever_happens() -> None:
    closed = []

    def items():
        try:
            yield from range(3)
        finally:
            closed.append(True)

    with pytest.raises(KeyError), engine.ending(items()) as numbers:
        assert next(numbers) == 0
        raise KeyError
    assert closed == [True]
