"""What a spec must obey, found out before anything is written."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NoReturn

from gidbench.errors import CapacityError, InputError
from gidbench.specs import patterns
from gidbench.specs.agreement import check_agreement
from gidbench.specs.model import (
    NORMAL,
    UNIFORM,
    ZIPF,
    Boolean,
    Choice,
    Column,
    Date,
    DecimalNumber,
    Distribution,
    ForeignKey,
    Integer,
    Name,
    NationalId,
    Pattern,
    Sequence,
    Spec,
    Table,
    Text,
    Timestamp,
    Uuid,
)
from gidbench.specs.pools import areas

_INT64 = (-(1 << 63), (1 << 63) - 1)
_LONGEST_TEXT = 4_000
_MOST_CHOICES = 65_536
_MOST_EXPONENT = 20.0
_MOST_RANDOM = 1 << 62  # numbers that a bijection can tell apart
_BIRTH_YEARS = (date(1900, 1, 1), date(2099, 12, 31))
_SERIALS = 9_999
_ALWAYS_UNIQUE = (Sequence, NationalId, Uuid)
_TICKS_PER_S = {"s": 1, "ms": 1_000, "us": 1_000_000}


def check_spec(spec: Spec) -> None:
    """Raise InputError for the first thing in a spec that cannot be."""
    for table in spec.tables.values():
        if not table.name.strip() or not table.columns:
            raise InputError(f"the table {table.name!r} has no name or no columns", "Give it both")
        seen: dict[str, str] = {}
        for column in table.columns:
            where = f"{table.name}.{column.name}"
            if not column.name.strip():
                raise InputError(f"a column of {table.name} has no name", "Name it")
            if column.name.lower() in seen:
                raise InputError(
                    f"{where} and {seen[column.name.lower()]} differ in case only", "Rename one of them"
                )
            seen[column.name.lower()] = column.name
            _check_column(where, column)
        check_agreement(spec, table)


def check_rows(spec: Spec, table: Table, first_row: int, records: int) -> None:
    """Raise CapacityError where a column cannot have so many rows."""
    end = first_row + records
    for column in table.columns:
        where = f"{table.name}.{column.name}"
        if isinstance(column, Sequence):
            last = column.start + column.step * max(end - 1, 0)
            if not _INT64[0] <= last <= _INT64[1]:
                raise CapacityError(
                    f"{where} would reach {last:,}, beyond 64 bits", "Use fewer rows or steps"
                )
        room = capacity(spec, column) if column.unique or isinstance(column, _ALWAYS_UNIQUE) else None
        if room is not None and end > room:
            raise CapacityError(
                f"{end:,} rows of {where} are asked for, but only {room:,} different values can be",
                "Ask for fewer records, or widen the column",
            )


def capacity(spec: Spec, column: Column) -> int | None:
    """How many different values a column can have; None where there is no limit that matters."""
    match column:
        case Integer():
            return column.max - column.min + 1
        case DecimalNumber():
            return int((column.max - column.min).scaleb(column.scale)) + 1
        case Boolean():
            return 2
        case Date():
            first, last = column.bounds
            return (last - first).days + 1
        case Timestamp():
            begin, end = column.bounds
            micros = (end - begin) // timedelta(microseconds=1)
            return micros * _TICKS_PER_S[column.resolution] // 1_000_000 + 1
        case Choice():
            return len(column.values)
        case Pattern():
            return patterns.capacity(patterns.parse(column.pattern))
        case NationalId():
            days = (column.born_to - column.born_from).days + 1
            return len(areas()) * 2 * days * _SERIALS
        case ForeignKey():
            return spec.tables[column.references.rpartition(".")[0]].records or 0
    return None


def _check_column(where: str, column: Column) -> None:
    _require(0 <= column.null_fraction <= 1, where, "null_fraction", column.null_fraction, "0 to 1")
    if column.unique and isinstance(column, Name | Text):
        raise InputError(f"{where} cannot be unique", "Use a pattern with {seq} for values that must differ")
    distribution = getattr(column, "distribution", None)
    if distribution is not None:
        _check_distribution(where, distribution)
        if column.unique and distribution.name != UNIFORM:
            raise InputError(f"unique values cannot follow {distribution.name} ({where})", "Make it uniform")
    check = _CHECKS.get(type(column))
    if check:
        check(where, column)


def _check_distribution(where: str, distribution: Distribution) -> None:
    if distribution.name not in (UNIFORM, NORMAL, ZIPF):
        raise InputError(
            f"{where} has the unknown distribution {distribution.name!r}", "Use uniform, normal or zipf"
        )
    for name in ("mean", "sd"):
        value = getattr(distribution, name)
        _require(value is None or math.isfinite(value), where, name, value, "a finite number")
    _require(distribution.sd is None or distribution.sd > 0, where, "sd", distribution.sd, "over 0")
    fits = 0 < distribution.exponent <= _MOST_EXPONENT
    _require(fits, where, "exponent", distribution.exponent, f"over 0, to {_MOST_EXPONENT:g}")


def _check_range(where: str, low: Any, high: Any) -> None:
    if low > high:
        raise InputError(f"{where} runs from {low} to {high}", "Give the smaller one as min")


def _check_integer(where: str, column: Integer) -> None:
    for name, value in (("min", column.min), ("max", column.max)):
        _require(_INT64[0] <= value <= _INT64[1], where, name, value, "within 64 bits")
    _check_range(where, column.min, column.max)


def _check_sequence(where: str, column: Sequence) -> None:
    _require(_INT64[0] <= column.start <= _INT64[1], where, "start", column.start, "within 64 bits")
    _require(column.step != 0, where, "step", column.step, "anything but 0")


def _check_decimal(where: str, column: DecimalNumber) -> None:
    _require(1 <= column.precision <= 38, where, "precision", column.precision, "1 to 38")
    _require(0 <= column.scale <= column.precision, where, "scale", column.scale, "0 to the precision")
    digits = min(column.precision, 18)
    most = Decimal(10) ** digits - 1
    for name, value in (("min", column.min), ("max", column.max)):
        unscaled = value.scaleb(column.scale)
        if unscaled != unscaled.to_integral_value():
            _refuse(where, name, value, f"a multiple of {Decimal(1).scaleb(-column.scale)}")
        _require(abs(unscaled) <= most, where, name, value, f"of {digits} digits at most")
    _check_range(where, column.min, column.max)


def _check_boolean(where: str, column: Boolean) -> None:
    _require(0 <= column.true_fraction <= 1, where, "true_fraction", column.true_fraction, "0 to 1")


def _check_time(where: str, column: Date | Timestamp) -> None:
    _check_range(where, *column.bounds)
    if isinstance(column, Timestamp) and column.resolution not in _TICKS_PER_S:
        _refuse(where, "resolution", column.resolution, "s, ms or us")
    if column.after is None:
        _require(column.gap_days == 0, where, "gap_days", column.gap_days, "given with after only")
        _require(
            column.within_days is None, where, "within_days", column.within_days, "given with after only"
        )
    else:
        _require(
            abs(column.gap_days) <= 3_652_058, where, "gap_days", column.gap_days, "10,000 years at most"
        )
        days = column.within_days
        _require(days is None or 0 <= days <= 3_652_058, where, "within_days", days, "0 to 10,000 years")
        if column.distribution.name != UNIFORM:
            raise InputError(
                f"{where} comes after {column.after} and cannot follow {column.distribution.name}",
                "Make it uniform",
            )
    if column.unique and (column.after or column.correlated_with):
        raise InputError(f"{where} depends on another column and cannot be unique", "Leave out unique")


def _check_choice(where: str, column: Choice) -> None:
    if column.values_by:
        if column.values or column.weights or column.unique or column.distribution != Distribution():
            raise InputError(f"{where} has values_by and something else to choose by", "Leave out the others")
        empty = [key for key, values in column.values_by.items() if not values]
        if empty:
            raise InputError(f"{where} has no values for {empty[0]!r}", "Give one at least")
        return
    if not column.values:
        raise InputError(f"{where} has no values", "Give values = [...]")
    _require(
        len(column.values) <= _MOST_CHOICES, where, "values", len(column.values), f"{_MOST_CHOICES:,} at most"
    )
    if len(set(column.values)) < len(column.values):
        twice = next(value for value in column.values if column.values.count(value) > 1)
        raise InputError(f"{where} has the value {twice!r} twice", "Give each once, with weights")
    if isinstance(column.values[0], int):
        for value in column.values:
            _require(_INT64[0] <= int(value) <= _INT64[1], where, "values", value, "within 64 bits")
    if column.weights:
        if len(column.weights) != len(column.values):
            raise InputError(
                f"{where} has {len(column.values)} values and {len(column.weights)} weights", "Give as many"
            )
        good = all(math.isfinite(weight) and weight >= 0 for weight in column.weights)
        _require(good and any(column.weights), where, "weights", list(column.weights), "0 or more, not all 0")
        if column.unique or column.distribution != Distribution():
            raise InputError(f"{where} has weights and something else to choose by", "Leave out one of them")


def _check_pattern(where: str, column: Pattern) -> None:
    pieces = patterns.parse(column.pattern)
    room = patterns.capacity(pieces)
    if column.unique and room is not None and room > _MOST_RANDOM:
        raise InputError(
            f"{where} has {room:.1e} different texts, more than can be told apart", "Use {seq}, or fewer"
        )


def _check_name(where: str, column: Name) -> None:
    _require(column.part in ("full", "first", "last"), where, "part", column.part, "full, first or last")


def _check_national_id(where: str, column: NationalId) -> None:
    _check_range(where, column.born_from, column.born_to)
    for name, value in (("born_from", column.born_from), ("born_to", column.born_to)):
        _require(_BIRTH_YEARS[0] <= value <= _BIRTH_YEARS[1], where, name, value, "in 1900 to 2099")
    if column.born_to.year - column.born_from.year > 99:
        raise InputError(
            f"{where} spans {column.born_from} to {column.born_to}, but an id has two digits of the year",
            "Keep it within 100 years",
        )


def _check_text(where: str, column: Text) -> None:
    fits = 0 <= column.min_length <= column.max_length
    _require(fits, where, "min_length", column.min_length, f"0 to max_length ({column.max_length})")
    _require(
        column.max_length <= _LONGEST_TEXT, where, "max_length", column.max_length, f"up to {_LONGEST_TEXT:,}"
    )


def _require(condition: bool, where: str, option: str, value: Any, limit: str) -> None:
    if not condition:
        _refuse(where, option, value, limit)


def _refuse(where: str, option: str, value: Any, limit: str) -> NoReturn:
    raise InputError(f"{where}: {option} is {value}, but must be {limit}", f"Change {option}")


_CHECKS: dict[type[Column], Callable[[str, Any], None]] = {
    Integer: _check_integer,
    Sequence: _check_sequence,
    DecimalNumber: _check_decimal,
    Boolean: _check_boolean,
    Date: _check_time,
    Timestamp: _check_time,
    Choice: _check_choice,
    Pattern: _check_pattern,
    Name: _check_name,
    NationalId: _check_national_id,
    Text: _check_text,
}
