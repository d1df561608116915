"""Real drivers against a server that logs in, answers and refuses as it is told to."""

from __future__ import annotations

import random
import string
from typing import Any

import pytest
from sqlalchemy.engine import URL
from tds_server import Login, Refusal, TdsServer

from gidbench.errors import InputError
from gidbench.stores.drivers import odbc_drivers
from gidbench.stores.retry import RetryPolicy
from gidbench.stores.sqlserver.address import address_of, is_freetds
from gidbench.stores.sqlserver.connections import Connections, PoolOptions
from gidbench.stores.sqlserver.faults import ServerError, explained

_FOUND = odbc_drivers()
_MICROSOFT = [one for one in _FOUND if not is_freetds(one.name, one.path)]
_FREETDS = [one for one in _FOUND if is_freetds(one.name, one.path)]
WAYS = [
    pytest.param(
        "mssql+pyodbc",
        {"driver": _MICROSOFT[0].keyword} if _MICROSOFT else {},
        id="Microsoft's driver",
        marks=pytest.mark.skipif(not _MICROSOFT, reason="no ODBC driver of Microsoft's is here"),
    ),
    pytest.param(
        "mssql+pyodbc",
        {"driver": _FREETDS[0].keyword} if _FREETDS else {},
        id="FreeTDS",
        marks=pytest.mark.skipif(not _FREETDS, reason="FreeTDS is not registered in odbcinst.ini"),
    ),
    pytest.param("mssql+mssqlpython", {}, id="mssql-python"),
]
every_way = pytest.mark.parametrize(("dialect", "query"), WAYS)


def connections(
    server: TdsServer, dialect: str, query: dict[str, str], password: str = "Geheim1", **options: Any
) -> Connections:
    query = {"Encrypt": "no", "ConnectTimeout": "5", **query}
    url = URL.create(dialect, "sa", password, "127.0.0.1", server.port, "people", query)
    return Connections(address_of(url), PoolOptions(size=2, **options))


@every_way
def test_any_password_arrives_as_it_was_written(dialect: str, query: dict[str, str]) -> None:
    draw = random.Random(7)
    passwords = ["p@s;s{w'o\"r", "a}b", "}}", "a=b&c?d#e%20", " blank ", "ä€Ω", "{x", "a;b};c", "{a}b;"]
    passwords += ["".join(draw.choices("ab};{'\"= @" + string.punctuation, k=12)) for _ in range(25)]
    refused = 0
    with TdsServer() as server:
        for password in passwords:
            pool = connections(server, dialect, query, password)
            try:
                with pool.session(autocommit=True) as connection:
                    assert tuple(connection.cursor().execute("SELECT 1").fetchone()) == (1,)
            except InputError:  # FreeTDS reads some only by chance
                refused += 1
                continue
            finally:
                pool.close()
            assert server.logins[-1].password == password
            assert (server.logins[-1].user, server.logins[-1].database) == ("sa", "people")
    assert refused == 0 or (query and is_freetds(query["driver"]) and refused < len(passwords) // 2)


@every_way
@pytest.mark.parametrize(
    ("number", "text", "says", "transient"),
    [
        (18456, "Login failed for user 'sa'.", "the login is refused", False),
        (4060, 'Cannot open database "people" requested by the login. The login failed.', "cannot be opened",
         False),
        (40613, "Database 'people' on server 'x' is not currently available.", "the service moves", True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", ["", "8192"])
def test_a_login_that_is_refused_is_a_sentence(
    dialect: str, query: dict[str, str], number: int, text: str, says: str, transient: bool, size: str
) -> None:
    query = {**query, **({"PacketSize": size} if size else {})}
    with TdsServer(refuse_login=lambda login: Refusal(number, text, 14)) as server:
        pool = connections(server, dialect, query)
        with pytest.raises(ServerError, match=says) as caught, pool.session():
            pass
    assert caught.value.number == number
    assert caught.value.transient is transient
    assert "Geheim1" not in f"{caught.value!r}{caught.value}{caught.value.__context__}"


@every_way
@pytest.mark.parametrize(
    ("number", "text", "says", "transient"),
    [
        (1205, "Transaction (Process ID 55) was deadlocked on lock resources with another process and has been"
               " chosen as the deadlock victim. Rerun the transaction.", "deadlock", True),
        (1222, "Lock request time out period exceeded.", "lock was not granted", True),
        (9002, "The transaction log for database 'people' is full due to 'LOG_BACKUP'.", "log is full", False),
        (1105, "Could not allocate space for object 'dbo.employee' in database 'people' because the 'PRIMARY'"
               " filegroup is full.", "filegroup", False),
        (2628, "String or binary data would be truncated in table 'p.dbo.employee', column 'name'. Truncated"
               " value: 'Geheim Siti'.", "column name, .* more than 11 characters", False),
        (2627, "Violation of PRIMARY KEY constraint 'PK_e'. Cannot insert duplicate key in object 'dbo.employee'."
               " The duplicate key value is (Geheim).", "a key is there already .constraint PK_e", False),
        (229, "The INSERT permission was denied on the object 'employee', database 'people', schema 'dbo'.",
         "may not do this", False),
        (50000, "The user 'Geheim' wants it.", "wants it", False),
    ],
)  # fmt: skip
def test_a_statement_that_fails_is_a_sentence(
    dialect: str, query: dict[str, str], number: int, text: str, says: str, transient: bool
) -> None:
    with TdsServer() as server:
        pool = connections(server, dialect, query)
        server.refuse = lambda statement: Refusal(number, text) if "NOW" in statement else None
        with pytest.raises(ServerError, match=says) as caught:
            with explained("loading"), pool.session(autocommit=True) as connection:
                connection.cursor().execute("INSERT NOW")
        assert caught.value.transient is transient
        assert not caught.value.disconnect
        assert "Geheim" not in str(caught.value)
        pool.close()


@every_way
def test_a_connection_that_is_cut_is_a_disconnect_and_the_next_one_works(
    dialect: str, query: dict[str, str]
) -> None:
    with TdsServer() as server:
        pool = connections(server, dialect, query)

        def cut(statement: str) -> None:
            if "NOW" in statement:
                server.cut()

        server.refuse = cut  # type: ignore[assignment]
        with pytest.raises(ServerError, match="connection to the server was cut") as caught:
            with explained("loading"), pool.session(autocommit=True) as connection:
                connection.cursor().execute("INSERT NOW")
        assert caught.value.transient
        assert caught.value.disconnect
        with pool.session(autocommit=True) as connection:
            assert connection.cursor().execute("SELECT 1").fetchall()
        pool.close()


@every_way
def test_a_database_that_moves_is_waited_for(dialect: str, query: dict[str, str]) -> None:
    refusals = iter([None, *[Refusal(40613, "Database is not currently available.", 14)] * 3])

    def refuse(login: Login) -> Refusal | None:
        return next(refusals, None)

    with TdsServer(refuse_login=refuse) as server:
        pool = connections(
            server,
            dialect,
            query,
            connect_retry=RetryPolicy(attempts=6, first_wait_s=0.01, longest_wait_s=0.05),
        )
        with pool.session(), pool.session():  # the first is told at once, the second waited for
            pass
        assert len(server.logins) == 5
        pool.close()
