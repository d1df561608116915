"""Can a SQL Server be used, and how well? Looks by the connections that the store uses; nothing is changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gidbench.errors import GidbenchError
from gidbench.findings import Check
from gidbench.stores.sqlserver import faults
from gidbench.stores.sqlserver.address import Address
from gidbench.stores.sqlserver.connections import Connections, PoolOptions
from gidbench.stores.sqlserver.server import Server, look_at
from gidbench.stores.sqlserver.writing import AUTO, choose
from gidbench.stores.sqlserver.writing.bulk import BULKCOPY_ARROW
from gidbench.stores.sqlserver.writing.model import Source


def inspect(address: Address, connect: Callable[[], Any] | None = None) -> list[Check]:
    """What is found of driver, server, permissions, reading, writing and insight, in this order.

    `connect` opens the connections in the place of the driver. Where the server can't be reached, that is the last
    finding.
    """
    checks = [_driver(address)]
    connections = Connections(address, PoolOptions(size=1), connect=connect)
    try:
        with (
            faults.explained("looking at the server"),
            connections.session(autocommit=True) as connection,
        ):
            server = look_at(connection)
        return [
            *checks,
            Check("database", "good", f"{address.name}: {server.version}"),
            _permissions(server),
            _arrow(connections),
            _writing(connections, server),
            _insight(server),
        ]
    except GidbenchError as error:
        return [*checks, Check("database", "bad", f"{address.name}: {error.problem}", error.remedy)]
    finally:
        connections.close()


def _driver(address: Address) -> Check:
    """By which driver sessions are opened, and why by that one."""
    if address.library == "mssql_python":
        return Check("driver", "good", "mssql-python, as the URL says")
    if address.driver is None:
        named = address.keywords.get("Driver")
        found = f"{named}, as the URL says" if named else f"that of the data source {address.keywords['DSN']}"
    else:
        name = address.driver.name
        why = (
            "no installed one of Microsoft's was found"
            if "mssql-python" in name
            else "none of Microsoft's was found"
            if address.is_freetds
            else "installed"
        )
        found = f"{name}, {why}"
    if address.is_freetds:
        return Check(
            "driver",
            "note",
            found,
            "pip install mssql-python brings Microsoft's; over FreeTDS, fast_executemany crashes and is not offered",
        )
    return Check("driver", "good", found)


def _permissions(server: Server) -> Check:
    lacking = [name for name, granted in server.permissions.items() if not granted]
    if not lacking:
        return Check("permissions", "good", ", ".join(server.permissions))
    return Check(
        "permissions",
        "bad",
        f"lacking {', '.join(lacking)}",
        f"Ask the owner to GRANT {', '.join(lacking)} on the database",
    )


def _arrow(connections: Source) -> Check:
    if connections.has_arrow:
        return Check(
            "Arrow", "good", "rows are read as Arrow batches, and written by bulk copy (mssql-python)"
        )
    return Check(
        "Arrow",
        "note",
        "no reading as Arrow batches and no bulk copy: mssql-python is not installed, or can't express this URL",
        "pip install mssql-python, and name host and database in the URL instead of a data source",
    )


def _writing(connections: Source, server: Server) -> Check:
    choice = choose(AUTO, connections, server)
    name = f"{choice.strategy.name}: {choice.why}"
    if choice.strategy is BULKCOPY_ARROW:
        return Check("write strategy", "good", name)
    return Check("write strategy", "note", name, "Mend what keeps bulkcopy_arrow from being used")


def _insight(server: Server) -> Check:
    if not server.hides_state:
        return Check("log and waits", "good", "can be seen, and are recorded with each load")
    remedy = "" if server.is_babelfish else "Ask for it to see what loads write to the log and wait for"
    return Check("log and waits", "good" if server.is_babelfish else "note", server.hides_state, remedy)
