"""Errors of the server and of its drivers as one sentence with its remedy: no value of a row, no password."""

from __future__ import annotations

import pyodbc
import pytest
from fake_server import error

import gidbench
from gidbench import syncing
from gidbench.errors import GidbenchError, InputError, StoreError
from gidbench.stores.sqlserver import faults

FOUND = {
    1205: ("deadlock", 4, True),
    1222: ("a lock was not granted in time", 4, True),
    9002: ("the transaction log is full (database hr)", 4, False),
    1105: ("disk, or a filegroup of the database, is full", 4, False),
    8152: ("a column is too short for a value", 4, False),
    2628: ("(column name, table hr.dbo.employee, a value of more than 11 characters)", 4, False),
    2627: ("a key is there already (constraint PK_employee", 4, False),
    229: ("the login may not do this (table employee", 4, False),
    18456: ("the login is refused", 4, False),
    4060: ("the database cannot be opened (database hr)", 4, False),
    515: ("a column that must not be empty gets no value (column bod", 4, False),
    40501: ("the service moves or limits the database", 4, True),
    10054: ("the connection to the server was cut", 4, True),
}


@pytest.mark.parametrize("number", FOUND)
def test_a_number_of_the_server_is_a_sentence(number: int) -> None:
    text, code, transient = FOUND[number]
    fault = error(number)
    with pytest.raises(GidbenchError) as caught, faults.explained("loading"):
        raise fault
    told = caught.value
    assert told.problem.startswith("loading: ")
    assert text in told.problem
    assert told.exit_code == code
    assert faults.is_transient(fault) == faults.is_transient(told) == transient
    assert getattr(told, "transient", False) == transient
    for secret in ("Siti", "siti", "Hara", "3201010101900001", "Driver", "SQLExec"):
        assert secret not in str(told)


# as the drivers said them when a proxy cut their connection (mssql-python 1.4, its core, msodbcsql 18.6, FreeTDS)
CUT = [
    pyodbc.OperationalError(
        "08S01",
        "[08S01] [Microsoft][ODBC Driver 18 for SQL Server]TCP Provider: Error code 0x2746 (10054) (SQLExecDirectW)",
    ),
    pyodbc.OperationalError(
        "08S01",
        "[08S01] [Microsoft][ODBC Driver 18 for SQL Server]Communication link failure (0) (SQLEndTran)",
    ),
    pyodbc.OperationalError(
        "08S01",
        "[08S01] [Microsoft][ODBC Driver 18 for SQL Server]TCP Provider: Error code 0x68 (104) (SQLDriverConnect)",
    ),
    pyodbc.Error(
        "HY000", "[HY000] [FreeTDS][SQL Server]Read from the server failed (20004) (SQLExecDirectW)"
    ),
    pyodbc.Error("01000", "[01000] [FreeTDS][SQL Server]Unexpected EOF from the server (20017) (SQLFetch)"),
    pyodbc.OperationalError(
        "08S01", "[08S01] [FreeTDS][SQL Server]Write to the server failed (20006) (SQLEndTran)"
    ),
    pyodbc.Error("HY000", "[HY000] [FreeTDS][SQL Server]Unknown error (0) (SQLExecDirectW)"),
    pyodbc.Error("HY000", "The driver did not supply an error!"),
    RuntimeError(
        "Failed to connect to SQL Server: Protocol Error: Failed to receive token during login response parsing."
    ),
    RuntimeError(
        "Failed to retrieve destination metadata: Connection closed: Connection closed by server while reading TDS"
        " packet header"
    ),
    RuntimeError(
        "Failed to retrieve destination metadata: IO error: Connection reset by peer (os error 104)"
    ),
    RuntimeError("Bulk copy failed: IO error: Broken pipe (os error 32)"),
]


@pytest.mark.parametrize("fault", CUT, ids=lambda fault: str(fault)[-40:])
def test_a_connection_that_was_cut_is_known_by_what_the_drivers_say(fault: Exception) -> None:
    assert faults.is_disconnect(fault)
    assert faults.is_transient(fault)
    assert str(faults.explain(fault)).startswith("the connection to the server was cut (error ")


class PanicException(BaseException):
    """Of pyo3, by its name."""


def test_a_panic_of_a_driver_is_an_error_of_ours() -> None:
    with pytest.raises(StoreError, match="index out of bounds"), faults.explained("loading"):
        raise PanicException("index out of bounds: the len is 0")
    assert not faults.is_transient(PanicException("whatever"))
    with pytest.raises(KeyboardInterrupt), faults.explained("loading"):
        raise KeyboardInterrupt


def cut() -> StoreError:
    fault = StoreError("the connection was cut", "Check the network")
    fault.transient = True
    return fault


@pytest.mark.parametrize("times", [1, 2])
def test_a_sync_that_fails_by_what_passes_is_made_again(
    database: str, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    gidbench.generate(50, into=database)
    real, calls = syncing.synchronise, []

    def broken(*stores: object, **options: object) -> object:
        calls.append(1)
        if len(calls) <= times:
            raise cut()
        return real(*stores, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(syncing, "synchronise", broken)
    assert gidbench.sync(database).inserted == 50
    assert len(calls) == times + 1


@pytest.mark.parametrize(
    "fault", [cut(), StoreError("the log is full", "Back it up"), InputError("no", "Yes")]
)
def test_a_sync_that_keeps_failing_or_fails_for_good_ends_with_its_error(
    database: str, monkeypatch: pytest.MonkeyPatch, fault: GidbenchError
) -> None:
    gidbench.generate(50, into=database)
    calls: list[int] = []

    def broken(*_: object, **__: object) -> object:
        calls.append(1)
        raise fault

    monkeypatch.setattr(syncing, "synchronise", broken)
    with pytest.raises(type(fault), match=str(fault)):
        gidbench.sync(database)
    assert len(calls) == (syncing.RUNS if getattr(fault, "transient", False) else 1)


def test_a_file_is_not_read_again_by_itself_and_the_error_says_so(
    database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    from gidbench import operations

    gidbench.generate(20, out="people.csv")
    calls: list[int] = []

    def broken(*_: object, **__: object) -> object:
        calls.append(1)
        raise cut()

    monkeypatch.setattr(operations, "process_file", broken)
    with pytest.raises(StoreError, match=r"process the file again .*nobody is taken in twice"):
        gidbench.process("people.csv", into=database)
    assert len(calls) == 1
