"""What errors become: sentences with a remedy, transient or not, without values of rows and secrets."""

from __future__ import annotations

import traceback

import pytest

from gidbench.errors import GidbenchError, InputError, StoreError
from gidbench.stores.retry import NotTriedError
from gidbench.stores.sqlserver.fault_table import BY_NUMBER, BY_STATE, BY_TEXT
from gidbench.stores.sqlserver.faults import (
    ServerError,
    explain,
    explained,
    is_disconnect,
    is_transient,
    read,
)

pyodbc = pytest.importorskip("pyodbc")
mssql_python = pytest.importorskip("mssql_python")

HEAD = "[Microsoft][ODBC Driver 18 for SQL Server][SQL Server]"
TRANSIENT = (
    *(64, 121, 233, 701, 921, 1204, 1205, 1222, 3960, 4221, 6005, 8645, 8651),
    *(10053, 10054, 10060, 10061, 10928, 10929, 10936, 40143, 40197, 40501, 40540, 40613, 42108, 42109),
    *(41301, 41302, 41305, 41325, 41839, 49918, 49919, 49920),
)
LASTING = (
    *(207, 208, 229, 230, 241, 245, 262, 297, 515, 547, 911, 1101, 1105, 2601, 2627, 2628, 3906, 3930, 3998),
    *(4060, 8114, 8115, 8152, 9002, 18456),
)


def odbc(state: str, number: int, text: str, kind: type[Exception] = pyodbc.ProgrammingError) -> Exception:
    return kind(state, f"[{state}] {HEAD}{text} ({number}) (SQLExecDirectW)")


def python(driver: str, ddbc: str) -> Exception:
    error: Exception = mssql_python.OperationalError(driver, f"[Microsoft][SQL Server]{ddbc}")
    return error


@pytest.mark.parametrize("number", TRANSIENT)
def test_numbers_that_pass_by_themselves(number: int) -> None:
    assert is_transient(odbc("42000", number, "Text."))
    assert explain(odbc("42000", number, "Text.")).exit_code == 4


@pytest.mark.parametrize("number", LASTING)
def test_numbers_that_stay(number: int) -> None:
    assert not is_transient(odbc("42000", number, "Text."))


def test_a_database_that_cannot_be_opened_passes_on_azure_only() -> None:
    error = odbc("42000", 4060, 'Cannot open database "people" requested by the login.')
    assert not is_transient(error)
    assert is_transient(error, azure=True)
    assert is_transient(explain(error, azure=True))
    assert not is_transient(explain(error))


