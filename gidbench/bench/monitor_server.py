"""What a SQL Server does while it is measured: statements that run, sessions that hold up others.

Read about once a second on a connection of its own. It never fails the measurement: what can't be read is None, with
the reason, and tried again now and then.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from gidbench.stores.opening import parse_url

INTERVAL_S = 1.0
_AGAIN_S = 10.0  # after an error
_CONNECT_S = 3
_STATEMENT_S = 2

# Source: Microsoft Learn, "sys.dm_exec_requests (Transact-SQL)". A session that waits names the one that it waits for.
_REQUESTS = (
    "SELECT COUNT(*), COUNT(DISTINCT CASE WHEN r.blocking_session_id > 0 THEN r.blocking_session_id END)"
    " FROM sys.dm_exec_requests r JOIN sys.dm_exec_sessions s ON s.session_id = r.session_id"
    " WHERE s.is_user_process = 1 AND r.database_id = DB_ID() AND r.session_id <> @@SPID"
)


@dataclass(frozen=True)
class ServerReading:
    """What was last seen; None with a sentence in `why` where it can't be."""

    queries: int | None = None
    blocking_sessions: int | None = None
    why: str = "not asked yet"


class ServerMonitor:
    """Reads a server from `start` to `stop`, which does not wait for it.

    `hides` says of a connection why it can't be asked (empty: it can), `count` answers (queries, blocking sessions).
    """

    def __init__(
        self,
        url: str,
        *,
        connect: Callable[[str], Any] | None = None,
        hides: Callable[[Any], str] | None = None,
        count: Callable[[Any], tuple[int, int]] | None = None,
        interval_s: float = INTERVAL_S,
    ) -> None:
        self._url, self._interval_s = url, interval_s
        self._connect, self._hides, self._count = (
            connect or _connect,
            hides or _hides,
            count or count_requests,
        )
        self._done = threading.Event()
        self._latest = ServerReading()
        self._thread = threading.Thread(target=self._follow, name="gidbench-monitor", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Begin no other reading; the one under way ends by itself."""
        self._done.set()

    @property
    def latest(self) -> ServerReading:
        return self._latest

    def _follow(self) -> None:
        while not self._done.is_set():
            try:
                if self._session():
                    return
            except Exception as error:  # whatever a driver raises: the measurement goes on
                reason = f"the server could not be asked ({type(error).__name__})"
                self._latest = ServerReading(why=reason)
            self._done.wait(_AGAIN_S)

    def _session(self) -> bool:
        """Read by one connection until the end; True where there is nothing more to be had."""
        connection = self._connect(self._url)
        try:
            if why := self._hides(connection):
                self._latest = ServerReading(why=why)
                return True
            while not self._done.is_set():
                queries, blocking = self._count(connection)
                self._latest = ServerReading(queries, blocking, "")
                self._done.wait(self._interval_s)
            return True
        finally:
            with contextlib.suppress(Exception):
                connection.close()


def _connect(url: str) -> Any:
    from gidbench.stores.sqlserver import making
    from gidbench.stores.sqlserver.address import address_of

    address = replace(address_of(parse_url(url)), connect_timeout_s=_CONNECT_S)
    by_mssql_python = address.dialect == "mssql+mssqlpython"
    connection = (making.by_mssql_python if by_mssql_python else making.by_pyodbc)(address)
    with contextlib.suppress(AttributeError, NotImplementedError):
        connection.timeout = _STATEMENT_S
    return connection


def _hides(connection: Any) -> str:
    from gidbench.stores.sqlserver.server import look_at

    return look_at(connection).hides_state


def count_requests(connection: Any) -> tuple[int, int]:
    """Statements that run in the database, and sessions that hold up others, without this one's own."""
    with closing(connection.cursor()) as cursor:
        [(queries, blocking)] = cursor.execute(_REQUESTS).fetchall()
    return int(queries), int(blocking)
