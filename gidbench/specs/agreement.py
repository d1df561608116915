"""Which columns may agree with which, and that none agrees with itself in the end."""

from __future__ import annotations

from gidbench.errors import InputError
from gidbench.specs import patterns
from gidbench.specs.model import (
    Boolean,
    Choice,
    Column,
    Date,
    DecimalNumber,
    ForeignKey,
    Integer,
    Name,
    NationalId,
    Pattern,
    Sequence,
    Spec,
    Table,
    Timestamp,
    Uuid,
)

_ORDERED = (Integer, DecimalNumber, Date, Timestamp, Boolean, Choice)
_WITH_TEXT = (Name, Choice, Pattern, NationalId)


def check_agreement(spec: Spec, table: Table) -> None:
    """Raise InputError for references between columns that cannot be kept."""
    for column in table.columns:
        where = f"{table.name}.{column.name}"
        after = getattr(column, "after", None)
        for other in (column.correlated_with, after):
            if other is not None and other not in {each.name for each in table.columns}:
                raise InputError(
                    f"{where} refers to {other!r}, which {table.name} does not have", "Name a column"
                )
        if after is not None:
            _check_after(where, column, table.column(after))
        if column.correlation is not None and column.correlated_with is None:
            raise InputError(f"{where} has a correlation with nothing", "Say correlated_with")
        if column.correlated_with is not None:
            _check_pair(where, column, table.column(column.correlated_with))
        elif isinstance(column, Pattern) and _refers(column):
            raise InputError(
                f"{where} uses another column in {column.pattern!r}", "Name it with correlated_with"
            )
        elif isinstance(column, Choice) and column.values_by:
            raise InputError(f"{where} has values_by of nothing", "Say correlated_with")
        if isinstance(column, ForeignKey):
            _check_key(where, spec, column)
        _check_circle(table, column)
    _check_key_circle(spec, table)


def _refers(column: Pattern) -> bool:
    return any(
        isinstance(piece, patterns.DatePart | patterns.Value) for piece in patterns.parse(column.pattern)
    )


def _check_after(where: str, column: Column, other: Column) -> None:
    if not isinstance(other, Date | Timestamp):
        raise InputError(
            f"{where} cannot come after {other.name}, a {other.kind}", "Name a date or timestamp"
        )
    if column.correlated_with is not None:
        raise InputError(f"{where} has both after and correlated_with", "Leave out one of them")


def _check_pair(where: str, column: Column, other: Column) -> None:
    """Whether a column can agree with another, by their kinds."""
    match column, other:
        case (Date() | Name(), NationalId()):
            if column.correlation is None:
                return
        case (Pattern(), _):
            _check_pattern(where, column, other)
            return
        case (Choice(), Choice()) if column.values_by:
            _check_groups(where, column, other)
            return
    if not (isinstance(column, _ORDERED) and isinstance(other, _ORDERED)):
        raise InputError(
            f"a {column.kind} cannot agree with a {other.kind} ({where})",
            "See which can in the section on specs in the README",
        )
    if column.correlation is None or not -1 <= column.correlation <= 1:
        raise InputError(
            f"{where} is correlated with {other.name} by {column.correlation}",
            "Give correlation from -1 to 1",
        )
    for each in (column, other):
        grouped = isinstance(each, Choice) and bool(each.values_by)
        dependent = getattr(each, "after", None) is not None or (
            isinstance(each, Date) and each.correlated_with is not None and each.correlation is None
        )
        if each.unique or grouped or dependent:
            raise InputError(
                f"{each.name} is unique or follows another column and has no order to share ({where})",
                "Correlate it with another column",
            )


def _check_pattern(where: str, column: Pattern, other: Column) -> None:
    pieces = patterns.parse(column.pattern)
    dates = any(isinstance(piece, patterns.DatePart) for piece in pieces)
    values = any(isinstance(piece, patterns.Value) for piece in pieces)
    if not dates and not values:
        raise InputError(
            f"{where} does not use {other.name} in {column.pattern!r}", "Write {value} or {year}"
        )
    if dates and not isinstance(other, Date | Timestamp):
        raise InputError(
            f"{where} wants a date, but {other.name} is a {other.kind}", "Name a date or timestamp"
        )
    textual = isinstance(other, _WITH_TEXT) and not (
        isinstance(other, Choice) and other.values and isinstance(other.values[0], int)
    )
    if values and not textual:
        raise InputError(f"{where} wants a text, but {other.name} is a {other.kind}", "Name a column of text")
    if column.correlation is not None:
        raise InputError(f"{where} is a pattern and has no correlation", "Leave out correlation")


def _check_groups(where: str, column: Choice, other: Choice) -> None:
    known = {value for values in other.values_by.values() for value in values} or set(map(str, other.values))
    missing = sorted(known - set(column.values_by))
    if missing:
        raise InputError(
            f"{where} has no values for {', '.join(missing[:5])} of {other.name}", "Add them to values_by"
        )
    if column.correlation is not None:
        raise InputError(f"{where} has values_by and no correlation", "Leave out correlation")


def _check_key(where: str, spec: Spec, column: ForeignKey) -> None:
    name, _, target = column.references.rpartition(".")
    if name not in spec.tables or target not in {each.name for each in spec.tables[name].columns}:
        raise InputError(
            f"{where} references {column.references!r}, which this spec does not have",
            'Write "TABLE.COLUMN" of a table in the same file',
        )
    there = spec.tables[name]
    key = there.column(target)
    if not there.records:
        raise InputError(f"{where} references {name}, which does not say how many rows", "Give it records")
    if key.null_fraction or not (key.unique or isinstance(key, Sequence | NationalId | Uuid)):
        raise InputError(
            f"{where} references {column.references}, which is no key", "Make it unique, without nulls"
        )
    if isinstance(key, Pattern) and _refers(key):
        raise InputError(f"{where} references a pattern that uses another column", "Reference another key")


def _check_circle(table: Table, column: Column) -> None:
    seen = [column.name]
    here: Column | None = column
    while here is not None:
        onward = here.correlated_with or getattr(here, "after", None)
        if onward is None:
            return
        if onward in seen:
            raise InputError(
                f"{table.name}: {' -> '.join([*seen, onward])} depend on each other in a circle", "Break it"
            )
        seen.append(onward)
        here = table.column(onward)


def _check_key_circle(spec: Spec, table: Table) -> None:
    """A key may be a foreign key itself, but not lead back to itself."""
    for column in table.columns:
        trail = [f"{table.name}.{column.name}"]
        here = column
        while isinstance(here, ForeignKey) and here.unique:
            if here.references in trail:
                raise InputError(
                    f"the keys {' -> '.join([*trail, here.references])} form a circle", "Break it"
                )
            trail.append(here.references)
            name, _, target = here.references.rpartition(".")
            if name not in spec.tables:
                return
            here = spec.tables[name].column(target)
