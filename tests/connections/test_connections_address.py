"""From URLs to connection strings: what users write, what drivers read, and no secret in sight."""

from __future__ import annotations

import dataclasses
import os
import pickle
import subprocess
import sys
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import URL, make_url

from gidbench.errors import InputError
from gidbench.log import redact
from gidbench.stores.drivers import Driver
from gidbench.stores.opening import is_same_store
from gidbench.stores.sqlserver import keywords as kw
from gidbench.stores.sqlserver.address import Address, address_of, is_same_database, is_same_server
from gidbench.stores.sqlserver.examining import encryption_of

INSTALLED = Driver("ODBC Driver 18 for SQL Server", "/opt/lib.so", "ODBC Driver 18 for SQL Server")
WHEEL = Driver("ODBC Driver 18 for SQL Server (from mssql-python)", "/w/lib.so", "/w/lib.so")
FREETDS = Driver("FreeTDS", "libtdsodbc.so", "FreeTDS")
SECRET = "p@s;s}w{o'r\"d =x"
ADDRESS = "mssql+pyodbc://sa:Geheim1@db:1433/people"

anything = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)


def of(text: str, *drivers: Driver) -> Address:
    return address_of(make_url(text), drivers or (INSTALLED,))


def odbc(text: str, *drivers: Driver) -> dict[str, str]:
    return dict(kw.split(of(text, *drivers).odbc_string()))


def test_a_url_becomes_the_keywords_of_odbc() -> None:
    assert odbc(ADDRESS + "?encrypt=strict&trustservercertificate=no&ApplicationIntent=ReadOnly") == {
        "Driver": "ODBC Driver 18 for SQL Server",
        "Server": "db,1433",
        "Database": "people",
        "UID": "sa",
        "PWD": "Geheim1",
        "APP": "gidbench",
        "Encrypt": "strict",
        "TrustServerCertificate": "no",
        "ApplicationIntent": "ReadOnly",
    }


def test_encryption_is_left_to_the_driver() -> None:
    assert "Encrypt" not in odbc(ADDRESS)
    assert encryption_of(of(ADDRESS)) == (True, True)
    assert encryption_of(of(ADDRESS + "?Encrypt=no")) == (False, False)
    assert encryption_of(of(ADDRESS + "?TrustServerCertificate=yes")) == (True, False)
    assert encryption_of(of(ADDRESS, FREETDS)) == (None, False)
    assert encryption_of(of(ADDRESS + "?Encrypt=yes", FREETDS)) == (True, False)


def test_mssql_python_gets_only_what_it_takes_and_a_packet_size_that_bulk_copy_stands() -> None:
    told = dict(kw.split(of(ADDRESS + "?Encrypt=no&MARS_Connection=yes").mssql_python_string()))
    assert told == {
        "Server": "db,1433",
        "Database": "people",
        "UID": "sa",
        "PWD": "Geheim1",
        "Encrypt": "no",
        "PacketSize": "16384",
    }
    assert dict(kw.split(of(ADDRESS + "?packet size=32767").mssql_python_string()))["PacketSize"] == "32767"
    parsed = pytest.importorskip("mssql_python.connection_string_parser")._ConnectionStringParser(True)
    assert parsed._parse(of(ADDRESS).mssql_python_string())["pwd"] == "Geheim1"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("mssql+pyodbc://sa:x@people", "DSN"),
        (ADDRESS + "?ColumnEncryption=Enabled", "knows no ColumnEncryption"),
    ],
)
def test_where_mssql_python_cannot_be_used_the_reason_is_told(text: str, why: str) -> None:
    address = of(text)
    assert why in address.no_arrow
    with pytest.raises(InputError, match=why):
        address.mssql_python_string()


def test_a_host_alone_is_a_data_source_and_brings_its_own_driver() -> None:
    address = of("mssql+pyodbc://sa:Geheim1@people")
    assert (address.dsn, address.server, address.driver) == ("people", "", None)
    assert odbc("mssql+pyodbc://sa:Geheim1@people") == {
        "DSN": "people",
        "UID": "sa",
        "PWD": "Geheim1",
        "APP": "gidbench",
    }
    assert of("mssql+pyodbc://sa:x@db:1433").server == "db"
    assert of("mssql+pyodbc://sa:x@db.example.com").server == "db.example.com"
    assert of("mssql+mssqlpython://sa:x@db").server == "db"


