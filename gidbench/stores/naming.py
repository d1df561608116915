"""How our tables and columns are called in somebody's database."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from gidbench.errors import InputError
from gidbench.records import SCHEMAS

LONGEST_NAME = 128  # characters; sysname of SQL Server
_COLUMNS: dict[str, tuple[str, ...]] = {
    **{table: tuple(schema.names) for table, schema in SCHEMAS.items()},
    "g_id_sequence": ("next_ordinal",),
    "audit_log": ("operation", "started_at", "outcome", "counts", "parameters"),
}
TABLES = tuple(_COLUMNS)


class Table:
    """One table in SQL: as text its quoted name, its attributes the quoted names of its columns.

    So `f"SELECT e.{employee.no_ktp} FROM {employee} e"` is right whatever the table and its columns are called.
    """

    def __init__(self, table: str, name: str, columns: Mapping[str, str]) -> None:
        self.table, self.name, self.columns = table, name, dict(columns)

    def __str__(self) -> str:
        return quoted_table(self.name)

    def __getattr__(self, column: str) -> str:
        try:
            return quoted(self.columns[column])
        except KeyError:
            raise AttributeError(f"{self.table} has no column {column!r}") from None

    def list(self, columns: Iterable[str], prefix: str = "") -> str:
        """Quoted columns, separated by commas."""
        return ", ".join(prefix + quoted(self.columns[column]) for column in columns)

    def selected(self, columns: Iterable[str], prefix: str = "") -> str:
        """Quoted columns under the names that they have here, for the list of a SELECT."""
        return ", ".join(
            prefix
            + quoted(self.columns[column])
            + ("" if self.columns[column] == column else f" AS {quoted(column)}")
            for column in columns
        )

    def rename(self, schema: pa.Schema) -> pa.Schema:
        """A schema of this table, in the names of the database."""
        return pa.schema([field.with_name(self.columns.get(field.name, field.name)) for field in schema])


@dataclass(frozen=True)
class Names:
    """Tables as [DATABASE.][SCHEMA.]TABLE and columns; what is not named is called as it is here."""

    tables: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def table(self, table: str) -> Table:
        """Raises KeyError where it is none of ours."""
        given = self.columns.get(table, {})
        return Table(
            table, self.tables.get(table, table), {name: given.get(name, name) for name in _COLUMNS[table]}
        )

    def __getattr__(self, table: str) -> Table:
        if table.startswith("__") or table not in _COLUMNS:
            raise AttributeError(table)
        return self.table(table)


OURS = Names()


def quoted(name: str) -> str:
    """A name in double quotes, which SQL Server and DuckDB both take (QUOTED_IDENTIFIER is on in ODBC)."""
    return '"' + name.replace('"', '""') + '"'


def quoted_table(name: str) -> str:
    """[DATABASE.][SCHEMA.]TABLE, each part quoted; a dot inside of a part is written in brackets: [a.b].c."""
    return ".".join(quoted(part) for part in split_name(name))


def split_name(name: str) -> list[str]:
    """The parts of a dotted name; brackets and double quotes keep a dot from counting."""
    parts, rest = [], name
    while True:
        closing = {"[": "]", '"': '"'}.get(rest[:1])
        if closing:
            end = rest.find(closing, 1)
            while end > 0 and rest[end : end + 2] == closing * 2:  # a doubled one means itself
                end = rest.find(closing, end + 2)
            if end < 0 or rest[end + 1 : end + 2] not in ("", "."):
                raise InputError(f"{name!r} is no name of a table", "Close its brackets or quotes")
            parts.append(rest[1:end].replace(closing * 2, closing))
            rest = rest[end + 1 :]
        else:
            end = rest.find(".") if "." in rest else len(rest)
            parts.append(rest[:end])
            rest = rest[end:]
        if not rest:
            break
        rest = rest[1:]
    if len(parts) > 3 or not all(0 < len(part) <= LONGEST_NAME for part in parts):
        raise InputError(
            f"{name!r} is no name of a table",
            f"Write [DATABASE.][SCHEMA.]TABLE, each of 1 to {LONGEST_NAME} characters",
        )
    return parts


def load_names(path: str | Path) -> Names:
    """Names from a TOML file: `employee = "dbo.pegawai"`, and a table `[employee.columns]` with `no_ktp = "nik"`.

    Where columns are renamed, the name of their table is said by `name` in its TOML table.
    Raises InputError, naming the line of the file's tables that is wrong.
    """
    source = Path(path)
    try:
        told = tomllib.loads(source.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{source} cannot be read ({error.strerror})", "Name another file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{source} is no TOML ({error})", "Correct it") from None
    tables: dict[str, str] = {}
    columns: dict[str, dict[str, str]] = {}
    for table, value in told.items():
        if table not in _COLUMNS:
            raise InputError(f"{source} names {table!r}", f"Name one of {', '.join(TABLES)}")
        name, own = (
            (value.get("name", table), value.get("columns", {})) if isinstance(value, dict) else (value, {})
        )
        if isinstance(value, dict) and (unknown := set(value) - {"name", "columns"}):
            raise InputError(f"{source} says {sorted(unknown)[0]!r} of {table}", "Say name and columns")
        tables[table] = _checked(name, f"{source}: the name of {table}")
        split_name(tables[table])
        if not isinstance(own, dict):
            raise InputError(f"{source}: the columns of {table} are {own!r}", "Write a table of names")
        columns[table] = {}
        for column, called in own.items():
            if column not in _COLUMNS[table]:
                raise InputError(
                    f"{source}: {table} has no column {column!r}", f"Use {', '.join(_COLUMNS[table])}"
                )
            columns[table][column] = _checked(called, f"{source}: {table}.{column}")
        _check_distinct(source, f"two columns of {table}", Names(columns=columns).table(table).columns)
    _check_distinct(source, "two tables", {name: tables.get(name, name) for name in TABLES})
    return Names(tables, columns)


def _checked(name: Any, what: str) -> str:
    if not isinstance(name, str) or not name.strip() or "\0" in name:
        raise InputError(f"{what} is {name!r}", "Write it as text that is not empty")
    return name


def _check_distinct(source: Path, what: str, names: Mapping[str, str]) -> None:
    seen: dict[str, str] = {}
    for name in names.values():
        if name.lower() in seen:
            raise InputError(f"{source}: {what} are called {name!r}", "Give each a name of its own")
        seen[name.lower()] = name