def test_the_cause_comes_first_and_what_follows_from_it_is_passed_over() -> None:
    error = pyodbc.IntegrityError(
        "23000",
        f"[23000] {HEAD}Violation of PRIMARY KEY constraint 'PK_employee'. Cannot insert duplicate key in object"
        f" 'dbo.employee'. The duplicate key value is (Siti (2627) Rahayu). (2627) (SQLExecDirectW);"
        f" [23000] {HEAD}The statement has been terminated. (3621)",
    )
    found = explain(error, "loading")
    assert isinstance(found, ServerError)
    assert (found.number, found.transient, found.disconnect) == (2627, False, False)
    assert str(found) == (
        "loading: a key is there already (constraint PK_employee, table dbo.employee) (error 2627)."
        " Remove the row that has it, or the one that brings it again."
    )


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            odbc("22001", 2628, "String or binary data would be truncated in table 'p.dbo.employee', column"
                 " 'name'. Truncated value: 'Geheim Siti'."),
            "column name, table p.dbo.employee, a value of more than 11 characters",
        ),
        (odbc("22001", 8152, "String or binary data would be truncated."), "a column is too short"),
        (
            pyodbc.DataError("22001", "[22001] [Microsoft][ODBC Driver 18 for SQL Server]String data, right"
                             " truncation: length 10 buffer 6 (0) (SQLExecute)"),
            "a value of 10 bytes where 6 fit",
        ),
        (
            odbc("22001", 33557097, "value too long for type character varying(3)"),
            "a value of more than 3 characters",
        ),
        (
            odbc("23000", 515, "Cannot insert the value NULL into column 'bod', table 'p.dbo.employee'; column"
                 " does not allow nulls. INSERT fails."),
            "column bod, table p.dbo.employee",
        ),
        (
            odbc("23000", 33557097, 'null value in column "bod" of relation "employee" violates not-null'
                 " constraint"),
            "column bod, table employee",
        ),
        (
            odbc("23000", 547, "The INSERT statement conflicted with the CHECK constraint \"CK_bod\". The"
                 " conflict occurred in database \"p\", table \"dbo.employee\", column 'bod'."),
            "constraint CK_bod, table dbo.employee, column bod",
        ),
        (odbc("42S02", 208, "Invalid object name 'dbo.pegawai'."), "table dbo.pegawai"),
        (
            odbc("42000", 9002, "The transaction log for database 'people' is full due to 'LOG_BACKUP'."),
            "log is full (database people)",
        ),
        (
            odbc("42000", 229, "The INSERT permission was denied on the object 'employee', database 'people',"
                 " schema 'dbo'."),
            "the login may not do this (table employee, database people)",
        ),
    ],
)  # fmt: skip
def test_names_and_lengths_are_told_and_values_are_not(error: Exception, says: str) -> None:
    found = explain(error)
    assert says in str(found)
    assert "Geheim" not in str(found)
    assert found.remedy


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("deadlock detected", 1205),
        ('duplicate key value violates unique constraint "employee_pkey"', 2627),
        ("value too long for type character varying(255)", 2628),
        ("terminating connection due to administrator command", 10054),
        ("server closed the connection unexpectedly", 10054),
        ("canceling statement due to lock timeout", 1222),
        ("could not connect to server", 10061),
        ('new row for relation "employee" violates check constraint "ck"', 547),
        ('insert or update on table "x" violates foreign key constraint "fk"', 547),
        ('relation "nix" does not exist', 208),
        ('invalid input syntax for type integer: "Geheim"', 8114),
        ("could not extend file: No space left on device", 1105),
        ("current transaction is aborted, commands ignored until end of transaction block", 3930),
        ("permission denied for table employee", 229),
        ('database "nix" does not exist', 911),
        ("the database system is shutting down", 921),
        ("sorry, too many clients already", 10928),
    ],
)
def test_babelfish_gives_one_number_and_is_told_by_text(text: str, number: int) -> None:
    for error in (odbc("HY000", 33557097, text, pyodbc.Error), python("General error", text)):
        assert read(error).number == number
        assert is_transient(error) is BY_NUMBER[number].transient
        assert "Geheim" not in str(explain(error))


@pytest.mark.parametrize(
    ("driver", "text", "number"),
    [
        ("Communication link failure", "TCP Provider: Error code 0x2746", 10054),
        ("Communication link failure", "Anything in another language", 10054),
        ("Client unable to establish connection", "TCP Provider: Error code 0x2749", 10061),
        ("Client unable to establish connection", "TCP Provider: Error code 0x2AF9", 11001),
        ("Timeout expired", "Login timeout expired", 10060),
        ("Invalid authorization specification", "Login failed for user 'sa'.", 18456),
        ("Syntax error or access violation", 'Cannot open database "x" requested by the login. The login failed.',
         4060),
        ("Serialization failure", "Transaction (Process ID 5) was deadlocked on lock resources", 1205),
        ("General error", "Lock request time out period exceeded.", 1222),
        ("General error", "Database 'x' on server 'y' is not currently available.", 40613),
    ],
)  # fmt: skip
def test_errors_of_mssql_python_are_told_by_text(driver: str, text: str, number: int) -> None:
    error = python(driver, text)
    assert read(error).number == number
    assert is_transient(error) is BY_NUMBER[number].transient
    assert is_disconnect(error) is BY_NUMBER[number].disconnect


def test_a_login_that_took_too_long_is_tried_again_and_a_statement_is_not() -> None:
    login = pyodbc.OperationalError("HYT00", "[HYT00] [M][D]Login timeout expired (0) (SQLDriverConnect)")
    query = pyodbc.OperationalError("HYT00", "[HYT00] [M][D]Query timeout expired (0) (SQLExecDirectW)")
    assert is_transient(login)
    assert not is_transient(query)
    assert "Allow more time" in str(explain(query))


