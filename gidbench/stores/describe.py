"""Specs from the tables of a database: their columns and rules are read, never their rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from gidbench.specs import model
from gidbench.specs.checks import check_spec
from gidbench.stores.catalogue import Catalogue, TableFacts, open_catalogue
from gidbench.stores.opening import split_table

_KEY_ROWS = 10_000  # rows of a table that a key refers to, where nobody says how many
_NULLS = 0.1  # of a column that may be null
_MOST_INTEGER = {"TINYINT": 127, "UTINYINT": 255, "SMALLINT": 32_767}
_USUAL_MOST, _UNIQUE_MOST = 1_000_000, 2_000_000_000
_LONGEST_TEXT = 100  # characters of free text in a column that takes more
_NAMES = {
    r"((full|customer|employee|contact|person)_?)?name|nama(_lengkap)?": "full",
    r"(first|given)_?name|nama_depan": "first",
    r"(last|family)_?name|surname|nama_belakang": "last",
}
_NATIONAL_IDS = r"no_?ktp|nik|nomor_?ktp"
_GUESSED_NULLS = "may be null: the fraction is a guess"


@dataclass(frozen=True)
class Description:
    """A spec, and remarks on its columns by TABLE.COLUMN."""

    spec: model.Spec
    notes: dict[str, str] = field(default_factory=dict)


def describe_table(source: str) -> Description:
    """A spec for tables like the one at URL/TABLE, and for the keys of those that it refers to.

    Raises InputError where there is no such database or table, StoreError where it cannot be asked.
    """
    url, qualified = split_table(source)
    with open_catalogue(url) as catalogue:
        facts = catalogue.facts(qualified)
        notes: dict[str, str] = {}
        tables: dict[str, model.Table] = {}
        for there, target in facts.references.values():
            if there != qualified and there.rpartition(".")[2] != facts.name:
                _add_key(tables, catalogue, there, target)
        columns = tuple(_column(facts, name, notes) for name in facts.types)
        own = model.Table(facts.name, columns, _KEY_ROWS if _is_referred_to(facts) else None)
    spec = model.Spec({own.name: own, **tables})
    check_spec(spec)
    return Description(spec, notes)


def _is_referred_to(facts: TableFacts) -> bool:
    return any(there.rpartition(".")[2] == facts.name for there, _ in facts.references.values())


def _add_key(tables: dict[str, model.Table], catalogue: Catalogue, there: str, target: str) -> None:
    """The key column of a table that is referred to, beside those of it that are known already."""
    facts = catalogue.facts(there)
    held = tables.get(facts.name)
    columns = held.columns if held else ()
    if target in {column.name for column in columns}:
        return
    key = _key_column(facts, target)
    tables[facts.name] = model.Table(facts.name, (*columns, key), _KEY_ROWS)


def _key_column(facts: TableFacts, name: str) -> model.Column:
    """A column of different values without nulls, as the type allows."""
    family, arguments = _type(facts.types[name])
    if family == "UUID":
        return model.Uuid(name)
    if family in _TEXTS:
        return _distinct_text(name, facts.name, arguments)
    return model.Sequence(name)


def _column(facts: TableFacts, name: str, notes: dict[str, str]) -> model.Column:
    where = f"{facts.name}.{name}"
    family, arguments = _type(facts.types[name])
    is_key = facts.key == (name,)
    reference = facts.references.get(name)
    nulls = _NULLS if facts.nullable[name] and not is_key else 0.0
    if nulls:
        notes[where] = _GUESSED_NULLS
    if reference is not None:
        there = f"{reference[0].rpartition('.')[2]}.{reference[1]}"
        return model.ForeignKey(name, there, null_fraction=nulls)
    if is_key:
        return _key_column(facts, name)
    unique = name in facts.unique
    make = _MAKERS.get(family)
    if make is not None:
        return make(name, arguments, unique, nulls)
    if family in _TEXTS:
        return _text(facts, name, arguments, unique, nulls)
    notes[where] = f"{facts.types[name]} has no kind of column here: left empty"
    return model.Text(name, null_fraction=1.0)


_TEXTS = {"VARCHAR", "NVARCHAR", "CHAR", "NCHAR", "TEXT", "NTEXT", "STRING", "CLOB", "BPCHAR"}


def _text(facts: TableFacts, name: str, arguments: list[int], unique: bool, nulls: float) -> model.Column:
    lowered = name.lower()
    if unique:
        if re.fullmatch(_NATIONAL_IDS, lowered):
            return model.NationalId(name, null_fraction=nulls)
        return _distinct_text(name, facts.name, arguments, nulls)
    for form, part in _NAMES.items():
        if re.fullmatch(form, lowered) and (not arguments or arguments[0] >= 50):
            return model.Name(name, part, null_fraction=nulls)
    if re.fullmatch(_NATIONAL_IDS, lowered):
        return model.NationalId(name, null_fraction=nulls)
    most = min(arguments[0] if arguments and arguments[0] > 0 else _LONGEST_TEXT, _LONGEST_TEXT)
    return model.Text(name, 1, most, null_fraction=nulls)


def _distinct_text(name: str, table: str, arguments: list[int], nulls: float = 0.0) -> model.Pattern:
    """A pattern with the row's number, as long as the column is wide at most."""
    room = arguments[0] if arguments and arguments[0] > 0 else _LONGEST_TEXT
    width = min(7, room)
    prefix = re.sub(r"[^A-Z]", "", table.upper())[:3] + "-"
    pattern = f"{{seq:0{width}}}" if room < width + len(prefix) else f"{prefix}{{seq:0{width}}}"
    return model.Pattern(name, pattern, unique=True, null_fraction=nulls)


