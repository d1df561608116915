"""Connections to one SQL Server: two pools behind one circuit breaker."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.pool import QueuePool

from gidbench.errors import InputError
from gidbench.stores.retry import CircuitBreaker
from gidbench.stores.sqlserver import making
from gidbench.stores.sqlserver.address import Address
from gidbench.stores.sqlserver.pool import Connection, Factory, Pool, PoolOptions, PoolStatus

__all__ = ["Connections", "PoolOptions", "PoolStatus", "lent_and_allowed"]

_known: weakref.WeakSet[Connections] = weakref.WeakSet()
_known_lock = threading.Lock()


def lent_and_allowed() -> tuple[int, int] | None:
    """Connections that are lent and that may be, of the fullest pool of this process; None where there is none yet."""
    with _known_lock:
        pools = [status for each in _known for status in (each.status(), each.arrow_status())]
    used = [(pool.in_use, pool.size + pool.overflow) for pool in pools if pool.opened]
    return max(used, key=lambda pair: pair[0] / pair[1], default=None)


class Connections:
    """Connections to the database of an address: pyodbc's (or mssql-python's), and mssql-python's for Arrow.

    Safe for threads; a connection is lent to one at a time. Nothing is connected before the first use, and
    that one is not tried twice, so that a wrong password, name or port is told at once.
    """

    def __init__(
        self,
        address: Address,
        options: PoolOptions | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        connect: Factory | None = None,
        connect_arrow: Factory | None = None,
    ) -> None:
        self.address, self.options = address, options or PoolOptions()
        breaker = CircuitBreaker(
            address.name, self.options.breaker_failures, self.options.breaker_cool_down_s, clock
        )
        by_mssql_python = address.dialect == "mssql+mssqlpython"
        first = connect or (making.by_mssql_python if by_mssql_python else making.by_pyodbc)
        self._main = Pool(address, self.options, breaker, first, autocommit=False, clock=clock, sleep=sleep)
        self._arrow = Pool(
            address,
            self.options,
            breaker,
            connect_arrow or making.by_mssql_python,
            autocommit=True,
            clock=clock,
            sleep=sleep,
        )
        self.no_arrow = address.no_arrow
        with _known_lock:
            _known.add(self)

    @property
    def name(self) -> str:
        """The URL without password and query."""
        return self.address.name

    @property
    def has_arrow(self) -> bool:
        """Whether `arrow` can be used; `no_arrow` says why it cannot."""
        return not self.no_arrow

    @contextmanager
    def session(self, *, autocommit: bool = False) -> Iterator[Connection]:
        """A connection, lent until the end of the block, then rolled back; thrown away where the block fails.

        Raises StoreBusyError where none becomes free in time, ServerError or InputError where none can be made.
        What the block raises is raised as it is.
        """
        with self._main.lend(autocommit=autocommit) as connection:
            yield connection

    @contextmanager
    def arrow(self) -> Iterator[Any]:
        """A connection of mssql-python that commits by itself, lent like `session`; for Arrow and bulk copy."""
        if self.no_arrow:
            raise InputError(
                f"Arrow cannot be used with {self.name}: {self.no_arrow}", "Use another way of writing"
            )
        with self._arrow.lend(autocommit=True) as connection:
            yield connection

    @property
    def pool(self) -> QueuePool:
        """The pool of `session`, for `sqlalchemy.create_engine(..., pool=...)` where tables are reflected."""
        return self._main.queue

    @property
    def refused(self) -> tuple[str, ...]:
        """Settings of a session that the server does not take; known after the first connection."""
        return self._main.session_settings.refused

    def status(self) -> PoolStatus:
        return self._main.status()

    def arrow_status(self) -> PoolStatus:
        return self._arrow.status()

    def close(self) -> None:
        """Close what is idle at once, and what is lent when it comes back."""
        self._main.close()
        self._arrow.close()
