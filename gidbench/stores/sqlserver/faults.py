"""What the errors of SQL Server and its drivers mean, which of them pass by themselves, and what to do about others.

Sources: Microsoft Learn, "Database Engine events and errors", "Troubleshoot transient connection errors in SQL
Database and SQL Managed Instance", "Resource limits: errors 10928 and 10929", and "Appendix A: ODBC error codes".
pyodbc tells SQLSTATE and the native number; mssql-python only the text of SQLSTATE and the server's message, so its
errors are told by text, as are those of Babelfish, which has one number (33557097) for most of what PostgreSQL says.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from gidbench.errors import GidbenchError, InputError, StoreError
from gidbench.log import redact


@dataclass(frozen=True)
class Meaning:
    """A fault in words; `transient`: it passes by itself; `lost`: the connection is of no further use."""

    problem: str
    remedy: str
    transient: bool = False
    lost: bool = False
    is_input: bool = False


_AGAIN = "Run it again; nothing is lost"
_NETWORK = "Check the network, and that the server runs"
_BUSY_AZURE = Meaning("the database has reached a limit of its service tier", "Wait, or raise its tier", True)
_MOVING = Meaning("the database is being moved or restarted", _AGAIN, True, True)
_CUT = Meaning("the connection was cut", _NETWORK, True, True)
_LOGIN = Meaning("the login is refused", "Check user, password and the server's authentication mode")
_NO_RIGHT = Meaning("the login lacks a permission", "Ask the owner of the database to grant it")
_NO_DATABASE = Meaning(
    "the database cannot be opened", "Check its name, and that the login may use it", is_input=True
)
_LOG_FULL = Meaning("the transaction log is full", "Back the log up or let it grow, then run it again")
_DISK_FULL = Meaning("the server's disk or file group is full", "Make room on the server, then run it again")
_TOO_LONG = Meaning("a text is longer than its column", "Widen the column, or shorten the text")
_REPEATED = Meaning("a key is there already", "Look for rows that repeat it, in what comes and in the table")
_EMPTY = Meaning("a column that must not be empty gets an empty value", "Fill it, or allow NULL in the table")
_BROKEN_RULE = Meaning("a row breaks a rule of its table", "Check its constraints and foreign keys")
_NO_TABLE = Meaning(
    "there is no such table or column", "Check its name, or run `gidbench schema create`", is_input=True
)
_NO_NUMBER = Meaning("a value does not fit the type of its column", "Check the column's type")
_TIMEOUT = Meaning(
    "the server did not answer in time", "Allow it a longer time, or look for what blocks it", True
)

# By the server's number.
NUMBERS: dict[int, Meaning] = {
    1205: Meaning("another transaction was preferred (deadlock)", _AGAIN, True),
    1222: Meaning(
        "a lock was not to be had in time", "Look for what blocks the tables, or wait longer", True
    ),
    # closed by the server or the network while in use
    **dict.fromkeys((64, 121, 233, 10053, 10054, 10060, 10061, 11001, 17142, 17830), _CUT),
    # FreeTDS's own (sybdb.h): reading, writing, an end of the stream, a dead connection
    **dict.fromkeys((20004, 20006, 20017, 20047), _CUT),
    # Azure SQL Database: too much at once, failing over, moving
    **dict.fromkeys((10928, 10929, 40501, 49918, 49919, 49920), _BUSY_AZURE),
    **dict.fromkeys(
        (926, 40143, 40197, 40540, 40613, 41301, 41302, 41305, 41325, 41839, 42108, 42109), _MOVING
    ),
    # a snapshot that met an update of somebody else
    3960: Meaning("another transaction has changed the same rows", _AGAIN, True),
    701: Meaning("the server has too little memory for it", "Use smaller batches or fewer workers", True),
    8645: Meaning("the server has no memory for it now", _AGAIN, True),
    8651: Meaning("the server has no memory for it now", _AGAIN, True),
    # 4060 passes by itself only while a database of Azure's starts; everywhere else it is a wrong name
    **dict.fromkeys((911, 4060, 4064), _NO_DATABASE),
    **dict.fromkeys((18452, 18456, 18470, 18486, 18487, 18488), _LOGIN),
    **dict.fromkeys((229, 230, 262, 297, 300, 916, 1088, 2760, 4834, 15247), _NO_RIGHT),
    9002: _LOG_FULL,
    **dict.fromkeys((1101, 1105, 5149, 823), _DISK_FULL),
    **dict.fromkeys((2628, 8152), _TOO_LONG),
    **dict.fromkeys((2601, 2627), _REPEATED),
    515: _EMPTY,
    547: _BROKEN_RULE,
    **dict.fromkeys((207, 208, 4902), _NO_TABLE),
    **dict.fromkeys((206, 220, 241, 242, 245, 248, 8114, 8115), _NO_NUMBER),
    3906: Meaning("the database is read-only", "Name another database, or its primary replica"),
    3930: Meaning("the transaction is doomed by an earlier error", _AGAIN),
}

# By SQLSTATE, where no number says more.
STATES: dict[str, Meaning] = {
    "28000": _LOGIN,
    "08001": Meaning(
        "the server cannot be reached", "Check host and port, and that it takes TCP connections", True, True
    ),
    "08003": _CUT,
    "08004": _LOGIN,
    "08007": _CUT,
    "08S01": _CUT,
    "40001": NUMBERS[1205],
    "HYT00": _TIMEOUT,
    "HYT01": _TIMEOUT,
    "IM002": Meaning(
        "the ODBC driver or data source is not registered", "Leave driver= out of the URL", is_input=True
    ),
    "IM004": Meaning("the ODBC driver cannot be loaded", "Install it anew, or pip install mssql-python"),
    "01000": Meaning("the ODBC driver cannot be loaded", "Install it anew, or pip install mssql-python"),
    "22001": _TOO_LONG,
    "23000": _BROKEN_RULE,
    "42S02": _NO_TABLE,
    "42S22": _NO_TABLE,
}

# By words, for drivers and servers that tell no number. The first that is found counts.
WORDS: tuple[tuple[str, Meaning], ...] = (
    ("deadlock", NUMBERS[1205]),
    ("lock timeout", NUMBERS[1222]),
    ("lock request time out", NUMBERS[1222]),
    (
        "certificate verify failed",
        Meaning("the server's certificate is not trusted", "Install it, or say TrustServerCertificate=yes"),
    ),
    ("login failed", _LOGIN),
    ("receive token during login", _CUT),
    ("authentication failed", _LOGIN),
    ("cannot open database", _NO_DATABASE),
    ("permission denied", _NO_RIGHT),
    ("permission was denied", _NO_RIGHT),
    ("transaction log for database", _LOG_FULL),
    ("no space left on device", _DISK_FULL),
    ("could not allocate space", _DISK_FULL),
    ("could not extend file", _DISK_FULL),
    ("truncated", _TOO_LONG),
    ("value too long for type", _TOO_LONG),
    ("duplicate key", _REPEATED),
    ("does not allow nulls", _EMPTY),
    ("cannot insert the value null", _EMPTY),
    ("violates not-null", _EMPTY),
    ("null value in column", _EMPTY),
    ("violates check constraint", _BROKEN_RULE),
    ("violates foreign key", _BROKEN_RULE),
    ("constraint", _BROKEN_RULE),
    ("invalid object name", _NO_TABLE),
    ("invalid column name", _NO_TABLE),
    ("does not exist", _NO_TABLE),
    ("terminating connection", _CUT),
    ("connection reset", _CUT),
    ("connection refused", STATES["08001"]),
    ("connection is dead", _CUT),
    ("connection closed", _CUT),
    ("connection is closed", _CUT),
    ("broken pipe", _CUT),
    ("communication link failure", _CUT),
    ("unexpected eof", _CUT),
    ("unexpected end of file", _CUT),
    ("end of file", _CUT),
    ("early eof", _CUT),
    ("tcp provider", _CUT),
    # FreeTDS, where the network has told it something that it has no words for
    ("[freetds][sql server]unknown error", _CUT),
    ("driver did not supply an error", _CUT),
    ("unable to establish connection", STATES["08001"]),
    ("the database system is", _MOVING),
    ("timeout expired", _TIMEOUT),
    ("timed out", _TIMEOUT),
    ("statement timeout", _TIMEOUT),
    ("out of memory", NUMBERS[701]),
)
_PANIC = Meaning("the driver has failed within", "Choose another write strategy", lost=True)
_UNKNOWN = Meaning("the server refuses", "Check the tables against the README, and the log of the server")

_NUMBER = re.compile(r"\((\d{2,8})\)")
_COLUMN = re.compile(r"column '([^']{1,128})'")  # of 2628 and 515; the value itself is never repeated
_TYPE = re.compile(r"value too long for type ([a-z ]+\(\d+\))")
_RULE = re.compile(r"constraint [\"']([^\"']{1,128})[\"']")
_RIGHT = re.compile(r"The ([A-Z ]+) permission was denied on the (?:object|database) '([^']{1,128})'")
_BABELFISH = 33557097


def _driver_errors() -> tuple[type[BaseException], ...]:
    found: list[type[BaseException]] = []
    with contextlib.suppress(ImportError):
        import pyodbc

        found.append(pyodbc.Error)
    with contextlib.suppress(ImportError, OSError):
        from mssql_python.exceptions import Error

        found.append(Error)
    return tuple(found)


DRIVER_ERRORS = _driver_errors()
# mssql-python's bulk copy is a library of its own, which raises plain errors; its panics are no Exception at all
_PLAIN = (RuntimeError, OSError, ValueError)


def _is_panic(error: BaseException | None) -> bool:
    """Whether a library in Rust has given up: that is no Exception, and its class can't be imported."""
    return type(error).__name__ == "PanicException"


