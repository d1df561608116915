"""What a SQL Server does while it is measured: statements that run, sessions that hold up others.

Read about once a second on a connection of its own. It never fails the measurement: what can't be read is None, with
the reason, and tried again now and then.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
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
# Babelfish has no view of requests; its sessions tell whether they work. sys.sysprocesses is there, but says that
# sessions block each other which do not.
_SESSIONS = (
    "SELECT COUNT(*), NULL FROM sys.dm_exec_sessions"
    " WHERE status = 'active' AND database_id = DB_ID() AND session_id <> @@SPID"
)
QUERIES, BLOCKING = "queries", "blocking_sessions"
_NOT_YET = "the server has not been asked yet"


@dataclass(frozen=True)
class ServerReading:
    """What was last seen; for what is None, `why` has a sentence."""

    queries: int | None = None
    blocking_sessions: int | None = None
    why: Mapping[str, str] = field(default_factory=lambda: _for_both(_NOT_YET))


@dataclass(frozen=True)
class Question:
    """A statement that answers with one row, (queries, blocking sessions), and why it leaves one out; empty: neither
    can be had."""

    statement: str
    why: Mapping[str, str]


def _for_both(sentence: str) -> dict[str, str]:
    return dict.fromkeys((QUERIES, BLOCKING), sentence)


class ServerMonitor:
    """Reads a server from `start` to `stop`, which does not wait for it.

    `connect` makes a connection of DB-API from a URL, `choose` the question for its server.
    """

    def __init__(
        self,
        url: str,
        *,
        connect: Callable[[str], Any] | None = None,
        choose: Callable[[Any], Question] | None = None,
        interval_s: float = INTERVAL_S,
    ) -> None:
        self._url, self._interval_s = url, interval_s
        self._connect, self._choose = connect or _connect, choose or choose_question
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
                self._latest = ServerReading(
                    why=_for_both(f"the server could not be asked ({type(error).__name__})")
                )
            self._done.wait(_AGAIN_S)

    def _session(self) -> bool:
        """Read by one connection until the end; True where there is nothing more to be had."""
        connection = self._connect(self._url)
        try:
            question = self._choose(connection)
            if not question.statement:
                self._latest = ServerReading(why=question.why)
                return True
            while not self._done.is_set():
                with closing(connection.cursor()) as cursor:
                    [(queries, blocking)] = cursor.execute(question.statement).fetchall()
                self._latest = ServerReading(
                    int(queries), None if blocking is None else int(blocking), question.why
                )
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


def choose_question(connection: Any) -> Question:
    """What can be asked of the server of a connection with its login's rights."""
    from gidbench.stores.sqlserver.server import look_at

    server = look_at(connection)
    if server.is_babelfish:
        return Question(_SESSIONS, {BLOCKING: "Babelfish does not tell which sessions wait for which"})
    if server.hides_state:
        return Question("", _for_both(f"{server.hides_state}, so the server shows it its own sessions only"))
    return Question(_REQUESTS, {})
