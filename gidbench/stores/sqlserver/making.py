"""One connection to SQL Server, by pyodbc or by mssql-python, and its session's settings."""

from __future__ import annotations

import threading
from contextlib import closing, suppress
from dataclasses import replace
from typing import Any

from gidbench.errors import StoreError
from gidbench.stores.sqlserver.address import Address
from gidbench.stores.sqlserver.faults import is_disconnect

# Those of ANSI are the defaults of ODBC drivers, but not of every gateway; SQL Server demands them for writing to
# tables with indexed views or filtered indexes («SET Statements», Microsoft Learn).
_SETTINGS = (
    "SET XACT_ABORT ON",  # an error ends the transaction, and a statement that timed out leaves none open
    "SET ANSI_NULLS ON",
    "SET ANSI_PADDING ON",
    "SET ANSI_WARNINGS ON",
    "SET ARITHABORT ON",
    "SET CONCAT_NULL_YIELDS_NULL ON",
    "SET QUOTED_IDENTIFIER ON",
    "SET NUMERIC_ROUNDABORT OFF",
    "SET DATEFORMAT ymd",
)


def by_pyodbc(address: Address) -> Any:
    """A connection of pyodbc, not yet set up, committing by itself."""
    try:
        import pyodbc
    except ImportError:
        raise StoreError(
            "pyodbc cannot be loaded", "Install unixODBC (apt install unixodbc, brew install unixodbc)"
        ) from None
    # The pool of the driver manager would hand out connections that ours has thrown away.
    pyodbc.pooling = False
    try:
        connection = pyodbc.connect(address.odbc_string(), autocommit=True, timeout=address.connect_timeout_s)
    except pyodbc.Error as error:
        if error.args[:1] != ("IM006",):
            raise
        # "Packet size change not supported by server": it hides why the login was refused.
        plain = replace(address, keywords=tuple(p for p in address.keywords if p[0] != "PacketSize"))
        connection = pyodbc.connect(plain.odbc_string(), autocommit=True, timeout=address.connect_timeout_s)
    # As UTF-16 texts of varchar columns arrive whole whatever the locale: under LANG=C the driver would hand
    # out question marks, under Windows bytes of its code page.
    connection.setdecoding(pyodbc.SQL_CHAR, encoding="utf-16le", ctype=pyodbc.SQL_WCHAR)
    return connection


def by_mssql_python(address: Address) -> Any:
    """The same of mssql-python."""
    try:
        import mssql_python
    except ImportError:
        raise StoreError("mssql-python cannot be loaded", "pip install mssql-python") from None
    mssql_python.pooling(enabled=False)
    return mssql_python.connect(
        address.mssql_python_string(), autocommit=True, timeout=address.connect_timeout_s
    )


def run(connection: Any, statement: str) -> None:
    """A statement without parameters, to its end: later errors of it come with later results."""
    with closing(connection.cursor()) as cursor:
        cursor.execute(statement)
        while cursor.nextset():
            pass


def ping(connection: Any) -> None:
    """Raises what the driver raises where the connection is of no use any more."""
    with closing(connection.cursor()) as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchall()
    if not connection.autocommit:
        connection.rollback()


def end_transaction(connection: Any) -> None:
    """Roll back what a batch began by itself on a connection that commits by itself."""
    run(connection, "IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION")


class SessionSettings:
    """What every session is set to. A server may refuse some of it: those are left out from then on."""

    def __init__(self, lock_timeout_s: float | None = None) -> None:
        wanted = list(_SETTINGS)
        if lock_timeout_s is not None:
            wanted.append(f"SET LOCK_TIMEOUT {int(lock_timeout_s * 1_000)}")
        self._wanted = tuple(wanted)
        self._lock = threading.Lock()
        self._accepted: tuple[str, ...] | None = None

    @property
    def refused(self) -> tuple[str, ...]:
        """What the server does not take; empty before the first connection."""
        accepted = self._accepted
        return () if accepted is None else tuple(one for one in self._wanted if one not in accepted)

    def apply(self, connection: Any, statement_timeout_s: int = 0) -> None:
        """Set up a connection that commits by itself."""
        if statement_timeout_s:
            with suppress(AttributeError, NotImplementedError):
                connection.timeout = statement_timeout_s
        accepted = self._accepted
        if accepted is not None:
            try:
                run(connection, "; ".join(accepted))
                return
            except Exception as error:
                if is_disconnect(error):
                    raise
        found = tuple(one for one in self._wanted if _takes(connection, one))
        with self._lock:
            self._accepted = found


def _takes(connection: Any, statement: str) -> bool:
    try:
        run(connection, statement)
    except Exception as error:
        if is_disconnect(error):
            raise
        return False
    return True
