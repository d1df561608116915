"""Specs as TOML that people can read and edit; the inverse of `parsing`."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from gidbench.specs.model import Column, Distribution, Spec

_HEADER = """# A spec for `gidbench generate --spec THIS.toml --table NAME --records N --out FILE`.
# The README lists the kinds of columns and their options. Change what should be different.
"""
_DEFAULT = Distribution()


def to_toml(spec: Spec, notes: Mapping[str, str] | None = None) -> str:
    """A spec as TOML text; `notes` are comments by TABLE.COLUMN, put above the column."""
    told = notes or {}
    lines = [_HEADER]
    for table in spec.tables.values():
        if table.records is not None:
            lines += [f"[tables.{_key(table.name)}]", f"records = {table.records}", ""]
        lines.append(f"[tables.{_key(table.name)}.columns]")
        for column in table.columns:
            if note := told.get(f"{table.name}.{column.name}"):
                lines.append(f"# {note}")
            lines.append(f"{_key(column.name)} = {{ {_options(column)} }}")
        lines.append("")
    return "\n".join(lines)


def _options(column: Column) -> str:
    """`kind` and what differs from the defaults."""
    options: dict[str, Any] = {"kind": column.kind}
    for field in dataclasses.fields(column):
        value = getattr(column, field.name)
        if field.name == "name" or value == _default(field):
            continue
        if isinstance(value, Distribution):
            options["distribution"] = value.name
            options |= {
                item.name: getattr(value, item.name)
                for item in dataclasses.fields(value)
                if item.name != "name" and getattr(value, item.name) != getattr(_DEFAULT, item.name)
            }
        else:
            options[field.name] = value
    return ", ".join(f"{name} = {_value(value)}" for name, value in options.items())


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _text(value)
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case date():
            return value.isoformat()
        case Decimal():  # as text: a TOML number would go through a float
            return _text(str(value))
        case dict():
            return "{ " + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + " }"
        case tuple():
            return "[" + ", ".join(_value(item) for item in value) + "]"
    return repr(value)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _text(name)


def _text(value: str) -> str:
    """A basic string of TOML 1.0."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\u{ord(found[0]):04X}", escaped) + '"'