def _whole(family: str) -> Callable[[str, list[int], bool, float], model.Column]:
    def make(name: str, arguments: list[int], unique: bool, nulls: float) -> model.Column:
        del arguments
        usual = _UNIQUE_MOST if unique else _USUAL_MOST
        most = min(_MOST_INTEGER.get(family, usual), usual)
        return model.Integer(name, 0, most, unique=unique, null_fraction=nulls)

    return make


def _decimal(name: str, arguments: list[int], unique: bool, nulls: float) -> model.Column:
    precision, scale = (*arguments, 18, 0)[:2] if len(arguments) != 1 else (arguments[0], 0)
    precision = min(precision, 18)
    scale = min(scale, precision)
    most = min(Decimal(10) ** (precision - scale) - 1, Decimal(10_000))
    return model.DecimalNumber(name, Decimal(0), most, precision, scale, unique=unique, null_fraction=nulls)


def _float(name: str, arguments: list[int], unique: bool, nulls: float) -> model.Column:
    del arguments
    return model.DecimalNumber(name, Decimal(0), Decimal(10_000), 18, 4, unique=unique, null_fraction=nulls)


def _moment(name: str, arguments: list[int], unique: bool, nulls: float) -> model.Column:
    digits = arguments[0] if arguments else 0
    resolution = "s" if digits == 0 else ("ms" if digits <= 3 else "us")
    return model.Timestamp(name, resolution=resolution, unique=unique, null_fraction=nulls)


def _plain(kind: Any, *, may_be_unique: bool) -> Callable[[str, list[int], bool, float], model.Column]:
    def make(name: str, arguments: list[int], unique: bool, nulls: float) -> model.Column:
        del arguments
        made: model.Column = kind(name, unique=unique and may_be_unique, null_fraction=nulls)
        return made

    return make


_MAKERS: dict[str, Callable[[str, list[int], bool, float], model.Column]] = {
    **{family: _whole(family) for family in ("INTEGER", "BIGINT", "TINYINT", "UTINYINT", "SMALLINT")},
    "DECIMAL": _decimal,
    "FLOAT": _float,
    "BOOLEAN": _plain(model.Boolean, may_be_unique=False),
    "DATE": _plain(model.Date, may_be_unique=True),
    "TIMESTAMP": _moment,
    "UUID": _plain(model.Uuid, may_be_unique=False),
}
_ALIASES = {
    "INT": "INTEGER",
    "HUGEINT": "BIGINT",
    "UINTEGER": "INTEGER",
    "UBIGINT": "BIGINT",
    "USMALLINT": "SMALLINT",
    "NUMERIC": "DECIMAL",
    "REAL": "FLOAT",
    "DOUBLE": "FLOAT",
    "DOUBLE PRECISION": "FLOAT",
    "BIT": "BOOLEAN",
    "BOOL": "BOOLEAN",
    "DATETIME": "TIMESTAMP",
    "DATETIME2": "TIMESTAMP",
    "SMALLDATETIME": "TIMESTAMP",
    "UNIQUEIDENTIFIER": "UUID",
    "MONEY": "DECIMAL",
}


def _type(text: str) -> tuple[str, list[int]]:
    """(family, arguments) of a type like DECIMAL(10, 2) or NVARCHAR(255) COLLATE ...."""
    found = re.match(r"\s*([A-Za-z0-9_]+(?: PRECISION)?)\s*(?:\(([\d, ]*)\))?", text)
    if not found:
        return text, []
    word = found[1].upper()
    arguments = [int(number) for number in (found[2] or "").replace(" ", "").split(",") if number]
    if word == "MONEY":
        arguments = [18, 4]
    return _ALIASES.get(word, word), arguments
