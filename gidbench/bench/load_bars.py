"""The bars of loading SQL Server: every strategy, what the store does by itself, and what others do."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa

from gidbench.bench import load_process
from gidbench.bench.comparison import PROOF_RECORDS, Bar, Contender
from gidbench.bench.server_subject import HEAP, PREFIX, Subject
from gidbench.digest import digest_of
from gidbench.errors import VerificationError
from gidbench.records import EMPLOYEE
from gidbench.stores.naming import quoted
from gidbench.stores.sqlserver.reading import read_rows
from gidbench.stores.sqlserver.staging import Staging
from gidbench.stores.sqlserver.types import OWN_TYPES
from gidbench.stores.sqlserver.writing import DEFAULTS, STRATEGIES, Strategy

# Records of ways that take too long.
_SLOW = {
    "row": 2_000,
    "executemany": 2_000,
    "to_sql": 2_000,
    "values": 20_000,
    "fast_executemany": 40_000,
    "to_sql fast": 40_000,
    "tvp": 100_000,
    "openjson": 100_000,
}
_FEW, _MANY = 200_000, 2_000_000
_MORE_BYTES = 50_000_000

Load = Callable[[Any], int]


@dataclass(frozen=True)
class Way:
    """A way of loading.

    Attributes
    ----------
    begin:
        Untimed: a new table for the rows.
    table:
        The table, quoted.
    given:
        Untimed: the batches as `load` wants them.
    """

    name: str
    title: str
    load: Load
    begin: Callable[[], None]
    table: Callable[[], str] = lambda: HEAP
    given: Callable[[list[pa.RecordBatch]], Any] = lambda batches: batches

    def records(self, asked: int) -> int:
        """How many it is given where so many are asked for: fewer, if it takes too long."""
        return min(asked, _SLOW.get(self.name, asked))


def load_bars(subject: Subject, *, peers: bool) -> tuple[list[Contender], list[Bar], dict[str, str]]:
    """Who loads, what must come out, and who can't here (title: why)."""
    ways, left_out = ways_of(subject, peers=peers)
    ways = [_auto(subject), *ways]
    bars = []
    if subject.store.connections.has_arrow:
        bars.append(Bar("load, auto / bare bulkcopy_arrow, as many connections", "auto", 0.95, "bare"))
    if "fast_executemany" not in left_out:
        bars.append(Bar("load, auto / fast_executemany", "auto", 5, "fast_executemany"))
    if peers:
        bars.append(Bar("load, auto / pandas.to_sql", "auto", 8, "to_sql"))
        bars.append(Bar("load, auto / pandas.to_sql with fast_executemany", "auto", 5, "to_sql fast"))
    return [_contender(subject, way) for way in ways], bars, left_out


def ways_of(subject: Subject, *, peers: bool) -> tuple[list[Way], dict[str, str]]:
    """Every way of loading a heap but the store's own, and which can't be gone here (title: why)."""
    store = subject.store
    ways: list[Way] = []
    left_out: dict[str, str] = {}
    for strategy in STRATEGIES.values():
        reason = strategy.hinders(store.connections, store.server, DEFAULTS)
        if reason is None:
            ways.append(_own(subject, strategy))
        else:
            left_out[f"{strategy.name}: {strategy.title}"] = reason
    if store.connections.has_arrow:
        ways.append(_bare(subject))
    if peers:
        ways += [_by_pandas(subject, fast=fast) for fast in (False, True)]
    return ways, left_out


def _contender(subject: Subject, way: Way) -> Contender:
    records = way.records(subject.records)
    return Contender(
        way.name,
        f"{way.title}, {records:,} employees",
        "records/s",
        partial(_rate, subject, way, records),
        partial(_prove, subject, way, min(records, PROOF_RECORDS)),
    )


def _loaded(way: Way, batches: list[pa.RecordBatch]) -> float:
    """Seconds that a load takes."""
    given = way.given(batches)
    way.begin()
    started = time.perf_counter()
    rows = way.load(given)
    spent = time.perf_counter() - started
    if rows != sum(batch.num_rows for batch in batches):
        raise VerificationError(f"{way.name} has written {rows:,} rows", "Its time would say nothing")
    return spent


