"""Pools over connections that fake a driver: what is lent, reset, thrown away, waited for and given up."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from gidbench.errors import InputError, StoreBusyError, StoreError
from gidbench.stores.drivers import Driver
from gidbench.stores.retry import NO_RETRY, NotTriedError, RetryPolicy
from gidbench.stores.sqlserver.address import Address, address_of
from gidbench.stores.sqlserver.connections import Connections, PoolOptions
from gidbench.stores.sqlserver.faults import ServerError
from gidbench.stores.sqlserver.gate import Gate

pyodbc = pytest.importorskip("pyodbc")
ADDRESS = address_of(make_url("mssql+pyodbc://sa:Geheim1@db:1433/people"), [Driver("D", "d", "d")])
CUT = pyodbc.OperationalError("08S01", "[08S01] [D]Communication link failure (0) (SQLExecDirectW)")
REFUSED = pyodbc.InterfaceError("28000", "[28000] [D][SQL Server]Login failed for user 'sa'. (18456)")
DEAD = pyodbc.OperationalError(
    "08001", "[08001] [D]TCP Provider: Error code 0x2749 (10057) (SQLDriverConnect)"
)


class FakeCursor:
    def __init__(self, connection: FakeConnection) -> None:
        self.connection, self.closed = connection, False
        connection.cursors.append(self)

    def execute(self, statement: str, *_: Any) -> FakeCursor:
        self.connection.server.executing(self.connection, statement)
        if "TRAN" not in statement and not self.connection.autocommit:
            self.connection.in_transaction = True
        return self

    def fetchall(self) -> list[tuple[int]]:
        return [(1,)]

    def fetchone(self) -> None:
        return None

    def nextset(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True


class FakeConnection:
    def __init__(self, server: FakeServer) -> None:
        self.server, self.autocommit, self.in_transaction, self.closed = server, True, False, False
        self.cursors: list[FakeCursor] = []
        self.statements: list[str] = []
        self.timeout = 0
        self.user = 0

    def cursor(self) -> FakeCursor:
        return FakeCursor(self)

    def rollback(self) -> None:
        if self.server.down:
            raise CUT
        self.in_transaction = False

    def close(self) -> None:
        self.closed = True


class FakeServer:
    """Counts what is opened, and fails where it is told to."""

    def __init__(self) -> None:
        self.opened: list[FakeConnection] = []
        self.down: Exception | None = None
        self.refused = ""
        self.lock = threading.Lock()

    def connect(self, address: Address) -> FakeConnection:
        assert address.port == 1433
        if self.down:
            raise self.down
        connection = FakeConnection(self)
        with self.lock:
            self.opened.append(connection)
        return connection

    def executing(self, connection: FakeConnection, statement: str) -> None:
        connection.statements.append(statement)
        if self.down:
            raise self.down
        if self.refused and self.refused in statement:
            raise pyodbc.ProgrammingError("42000", f"[42000] [D]'{self.refused}' is not supported (33557097)")

    @property
    def live(self) -> list[FakeConnection]:
        return [one for one in self.opened if not one.closed]


class Time:
    now = 0.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


def pool(server: FakeServer, when: Time | None = None, **options: Any) -> Connections:
    when = when or Time()
    options.setdefault("size", 2)
    options.setdefault("connect_retry", NO_RETRY)
    return Connections(
        ADDRESS,
        PoolOptions(**options),
        clock=when.clock,
        sleep=when.sleep,
        connect=server.connect,
        connect_arrow=server.connect,
    )


def test_a_session_is_set_up_once_and_used_again(server: FakeServer) -> None:
    connections = pool(server, statement_timeout_s=7, lock_timeout_s=1.5)
    assert not server.opened
    for _ in range(3):
        with connections.session() as connection:
            assert connection.autocommit is False
            connection.cursor().execute("INSERT")
    [only] = server.opened
    assert only.timeout == 7
    assert only.statements[0] == "SET XACT_ABORT ON"
    assert "SET LOCK_TIMEOUT 1500" in only.statements
    assert only.statements[-3:] == ["INSERT"] * 3
    assert not only.in_transaction
    assert connections.status().opened == 1


def test_a_setting_that_a_server_refuses_is_left_out_from_then_on(server: FakeServer) -> None:
    server.refused = "NUMERIC_ROUNDABORT"
    connections = pool(server)
    with connections.session(), connections.session():
        pass
    assert connections.refused == ("SET NUMERIC_ROUNDABORT OFF",)
    first, second = server.opened
    assert len(first.statements) > 5
    assert len(second.statements) == 1
    assert "ROUNDABORT" not in second.statements[0]


def test_what_a_user_leaves_is_taken_back(server: FakeServer) -> None:
    connections = pool(server)
    with connections.session(autocommit=True) as connection:
        assert connection.autocommit
        cursor = connection.cursor()
        cursor.execute("BEGIN TRAN")
    [only] = server.opened
    assert only.statements[-1] == "IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION"
    assert only.autocommit is False
    with connections.session() as connection:
        connection.cursor().execute("INSERT")
        assert only.in_transaction
    assert not only.in_transaction


def test_a_cursor_ends_with_the_loan_of_its_connection(server: FakeServer) -> None:
    """One that lived on would be closed in the middle of what the next borrower does."""
    connections = pool(server)
    with connections.session() as connection:
        kept = connection.cursor()
        kept.execute("SELECT")
        connection.cursor().execute("SELECT")  # nobody keeps it: it is not kept for him
        gc.collect()
    [only] = server.opened
    assert only.cursors[-2].closed
    with pytest.raises(StoreError, match="given back"):
        connection.cursor()
    with pytest.raises(StoreError, match="given back"):
        connection.autocommit = True


@pytest.mark.parametrize("error", [CUT, ValueError("ours"), KeyboardInterrupt()])
def test_a_connection_whose_use_failed_is_thrown_away(server: FakeServer, error: BaseException) -> None:
    connections = pool(server)
    with pytest.raises(type(error)), connections.session():
        raise error
    assert server.opened[0].closed
    with connections.session() as connection:
        connection.cursor().execute("SELECT")
    assert len(server.opened) == 2
    assert (connections.status().discarded, connections.status().in_use) == (1, 0)


def test_a_connection_that_cannot_be_reset_is_thrown_away(server: FakeServer) -> None:
    connections = pool(server)
    with connections.session():
        server.down = CUT
    server.down = None
    assert server.opened[0].closed
    with connections.session():
        pass
    assert len(server.opened) == 2


def test_an_idle_connection_is_tried_before_it_is_lent(server: FakeServer) -> None:
    when = Time()
    connections = pool(server, when, ping_after_s=5.0)
    with connections.session():
        pass
    before = len(server.opened[0].statements)
    when.now += 5
    with connections.session():
        pass
    assert len(server.opened[0].statements) == before
    when.now += 6
    with connections.session():
        pass
    assert server.opened[0].statements[-1] == "SELECT 1"

    when.now += 6
    broken = server.opened[0]
    broken.cursor = _raise_cut  # type: ignore[method-assign]
    with connections.session() as connection:
        connection.cursor().execute("INSERT")
    assert broken.closed
    assert server.opened[1].statements[-1] == "INSERT"


def _raise_cut() -> FakeCursor:
    raise CUT


def test_an_old_connection_is_made_anew(server: FakeServer) -> None:
    connections = pool(server, recycle_s=1)
    with connections.session():
        pass
    time.sleep(1.1)  # SQLAlchemy's own clock
    with connections.session():
        pass
    assert [one.closed for one in server.opened] == [True, False]


def test_a_pool_that_is_used_up_says_so_with_its_figures(server: FakeServer) -> None:
    connections = pool(server, size=2, overflow=1, timeout_s=0.2)
    with connections.session(), connections.session(), connections.session():
        with pytest.raises(StoreBusyError) as caught, connections.session():
            pass
    said = str(caught.value)
    for piece in ("within 0.2 s", "pool of 2, 1 beyond", "ULTRA_CONNECTION_POOL_SIZE"):
        assert piece in said
    assert "Geheim1" not in said
    status = connections.status()
    assert (status.waits, status.opened, status.in_use, status.idle) == (1, 3, 0, 2)
    assert len(server.live) == 2


def test_the_first_failure_is_told_at_once_and_in_words(server: FakeServer) -> None:
    when = Time()
    connections = pool(server, when, connect_retry=RetryPolicy(attempts=5))
    server.down = DEAD
    with pytest.raises(ServerError, match="cannot be reached"), connections.session():
        pass
    assert when.now == 0
    server.down = REFUSED
    with pytest.raises(ServerError, match="login is refused") as caught, connections.session():
        pass
    assert "Geheim1" not in f"{caught.value!r} {caught.value}"
    assert caught.value.__cause__ is None


def test_a_server_that_was_there_is_waited_for(server: FakeServer) -> None:
    when = Time()

    def sleep(seconds: float) -> None:
        when.now += seconds
        if when.now > 3:
            server.down = None

    connections = Connections(
        ADDRESS,
        PoolOptions(connect_retry=RetryPolicy(attempts=20, first_wait_s=0.5, longest_wait_s=1.0)),
        clock=when.clock,
        sleep=sleep,
        connect=server.connect,
    )
    with connections.session():
        pass
    server.down = DEAD
    with pytest.raises(ValueError, match="x"), connections.session():
        raise ValueError("x")
    with connections.session() as connection:
        connection.cursor().execute("SELECT")
    assert when.now > 3
    assert connections.status().breaker == "closed"


def test_a_server_that_keeps_failing_is_left_alone_for_a_while(server: FakeServer) -> None:
    when = Time()
    connections = pool(server, when, breaker_failures=3, breaker_cool_down_s=10.0)
    server.down = DEAD
    for _ in range(3):
        with pytest.raises(ServerError), connections.session():
            pass
    server.down = None
    with pytest.raises(NotTriedError, match=r"not tried again for 10\.0 s"), connections.session():
        pass
    assert connections.status().breaker == "open"
    when.now += 10
    with connections.session():
        pass
    assert connections.status().breaker == "closed"


def test_arrow_connections_commit_by_themselves_and_have_a_pool_of_their_own(server: FakeServer) -> None:
    pytest.importorskip("mssql_python")
    connections = pool(server, size=1)
    assert connections.has_arrow
    with connections.session() as one, connections.arrow() as other:
        assert (one.autocommit, other.autocommit) == (False, True)
    assert connections.arrow_status().opened == 1

    address = replace(ADDRESS, keywords=(*ADDRESS.keywords, ("ColumnEncryption", "Enabled")))
    without = Connections(address, connect=server.connect)
    assert not without.has_arrow
    with pytest.raises(InputError, match="ColumnEncryption"), without.arrow():
        pass


def test_closing_closes_what_is_idle_and_what_comes_back(server: FakeServer) -> None:
    connections = pool(server)
    with connections.session():
        pass
    with connections.session():
        with connections.session():
            connections.close()
    assert not server.live
    with pytest.raises(StoreError), connections.session():
        pass


@pytest.mark.parametrize(
    "wrong", [{"size": 0}, {"size": 501}, {"overflow": -1}, {"timeout_s": -1}, {"lock_timeout_s": -2}]
)
def test_options_out_of_bounds_are_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        PoolOptions(**wrong)


def test_places_go_to_who_waited_longest_and_none_is_lost() -> None:
    gate = Gate(1)
    order: list[int] = []
    assert gate.enter(0)
    assert not gate.enter(0.01)
    threads = []
    for number in range(5):
        threads.append(threading.Thread(target=lambda number=number: gate.enter(10) and order.append(number)))
        threads[-1].start()
        while gate.waits < number + 2:
            time.sleep(0.001)
    for number in range(5):
        gate.leave()
        threads[number].join(10)
    assert order == [0, 1, 2, 3, 4]
    assert not gate.enter(0.01)
    gate.leave()
    assert gate.enter(0)


def test_who_waits_is_not_passed_by_who_comes_back_for_more(server: FakeServer) -> None:
    """SQLAlchemy's queue alone lets two threads of six have it all."""
    connections = pool(server, size=2, timeout_s=30)
    uses = [0] * 6
    over = time.monotonic() + 0.5

    def work(number: int) -> None:
        while time.monotonic() < over:
            with connections.session():
                uses[number] += 1
                time.sleep(0.001)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(work, range(6)))
    assert min(uses) * 2 > max(uses)


