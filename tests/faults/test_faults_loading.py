"""Loading whose parts fail, before or after they have arrived: every row counts once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from fake_server import FakeServer, error, patient

from gidbench.engine import Cancellation
from gidbench.errors import InputError, OperationCancelled, VerificationError
from gidbench.stores.sqlserver import faults
from gidbench.stores.sqlserver.loading import Load, load
from gidbench.stores.sqlserver.staging import PART, Staging
from gidbench.stores.sqlserver.writing import Choice
from gidbench.stores.sqlserver.writing.model import DEFAULTS, Strategy

SCHEMA = pa.schema([pa.field("id", pa.int64(), nullable=False)])
STAGING = Staging("stage", SCHEMA)


def batches(count: int, rows: int = 10) -> Iterator[pa.RecordBatch]:
    for first in range(0, count * rows, rows):
        yield pa.RecordBatch.from_arrays([pa.array(np.arange(first, first + rows))], schema=SCHEMA)


class Table:
    """A staging table, and a strategy that fails by its `faults`: (after how many batches, keep the rows?, error)."""

    def __init__(self, *faults: tuple[int, bool, BaseException]) -> None:
        self.rows: list[tuple[int, int]] = []
        self.calls = 0
        self._faults, self._lock = list(faults), threading.Lock()

    def write(self, _: Any, table: str, schema: pa.Schema, source: Iterable[pa.RecordBatch], __: Any) -> int:
        with self._lock:
            self.calls += 1
            after, keep, fault = self._faults.pop(0) if self._faults else (1 << 30, True, None)
        assert (table, schema) == (STAGING.sql, STAGING.loaded_schema)
        found: list[tuple[int, int]] = []
        for number, batch in enumerate(source):
            if number == after:
                break
            found += zip(batch["id"].to_pylist(), batch[PART].to_pylist(), strict=True)
        if keep:
            with self._lock:
                self.rows += found
        if fault is not None:
            raise fault
        return len(found)

    def counted(self, done: Load) -> list[int]:
        """The rows that the condition of a load lets through."""
        assert done.condition("s.") == (
            f" WHERE s.{PART} NOT IN ({', '.join(map(str, done.failed))})" if done.failed else ""
        )
        return sorted(row for row, part in self.rows if part not in done.failed)


def run(
    table: Table, source: Iterable[pa.RecordBatch], workers: int = 2, unit_rows: int = 50, **options: Any
) -> Load:
    choice = Choice(Strategy("fake", "fake", table.write), "told to")
    attempt: Callable[[Callable[[], int]], int] = lambda send: patient().call(send, faults.is_transient)  # noqa: E731
    return load(
        FakeServer().connections(),
        STAGING,
        source,
        choice=choice,
        options=DEFAULTS,
        workers=workers,
        attempt=attempt,
        unit_rows=unit_rows,
        **options,
    )


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("after", [0, 1, 3, 5])
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_a_part_that_fails_is_loaded_again_as_another_and_counts_once(
    after: int, keep: bool, workers: int
) -> None:
    table = Table((after, keep, error(10054)), (1 << 30, True, error(1205)), (after, keep, error(40501)))
    done = run(table, batches(20), workers=workers)
    assert table.counted(done) == list(range(200))
    assert done.rows == 200
    assert len(done.failed) == 3
    assert len(set(done.parts) | set(done.failed)) == len(done.parts) + 3
    doubled = [row for row, times in Counter(row for row, _ in table.rows).items() if times > 1]
    assert bool(doubled)  # the second fault came after its rows had arrived


def test_what_does_not_pass_is_not_tried_again() -> None:
    table = Table((1, False, error(2627)))
    with pytest.raises(Exception, match="2627"):
        run(table, batches(20), workers=1)
    assert table.calls == 1


def test_what_keeps_failing_ends_with_its_error() -> None:
    table = Table(*[(1, True, error(10054))] * 5)
    with pytest.raises(Exception, match="10054"):
        run(table, batches(3), workers=1)
    assert table.calls == 5


def test_a_strategy_that_writes_fewer_rows_than_it_got_is_not_believed() -> None:
    def short(_: Any, __: str, ___: pa.Schema, source: Iterable[pa.RecordBatch], ____: Any) -> int:
        return sum(batch.num_rows for batch in source) - 1

    table = Table()
    table.write = short  # type: ignore[method-assign]
    with pytest.raises(VerificationError, match="fake wrote 49 of 50 rows"):
        run(table, batches(5), workers=1)


@pytest.mark.parametrize("at", [0, 1, 7])
def test_an_error_of_the_source_is_raised_as_it_is(at: int) -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield from batches(at)
        raise InputError("the file is torn", "Mend it")

    with pytest.raises(InputError, match="the file is torn"):
        run(Table(), broken())


def test_a_source_whose_error_passes_is_not_taken_for_a_part_that_fails() -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield from batches(3)
        raise error(10054)

    table = Table()
    with pytest.raises(Exception, match="10054"):
        run(table, broken(), workers=1)
    assert table.calls == 1


def test_a_cancelled_load_ends_at_the_next_batch() -> None:
    cancellation, given = Cancellation(), 0

    def source() -> Iterator[pa.RecordBatch]:
        nonlocal given
        for batch in batches(1000):
            given += 1
            if given == 6:
                cancellation.cancel()
            yield batch

    before = threading.active_count()
    with pytest.raises(OperationCancelled, match="the operation was cancelled"):
        run(Table(), source(), cancellation=cancellation)
    assert given == 6
    assert threading.active_count() == before