def test_encryption_and_certificates_are_not_the_networks_fault() -> None:
    text = "[08001] [M][D]SSL Provider: [error:0A000086:SSL routines::certificate verify failed:self-signed] (-1)"
    certificate = explain(pyodbc.OperationalError("08001", text + " (SQLDriverConnect)"))
    assert "TrustServerCertificate=yes" in certificate.remedy
    text = "[08001] [M][D]Encryption not supported on SQL Server. (20) (SQLDriverConnect)"
    error = pyodbc.OperationalError("08001", text)
    assert "Encrypt=no" in explain(error).remedy
    assert not is_transient(error)


@pytest.mark.parametrize("state", sorted(BY_STATE))
def test_a_state_without_a_known_number_still_has_a_meaning(state: str) -> None:
    error = pyodbc.Error(state, f"[{state}] [Driver]Etwas ist schief gegangen (0) (SQLDriverConnect)")
    assert str(explain(error)).startswith(BY_STATE[state].problem)
    assert is_transient(error) is BY_STATE[state].transient


def test_a_driver_that_is_not_installed_is_the_callers_argument() -> None:
    text = "[01000] [unixODBC][Driver Manager]Can't open lib 'Mine' : file not found (0) (SQLDriverConnect)"
    for state in ("01000", "IM002"):
        error = explain(pyodbc.Error(state, text))
        assert isinstance(error, InputError)
        assert error.exit_code == 2
    assert explain(odbc("42000", 911, 'database "x" does not exist')).exit_code == 2


def test_an_unknown_error_shows_its_text_without_values_and_secrets() -> None:
    error = odbc("42000", 50000, "user 'Siti' with PWD={Ge}}heim} and key: \"5\" is not wanted")
    shown = str(explain(error))
    assert "is not wanted" in shown
    assert "error 50000" in shown
    for piece in ("Siti", "heim", '5"'):
        assert piece not in shown


def test_the_drivers_error_does_not_follow_ours_into_a_traceback() -> None:
    with pytest.raises(ServerError) as caught, explained("loading"):
        raise odbc("22001", 2628, "column 'name'. Truncated value: 'Geheim Siti'.")
    assert "Geheim" not in "".join(traceback.format_exception(caught.value))


def test_only_errors_of_drivers_are_explained() -> None:
    for own in (ValueError("wrong"), KeyError("x"), KeyboardInterrupt(), RuntimeError("a fault of ours")):
        with pytest.raises(type(own)), explained("loading"):
            raise own
    with pytest.raises(ServerError, match="cut"), explained("loading"):
        raise RuntimeError("bulk copy: Connection reset by peer (os error 104)")
    panic = type("PanicException", (BaseException,), {})
    with pytest.raises(StoreError), explained("loading"):
        raise panic("called Option::unwrap() on a None value")
    with pytest.raises(InputError), explained("loading"):
        raise InputError("ours", "stays")


def test_errors_of_ours_are_known_again() -> None:
    assert is_transient(NotTriedError("open", "wait"))
    assert not is_disconnect(NotTriedError("open", "wait"))
    assert not is_transient(InputError("a", "b"))
    assert not is_transient(KeyboardInterrupt())
    ours: GidbenchError = explain(odbc("08S01", 10054, "cut"))
    assert explain(ours) is ours
    assert is_transient(ours)
    assert is_disconnect(ours)


def test_a_closed_connection_is_a_disconnect() -> None:
    assert is_disconnect(pyodbc.ProgrammingError("The cursor's connection has been closed."))
    assert not is_disconnect(pyodbc.ProgrammingError("The SQL contains 1 parameter markers"))
    assert not is_disconnect(ValueError("closed"))


def test_the_table_is_whole() -> None:
    assert {number for _, number in BY_TEXT} <= set(BY_NUMBER)
    for fault in (*BY_NUMBER.values(), *BY_STATE.values()):
        assert fault.problem[0].islower()
        assert fault.remedy[0].isupper() or fault.remedy.startswith("`")
        assert not fault.problem.endswith(".")
        assert not fault.remedy.endswith(".")
        assert not (fault.argument and fault.transient)