def meaning_of(error: BaseException | None) -> Meaning | None:
    """What a driver's error means; None where it is no driver's."""
    if isinstance(error, GidbenchError):
        return meaning_of(error.__cause__)
    if _is_panic(error):
        return _by_words(str(error)) or _PANIC
    if error is None or not isinstance(error, (*DRIVER_ERRORS, *_PLAIN)):
        return None
    if isinstance(error, _PLAIN) and not isinstance(error, DRIVER_ERRORS):
        found = _by_words(str(error))
        return found if found or isinstance(error, RuntimeError) else None
    text = str(error)
    for number in map(int, _NUMBER.findall(text)):
        if number in NUMBERS:
            return NUMBERS[number]
    state = str(error.args[0]) if error.args else ""
    words = _by_words(text)
    if words is not None and (state not in STATES or _BABELFISH in map(int, _NUMBER.findall(text))):
        return words
    return STATES.get(state) or words or _UNKNOWN


def _by_words(text: str) -> Meaning | None:
    lower = text.lower()
    return next((meaning for words, meaning in WORDS if words in lower), None)


def is_transient(error: BaseException | None) -> bool:
    """Whether trying again may help."""
    found = meaning_of(error)
    return found is not None and found.transient


def is_disconnect(error: BaseException | None) -> bool:
    """Whether the connection is of no further use."""
    found = meaning_of(error)
    return found is not None and found.lost


