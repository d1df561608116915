"""A SQL Server that exists only as an object: it answers as it is told, and breaks where it is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyodbc
from sqlalchemy.engine import make_url

from gidbench.stores.retry import RetryPolicy
from gidbench.stores.sqlserver.address import address_of
from gidbench.stores.sqlserver.connections import Connections, PoolOptions

_TEXTS = {
    1205: ("40001", "Transaction (Process ID 52) was deadlocked on lock resources. Rerun the transaction."),
    1222: ("HYT00", "Lock request time out period exceeded."),
    9002: ("42000", "The transaction log for database 'hr' is full due to 'LOG_BACKUP'."),
    1105: ("42000", "Could not allocate space for object 'dbo.employee' in database 'hr'."),
    8152: ("22001", "String or binary data would be truncated."),
    2628: (
        "22001",
        "String or binary data would be truncated in table 'hr.dbo.employee', column 'name'. "
        "Truncated value: 'Siti O'Hara'.",
    ),
    2627: (
        "23000",
        "Violation of PRIMARY KEY constraint 'PK_employee'. Cannot insert duplicate key in object "
        "'dbo.employee'. The duplicate key value is (3201010101900001).",
    ),
    229: ("42000", "The INSERT permission was denied on the object 'employee', database 'hr', schema 'dbo'."),
    18456: ("28000", "Login failed for user 'siti'."),
    4060: ("42000", 'Cannot open database "hr" requested by the login. The login failed.'),
    515: ("23000", "Cannot insert the value NULL into column 'bod', table 'hr.dbo.employee'; INSERT fails."),
    40501: ("42000", "The service is currently busy. Retry the request after 10 seconds."),
    10054: ("08S01", "TCP Provider: An existing connection was forcibly closed by the remote host."),
}


def error(number: int) -> pyodbc.Error:
    """An error of the server as pyodbc raises it."""
    state, text = _TEXTS[number]
    kind = {"2": pyodbc.DataError, "23": pyodbc.IntegrityError}.get(state[:2], pyodbc.OperationalError)
    return kind(
        state,
        f"[{state}] [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]{text} ({number}) (SQLExecDirectW)",
    )


class FakeServer:
    """What every connection does.

    Attributes
    ----------
    said:
        Statements, `COMMIT` and `ROLLBACK` of all connections: (number of the connection, text).
    """

    def __init__(self) -> None:
        self.said: list[tuple[int, str]] = []
        self.opened = self.asked = 0
        self._faults: list[tuple[str, pyodbc.Error, int]] = []
        self._answers: list[tuple[str, list[tuple[Any, ...]]]] = [
            ("sp_getapplock", [(0,)]),
            ("SELECT 1", [(1,)]),
            ("@@TRANCOUNT", [(0,)]),
        ]

    def fail(self, text: str, fault: pyodbc.Error, times: int = 1) -> None:
        """Raise an error by the next statements that contain a text; one that cuts ends the connection."""
        self._faults.append((text, fault, times))

    def answer(self, text: str, rows: list[tuple[Any, ...]]) -> None:
        self._answers.insert(0, (text, rows))

    def texts(self, *parts: str) -> list[str]:
        """Which of the parts were said, in order."""
        return [part for _, text in self.said for part in parts if part in text]

    def connect(self) -> FakeConnection:
        self.asked += 1
        self._raise("CONNECT")
        self.opened += 1
        return FakeConnection(self, self.opened)

    def connections(self) -> Connections:
        address = address_of(make_url("mssql+pyodbc://u:p@nowhere/hr?driver=Fake"), [])
        options = PoolOptions(size=4, timeout_s=0.1, connect_retry=patient())
        return Connections(address, options, connect=lambda _: self.connect(), sleep=lambda _: None)

    def _raise(self, text: str) -> None:
        for place, (part, fault, times) in enumerate(self._faults):
            if part in text:
                self._faults[place : place + 1] = [(part, fault, times - 1)] if times > 1 else []
                raise fault

    def hear(self, connection: FakeConnection, text: str) -> list[tuple[Any, ...]]:
        if connection.is_cut:
            raise error(10054)
        self.said.append((connection.number, text))
        try:
            self._raise(text)
        except pyodbc.Error as fault:
            connection.is_cut = fault.args[0] == "08S01"
            raise
        return next((rows for part, rows in self._answers if part in text), [])


class FakeConnection:
    def __init__(self, server: FakeServer, number: int) -> None:
        self.server, self.number = server, number
        self.timeout = 0
        self.is_cut = False
        self._autocommit = True

    @property
    def autocommit(self) -> bool:
        return self._autocommit

    @autocommit.setter
    def autocommit(self, value: bool) -> None:
        if self.is_cut and value != self._autocommit:
            raise error(10054)
        self._autocommit = value

    def cursor(self) -> FakeCursor:
        return FakeCursor(self)

    def commit(self) -> None:
        self.server.hear(self, "COMMIT")

    def rollback(self) -> None:
        if not self.is_cut:  # pyodbc says nothing, either
            self.server.hear(self, "ROLLBACK")

    def close(self) -> None:
        pass


class FakeCursor:
    def __init__(self, connection: FakeConnection) -> None:
        self._connection = connection
        self._rows: Iterator[tuple[Any, ...]] = iter(())
        self.rowcount = 1
        self.description: object = None

    def execute(self, statement: str, *_: object) -> FakeCursor:
        rows = self._connection.server.hear(self._connection, statement)
        self.description = [("a",)] if rows else None
        self._rows = iter(rows)
        return self

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(self._rows, None)

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(self._rows)

    def nextset(self) -> bool:
        return False

    def close(self) -> None:
        pass


def patient() -> RetryPolicy:
    """A policy that does not wait."""
    return RetryPolicy(attempts=5, first_wait_s=0, longest_wait_s=0)
