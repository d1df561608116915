"""Where a SQL Server is and how to log in: from a URL to the keywords of ODBC.

Source of the keywords: Microsoft Learn, "DSN and connection string keywords and attributes", and FreeTDS, "ODBC
connection string attributes".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy.engine import URL

from gidbench.errors import InputError
from gidbench.stores.drivers import Driver, odbc_drivers

DRIVERNAMES = ("mssql", "mssql+pyodbc", "mssql+mssqlpython")
CONNECT_TIMEOUT_S = 15
# mssql-python's bulk copy fails at the protocol's default of 4,096; 32,767 is the most, and not faster than this
PACKET_BYTES = 16_384
_DEFAULT_PORT = 1433

# Keywords by their lower-case spellings without spaces and underscores: the one that drivers agree on.
_KEYWORDS = {
    "driver": "Driver",
    "dsn": "DSN",
    "server": "Server",
    "servername": "Server",
    "address": "Server",
    "addr": "Server",
    "port": "Port",
    "database": "Database",
    "uid": "UID",
    "user": "UID",
    "username": "UID",
    "pwd": "PWD",
    "password": "PWD",
    "encrypt": "Encrypt",
    "trustservercertificate": "TrustServerCertificate",
    "hostnameincertificate": "HostNameInCertificate",
    "servercertificate": "ServerCertificate",
    "trustedconnection": "Trusted_Connection",
    "authentication": "Authentication",
    "app": "APP",
    "packetsize": "PacketSize",
    "applicationintent": "ApplicationIntent",
    "multisubnetfailover": "MultiSubnetFailover",
    "connectretrycount": "ConnectRetryCount",
    "connectretryinterval": "ConnectRetryInterval",
    "keepalive": "KeepAlive",
    "keepaliveinterval": "KeepAliveInterval",
    "serverspn": "ServerSPN",
    "tdsversion": "TDS_Version",
    "clientcharset": "ClientCharset",
    "longasmax": "LongAsMax",
}
# What only pyodbc, an ODBC driver or FreeTDS knows; mssql-python refuses keywords that it does not.
_ODBC_ONLY = {"Driver", "DSN", "APP", "Port", "TDS_Version", "ClientCharset", "LongAsMax"}
_SECRET = {"PWD"}
_OFF = {"no", "false", "0", "optional", "disabled"}


@dataclass(frozen=True)
class Address:
    """A database of a SQL Server.

    Attributes
    ----------
    keywords:
        ODBC keywords; secret, as they may hold a password.
    name:
        The URL without credentials, fit to be shown.
    library:
        `pyodbc` or `mssql_python`: by which its sessions are opened.
    driver:
        The ODBC driver of pyodbc's sessions; None where the URL or a DSN names it.
    """

    keywords: Mapping[str, str] = field(repr=False)
    name: str
    library: str = "pyodbc"
    driver: Driver | None = field(default=None, repr=False)

    @property
    def is_freetds(self) -> bool:
        told = self.keywords.get("Driver", "") + (self.driver.name if self.driver else "")
        return "tds" in told.lower()

    @property
    def odbc(self) -> str:
        """The connection string of pyodbc."""
        told = dict(self.keywords)
        told.setdefault("APP", "gidbench")
        if self.is_freetds:
            host, _, port = told.pop("Server", "").partition(",")
            told |= {"Server": host, "Port": port or str(_DEFAULT_PORT)}
            told.setdefault("TDS_Version", "7.4")
            told.setdefault("ClientCharset", "UTF-8")
            # its own words for the same: https://www.freetds.org/userguide/OdbcConnAttr.html
            encrypt = told.pop("Encrypt", "yes").lower()
            told["Encryption"] = "off" if encrypt in _OFF else "require"
            told.pop("TrustServerCertificate", None)
        else:
            told.setdefault("PacketSize", str(PACKET_BYTES))
        return _joined(told)

    @property
    def bulk(self) -> str | None:
        """The connection string of mssql-python; None where it can't express this address."""
        if {"DSN", "TDS_Version"} & set(self.keywords) or "Server" not in self.keywords:
            return None
        told = {key: value for key, value in self.keywords.items() if key not in _ODBC_ONLY}
        told.setdefault("PacketSize", str(PACKET_BYTES))
        return _joined(told)

    @property
    def server(self) -> str:
        """What is the same for two addresses of one server, as far as names tell."""
        told = self.keywords.get("Server") or self.keywords.get("DSN", "")
        host, _, port = told.lower().removeprefix("tcp:").partition(",")
        host = {"localhost": "127.0.0.1", ".": "127.0.0.1", "(local)": "127.0.0.1"}.get(host, host)
        return f"{host},{port or self.keywords.get('Port') or _DEFAULT_PORT}"

    @property
    def identity(self) -> str:
        """What is the same for two addresses of one database."""
        return f"{self.server}/{self.keywords.get('Database', '').lower()}"


