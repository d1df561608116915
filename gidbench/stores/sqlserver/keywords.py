"""Keywords of connection strings: spelled as drivers spell them, joined and taken apart, checked.

Sources: «DSN and Connection String Keywords and Attributes» of Microsoft Learn; the FreeTDS user guide, chapter
«ODBC Connection Attributes»; MS-ODBCSTR, the format of connection strings.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

from gidbench.errors import InputError

# What mssql-python takes (its mssql_python/constants.py has the list, and refuses all others).
_EVERYWHERE = (
    "Server",
    "UID",
    "PWD",
    "Authentication",
    "Trusted_Connection",
    "Database",
    "Encrypt",
    "TrustServerCertificate",
    "HostnameInCertificate",
    "ServerCertificate",
    "ServerSPN",
    "MultiSubnetFailover",
    "ApplicationIntent",
    "ConnectRetryCount",
    "ConnectRetryInterval",
    "KeepAlive",
    "KeepAliveInterval",
    "IpAddressPreference",
    "PacketSize",
)
# Of ODBC drivers only, without a bearing on which rows are read or written: mssql-python does without them.
_HARMLESS = (
    *("APP", "WSID", "AnsiNPW", "AutoTranslate", "ClientCharset", "ConcatNullYieldsNull", "Description"),
    *(
        "Driver",
        "DSN",
        "FileDSN",
        "GetDataExtensions",
        "LongAsMax",
        "MARS_Connection",
        "MultipleActiveResultSets",
    ),
    *(
        "Port",
        "QueryLogFile",
        "QueryLogTime",
        "QueryLog_On",
        "QuotedId",
        "Regional",
        "StatsLogFile",
        "StatsLog_On",
    ),
    *(
        "TDS_Version",
        "TextSize",
        "TransparentNetworkIPResolution",
        "UseFMTONLY",
        "VectorTypeSupport",
        "Encryption",
    ),
    *("Retry_Exec", "Replication", "SaveFile", "DebugFlags", "DumpFile", "DumpFileAppend"),
)
# Of ODBC drivers only, and the connection would be another one without them.
_OTHER = (
    *("AttachDBFileName", "ClientCertificate", "ClientKey", "ColumnEncryption", "Failover_Partner"),
    *(
        "FailoverPartner",
        "FailoverPartnerSPN",
        "KeystoreAuthentication",
        "KeystorePrincipalId",
        "KeystoreSecret",
    ),
    *("Language", "REALM", "Servername", "UseNTLMv2"),
)
# Ours: no driver of today takes it in the string (msodbcsql from 18.7 on), pyodbc and mssql-python as an argument.
TIMEOUT = "ConnectTimeout"
_KNOWN = {name.lower(): name for name in (*_EVERYWHERE, *_HARMLESS, *_OTHER, TIMEOUT)}
_ALSO = {
    "Server": "addr, address, data source, host",
    "Database": "initial catalog",
    "UID": "user, user id, username",
    "PWD": "password",
    "PacketSize": "packet size",
    "TrustServerCertificate": "trust_server_certificate, trust server certificate",
    "APP": "application name",
    "AutoTranslate": "odbc_autotranslate",
    TIMEOUT: "timeout, logintimeout, login_timeout, connect timeout, connection timeout, connect_timeout, "
    "connectiontimeout",
}
_SYNONYMS = {also: name for name, others in _ALSO.items() for also in others.split(", ")}
SECRET = frozenset({"pwd", "keystoresecret", "clientkey"})
_SAFE_FOR_ARROW = frozenset(name.lower() for name in (*_EVERYWHERE, *_HARMLESS))

_SWITCH = ("yes", "no", "true", "false", "1", "0")
_VALUES = {
    "Encrypt": ("yes", "no", "true", "false", "mandatory", "optional", "strict", "1", "0"),
    "TrustServerCertificate": _SWITCH,
    "Trusted_Connection": _SWITCH,
    "MultiSubnetFailover": _SWITCH,
    "ApplicationIntent": ("readwrite", "readonly"),
}
_NUMBERS = {"PacketSize": (512, 32_767), "Port": (1, 65_535), TIMEOUT: (0, 86_400)}


def canonical(keyword: str) -> str:
    """A keyword as the drivers' documentation spells it; an unknown one as it is.

    Raises InputError for one that differs from a known keyword by a slip: drivers ignore it silently, and
    a connection meant to be encrypted would not be. It is not repeated, as it may be a piece of a password
    with an unescaped "?".
    """
    plain = keyword.strip().lower()
    if plain in _SYNONYMS:
        return _SYNONYMS[plain]
    if plain in _KNOWN:
        return _KNOWN[plain]
    if not re.fullmatch(r"[a-z][a-z0-9 _]{1,39}", plain):
        raise InputError(
            "the database URL has a keyword after its ? that is none",
            "Write ?Keyword=value&Keyword=value, and %3F for a question mark in a password",
        )
    if near := difflib.get_close_matches(plain, _KNOWN, 1, cutoff=0.8):
        known = _KNOWN[near[0]]
        raise InputError(
            f"a keyword of the database URL is almost {known}, but not quite", f"Spell it {known}"
        )
    return keyword.strip()


def check(keyword: str, value: str) -> None:
    """Raises InputError where a value cannot be, for keywords whose values are few."""
    if keyword.lower() in SECRET or keyword in ("UID", "Server", "Database"):
        if "\0" in value:
            raise InputError(f"{keyword} of the database URL has a character of code 0", "Remove it")
        return
    few = _VALUES.get(keyword)
    if few and value.strip().lower() not in few:
        raise InputError(
            f"{keyword} of the database URL must be one of {', '.join(few[:-2])}",
            "Change it, or leave it out",
        )
    bounds = _NUMBERS.get(keyword)
    if bounds and not (re.fullmatch(r"\d{1,6}", value.strip()) and bounds[0] <= int(value) <= bounds[1]):
        raise InputError(
            f"{keyword} of the database URL must be a whole number from {bounds[0]:,} to {bounds[1]:,}",
            "Change it, or leave it out",
        )


def lost_without_odbc(keywords: Iterable[str]) -> list[str]:
    """Keywords that mssql-python does not take, and that cannot be left out."""
    return [name for name in keywords if name.lower() not in _SAFE_FOR_ARROW]


def taken_by_mssql_python(keyword: str) -> bool:
    return keyword in _EVERYWHERE


def join(keywords: Mapping[str, str] | Iterable[tuple[str, str]]) -> str:
    """A connection string: values in braces where they need them, a closing brace doubled."""
    pairs = keywords.items() if isinstance(keywords, Mapping) else keywords
    return ";".join(f"{name}={_braced(value)}" for name, value in pairs)


def _braced(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_.:,/\\-]*", value):
        return value
    return "{" + value.replace("}", "}}") + "}"


def join_for_freetds(keywords: Mapping[str, str]) -> str:
    """The same for FreeTDS, which takes a doubled brace for two (1.3; measured).

    Raises InputError, without the value, for one that cannot be written so that every version reads the same.
    """
    parts = []
    for name, value in keywords.items():
        if "}" not in value:
            parts.append(f"{name}={_braced(value)}")
        elif ";" not in value and not value.startswith("{"):
            parts.append(f"{name}={value}")
        else:
            raise InputError(
                f"FreeTDS takes no {name} with both }} and ; in it, nor with }} and {{ in front",
                "Use Microsoft's driver (pip install mssql-python), or another password",
            )
    return ";".join(parts)


_PAIR = re.compile(r"\s*([^=;{}]+?)\s*=\s*(\{(?:[^}]|\}\})*\}|[^;{][^;]*|)\s*(?:;|$)")


def split(text: str) -> list[tuple[str, str]]:
    """(keyword, value) of a connection string. Raises InputError, without repeating any of it."""
    pairs, at = [], 0
    text = text.strip().strip(";")
    while at < len(text):
        match = _PAIR.match(text, at)
        if match is None:
            raise InputError(
                "odbc_connect of the database URL is no connection string",
                "Write KEYWORD=value;KEYWORD=value, a value with ; or } in braces, each } in it doubled",
            )
        value = match[2].rstrip()
        if value.startswith("{"):
            value = value[1:-1].replace("}}", "}")
        pairs.append((match[1], value))
        at = match.end()
    return pairs