@pytest.fixture
def failures() -> Iterator[list[str]]:
    found: list[str] = []
    yield found
    assert not found


def test_many_threads_and_failures_share_no_connection_and_leak_none(
    server: FakeServer, failures: list[str]
) -> None:
    connections = pool(server, size=5, overflow=2, timeout_s=20)

    def work(number: int) -> None:
        for turn in range(30):
            try:
                with connections.session(autocommit=turn % 2 == 0) as connection:
                    mine = connection.cursor().connection
                    mine.user += 1
                    if mine.user != 1:
                        failures.append("shared")
                    time.sleep(0.0005)
                    mine.user -= 1
                    if (number + turn) % 7 == 0:
                        raise CUT
            except pyodbc.OperationalError:
                pass

    with ThreadPoolExecutor(32) as threads:
        list(threads.map(work, range(32)))
    status = connections.status()
    assert status.in_use == 0
    assert len(server.live) == status.idle <= 5
    assert max(len(server.live), 1) <= 7
    connections.close()
    assert not server.live


def test_who_waits_while_the_server_is_away_is_told_so(server: FakeServer) -> None:
    """Those that hold the places wait for the server: more connections would not help."""
    gone = threading.Event()
    connections = Connections(
        ADDRESS,
        PoolOptions(size=1, timeout_s=0.3, breaker_failures=1, connect_retry=RetryPolicy(attempts=1_000)),
        sleep=lambda _: gone.wait(10) and time.sleep(0.001),  # type: ignore[arg-type,return-value]
        connect=server.connect,
    )
    with pytest.raises(ValueError, match="x"), connections.session():
        raise ValueError("x")
    server.down = DEAD
    used: list[int] = []

    def hold() -> None:
        with connections.session():
            used.append(1)

    holder = threading.Thread(target=hold)
    holder.start()
    until = time.monotonic() + 10
    while connections.status().breaker == "closed" and time.monotonic() < until:
        time.sleep(0.005)
    with pytest.raises(StoreBusyError, match="cannot be reached at present"), connections.session():
        pass
    server.down = None
    connections._main._breaker._cool_down_s = 0.0
    gone.set()
    holder.join(20)
    assert used == [1]
