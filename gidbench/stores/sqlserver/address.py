"""From a URL to what drivers need to connect to a SQL Server; secrets stay inside."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from pydantic import SecretStr
from sqlalchemy.engine import URL

from gidbench.errors import InputError
from gidbench.stores.drivers import Driver, odbc_drivers
from gidbench.stores.sqlserver import keywords as kw

APPLICATION = "gidbench"
DEFAULT_PORT = 1433
# mssql-python's bulk copy panics with the 4,096 that servers offer; the most, 32,767, is not faster than this. pyodbc
# gets none: where a login is refused, Microsoft's driver would tell that the size was not changed, and not the cause.
PACKET_BYTES = 16_384
CONNECT_TIMEOUT_S = 15  # what Microsoft's drivers and SQLAlchemy wait
_ODBC, _MSSQL_PYTHON = "mssql+pyodbc", "mssql+mssqlpython"
_OF_SQLALCHEMY = ("ansi", "unicode_results", "autocommit")  # arguments of pyodbc; our pool sets them itself
_HERE = frozenset({"localhost", "127.0.0.1", "::1", ".", "(local)", "[::1]"})


@dataclass(frozen=True)
class Address:
    """A database on a SQL Server, and how to get there. Neither its repr nor its fields show a secret.

    Attributes
    ----------
    name:
        The URL without password and query: fit for logs and results.
    dialect:
        `mssql+pyodbc`, or `mssql+mssqlpython` where rows go through mssql-python as well.
    server, port, database:
        As they were given; empty, or None, where the driver or a DSN decides.
    driver:
        The ODBC driver; None where a DSN names it, and for mssql-python, which brings its own.
    driver_reason:
        Why this driver, as a sentence.
    connect_timeout_s:
        How long a connection may take to be made.
    """

    name: str
    dialect: str
    server: str
    port: int | None
    database: str
    user: str
    dsn: str
    driver: Driver | None
    driver_reason: str
    connect_timeout_s: int
    keywords: tuple[tuple[str, str], ...]
    secrets: tuple[tuple[str, SecretStr], ...] = field(repr=False)

    def __str__(self) -> str:
        return self.name

    @property
    def is_freetds(self) -> bool:
        """Whether the driver is known to be FreeTDS (a DSN may hide it: ask the connection)."""
        return self.driver is not None and is_freetds(self.driver.name, self.driver.path)

    @property
    def is_azure(self) -> bool:
        """Whether the server is one of Azure SQL, where databases go away and come back by themselves."""
        host = self.server.lower()
        return host.endswith(
            (".windows.net", ".fabric.microsoft.com", ".chinacloudapi.cn", ".usgovcloudapi.net")
        )

    @property
    def identity(self) -> str:
        """A text that is the same for two addresses of one database, as far as names tell."""
        if self.dsn and not self.server:
            where = f"DSN {self.dsn.lower()}"
        else:
            host, instance, port = _place(self)
            where = f"{host}\\{instance},{port}"
        # a login's default database is known to the server only: it is the same where the login is
        return f"{where}/{self.database.lower() or f'default of {self.user}'}"

    @property
    def no_arrow(self) -> str:
        """Why mssql-python cannot be used for this address; empty where it can."""
        if importlib.util.find_spec("mssql_python") is None:
            return "mssql-python is not installed"
        if not self.server:
            return "the server's name is hidden in a DSN; write host and database in the URL"
        if lost := kw.lost_without_odbc(name for name, _ in (*self.keywords, *self.secrets)):
            return f"mssql-python knows no {', '.join(lost)}"
        return ""

    def odbc_string(self) -> str:
        """The connection string for pyodbc. Secret: neither to be shown nor to be passed on a command line."""
        pairs = dict(self._all())
        if self.driver is not None:
            pairs["Driver"] = self.driver.keyword
        if self.is_freetds:
            return kw.join_for_freetds(_for_freetds(pairs, self.server, self.port))
        if self.port is not None:
            pairs["Server"] = f"{self.server},{self.port}"
        return kw.join(sorted(pairs.items(), key=lambda pair: pair[0] not in ("Driver", "DSN")))

    def mssql_python_string(self) -> str:
        """The connection string for mssql-python, as secret. Raises InputError where `no_arrow` says why."""
        if self.no_arrow:
            raise InputError(
                f"mssql-python cannot connect to {self.name}: {self.no_arrow}", "Use mssql+pyodbc://"
            )
        pairs = {name: value for name, value in self._all() if kw.taken_by_mssql_python(name) and value}
        if self.port is not None:
            pairs["Server"] = f"{self.server},{self.port}"
        pairs.setdefault("PacketSize", str(PACKET_BYTES))
        return kw.join(pairs)

    def _all(self) -> list[tuple[str, str]]:
        return [*self.keywords, *((name, secret.get_secret_value()) for name, secret in self.secrets)]


def address_of(url: URL, drivers: Sequence[Driver] | None = None) -> Address:
    """The address of a URL. Raises InputError naming what is wrong in it, without its secrets.

    `drivers` are the ODBC drivers to choose from, the best first; None: those of this machine.
    """
    dialect = _ODBC if url.drivername == "mssql" else url.drivername
    if dialect not in (_ODBC, _MSSQL_PYTHON):
        raise InputError(
            f"there is no store for {url.drivername} databases",
            "Use duckdb:///FILE, mssql+pyodbc:// or mssql+mssqlpython://",
        )
    given = _keywords(url, dialect)
    timeout = int(given.pop(kw.TIMEOUT, CONNECT_TIMEOUT_S)) or CONNECT_TIMEOUT_S
    dsn = given.get("DSN", "")
    driver, reason = _driver(given, dialect, odbc_drivers() if drivers is None else drivers)
    server, port = _server(given)
    _complete(given, dsn)
    secret = {name: value for name, value in given.items() if name.lower() in kw.SECRET}
    return Address(
        name=_name(url, dialect, server, port, given),
        dialect=dialect,
        server=server,
        port=port,
        database=given.get("Database", ""),
        user=given.get("UID", ""),
        dsn=dsn,
        driver=driver,
        driver_reason=reason,
        connect_timeout_s=timeout,
        keywords=tuple((name, value) for name, value in given.items() if name not in secret),
        secrets=tuple((name, SecretStr(value)) for name, value in secret.items()),
    )


def is_freetds(*names: str) -> bool:
    """Whether names of a driver, or of its file, are FreeTDS's."""
    return any(re.search(r"freetds|tdsodbc", name, re.IGNORECASE) or name.lower() == "tds" for name in names)


