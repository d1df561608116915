"""Emptying a table of DuckDB: made anew where that is all there is to it, else row by row; it stays what it was."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

import gidbench
from gidbench.stores.duckdb_schema import empty
from gidbench.stores.naming import Names
from gidbench.stores.opening import open_store

PLAIN = (
    "CREATE TABLE {0} (id BIGINT PRIMARY KEY, name VARCHAR DEFAULT 'nobody' CHECK (name <> ''),"
    " next BIGINT GENERATED ALWAYS AS (id + 1), many DECIMAL(9, 2)[])"
)
WORDS = "SELECT sql, comment FROM duckdb_tables() WHERE table_name = '{0}'"


@pytest.fixture
def connection(tmp_path: Path) -> duckdb.DuckDBPyConnection:
    with duckdb.connect(str(tmp_path / "some.duckdb")) as opened:
        yield opened


def oid(connection: duckdb.DuckDBPyConnection, name: str) -> int:
    """It stays the same as long as the table does."""
    [(found,)] = connection.execute(
        f"SELECT table_oid FROM duckdb_tables() WHERE table_name = '{name}'"
    ).fetchall()
    return int(found)


@pytest.mark.parametrize("name", ["people", 'hr."the people"', '"a.b"'])
def test_a_plain_table_is_made_anew_as_it_was(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    connection.execute("CREATE SCHEMA hr")
    connection.execute(PLAIN.format(name))
    connection.execute(f"INSERT INTO {name} (id) SELECT range FROM range(1000)")
    bare = name.split(".", 1)[-1].strip('"') if name != '"a.b"' else "a.b"
    before, words = oid(connection, bare), connection.execute(WORDS.format(bare)).fetchall()
    connection.begin()
    empty(connection, name)
    connection.execute(f"INSERT INTO {name} (id) SELECT range FROM range(5)")
    connection.commit()
    assert oid(connection, bare) != before
    assert connection.execute(WORDS.format(bare)).fetchall() == words
    assert connection.execute(f"SELECT count(*), min(name), max(next) FROM {name}").fetchall() == [
        (5, "nobody", 5)
    ]
    with pytest.raises(duckdb.ConstraintException):
        connection.execute(f"INSERT INTO {name} (id) VALUES (3)")


@pytest.mark.parametrize(
    ("hanging", "still_there"),
    [
        ("CREATE INDEX by_name ON people (name)", "SELECT index_name FROM duckdb_indexes()"),
        (
            "COMMENT ON TABLE people IS 'ours'",
            "SELECT comment FROM duckdb_tables() WHERE table_name = 'people'",
        ),
        (
            "COMMENT ON COLUMN people.id IS 'key'",
            "SELECT comment FROM duckdb_columns() WHERE column_name = 'id'",
        ),
        (
            "CREATE TABLE pays (person BIGINT REFERENCES people (id))",
            "SELECT referenced_table FROM duckdb_constraints() WHERE constraint_type = 'FOREIGN KEY'",
        ),
    ],
)
def test_what_hangs_on_a_table_stays(
    connection: duckdb.DuckDBPyConnection, hanging: str, still_there: str
) -> None:
    connection.execute(PLAIN.format("people"))
    connection.execute("INSERT INTO people (id) SELECT range FROM range(1000)")
    connection.execute(hanging)
    before, found = oid(connection, "people"), connection.execute(still_there).fetchall()
    assert found
    empty(connection, "people")
    assert oid(connection, "people") == before
    assert connection.execute(still_there).fetchall() == found
    assert connection.execute("SELECT count(*) FROM people").fetchall() == [(0,)]


def test_a_view_of_it_goes_on(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(PLAIN.format("people"))
    connection.execute("CREATE VIEW names AS SELECT name FROM people")
    connection.execute("INSERT INTO people (id) VALUES (1)")
    empty(connection, "people")
    connection.execute("INSERT INTO people (id) VALUES (1), (2)")
    assert connection.execute("SELECT count(*) FROM names").fetchall() == [(2,)]


def test_a_table_of_another_database_is_emptied_there(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    connection.execute(f"ATTACH '{tmp_path / 'other.duckdb'}' AS other")
    for place in ("people", "other.main.people"):
        connection.execute(PLAIN.format(place))
        connection.execute(f"INSERT INTO {place} (id) VALUES (1)")
    empty(connection, "other.main.people")
    assert connection.execute("SELECT count(*) FROM people").fetchall() == [(1,)]
    assert connection.execute("SELECT count(*) FROM other.main.people").fetchall() == [(0,)]


def test_rows_come_back_where_what_should_replace_them_fails(tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path / 'people.duckdb'}"
    gidbench.generate(500, seed=1, into=url)
    token = gidbench.Cancellation()

    def stop(step: gidbench.Progress) -> None:
        if step.done:
            token.cancel()

    with pytest.raises(gidbench.GidbenchError):
        gidbench.generate(
            200_000, seed=2, into=url, replace=True, batch_size=1000, progress=stop, cancellation=token
        )
    with open_store(url) as store:
        assert store.count("employee") == 500


def test_replacing_again_and_again_does_not_grow_the_file(tmp_path: Path) -> None:
    path = tmp_path / "people.duckdb"
    sizes = []
    for _ in range(4):
        gidbench.generate(50_000, seed=1, into=f"duckdb:///{path}", replace=True)
        sizes.append(path.stat().st_size)
    assert max(sizes) <= 2.2 * sizes[0]  # the old rows until the new ones are there


def test_tables_of_other_names_are_replaced_too(tmp_path: Path) -> None:
    url, names = f"duckdb:///{tmp_path / 'people.duckdb'}", Names({"employee": "hr.pegawai"})
    for records in (300, 200):
        gidbench.generate(records, seed=records, into=url, names=names, replace=True)
    with open_store(url, names=names) as store:
        assert store.count("employee") == 200
