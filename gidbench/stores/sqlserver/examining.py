"""Can this SQL Server be used, by which driver, and as fast as can be? Looks around; nothing is changed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.engine import URL

from gidbench.errors import GidbenchError
from gidbench.stores.drivers import Driver
from gidbench.stores.sqlserver import faults, making
from gidbench.stores.sqlserver.address import Address, address_of
from gidbench.stores.sqlserver.connections import Connections, PoolOptions
from gidbench.stores.sqlserver.server import Server, look_at
from gidbench.stores.sqlserver.writing import AUTO, choose
from gidbench.stores.sqlserver.writing.bulk import BULKCOPY_ARROW

_TIMEOUT_S = 5  # who asks a doctor does not wait for a quarter of a minute
_OFF = frozenset({"no", "false", "0", "optional"})
_ON = frozenset({"yes", "true", "1"})


@dataclass(frozen=True)
class Findings:
    """What was found at an address.

    Attributes
    ----------
    driver, driver_reason:
        What connects, with its version, and why this one.
    no_arrow:
        Why there is neither reading of Arrow batches nor bulk copy; empty where there is.
    refused:
        Settings of a session that the server does not take.
    strategy, strategy_reason, is_fastest:
        The write strategy that `auto` takes, why, and whether there is none that is faster elsewhere.
    """

    address: Address
    server: Server
    driver: str
    driver_reason: str
    no_arrow: str
    refused: tuple[str, ...]
    strategy: str
    strategy_reason: str
    is_fastest: bool


def examine_server(url: URL, drivers: Sequence[Driver] | None = None) -> Findings:
    """Connect both ways and look around.

    Raises InputError where the URL or its driver is wrong, StoreError where the server cannot be used.
    """
    address = address_of(url, drivers)
    address = replace(address, connect_timeout_s=min(address.connect_timeout_s, _TIMEOUT_S))
    connections = Connections(address, PoolOptions(size=1, overflow=0, timeout_s=_TIMEOUT_S))
    try:
        with faults.explained("looking at the server"), connections.session(autocommit=True) as connection:
            server = look_at(connection)
            driver = _driver(address, connection)
        no_arrow = connections.no_arrow
        if not no_arrow:
            try:
                with faults.explained("trying mssql-python"), connections.arrow() as connection:
                    making.ping(connection)
            except GidbenchError as error:
                no_arrow = error.problem
        choice = choose(AUTO, connections, server)
        return Findings(
            address,
            server,
            driver,
            address.driver_reason,
            no_arrow,
            connections.refused,
            choice.strategy.name,
            choice.why,
            choice.strategy is BULKCOPY_ARROW,
        )
    finally:
        connections.close()


def encryption_of(address: Address) -> tuple[bool | None, bool]:
    """(whether connections are encrypted; None: if the server offers it, whether its certificate is checked)."""
    told = {name.lower(): value.lower() for name, value in address.keywords}
    asked = told.get("encrypt", "")
    if address.is_freetds:
        required = told.get("encryption", "") in ("require", "strict") or bool(asked and asked not in _OFF)
        return (True if required else None), False
    if asked in _OFF:
        return False, False
    return True, told.get("trustservercertificate", "no") not in _ON


def _driver(address: Address, connection: Any) -> str:
    name = address.driver.name if address.driver else ""
    with suppress(Exception):  # the driver tells more of itself, where it does
        import pyodbc

        if address.dialect == "mssql+pyodbc":
            name = name or str(connection.getinfo(pyodbc.SQL_DRIVER_NAME))
            return f"{name} {connection.getinfo(pyodbc.SQL_DRIVER_VER)}"
    return name or "mssql-python"