def _rate(subject: Subject, way: Way, records: int) -> float:
    return records / _loaded(way, subject.first(records))


def _prove(subject: Subject, way: Way, records: int) -> None:
    """Raise VerificationError unless the rows that are there are those that were sent."""
    batches = subject.first(records)
    _loaded(way, batches)
    with subject.store.apart() as connection:
        columns = ", ".join(quoted(name) for name in EMPLOYEE.names)
        found = digest_of(read_rows(connection, f"SELECT {columns} FROM {way.table()}", (), EMPLOYEE))
    if found != (expected := digest_of(batches)):
        raise VerificationError(
            f"{way.name} does not put the same rows there: {found} in the place of {expected}",
            "Its time would say nothing",
        )


def _own(subject: Subject, strategy: Strategy) -> Way:
    def load(batches: list[pa.RecordBatch]) -> int:
        return strategy.write(subject.store.connections, HEAP, EMPLOYEE, batches, DEFAULTS)

    title = f"{strategy.name}: {strategy.title}, one connection"
    return Way(strategy.name, title, load, subject.new_heap)


def _auto(subject: Subject) -> Way:
    """What the store does: a staging table, with the column that tells tries apart."""
    store = subject.store
    staged: list[Staging] = []

    def begin() -> None:
        with store.apart() as connection:
            store.session.yard.clear(connection)
            staged[:] = [store.session.yard.make(connection, EMPLOYEE, OWN_TYPES)]

    def load(batches: list[pa.RecordBatch]) -> int:
        return store.load(staged[0], batches).rows

    title = f"auto: what the store does ({store.choice.strategy.name}, {subject.workers} connections)"
    return Way("auto", title, load, begin, lambda: staged[0].sql)


def _bare(subject: Subject) -> Way:
    from gidbench.bench.peers.load_servers import BareBulkCopy

    bare = BareBulkCopy(subject.store.connections.address, subject.workers)
    subject.stack.callback(bare.close)

    def load(batches: list[pa.RecordBatch]) -> int:
        return bare.load(HEAP, batches, EMPLOYEE.names, DEFAULTS)

    title = f"mssql-python's bulkcopy_arrow by itself, {subject.workers} connections"
    return Way("bare", title, load, subject.new_heap)


def _by_pandas(subject: Subject, *, fast: bool) -> Way:
    from gidbench.bench.peers.load_servers import ToSql, frame_of

    by_row = subject.store.server.is_babelfish
    by = ToSql(subject.store.connections.address, fast=fast, by_row=by_row)
    subject.stack.callback(by.close)
    plain = "a statement per row" if by_row else "as it comes"
    title = f"pandas.to_sql, {'fast_executemany' if fast else plain}"
    return Way(
        "to_sql fast" if fast else "to_sql",
        title,
        partial(by.load, f"{PREFIX}heap"),
        subject.new_heap,
        given=frame_of,
    )


def memory_bars(database: str, subject: Subject) -> tuple[list[Contender], list[Bar]]:
    """Whole processes that load few and many records, made while they go: their memory."""
    found: dict[int, load_process.Finding] = {}

    def rate(records: int) -> float:
        found[records] = load_process.measure(database, records, subject.workers)
        return records / found[records].wall_s

    def head_room() -> float:
        return (found[_FEW].peak_rss_bytes + _MORE_BYTES) / found[_MANY].peak_rss_bytes

    contenders = [
        Contender(
            f"process {count}", f"a process that loads {count:,} employees", "records/s", partial(rate, count)
        )
        for count in (_FEW, _MANY)
    ]
    contenders.append(
        Contender("head room", "peak memory of the first and 50 MB / of the other", "ratio", head_room)
    )
    return contenders, [
        Bar(f"peak memory of {_FEW / 1e3:g}K records + 50 MB / of {_MANY / 1e6:g}M", "head room", 1)
    ]