def is_unreachable(error: BaseException) -> bool:
    """Whether connecting failed for a cause that further tries will meet, too: not a wrong password."""
    found = meaning_of(error)
    return found is not None and (found.lost or found is _TIMEOUT)


def explain(error: BaseException, doing: str = "") -> GidbenchError:
    """A driver's error as one sentence with its remedy: no value of a row in it, no password."""
    found = meaning_of(error) or _UNKNOWN
    detail = _detail(str(error), found)
    if found is _UNKNOWN:
        detail = _plain(str(error))
    problem = found.problem + (f" ({detail})" if detail else "")
    told = f"{doing}: {problem}" if doing else problem
    if found.is_input:
        return InputError(told, found.remedy)
    return _transient(StoreError(told, found.remedy), found)


def _transient(error: StoreError, found: Meaning | None) -> StoreError:
    error.transient = found is not None and found.transient
    return error


def explain_connecting(error: BaseException, timeout_s: int) -> GidbenchError:
    """The same for an error of opening a connection."""
    found = meaning_of(error)
    if found is _TIMEOUT:
        problem = f"the server does not answer within {timeout_s} s"
        return _transient(StoreError(problem, "Check host, port and firewall, and that it runs"), found)
    if found is _CUT:
        problem = "the server cut the connection while it was being opened"
        remedy = "Check that it is a SQL Server, and whether it demands or lacks encryption (Encrypt=)"
        return _transient(StoreError(problem, remedy), found)
    return explain(error)


def _detail(text: str, found: Meaning) -> str:
    """Column, type, constraint or permission of a message: names of the schema, never values."""
    if found is _NO_RIGHT and (right := _RIGHT.search(text)):
        return f"{right[1].strip()} on {right[2]}"
    if found in (_TOO_LONG, _EMPTY):
        parts = [f"column {column[1]}" for column in [_COLUMN.search(text)] if column]
        parts += [kind[1] for kind in [_TYPE.search(text)] if kind]
        if "truncated value: '" in text.lower():
            value = re.split("truncated value: '", text, flags=re.IGNORECASE)[1].rpartition("'")[0]
            parts.append(f"cut after {len(value)} characters")
        return ", ".join(parts)
    if found in (_REPEATED, _BROKEN_RULE) and (rule := _RULE.search(text)):
        return f"constraint {rule[1]}"
    return ""


def _plain(text: str) -> str:
    """A message that nobody knows: without the driver's tags, what stands in quotes, and passwords."""
    text = re.sub(r"\[[^\]]*\]", "", redact(text)).strip("()' \"")
    text = re.sub(r"'[^']*'|\"[^\"]*\"|\d{6,}", "…", text)
    return " ".join(text.split())[:200]


@contextlib.contextmanager
def explained(doing: str) -> Iterator[None]:
    """Raise what a driver raises inside as an error of ours; everything else as it is."""
    try:
        yield
    except GidbenchError:
        raise
    except DRIVER_ERRORS as error:
        raise explain(error, doing) from error
    except _PLAIN as error:
        if meaning_of(error) is None:
            raise
        raise explain(error, doing) from error
    except BaseException as error:
        if not _is_panic(error):
            raise
        raise explain(error, doing) from error