def test_a_whole_connection_string_is_taken_apart_and_put_together() -> None:
    text = "Driver={FreeTDS};Server=tcp:db,1444;Database=people;UID=sa;PWD={a;b}}c};Encrypt=yes"
    address = of(f"mssql+pyodbc:///?odbc_connect={quote_plus(text)}")
    assert (address.server, address.port, address.database) == ("db", 1444, "people")
    assert address.name == "mssql+pyodbc://sa:***@db:1444/people"
    assert dict(kw.split(address.mssql_python_string()))["PWD"] == "a;b}c"


def test_logins_without_a_password_are_passed_to_the_driver() -> None:
    assert odbc("mssql+pyodbc://@db:1433/people")["Trusted_Connection"] == "yes"
    entra = odbc("mssql+pyodbc://app@db:1433/people?Authentication=ActiveDirectoryMsi")
    assert entra["Authentication"] == "ActiveDirectoryMsi"
    assert entra["UID"] == "app"
    assert "Trusted_Connection" not in entra


def test_the_driver_is_found_and_the_reason_is_told() -> None:
    assert of(ADDRESS, INSTALLED, WHEEL).driver_reason == "it is installed"
    assert "wheel" in of(ADDRESS, WHEEL, FREETDS).driver_reason
    assert "neither" in of(ADDRESS, FREETDS).driver_reason
    assert of(ADDRESS + "?driver=freetds", WHEEL, FREETDS).driver == FREETDS
    assert of(ADDRESS + "?driver=Mine", WHEEL).odbc_string().startswith("Driver=Mine;")
    assert of(ADDRESS + "?Authentication=ActiveDirectoryDefault", FREETDS, WHEEL).driver == WHEEL
    with pytest.raises(InputError, match="that knows Authentication="):
        of(ADDRESS + "?Authentication=ActiveDirectoryDefault", FREETDS)
    with pytest.raises(InputError, match="no ODBC driver"):
        address_of(make_url(ADDRESS), [])


def test_freetds_is_told_the_same_in_its_own_words() -> None:
    told = odbc(ADDRESS + "?Encrypt=yes&TrustServerCertificate=yes", FREETDS)
    assert told == {
        "Driver": "FreeTDS",
        "Server": "db",
        "Port": "1433",
        "Database": "people",
        "UID": "sa",
        "PWD": "Geheim1",
        "APP": "gidbench",
        "TDS_Version": "7.4",
        "ClientCharset": "UTF-8",
        "Encryption": "require",
    }
    # a password must not travel in clear where the server can encrypt: as with Microsoft's drivers
    assert odbc(ADDRESS + "?Encrypt=no", FREETDS)["Encryption"] == "request"
    assert "Encryption" not in odbc(ADDRESS, FREETDS)
    assert odbc("mssql+pyodbc://sa:x@db/people", FREETDS)["Port"] == "1433"
    assert "Port" not in odbc("mssql+pyodbc://sa:x@db%5CSQLEXPRESS/people", FREETDS)
    with pytest.raises(InputError, match="strict"):
        of(ADDRESS + "?Encrypt=strict", FREETDS).odbc_string()


@given(st.dictionaries(st.sampled_from(["UID", "PWD", "Database", "Server"]), anything, min_size=1))
def test_any_value_comes_back_out_of_a_connection_string(values: dict[str, str]) -> None:
    assert dict(kw.split(kw.join(values))) == values


@given(anything)
def test_mssql_python_reads_the_same_password(password: str) -> None:
    parser = pytest.importorskip("mssql_python.connection_string_parser")._ConnectionStringParser(True)
    url = URL.create("mssql+mssqlpython", "sa", password or "x", "db", 1433, "people")
    assert parser._parse(address_of(url, [INSTALLED]).mssql_python_string())["pwd"] == (password or "x")


@given(st.text("ab{};= ", max_size=12))
def test_a_password_that_freetds_would_misread_is_refused_without_being_told(password: str) -> None:
    try:
        text = kw.join_for_freetds({"PWD": password})
    except InputError as error:
        assert "}" in password
        assert ";" in password or password.startswith("{")
        told = str(error)
        assert len(password) < 6 or password not in told
    else:
        raw = text.removeprefix("PWD=")
        assert raw in (password, "{" + password + "}")
        assert "};" not in raw


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("Encypt=no", "Encrypt"),
        ("Encrypt=maybe", "Encrypt"),
        ("TrustServerCertificate=please", "TrustServerCertificate"),
        ("PacketSize=100", "PacketSize"),
        ("ConnectTimeout=soon", "ConnectTimeout"),
        ("Encrypt=no&encrypt=yes", "Encrypt"),
        ("UID=other", "UID"),
        ("Server=other,1", "Server"),
        ("odbc_connect=Geheim2", "odbc_connect"),
        ("odbc_connect=PWD%3D%7BGeheim2", "odbc_connect"),
        ("Geheim2-=x", "keyword"),
    ],
)
def test_a_wrong_argument_is_named_without_any_secret(query: str, names: str) -> None:
    with pytest.raises(InputError, match=names) as caught:
        of(f"{ADDRESS}?{query}")
    assert caught.value.exit_code == 2
    assert "Geheim" not in str(caught.value)


