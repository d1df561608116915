"""Connections to one database: two pools of SQLAlchemy's, reset on return, behind a circuit breaker."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from gidbench.errors import InputError, StoreBusyError
from gidbench.stores.retry import CircuitBreaker, RetryPolicy
from gidbench.stores.sqlserver import faults
from gidbench.stores.sqlserver.address import CONNECT_TIMEOUT_S, Address

_log = logging.getLogger("gidbench")

# What every session is told. Any error takes the whole transaction back, not just its statement, and whoever waits for
# a lock does not wait for ever. Source: Microsoft Learn, "SET XACT_ABORT", "SET LOCK_TIMEOUT".
_SETTINGS = ("SET XACT_ABORT ON", "SET NOCOUNT OFF", "SET LOCK_TIMEOUT {lock_ms}")


@dataclass(frozen=True)
class PoolOptions:
    """Bounds of a pool.

    Attributes
    ----------
    size, overflow:
        Connections that are kept, and how many more may be open at once.
    timeout_s:
        For which a thread waits for one.
    recycle_s:
        Age at which a connection is replaced: firewalls cut those that rest for long.
    statement_timeout_s:
        Of each statement; 0: none.
    lock_timeout_s:
        For which a statement waits for a lock of rows or tables.
    """

    size: int = 20
    overflow: int = 10
    timeout_s: float = 30.0
    recycle_s: int = 1800
    statement_timeout_s: int = 0
    lock_timeout_s: float = 60.0


@dataclass(frozen=True)
class PoolStatus:
    """Connections of both pools: in use now, waiting in the pool, opened and thrown away so far."""

    in_use: int
    idle: int
    opened: int
    discarded: int
    breaker: str


class Connections:
    """Where the connections to a database come from. Safe to use from many threads.

    Attributes
    ----------
    has_arrow:
        Whether mssql-python can be used, for Arrow batches and bulk copy.
    """

    def __init__(
        self,
        address: Address,
        options: PoolOptions | None = None,
        *,
        retry: RetryPolicy | None = None,
        breaker: CircuitBreaker | None = None,
        connect: Callable[[], Any] | None = None,
    ) -> None:
        self.address, self.name = address, address.name
        self.options = options or PoolOptions()
        self._retry = retry or RetryPolicy()
        self._breaker = breaker or CircuitBreaker(f"connecting to {self.name}")
        self._opened = self._discarded = 0
        self._lock = threading.Lock()
        self.has_arrow = address.bulk is not None and _has_mssql_python()
        own = self._open_odbc if address.library == "pyodbc" else self._open_arrow
        self._sessions = self._pool(connect or own)
        self._arrows = self._pool(self._open_arrow)

    def _pool(self, connect: Callable[[], Any]) -> QueuePool:
        def opened() -> Any:
            made = self._breaker.call(connect, faults.is_unreachable)
            with self._lock:
                self._opened += 1
            return made

        options = self.options
        pool = QueuePool(
            opened,
            pool_size=options.size,
            max_overflow=options.overflow,
            timeout=options.timeout_s,
            recycle=options.recycle_s,
            reset_on_return="rollback",
            use_lifo=True,  # those that are not needed grow old and are replaced
        )
        event.listen(pool, "checkout", self._ping)
        event.listen(pool, "invalidate", self._count_discarded)
        return pool

    def _count_discarded(self, *_: Any) -> None:
        with self._lock:
            self._discarded += 1

    @staticmethod
    def _ping(connection: Any, record: Any, proxy: Any) -> None:  # noqa: ARG004
        """A connection that rested may be dead: SQLAlchemy replaces it where this fails."""
        try:
            cursor = connection.cursor()
            cursor.execute("SELECT 1")
            cursor.fetchall()
            cursor.close()
        except Exception:
            raise DisconnectionError from None

    def _open_odbc(self) -> Any:
        import pyodbc

        pyodbc.pooling = False  # one pool is enough
        made = pyodbc.connect(self.address.odbc, timeout=CONNECT_TIMEOUT_S, autocommit=False)
        made.timeout = self.options.statement_timeout_s
        return self._told(made)

    def _open_arrow(self) -> Any:
        import mssql_python

        if self.address.bulk is None:
            raise InputError(
                f"{self.name} can't be opened by mssql-python, which knows no data sources",
                "Name server and database in the URL",
            )
        mssql_python.pooling(enabled=False)
        made = mssql_python.connect(
            self.address.bulk, autocommit=True, timeout=self.options.statement_timeout_s
        )
        return self._told(made)

    def _told(self, connection: Any) -> Any:
        cursor = connection.cursor()
        for setting in _SETTINGS:
            cursor.execute(setting.format(lock_ms=round(1000 * self.options.lock_timeout_s)))
        cursor.close()
        if not connection.autocommit:
            connection.commit()
        return connection

    @contextlib.contextmanager
    def session(self, *, autocommit: bool = False) -> Iterator[Any]:
        """A DB-API connection; rolled back when it comes back, thrown away where an error says that it is dead.

        Raises StoreBusyError where none is free in time, StoreError where the server cannot be reached.
        """
        with self._borrowed(self._sessions) as connection:
            connection.autocommit = autocommit
            yield connection

    @contextlib.contextmanager
    def arrow(self) -> Iterator[Any]:
        """A connection of mssql-python, which commits each statement by itself."""
        with self._borrowed(self._arrows) as connection:
            yield connection

    @contextlib.contextmanager
    def _borrowed(self, pool: QueuePool) -> Iterator[Any]:
        try:
            # a server that never answered is more likely a wrong URL than one that is about to come back
            lent = self._retry.call(pool.connect, faults.is_transient) if self._opened else pool.connect()
        except PoolTimeout:
            options = self.options
            raise StoreBusyError(
                f"no connection to {self.name} became free within {options.timeout_s:g} s"
                f" ({options.size} and {options.overflow} more are in use)",
                "Set ULTRA_CONNECTION_POOL_SIZE higher, or use fewer workers",
            ) from None
        except faults.DRIVER_ERRORS as error:
            raise faults.explain_connecting(error, CONNECT_TIMEOUT_S) from error
        try:
            yield lent.dbapi_connection
        except BaseException as error:
            # what an error has left half-said on the wire must not meet the next borrower
            if not isinstance(error, Exception) or faults.is_disconnect(error):
                lent.invalidate()
            raise
        finally:
            lent.close()

    def status(self) -> PoolStatus:
        pools = (self._sessions, self._arrows)
        with self._lock:
            return PoolStatus(
                sum(pool.checkedout() for pool in pools),
                sum(pool.checkedin() for pool in pools),
                self._opened,
                self._discarded,
                self._breaker.state,
            )

    def close(self) -> None:
        """Close every connection that is not in use."""
        for pool in (self._sessions, self._arrows):
            pool.dispose()


def _has_mssql_python() -> bool:
    try:
        from mssql_python.cursor import Cursor
    except (ImportError, OSError):  # its library may not load on a system
        return False
    return hasattr(Cursor, "bulkcopy_arrow")
