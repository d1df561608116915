"""One pool of connections: made, checked, lent, reset and thrown away here and nowhere else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from gidbench.errors import InputError, StoreBusyError, StoreError
from gidbench.stores.retry import CircuitBreaker, RetryPolicy
from gidbench.stores.sqlserver import making
from gidbench.stores.sqlserver.address import Address
from gidbench.stores.sqlserver.faults import explain, is_transient
from gidbench.stores.sqlserver.gate import Gate
from gidbench.stores.sqlserver.leases import LentConnection

Connection = Any  # of pyodbc, or of mssql-python
Factory = Callable[[Address], Connection]
_LONGEST_S = 86_400 * 7
_RESTART = RetryPolicy(attempts=1_000, longest_wait_s=5.0, deadline_s=45.0)


@dataclass(frozen=True)
class PoolOptions:
    """How many connections, how long everything may take, and when to give a server up.

    Attributes
    ----------
    size, overflow:
        Connections that are kept, and those beyond for peaks. None beyond by default: `pool_size` of the
        settings is what a DBA allows.
    timeout_s:
        Longest wait for a connection to become free.
    recycle_s:
        Older connections are made anew: firewalls drop what they forgot.
    ping_after_s:
        A connection that was idle for longer is tried before it is lent.
    statement_timeout_s, lock_timeout_s:
        Longest a statement may take (0: any time), and wait for a lock of rows or tables (None: any time).
    connect_retry:
        How connecting is tried again after transient errors, once it has succeeded: for as long as a server
        takes to restart.
    breaker_failures, breaker_cool_down_s:
        After so many failures in a row the server is left alone for so long.
    """

    size: int = 20
    overflow: int = 0
    timeout_s: float = 30.0
    recycle_s: int = 1_800
    ping_after_s: float = 1.0
    statement_timeout_s: int = 0
    lock_timeout_s: float | None = 60.0
    connect_retry: RetryPolicy = _RESTART
    breaker_failures: int = 5
    breaker_cool_down_s: float = 5.0

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("size", self.size, 1, 500),
            ("overflow", self.overflow, 0, 500),
            ("timeout_s", self.timeout_s, 0, _LONGEST_S),
            ("recycle_s", self.recycle_s, 1, _LONGEST_S),
            ("ping_after_s", self.ping_after_s, 0, _LONGEST_S),
            ("statement_timeout_s", self.statement_timeout_s, 0, _LONGEST_S),
            ("lock_timeout_s", self.lock_timeout_s or 0, 0, _LONGEST_S),
        ):
            if not low <= value <= high:
                raise InputError(
                    f"{name} of the connection pool is {value:g}, but must be from {low:,} to {high:,}",
                    "Change it",
                )


@dataclass(frozen=True)
class PoolStatus:
    """What a pool holds and has been through; `waits` is how often all connections were lent at a request."""

    size: int
    overflow: int
    in_use: int
    idle: int
    waits: int
    opened: int
    discarded: int
    breaker: str


class Pool:
    """One QueuePool with what SQLAlchemy leaves to its users: making, checking, resetting, counting."""

    def __init__(
        self,
        address: Address,
        options: PoolOptions,
        breaker: CircuitBreaker,
        connect: Factory,
        *,
        autocommit: bool,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._address, self._options, self._breaker = address, options, breaker
        self._connect, self._autocommit = connect, autocommit
        self._clock, self._sleep = clock, sleep
        self.session_settings = making.SessionSettings(options.lock_timeout_s)
        self._lock = threading.Lock()
        self._opened = self._discarded = self._live = 0
        self._closed = False
        self._gate = Gate(options.size + options.overflow)
        self.queue = QueuePool(
            self._make,
            pool_size=options.size,
            max_overflow=options.overflow,
            timeout=options.timeout_s,
            recycle=options.recycle_s,
            reset_on_return=None,  # `_reset` does it, at the event that SQLAlchemy has for this
        )
        self._listen()

    @contextmanager
    def lend(self, *, autocommit: bool) -> Iterator[Connection]:
        if self._closed:
            raise StoreError(f"the connections to {self._address.name} are closed", "Open the store anew")
        if not self._gate.enter(self._options.timeout_s):
            raise self._busy()
        try:
            yield from self._lend(autocommit)
        finally:
            self._gate.leave()

    def _lend(self, autocommit: bool) -> Iterator[Connection]:
        place = self._borrow()
        lent = LentConnection(place.dbapi_connection)
        try:
            if autocommit != self._autocommit:
                lent.autocommit = autocommit
            yield lent
        except BaseException:
            # Unread results, temporary tables, locks of the session, a statement under way: a connection whose
            # use failed may have any of them, and a new one costs less than to find out.
            lent.end()
            self._throw_away(place)
            raise
        lent.end()
        try:
            self._reset(place.dbapi_connection)
        except Exception:
            self._throw_away(place)
        else:
            place.info["returned"] = self._clock()
            place.info["clean"] = True
            place.close()
        if self._closed:
            self.queue.dispose()

    def status(self) -> PoolStatus:
        options = self._options
        with self._lock:
            in_use = self.queue.checkedout()
            return PoolStatus(
                options.size,
                options.overflow,
                in_use,
                max(0, self._live - in_use),  # the pool counts empty places, too
                self._gate.waits,
                self._opened,
                self._discarded,
                self._breaker.state,
            )

    def close(self) -> None:
        self._closed = True
        self.queue.dispose()

    def _borrow(self) -> Any:
        """A place of the queue with its connection; the caller has entered the gate."""
        try:
            return self.queue.connect()
        except PoolTimeout:  # others have it, by `pool`
            raise self._busy() from None

    def _busy(self) -> StoreBusyError:
        options = self._options
        if self._breaker.state != "closed":
            return StoreBusyError(
                f"no connection to {self._address.name} was to be had within {options.timeout_s:g} s, as the server"
                f" cannot be reached at present",
                "Check that the server is up, and the network between here and there",
            )
        return StoreBusyError(
            f"no connection to {self._address.name} became free within {options.timeout_s:g} s"
            f" (pool of {options.size}, {options.overflow} beyond, all in use)",
            "Raise ULTRA_CONNECTION_POOL_SIZE, or let fewer workers run at once",
        )

    def _make(self) -> Connection:
        """A new connection, fit for use. Tried again after transient errors, but for the very first."""
        known = self._opened > 0

        def once() -> Connection:
            with self._breaker.attempt():
                try:
                    connection = self._connect(self._address)
                    try:
                        self.session_settings.apply(connection, self._options.statement_timeout_s)
                        connection.autocommit = self._autocommit
                    except BaseException:
                        with suppress(Exception):
                            connection.close()
                        raise
                except Exception as error:
                    raise explain(
                        error, f"connecting to {self._address.name}", azure=self._address.is_azure
                    ) from None
                return connection

        if not known:
            connection = once()
        else:
            try:
                connection = self._options.connect_retry.call(
                    once, is_transient, clock=self._clock, sleep=self._sleep
                )
            except StoreError as error:
                error.transient = False  # or whoever asked would begin all of this again, each on his floor
                raise
        with self._lock:
            self._opened += 1
            self._live += 1
        return connection

    def _listen(self) -> None:
        def check(connection: Any, record: Any, _lent: Any) -> None:
            idle_s = self._clock() - record.info.get("returned", self._clock())
            if idle_s <= self._options.ping_after_s:
                return
            try:
                making.ping(connection)
            except Exception as error:
                with self._lock:
                    self._discarded += 1
                raise DisconnectionError(type(error).__name__) from None

        def reset(connection: Any, record: Any, _state: Any) -> None:
            if not record.info.pop("clean", False) and connection is not None:
                self._reset(connection)

        def closed(*_: Any) -> None:
            with self._lock:
                self._live -= 1

        event.listen(self.queue, "close", closed)
        event.listen(self.queue, "checkout", check)
        event.listen(self.queue, "reset", reset)

    def _reset(self, connection: Connection) -> None:
        """Nothing of the last user is left: no transaction, no other mode."""
        if connection.autocommit:
            making.end_transaction(connection)
        else:
            connection.rollback()
        if connection.autocommit != self._autocommit:
            connection.autocommit = self._autocommit

    def _throw_away(self, place: Any) -> None:
        connection = place.dbapi_connection
        with self._lock:
            self._discarded += 1
            self._live -= 1
        # Its place is free from now on; to close a connection that hangs may take its time.
        place.detach()
        with suppress(Exception):
            connection.close()