def is_same_server(one: Address, other: Address) -> bool:
    """Whether two addresses name one server: by name, port and instance; no name is looked up."""
    if (one.dsn and not one.server) or (other.dsn and not other.server):
        return one.dsn.lower() == other.dsn.lower()
    return _place(one) == _place(other)


def is_same_database(one: Address, other: Address) -> bool:
    """Whether two addresses name one database of one server, whoever logs in."""
    return one.identity == other.identity


def _place(address: Address) -> tuple[str, str, int]:
    host, _, instance = address.server.lower().partition("\\")
    if instance and instance != "mssqlserver":
        # The port of a named instance is found by its name, so a given one says the same.
        return ("here" if host in _HERE else host), instance, address.port or 0
    return ("here" if host in _HERE else host), "", address.port or DEFAULT_PORT


def _name(url: URL, dialect: str, server: str, port: int | None, given: dict[str, str]) -> str:
    if not url.host and server:  # of odbc_connect
        url = URL.create(
            dialect, given.get("UID"), "***" if "PWD" in given else None, server, port, given.get("Database")
        )
    return url.set(query={}).render_as_string(hide_password=True)


def _keywords(url: URL, dialect: str) -> dict[str, str]:
    """Keywords of a URL's parts, of its query, and of odbc_connect in it; each once."""
    given: dict[str, str] = {}

    def add(name: str, value: str) -> None:
        kw.check(name, value)
        if name in given:
            raise InputError(f"the database URL gives {name} twice", "Leave one of them out")
        given[name] = value

    for key, value in url.query.items():
        if not isinstance(value, str):
            raise InputError(
                f"the database URL gives {kw.canonical(key)} more than once", "Leave one of them out"
            )
        if key.lower() == "odbc_connect":
            for name, text in kw.split(value):
                add(kw.canonical(name), text)
        elif key.lower() not in _OF_SQLALCHEMY:
            add(kw.canonical(key), value)
    # As in SQLAlchemy: a host alone is the name of a DSN, unless what follows can only go with a server.
    alone = url.host and not url.database and url.port is None and "." not in url.host
    if alone and dialect == _ODBC and not {"Driver", "Database", "Server"} & given.keys():
        add("DSN", url.host or "")
    elif url.host:
        add("Server", unquote(url.host))  # SQLAlchemy leaves %5C, the backslash of an instance, as it is
    for name, part in (("Database", url.database), ("UID", url.username)):
        if part:
            add(name, part)
    if url.port is not None:
        add("Port", str(url.port))
    if url.password is not None:
        add("PWD", str(url.password))
    if not {"Server", "DSN", "FileDSN", "Servername"} & given.keys():
        raise InputError(
            "the database URL names no server",
            "Write it like mssql+pyodbc://user:password@host:1433/database",
        )
    return given