def address_of(url: URL, drivers: list[Driver] | None = None) -> Address:
    """The address of a URL: `mssql+pyodbc://user:password@host:1433/database?Encrypt=…`, `mssql+pyodbc://dsn`,
    `mssql+pyodbc:///?odbc_connect=…` or `mssql+mssqlpython://…`; further parameters go to the driver as they are.

    `drivers` are those to choose from where the URL names none; default: those that are found.
    Raises InputError, without any secret.
    """
    if url.drivername not in DRIVERNAMES:
        raise InputError(
            f"there is no store for {url.drivername} databases",
            f"Use duckdb:///FILE or {', '.join(DRIVERNAMES[1:])}",
        )
    library = "mssql_python" if url.drivername.endswith("mssqlpython") else "pyodbc"
    keywords: dict[str, str] = {}
    for key, value in url.query.items():
        told = value if isinstance(value, str) else value[-1]
        if key.lower() == "odbc_connect":
            for name, part in split_odbc(told).items():
                keywords[_canonical(name)] = part
        else:
            keywords[_canonical(key)] = told
    named = "Driver" in keywords
    if url.host:
        # without a database, a port or a driver, the host of a URL of SQLAlchemy's is a data source of ODBC's
        if library == "pyodbc" and not url.database and not url.port and not named:
            keywords["DSN"] = url.host
        else:
            keywords["Server"] = url.host + (f",{url.port}" if url.port else "")
    if url.database:
        keywords["Database"] = url.database
    if url.username:
        keywords["UID"] = url.username
    if url.password:
        keywords["PWD"] = str(url.password)
    if not ({"Server", "DSN"} & set(keywords)):
        raise InputError(
            "the database URL names no server",
            "Write it like mssql+pyodbc://user:password@host:1433/database",
        )
    if "UID" not in keywords and not {"Authentication", "Trusted_Connection", "DSN"} & set(keywords):
        keywords["Trusted_Connection"] = "yes"
    driver = None
    if library == "pyodbc" and not named and "DSN" not in keywords:
        found = odbc_drivers() if drivers is None else drivers
        if not found:
            raise InputError(
                "no ODBC driver for SQL Server is installed", "pip install mssql-python brings Microsoft's"
            )
        driver = found[0]
        keywords["Driver"] = driver.keyword
    for key, value in keywords.items():
        if "\0" in value:
            raise InputError(f"{key} of the database URL holds a zero character", "Remove it")
    return Address(keywords, _shown(url, keywords), library, driver)


def _shown(url: URL, keywords: Mapping[str, str]) -> str:
    """The URL without its query; of `odbc_connect`, what it says of server and database."""
    if url.host:
        return url.set(query={}).render_as_string(hide_password=True)
    host, _, port = keywords.get("Server", keywords.get("DSN", "")).partition(",")
    shown = URL.create(
        url.drivername,
        host=host or None,
        port=int(port) if port.isdigit() else None,
        database=keywords.get("Database"),
    )
    return shown.render_as_string(hide_password=True)


def _canonical(key: str) -> str:
    plain = key.lower().replace(" ", "").replace("_", "")
    return _KEYWORDS.get(plain, key)


def _joined(keywords: Mapping[str, str]) -> str:
    return ";".join(f"{key}={_braced(value)}" for key, value in keywords.items())


def _braced(value: str) -> str:
    """A value in braces wherever a character could mean something; a closing brace is doubled inside."""
    if value and value == value.strip() and not set(value) & set("[]{}(),;?*=!@"):
        return value
    return "{" + value.replace("}", "}}") + "}"


def split_odbc(text: str) -> dict[str, str]:
    """The keywords of a connection string. Raises InputError, without repeating it, where it is malformed."""
    found: dict[str, str] = {}
    rest = text.strip()
    while rest:
        key, equals, rest = rest.partition("=")
        if not equals or not key.strip():
            raise InputError(
                "odbc_connect is no list of KEY=VALUE;", "Write it as ODBC takes it, quoted for a URL"
            )
        rest = rest.lstrip()
        if rest.startswith("{"):
            end = rest.find("}", 1)
            while end > 0 and rest[end : end + 2] == "}}":
                end = rest.find("}", end + 2)
            if end < 0:
                raise InputError("a brace of odbc_connect is never closed", "Close it; inside, write } as }}")
            value, rest = rest[1:end].replace("}}", "}"), rest[end + 1 :].lstrip()
            if rest and not rest.startswith(";"):
                raise InputError("a value of odbc_connect goes on behind its brace", "Put a ; between values")
            rest = rest[1:]
        else:
            value, _, rest = rest.partition(";")
        found[key.strip()] = value.strip() if not value.startswith(" ") else value
        rest = rest.lstrip("; ")
    return found


def is_encrypted(address: Address) -> bool:
    """Whether the connection is encrypted: the driver's default is that it is."""
    return address.keywords.get("Encrypt", "yes").lower() not in _OFF


def trusts_anybody(address: Address) -> bool:
    """Whether the server's certificate is taken as it is; FreeTDS checks none unless its own file says so."""
    told = address.keywords.get("TrustServerCertificate", "no").lower()
    return address.is_freetds or told in ("yes", "true", "1")
