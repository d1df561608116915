"""Our tables in somebody's database: do the columns that are there fit, and what was made of what was missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from gidbench import gid
from gidbench.errors import InputError
from gidbench.findings import Check
from gidbench.records import SCHEMAS
from gidbench.stores.naming import TABLES, Names, Table

_TEXT = pa.string()
_MOMENT = pa.timestamp("us")
_OTHERS = {
    "g_id_sequence": pa.schema([pa.field("next_ordinal", pa.int64(), nullable=False)]),
    "audit_log": pa.schema(
        [
            pa.field("operation", _TEXT, nullable=False),
            pa.field("started_at", _MOMENT, nullable=False),
            pa.field("outcome", _TEXT, nullable=False),
            pa.field("counts", _TEXT, nullable=False),
            pa.field("parameters", _TEXT, nullable=False),
        ]
    ),
}
ALL_SCHEMAS = {**SCHEMAS, **_OTHERS}
# Somebody's employees are read and told their G_ID; rows come into it only by `generate`.
_READ = "employee"
_OPTIONAL = ("created_at", "updated_at")  # of it; a synchronisation does without
# By whether it is empty a person counts as there: one that is never empty would make everybody leave.
_MUST_BE_EMPTY = ("deleted_at",)


@dataclass(frozen=True)
class Found:
    """A column that is there.

    Attributes
    ----------
    shown:
        Its type, as its database writes it.
    generated:
        Whether the database gives it a value where an insert says none: it has a default, or is computed.
    """

    name: str
    shown: str
    nullable: bool
    generated: bool


@dataclass(frozen=True)
class SchemaReport:
    """What became of our tables in a database, by the names that they have there.

    Attributes
    ----------
    made:
        Tables created just now.
    present:
        Those that were there, whose columns fit, and that were left alone.
    notes:
        What cannot be done with one that is there.
    """

    database: str
    made: tuple[str, ...]
    present: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "database": self.database,
            "made": list(self.made),
            "present": list(self.present),
            "notes": list(self.notes),
        }

    def checks(self) -> list[Check]:
        """A line for each table."""
        return [
            *(Check(name, "good", "made, with its keys and indexes") for name in self.made),
            *(Check(name, "good", "was there; its columns fit, it was left alone") for name in self.present),
            *(Check("note", "note", note) for note in self.notes),
        ]


def check_fit(
    known: Table,
    found: Iterable[Found],
    hinders: Callable[[pa.Field, Found], str],
    *,
    exact_case: bool = False,
) -> list[str]:
    """Raise InputError where a table that is there can't serve as one of ours; returns what only `generate` minds.

    Parameters
    ----------
    hinders:
        Why a column can't hold our field; empty where it can.
    exact_case:
        Whether the database tells names apart by their case.
    """
    schema = ALL_SCHEMAS[known.table]
    there = {column.name.lower(): column for column in found}
    lacking: list[str] = []
    for field in schema:
        called = known.columns[field.name]
        column = there.pop(called.lower(), None)
        where = f"Name it in a names file ([{known.table}.columns]), or name another table"
        if column is None and known.table == _READ and field.name in _OPTIONAL:
            lacking.append(called)
            continue
        if column is None:
            raise InputError(f"the table {known.name} has no column {called!r}", where)
        if exact_case and column.name != called:
            raise InputError(
                f"{known.name} has a column {column.name!r}, not {called!r}, and its database tells case apart",
                where,
            )
        if why := hinders(field, column):
            raise InputError(
                f"the column {called!r} of {known.name} is {column.shown}, {why}",
                "Alter it, or name another table in a names file",
            )
        if field.nullable and not column.nullable and _minds(known, field.name):
            raise InputError(
                f"the column {called!r} of {known.name} is NOT NULL, but not everybody has a value for it",
                "Allow NULL in it, or name another table in a names file",
            )
    required = [column.name for column in there.values() if not column.nullable and not column.generated]
    readable = "it can be read and synchronised, but `generate --into` can't fill it"
    notes = [f"{known.name} has no {' and no '.join(lacking)}: {readable}"] if lacking else []
    if not required:
        return notes
    problem = f"{known.name} demands values for {', '.join(sorted(required))}, which gidbench does not have"
    if known.table == _READ:
        return [*notes, f"{problem}: {readable}"]
    raise InputError(problem, "Allow NULL in them, give them defaults, or name another table in a names file")


def _minds(known: Table, column: str) -> bool:
    return known.table != _READ or column in _MUST_BE_EMPTY


def check_distinct(places: Mapping[str, tuple[str, ...]], names: Names) -> None:
    """Raise InputError where two of our tables (by their places in the database) are one."""
    seen: dict[tuple[str, ...], str] = {}
    for table in TABLES:
        place = tuple(part.lower() for part in places[table])
        if place in seen:
            raise InputError(
                f"{seen[place]} and {table} are both the table {names.table(table).name}",
                "Give each a table of its own in the names file",
            )
        seen[place] = table


def first_ordinal_sql(names: Names) -> str:
    """The statement that lets a sequence without a row begin."""
    sequence = names.g_id_sequence
    return (
        f"INSERT INTO {sequence} ({sequence.next_ordinal}) SELECT {gid.FIRST_ORDINAL}"
        f" WHERE NOT EXISTS (SELECT 1 FROM {sequence})"
    )
