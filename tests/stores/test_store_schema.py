"""Our tables are made in somebody's database, and somebody's own are taken only where they fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import live
import pytest

from gidbench import administration, cli, operations
from gidbench.administration import create_schema, schema_sql
from gidbench.errors import InputError
from gidbench.stores.naming import TABLES, Names
from gidbench.stores.opening import open_store

PEOPLE = "g_id {t8} NOT NULL, name {n} NOT NULL, personal_number {t32} NOT NULL, no_ktp {t16} NOT NULL,"
PEOPLE += " passport_id {t16} NULL, bod date NOT NULL, status {t16} NOT NULL, source {t16} NOT NULL,"
PEOPLE += " created_at {m} NOT NULL, updated_at {m} NOT NULL"
EMPLOYEES = "id bigint NOT NULL, name {n} NOT NULL, personal_number {t32} NOT NULL, no_ktp {t16} NOT NULL,"
EMPLOYEES += " passport_id {t16} NULL, bod date NOT NULL, g_id {t8} NULL, created_at {m} NOT NULL,"
EMPLOYEES += " updated_at {m} NOT NULL, deleted_at {m} NULL"
TYPES = {
    "duckdb": {"t8": "varchar", "t16": "varchar", "t32": "varchar", "n": "varchar", "m": "timestamp"},
    "sql server": {
        "t8": "char(8)",
        "t16": "varchar(16)",
        "t32": "varchar(32)",
        "n": "nvarchar(255)",
        "m": "datetime2(6)",
    },
}


class Place:
    """A database without tables, and what is run in it."""

    def __init__(self, kind: str, url: str, path: Path) -> None:
        self.kind, self.url, self.path = kind, url, path

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        if self.kind != "duckdb":
            return live.query(self.url, statement)
        with duckdb.connect(str(self.path)) as connection:
            return connection.execute(statement).fetchall()

    def table(self, name: str, columns: str, **types: str) -> None:
        self.run(f"CREATE TABLE {name} ({columns.format(**{**TYPES[self.kind], **types})})")


@pytest.fixture(params=["duckdb", "sql server"])
def place(request: pytest.FixtureRequest, tmp_path: Path, database: str) -> Place:
    url = database if request.param == "duckdb" else request.getfixturevalue("sql_server")
    return Place(request.param, url, tmp_path / "people.duckdb")


def test_what_was_made_and_what_was_there_is_told(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.table("global_id", PEOPLE)
    cli.main(["schema", "create", "--database", place.url, "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["present"] == ["global_id"]
    assert sorted([*told["made"], "global_id"]) == sorted(TABLES)
    cli.main(["schema", "create", "--database", place.url])
    assert capsys.readouterr().out.count("was there") == len(TABLES)
    operations.generate(200, into=place.url)
    assert operations.sync(place.url).counts()["inserted"] == 200


def test_names_of_ones_own_in_schemas_that_are_not_there_yet(place: Place) -> None:
    names = Names(
        {"employee": "hr_new.pegawai", "global_id": "[hr_new].[a b]", "global_id_file": "other_new.pegawai"},
        {"employee": {"no_ktp": "NIK", "name": "full name"}},
    )
    report = create_schema(place.url, names=names)
    try:
        assert set(report.made) >= {"hr_new.pegawai", "[hr_new].[a b]", "other_new.pegawai"}
        assert create_schema(place.url, names=names).made == ()
        operations.generate(150, into=place.url, names=names)
        assert operations.sync(place.url, names=names).counts()["inserted"] == 150
        assert place.run('SELECT COUNT(*) FROM hr_new.pegawai WHERE "NIK" IS NOT NULL') == [(150,)]
    finally:
        for table in ("hr_new.pegawai", 'hr_new."a b"', "other_new.pegawai"):
            place.run(f"DROP TABLE {table}")
        for schema in ("hr_new", "other_new"):
            place.run(f"DROP SCHEMA {schema}")


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        (PEOPLE.replace("no_ktp", "nik"), "has no column 'no_ktp'"),
        (PEOPLE.replace("bod date", "bod bigint"), "'bod' of global_id is bigint, which does not hold"),
        (
            PEOPLE.replace("passport_id {t16} NULL", "passport_id {t16} NOT NULL"),
            "'passport_id' .* NOT NULL",
        ),
        (PEOPLE + ", branch int NOT NULL", "demands values for branch"),
        (PEOPLE.replace("no_ktp {t16}", "no_ktp bigint"), "'no_ktp' of global_id is bigint"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_and_nothing_is_made(
    place: Place, columns: str, says: str
) -> None:
    place.table("global_id", columns)
    with pytest.raises(InputError, match=f"(?i){says}") as caught:
        create_schema(place.url)
    assert caught.value.remedy
    with open_store(place.url) as store:
        assert not store.has_table("employee")


def test_further_columns_that_fill_themselves_and_names_in_other_case_are_no_matter(place: Place) -> None:
    further = ", branch int DEFAULT 7 NOT NULL, remark {t32} NULL"
    place.table("GLOBAL_ID", PEOPLE.replace("no_ktp", "NO_KTP") + further)
    assert create_schema(place.url).present == ("global_id",)
    operations.generate(100, into=place.url)
    operations.sync(place.url)
    assert place.run("SELECT DISTINCT branch FROM global_id") == [(7,)]


def test_employees_with_columns_of_their_own_are_read_but_not_filled(place: Place) -> None:
    smaller = EMPLOYEES.replace("id bigint", "id int") + ", branch int NOT NULL"
    place.table("employee", smaller)
    report = create_schema(place.url)
    assert report.present == ("employee",)
    [note] = report.notes
    assert "branch" in note
    assert [check.state for check in report.checks()].count("note") == 1
    place.run(
        "INSERT INTO employee VALUES (5, 'Siti', '1', '3201010101900001', NULL, '1990-01-01', NULL,"
        " '2024-01-01', '2024-01-01', NULL, 3)"
    )
    assert operations.sync(place.url).counts()["inserted"] == 1
    assert operations.sync(place.url).counts()["unchanged"] == 1
    [(found, branch)] = place.run("SELECT g_id, branch FROM employee")
    assert (len(found), branch) == (8, 3)


def test_employees_without_moments_are_read_but_not_filled(place: Place) -> None:
    place.table("employee", EMPLOYEES.replace(" created_at {m} NOT NULL, updated_at {m} NOT NULL,", ""))
    [note] = create_schema(place.url).notes
    assert note.startswith("employee has no created_at and no updated_at: it can be read")
    place.run(
        "INSERT INTO employee VALUES (5, 'Siti', '1', '3201010101900001', NULL, '1990-01-01', NULL, NULL)"
    )
    assert operations.sync(place.url).counts()["inserted"] == 1


def test_employees_who_could_never_be_there_are_refused(place: Place) -> None:
    place.table("employee", EMPLOYEES.replace("deleted_at {m} NULL", "deleted_at {m} NOT NULL"))
    with pytest.raises(InputError, match="'deleted_at' of employee is NOT NULL"):
        create_schema(place.url)


def test_two_tables_that_are_one_are_refused(place: Place) -> None:
    own = "main" if place.kind == "duckdb" else "dbo"
    names = Names({"employee": "people", "global_id": f"{own}.PEOPLE"})
    with pytest.raises(InputError, match="employee and global_id are both the table"):
        create_schema(place.url, names=names)


def test_what_show_prints_makes_what_create_makes(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["schema", "show", "--database", place.url])
    for statement in capsys.readouterr().out.replace("\nGO\n", "\n").split(";\n"):
        if statement.strip():
            place.run(statement)
    assert create_schema(place.url).made == ()
    with open_store(place.url) as store:
        assert store.reserve_gids(0) > 0


def test_show_needs_no_server() -> None:
    text = schema_sql("mssql+pyodbc://nobody@nowhere/x", names=Names({"employee": "hr.pegawai"}))
    assert text.startswith('CREATE SCHEMA "hr";\nGO\n')
    assert '"pk_pegawai" PRIMARY KEY ("id")' in text
    assert "CREATE TABLE" in schema_sql()
    with pytest.raises(InputError, match="no schema for sqlite"):
        schema_sql("sqlite:///x.db")
    with pytest.raises(InputError, match="no database is named"):
        administration.create_schema()


def test_long_names_keep_keys_apart() -> None:
    long = "x" * 126
    text = schema_sql(
        "mssql+pyodbc://x@y/z", names=Names({"global_id": f"{long}1", "global_id_file": f"{long}2"})
    )
    keys = [part.split('"')[1] for part in text.split("CONSTRAINT ")[1:]]
    assert len(keys) == len(set(keys)) == 5
    assert all(len(key) <= 128 for key in keys)


@pytest.mark.parametrize(
    ("types", "says"),
    [
        ({"t16": "char(15)"}, r"is char\(15\), which does not hold"),
        ({"n": "nvarchar(100)"}, r"is nvarchar\(100\), which does not hold nvarchar\(255\)"),
        ({"n": "varchar(255)"}, r"is varchar\(255\), which loses letters"),
        ({"n": "ntext"}, r"which can't be compared"),
    ],
)
def test_columns_too_short_or_of_fewer_letters_are_refused(
    sql_server: str, tmp_path: Path, types: dict[str, str], says: str
) -> None:
    Place("sql server", sql_server, tmp_path).table("global_id", PEOPLE, **types)
    with pytest.raises(InputError, match=says):
        create_schema(sql_server)


def test_a_key_that_a_renamed_table_has_kept_is_no_hindrance(sql_server: str, tmp_path: Path) -> None:
    place = Place("sql server", sql_server, tmp_path)
    place.run("CREATE TABLE old_people (id int CONSTRAINT pk_employee PRIMARY KEY)")
    assert "employee" in create_schema(sql_server).made


def test_a_database_that_is_not_there_is_told(sql_server: str) -> None:
    names = Names({"employee": "no_such_database.dbo.employee"})
    with pytest.raises(InputError, match="there is no database 'no_such_database'"):
        create_schema(sql_server, names=names)
