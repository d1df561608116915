"""Specs from TOML and from the command line: every option checked, nothing passed over."""

from __future__ import annotations

import dataclasses
import difflib
import shlex
import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from gidbench.errors import InputError
from gidbench.specs.checks import check_spec
from gidbench.specs.model import KINDS, Column, Distribution, Spec, Table

_MOST_BYTES = 1 << 20
_DISTRIBUTION = tuple(field.name for field in dataclasses.fields(Distribution))


def load_spec(path: str | Path) -> Spec:
    """The spec in a TOML file. Raises InputError where it is none."""
    place = Path(path)
    if not place.is_file():
        raise InputError(f"there is no spec file {place}", "Check the name and the folder")
    if place.stat().st_size > _MOST_BYTES:
        raise InputError(f"{place.name} has over {_MOST_BYTES:,} bytes", "Name the spec, not the data")
    try:
        return parse_spec(place.read_text("utf-8"), place.name)
    except UnicodeDecodeError:
        raise InputError(f"{place.name} is not UTF-8 text", "Save it as UTF-8") from None


def parse_spec(text: str, name: str = "spec") -> Spec:
    """A checked spec from TOML text; `name` is what errors call it."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{name} is not TOML ({error})", "See the section on specs in the README") from None
    tables = content.pop("tables", None)
    if content:
        raise InputError(
            f"{name} has {next(iter(content))!r} at its top", "Only [tables.NAME] may stand there"
        )
    if not isinstance(tables, dict) or not tables:
        raise InputError(f"{name} has no table", "Begin it with [tables.NAME.columns]")
    spec = Spec({key: _table(key, value) for key, value in tables.items()})
    check_spec(spec)
    return spec


@cache
def employee_spec() -> Table:
    """The employee table, from the spec that comes with the package."""
    text = resources.files("gidbench").joinpath("data", "employee.toml").read_text("utf-8")
    return parse_spec(text, "employee.toml").tables["employee"]


def columns_from_shorthand(lines: Iterable[str], table: str = "table") -> Spec:
    """A spec of one table from `NAME: KIND option=value …`, a text for each column.

    Values are read as TOML where they are TOML (numbers, dates, true, [1, 2]), as text elsewhere.
    """
    columns: dict[str, Any] = {}
    for line in lines:
        name, colon, rest = line.partition(":")
        try:
            words = shlex.split(rest)
        except ValueError as error:
            raise InputError(f"the column {line!r} cannot be read ({error})", "Close the quotes") from None
        if not colon or not name.strip() or not words:
            raise InputError(
                f"the column {line!r} cannot be read", 'Write it like "age: integer min=18 max=65"'
            )
        if name.strip() in columns:
            raise InputError(f"the column {name.strip()} is given twice", "Give each column once")
        options: dict[str, Any] = {"kind": words[0]}
        for word in words[1:]:
            key, equals, value = word.partition("=")
            if not equals:
                raise InputError(f"{word!r} of the column {line!r} is no option", "Write NAME=VALUE")
            options[key] = _toml_value(value, many=key in ("values", "weights"))
        columns[name.strip()] = options
    spec = Spec({table: _table(table, {"columns": columns})})
    check_spec(spec)
    return spec


def _toml_value(text: str, *, many: bool) -> Any:
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    if many and not isinstance(value, list):  # also [a, b], which TOML would want quoted
        items = text.removeprefix("[").removesuffix("]").split(",")
        return [_toml_value(item.strip(), many=False) for item in items]
    return value


def _table(name: str, content: Any) -> Table:
    if not isinstance(content, dict) or not isinstance(content.get("columns"), dict):
        raise InputError(f"the table {name} has no columns", f"Write them below [tables.{name}.columns]")
    unknown = [key for key in content if key not in ("columns", "records")]
    if unknown:
        raise InputError(f"the table {name} has the option {unknown[0]!r}", "It may have records and columns")
    records = content.get("records")
    if records is not None and (not _is_whole(records) or records < 0):
        raise InputError(f"records of the table {name} is {records!r}", "Give a whole number from 0 on")
    return Table(name, tuple(_column(name, key, value) for key, value in content["columns"].items()), records)


def _column(table: str, name: str, content: Any) -> Column:
    where = f"{table}.{name}"
    if not isinstance(content, dict) or not isinstance(content.get("kind"), str):
        raise InputError(f"the column {where} has no kind", f"Give one of {', '.join(KINDS)}")
    options = dict(content)
    word = options.pop("kind")
    if word not in KINDS:
        raise InputError(
            f"{where} is of the unknown kind {word!r}{_meant(word, KINDS)}", f"Use one of {', '.join(KINDS)}"
        )
    kind = KINDS[word]
    fields = {field.name: field for field in dataclasses.fields(kind) if field.name != "name"}
    if "distribution" in fields:
        options = _with_distribution(where, options)
    for key in options:
        if key not in fields:
            allowed = sorted({*fields, *(_DISTRIBUTION[1:] if "distribution" in fields else ())})
            raise InputError(
                f"{where} has the option {key!r}, which a {word} does not know{_meant(key, allowed)}",
                f"It knows {', '.join(allowed)}",
            )
    values = {key: _value(f"{where}: {key}", str(fields[key].type), value) for key, value in options.items()}
    return kind(name, **values)


def _with_distribution(where: str, options: dict[str, Any]) -> dict[str, Any]:
    """The options with those of the distribution gathered into one value."""
    given = {key: options.pop(key) for key in _DISTRIBUTION[1:] if key in options}
    name = options.pop("distribution", None)
    if name is None and not given:
        return options
    if not isinstance(name, str):
        found = "none" if name is None else repr(name)
        raise InputError(f"{where} has {found} as its distribution", "Use uniform, normal or zipf")
    only_of = {"mean": "normal", "sd": "normal", "exponent": "zipf"}
    for key, value in given.items():
        if only_of[key] != name:
            raise InputError(f"{where} is {name}, which has no {key}", f"Only {only_of[key]} has {key}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"{where}: {key} is {value!r}", "Give a number")
    numbers = {key: float(value) for key, value in given.items()}
    return {**options, "distribution": Distribution(name, **numbers)}


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _value(where: str, wanted: str, value: Any) -> Any:
    """The value of an option as the field of the dataclass wants it."""
    name = wanted.removesuffix(" | None")
    if name.startswith("tuple"):
        return _several(where, value, numbers="float" in name)
    convert = _CONVERSIONS.get(name)
    result = value if convert is None else convert(value)
    if result is None:
        raise InputError(f"{where} is {value!r}", f"Give {_WORDS[name]}")
    return result


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _whole(value: Any) -> int | None:
    return value if _is_whole(value) else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _truth(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _exact(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _day(value: Any) -> date | None:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return value if isinstance(value, date) and not isinstance(value, datetime) else None


def _moment(value: Any) -> datetime | None:
    found = value
    if isinstance(found, str):
        try:
            found = datetime.fromisoformat(found)
        except ValueError:
            return None
    if isinstance(found, date) and not isinstance(found, datetime):
        found = datetime.combine(found, time())
    return found if isinstance(found, datetime) and found.tzinfo is None else None


def _groups(value: Any) -> dict[str, tuple[str, ...]] | None:
    if not isinstance(value, dict):
        return None
    if not all(
        isinstance(items, list) and all(isinstance(item, str) for item in items) for items in value.values()
    ):
        return None
    return {key: tuple(items) for key, items in value.items()}


def _distribution(value: Any) -> Distribution | None:
    return value if isinstance(value, Distribution) else None


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "str": _text,
    "int": _whole,
    "float": _number,
    "bool": _truth,
    "Decimal": _exact,
    "date": _day,
    "datetime": _moment,
    "dict[str, tuple[str, ...]]": _groups,
    "Distribution": _distribution,
}
_WORDS: Mapping[str, str] = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "Decimal": "a number",
    "date": "a date like 2024-12-31",
    "datetime": "a date or a moment like 2024-12-31T23:59:59, without a time zone",
    "dict[str, tuple[str, ...]]": "a table of lists of texts",
    "Distribution": "uniform, normal or zipf",
}


def _several(where: str, value: Any, *, numbers: bool) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise InputError(f"{where} is {value!r}", "Give a list, in brackets")
    if numbers:
        found = [_number(item) for item in value]
        if None in found:
            raise InputError(f"{where} holds {value[found.index(None)]!r}", "Give numbers only")
        return tuple(found)
    if not (all(isinstance(item, str) for item in value) or all(_is_whole(item) for item in value)):
        raise InputError(f"{where} mixes texts with something else", "Give texts only, or whole numbers only")
    return tuple(value)


def _meant(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), 1)
    return f" (did you mean {close[0]}?)" if close else ""
