"""Can this SQL Server be used? Connects, asks for its version and for what the login may do."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from gidbench.errors import InputError, StoreError
from gidbench.stores.drivers import Driver

PERMISSIONS = ("CONNECT", "CREATE TABLE", "SELECT", "INSERT", "UPDATE", "DELETE")
_TIMEOUT_S = 5

# By SQLSTATE: what an ODBC driver means, in words. https://learn.microsoft.com/sql/odbc/reference/appendixes
_STATES = {
    "28000": ("the login is refused", "Check user, password and the server's authentication mode"),
    "08001": (
        "the server cannot be reached",
        "Check host and port, and that the server takes TCP connections",
    ),
    "08S01": ("the connection was cut", "Check the network between here and the server"),
    "HYT00": (f"the server does not answer within {_TIMEOUT_S} s", "Check host, port and firewall"),
    "42000": ("the database cannot be opened", "Check its name, and that the login may use it"),
    "IM002": ("the ODBC driver is not registered", "Leave driver= out of the URL to let gidbench find one"),
    "01000": ("the ODBC driver cannot be loaded", "Install it anew, or pip install mssql-python"),
}


@dataclass(frozen=True)
class ServerFindings:
    """Version in one line, and whether each of PERMISSIONS is granted on the database."""

    version: str
    permissions: dict[str, bool]


def examine_server(url: URL, drivers: list[Driver]) -> ServerFindings:
    """Connect to a SQL Server by pyodbc and look around; nothing is changed.

    Raises InputError where there is no driver, StoreError, without the password, where it does not connect.
    """
    if url.get_backend_name() != "mssql":
        raise InputError(f"{url.drivername} databases cannot be checked", "Use duckdb:/// or mssql+pyodbc://")
    query = dict(url.query)
    if not {"driver", "odbc_connect"} & {key.lower() for key in query}:
        if not drivers:
            raise InputError(
                "no ODBC driver for SQL Server is installed", "pip install mssql-python brings Microsoft's"
            )
        query["driver"] = drivers[0].keyword
    engine = create_engine(
        url.set(drivername="mssql+pyodbc", query=query), connect_args={"timeout": _TIMEOUT_S}, pool_size=1
    )
    try:
        with engine.connect() as connection:
            version = str(connection.execute(text("SELECT @@VERSION")).scalar_one())
            asked = ", ".join(f"HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', '{name}')" for name in PERMISSIONS)
            granted = connection.execute(text(f"SELECT {asked}")).one()
    except DBAPIError as error:
        raise _explain(error) from None
    finally:
        engine.dispose()
    permissions = {name: bool(value) for name, value in zip(PERMISSIONS, granted, strict=True)}
    return ServerFindings(version.splitlines()[0].strip(), permissions)


def _explain(error: DBAPIError) -> StoreError:
    state = str(error.orig.args[0]) if error.orig is not None and error.orig.args else ""
    problem, remedy = _STATES.get(state, ("the server refuses the connection", "Check the URL"))
    return StoreError(f"{problem} (SQLSTATE {state or 'unknown'})", remedy)