def _complete(given: dict[str, str], dsn: str) -> None:
    """What a user need not say. Encryption is left to the driver's default, which is on from version 18 on."""
    if "UID" not in given and "Authentication" not in given and not dsn:
        given.setdefault("Trusted_Connection", "yes")
    given.setdefault("APP", APPLICATION)


def _server(given: dict[str, str]) -> tuple[str, int | None]:
    """Host (or host\\instance) and port of Server=tcp:host,port and Port=; both are taken apart here only."""
    server = given.get("Server", "").strip()
    port = given.pop("Port", None)
    if server[:4].lower() == "tcp:":
        server = server[4:]
    host, comma, behind = server.rpartition(",")
    if comma:
        kw.check("Port", behind)
        if port is not None and int(port) != int(behind):
            raise InputError("the database URL gives two ports", "Leave one of them out")
        server, port = host, behind
    if server:
        given["Server"] = server
    return server, int(port) if port is not None else None


def _driver(given: dict[str, str], dialect: str, found: Sequence[Driver]) -> tuple[Driver | None, str]:
    named = given.pop("Driver", "")
    if dialect == _MSSQL_PYTHON:
        return None, "mssql-python brings its own, as mssql+mssqlpython:// asks for"
    if named:
        known = next((one for one in found if named.lower() in (one.keyword.lower(), one.name.lower())), None)
        return known or Driver(named, named, named), "the URL asks for it"
    if "DSN" in given or "FileDSN" in given:
        return None, "the data source names it"
    # FreeTDS knows no Entra: what it would do with the user's name and password is not what was asked for.
    fitting = [one for one in found if "Authentication" not in given or not is_freetds(one.name, one.path)]
    if not fitting:
        raise InputError(
            "no ODBC driver for SQL Server is installed" + (" that knows Authentication=" if found else ""),
            "pip install mssql-python brings Microsoft's",
        )
    best = fitting[0]
    if is_freetds(best.name, best.path):
        return best, "Microsoft's is neither installed nor in mssql-python's wheel"
    if "from mssql-python" in best.name:
        return best, "none of Microsoft's is installed, so the one in mssql-python's wheel is taken"
    return best, "it is installed"


def _for_freetds(pairs: dict[str, str], server: str, port: int | None) -> dict[str, str]:
    """The same in FreeTDS's words; what it does not know would be ignored without a word.

    Encrypt is one of those: FreeTDS's Encryption=require is what =yes means. Encrypt=no becomes =request and
    not =off, since Microsoft's drivers encrypt the login even then, and a password must not travel in clear.
    """
    given = {
        name: value for name, value in pairs.items() if name not in ("Encrypt", "TrustServerCertificate")
    }
    given["Server"] = server
    if port is not None or "\\" not in server:
        given["Port"] = str(port or DEFAULT_PORT)
    given.setdefault("TDS_Version", "7.4")
    given.setdefault("ClientCharset", "UTF-8")
    encrypt = pairs.get("Encrypt", "").lower()
    if encrypt == "strict":
        raise InputError(
            "FreeTDS knows no Encrypt=strict", "Use Microsoft's driver: pip install mssql-python"
        )
    if encrypt:
        required = encrypt in ("yes", "true", "mandatory", "1")
        given.setdefault("Encryption", "require" if required else "request")
    return given
