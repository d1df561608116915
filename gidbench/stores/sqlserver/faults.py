"""What errors of SQL Server, its drivers and Babelfish mean: a sentence, a remedy, and whether to try again."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from gidbench.errors import GidbenchError, InputError, StoreError
from gidbench.log import redact
from gidbench.stores.retry import NotTriedError
from gidbench.stores.sqlserver.fault_table import BY_NUMBER, BY_STATE, BY_TEXT, Fault

# "[40001] [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]Text. (1205) (SQLExecDirectW)"; several may follow
# each other, the cause first.
_NATIVE = re.compile(r"\((-?\d+)\)(?: \(SQL\w+\)|$)")
_STATE = re.compile(r"\[?\b([0-9A-Z]{5})\b")
_LIBRARIES = frozenset({"pyodbc", "mssql_python", "mssql_py_core", "sqlalchemy"})
_BABELFISH = 33_557_097  # its number for whatever has none of SQL Server's
_QUOTED = r"['\"\u201c]([^'\"\u201d]{1,128})['\"\u201d]"
_NAMES = {
    kind: re.compile(rf"\b{words} {_QUOTED}", re.IGNORECASE)
    for kind, words in (
        ("column", "column"),
        ("constraint", "constraint"),
        ("table", "(?:in table|in object|table|object name|relation|object|with unique index)"),
        ("database", "database"),
    )
}
# What a message repeats of rows: texts in single quotes, keys in brackets, PostgreSQL's texts in double quotes.
_VALUES = (
    re.compile(r"(value is|value:) ?\(.*?\)(?=[.\s]|$)", re.IGNORECASE | re.DOTALL),
    re.compile(r"\)=\(.*?\)(?=\s|\.|$)", re.DOTALL),
    re.compile(r"'[^']*'"),
    re.compile(r'(?<=: )"[^"]*"'),
)


class ServerError(StoreError):
    """A database server, or the way to it, could not do what was asked of it.

    Attributes
    ----------
    transient:
        Whether the same may succeed when tried again, on a fresh connection.
    disconnect:
        Whether the connection is of no use any more.
    number, state:
        The server's error number and the SQLSTATE; 0 and empty where they are not known.
    """

    transient: bool = False
    disconnect: bool = False
    number: int = 0
    state: str = ""


@dataclass(frozen=True)
class Reading:
    """An error, read: its number (known by number or by text), SQLSTATE, plain text, and meaning."""

    number: int
    state: str
    text: str
    fault: Fault | None


def read(error: BaseException) -> Reading:
    """Number, SQLSTATE and meaning of an error of pyodbc, mssql-python (also its bulk copy) or SQLAlchemy."""
    error = getattr(error, "orig", None) or error
    text = _text(error)
    state = ""
    first = error.args[0] if error.args else None
    if isinstance(first, str) and re.fullmatch(r"[0-9A-Z]{5}", first):
        state = first
    numbers = [int(found) for found in _NATIVE.findall(text)]
    known = next((number for number in numbers if number > 0 and number in BY_NUMBER), 0)
    # A general number says less than a text that is known: 20 is any refusal of encryption, 0 anything.
    by_text = next((number for pattern, number in BY_TEXT if pattern.search(text)), 0)
    number = known or by_text
    if number:
        return Reading(number, state, text, BY_NUMBER[number])
    fault = BY_STATE.get(state)
    shown = next((one for one in numbers if one not in (0, _BABELFISH)), 0)
    return Reading(shown, state, text, fault)


def explain(error: BaseException, doing: str = "", *, azure: bool = False) -> GidbenchError:
    """The error as one sentence with a remedy: no secret and no row's value in it, lengths and names only.

    `doing` says what was under way, as in "loading gid_stage_7". One of ours is returned as it is. Raise it
    `from None`: the driver's own text may hold values of rows.
    """
    if isinstance(error, GidbenchError):
        return error
    found = read(error)
    fault = found.fault
    if fault is None:
        told = _hide(found.text) or type(error).__name__
        problem, remedy = (
            f"the database answers: {told.rstrip('.')}",
            "See this error in the server's documentation",
        )
    else:
        problem, remedy = _particulars(found, fault), fault.remedy
    if doing:
        problem = f"{doing}: {problem}"
    if fault is not None and fault.argument:
        return InputError(problem, remedy)
    explained = ServerError(problem + _label(found), remedy)
    explained.number, explained.state = found.number, found.state
    explained.transient = _transient(found, azure)
    explained.disconnect = _disconnect(found, error)
    return explained


@contextlib.contextmanager
def explained(doing: str) -> Iterator[None]:
    """Raise what a driver raises inside as an error of ours, without its cause; everything else as it is."""
    try:
        yield
    except BaseException as error:
        if isinstance(error, GidbenchError) or not _is_drivers(error):
            raise
        told = explain(error, doing)
    else:
        return
    # Not `from error`: the text of a driver's error may repeat a row, and notebooks and logs show causes.
    raise told from None


def _is_drivers(error: BaseException) -> bool:
    if any(kind.__module__.partition(".")[0] in _LIBRARIES for kind in type(error).__mro__):
        return True
    # mssql-python's bulk copy is a library of its own: it raises plain errors, and panics are no Exception at all.
    if isinstance(error, (RuntimeError, OSError, ValueError)):
        return read(error).fault is not None
    return type(error).__name__ == "PanicException"


def is_transient(error: BaseException, *, azure: bool = False) -> bool:
    """Whether the same may succeed on a fresh connection after a while."""
    if isinstance(error, (ServerError, NotTriedError)):
        return error.transient
    if isinstance(error, GidbenchError) or not isinstance(error, Exception):
        return False
    return _transient(read(error), azure)


def is_disconnect(error: BaseException) -> bool:
    """Whether the connection that raised it is of no use any more."""
    if isinstance(error, ServerError):
        return error.disconnect
    if isinstance(error, GidbenchError):
        return False
    return _disconnect(read(error), error)


def _transient(found: Reading, azure: bool) -> bool:
    return found.fault is not None and (found.fault.transient or (azure and found.fault.transient_on_azure))


def _disconnect(found: Reading, error: BaseException) -> bool:
    if found.fault is not None:
        return found.fault.disconnect
    # Closed by somebody else, or never open.
    return type(error).__name__ in ("ProgrammingError", "InterfaceError") and "closed" in found.text.lower()


def _text(error: BaseException) -> str:
    """The driver's message, in one line; mssql-python's has two parts."""
    parts = [getattr(error, "driver_error", ""), getattr(error, "ddbc_error", "")]
    if not any(parts):
        parts = [str(part) for part in error.args[-1:]] or [str(error)]
    return " ".join(" ".join(str(part) for part in parts if part).split())


def _label(found: Reading) -> str:
    if found.number and found.number != _BABELFISH:
        return f" (error {found.number})" if found.number > 0 else ""
    return f" (SQLSTATE {found.state})" if found.state else ""


def _particulars(found: Reading, fault: Fault) -> str:
    """The sentence with the names that the message gives, and the length of a value, never the value."""
    names = {kind: match[1] for kind, pattern in _NAMES.items() if (match := pattern.search(found.text))}
    told = [f"{kind} {names[kind]}" for kind in fault.names if kind in names]
    if found.number in (8152, 2628):
        told += _length(found.text)
    return fault.problem + (f" ({', '.join(told)})" if told else "")


def _length(text: str) -> list[str]:
    # 2628 repeats what fits of the value, and cuts that at 100 characters or so.
    if match := re.search(r"Truncated value: '(.*)'", text):
        return [f"a value of more than {len(match[1])} characters"]
    if match := re.search(r"length (\d+) buffer (\d+)", text):  # pyodbc's driver, before anything is sent
        return [f"a value of {match[1]} bytes where {match[2]} fit"]
    if match := re.search(r"type [a-z ]+\((\d+)\)", text):
        return [f"a value of more than {match[1]} characters"]
    return []


def _hide(text: str) -> str:
    """A driver's message without prefixes, secrets and values of rows."""
    text = re.sub(r"(\[[^\]]*\]\s*)+", "", text)
    text = re.sub(r"\s*\(-?\d+\) \(SQL\w+\)", "", redact(text))
    for pattern in _VALUES:
        text = pattern.sub("…", text)
    return text.strip()[:300]