def test_other_databases_and_urls_without_a_server_are_refused() -> None:
    for text in ("mssql+pymssql://sa:Geheim1@db/people", "mssql+pyodbc://sa:Geheim1@/people"):
        with pytest.raises(InputError) as caught:
            of(text)
        assert "Geheim1" not in str(caught.value)


def test_a_password_is_neither_in_repr_nor_in_text_nor_in_the_fields_of_an_address() -> None:
    url = URL.create("mssql+pyodbc", "sa", SECRET, "db", 1433, "people")
    address = address_of(url, [INSTALLED])
    for shown in (repr(address), str(address), address.name, f"{dataclasses.asdict(address)}"):
        for piece in (SECRET, "s}w{o", "p@s"):
            assert piece not in shown
    assert pickle.loads(pickle.dumps(address)).odbc_string() == address.odbc_string()
    assert dict(kw.split(address.odbc_string()))["PWD"] == SECRET


@given(st.text("ab@;}{'\"= /", min_size=4, max_size=20))
def test_a_connection_string_in_a_log_loses_its_password(middle: str) -> None:
    password = f"Geheim{middle}Ende"
    text = kw.join({"Server": "db", "PWD": password, "UID": "sa"})
    shown = redact(f"failed with {text}")
    assert "Geheim" not in shown
    assert "Ende" not in shown
    assert shown.endswith(";UID=sa")


@pytest.mark.parametrize("password", ["a@b;c}d{e", "a'b", 'a"b', "a'b@c\"d"])
def test_a_url_in_a_log_loses_its_password(password: str) -> None:
    shown = redact(f"cannot open mssql+pyodbc://sa:{password}@db:1433/people now")
    assert shown == "cannot open mssql+pyodbc://sa:***@db:1433/people now"


def test_a_password_of_the_environment_is_in_no_command_line(tmp_path: object) -> None:
    """Whatever process is started in the course of it: `ps` shows everybody's arguments to everybody."""
    code = (
        "import os, psutil, gidbench.doctor as d; d.examine();"
        "me = psutil.Process();"
        "print([p.cmdline() for p in [me, *me.children(recursive=True)]])"
    )
    url = "mssql+pyodbc://sa:Geheim1%40@127.0.0.1:1/people?ConnectTimeout=1&Encrypt=no"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    assert "python" in done.stdout
    assert "Geheim1" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (ADDRESS, "mssql+mssqlpython://me:y@DB/People?Encrypt=no", True),
        (ADDRESS, "mssql+pyodbc:///?odbc_connect=" + quote_plus("Server=tcp:db;Database=people;UID=x"), True),
        (ADDRESS, "mssql+pyodbc://sa:Geheim1@db:1434/people", False),
        (ADDRESS, "mssql+pyodbc://sa:Geheim1@db2:1433/people", False),
        ("mssql+pyodbc://@localhost/x", "mssql+pyodbc://@127.0.0.1:1433/x", True),
        ("mssql+pyodbc://@db%5CA/x", "mssql+pyodbc://@db%5CB/x", False),
        ("mssql+pyodbc://sa:x@people", "mssql+pyodbc://sa:x@PEOPLE", True),
        ("mssql+pyodbc://sa:x@people", "mssql+pyodbc://sa:x@other", False),
        ("mssql+pyodbc://sa:x@people", "mssql+pyodbc://sa:x@people/people", False),
    ],
)
def test_two_addresses_of_one_database(one: str, other: str, same: bool) -> None:
    assert is_same_database(of(one), of(other)) is same
    assert is_same_store(one, other) is same
    assert is_same_server(of(one), of(other)) or not same


def test_a_default_database_is_the_same_for_one_login_only() -> None:
    assert is_same_database(of("mssql+pyodbc://a:x@db:1"), of("mssql+pyodbc://a:y@db:1"))
    assert not is_same_database(of("mssql+pyodbc://a:x@db:1"), of("mssql+pyodbc://b:x@db:1"))
    assert is_same_server(of("mssql+pyodbc://a:x@db:1"), of("mssql+pyodbc://b:x@db:1/people"))
