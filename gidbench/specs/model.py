"""Tables and columns to generate, as plain frozen values (pure: no I/O, no numpy).

A kind of column is one dataclass here; `parsing` makes them from TOML, `generation` makes rows of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

UNIFORM, NORMAL, ZIPF = "uniform", "normal", "zipf"


@dataclass(frozen=True)
class Distribution:
    """How values spread over a range from `low` to `high`, both included.

    Attributes
    ----------
    name:
        `uniform`; `normal` (a normal distribution cut off at both ends); `zipf` (value low + k - 1 with a
        weight of 1 / k ** exponent).
    mean, sd:
        Of `normal`, in units of the value; default: the middle of the range, and a sixth of it.
    exponent:
        Of `zipf`, over 0.
    """

    name: str = UNIFORM
    mean: float | None = None
    sd: float | None = None
    exponent: float = 1.0


@dataclass(frozen=True)
class Column:
    """What every kind of column has.

    Attributes
    ----------
    null_fraction:
        Probability of null, 0 to 1, for each row on its own.
    unique:
        Whether no value comes twice (nulls aside); by a bijection of the row number, so it costs no memory.
    correlated_with:
        An earlier or later column of the table that this one agrees with; what that means depends on the
        kinds (see the README).
    correlation:
        With `correlated_with` between two ordered columns: Spearman's rho, -1 to 1.
    """

    kind: ClassVar[str] = ""
    name: str
    null_fraction: float = field(default=0.0, kw_only=True)
    unique: bool = field(default=False, kw_only=True)
    correlated_with: str | None = field(default=None, kw_only=True)
    correlation: float | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class Sequence(Column):
    """start, start + step, … by row number; int64."""

    kind: ClassVar[str] = "sequence"
    start: int = 1
    step: int = 1


@dataclass(frozen=True)
class Integer(Column):
    """Whole numbers from `min` to `max`, both included; int64."""

    kind: ClassVar[str] = "integer"
    min: int = 0
    max: int = 1_000_000
    distribution: Distribution = Distribution()


@dataclass(frozen=True)
class DecimalNumber(Column):
    """Numbers from `min` to `max` with `scale` digits after the point; decimal128(precision, scale)."""

    kind: ClassVar[str] = "decimal"
    min: Decimal = Decimal(0)
    max: Decimal = Decimal(10_000)
    precision: int = 18
    scale: int = 2
    distribution: Distribution = Distribution()


@dataclass(frozen=True)
class Boolean(Column):
    """True with probability `true_fraction`."""

    kind: ClassVar[str] = "boolean"
    true_fraction: float = 0.5


@dataclass(frozen=True)
class Date(Column):
    """Days from `min` to `max`, both included (default: 2000 to 2024); date32.

    With `after`, the name of a date or timestamp column: at least `gap_days` later than that, and at most
    `within_days` later than its least (where that is given; `max` has no default then). `max` holds as well,
    and gives way only where nothing would be left. With `correlated_with`, the name of a national id: the date
    of birth in it.
    """

    kind: ClassVar[str] = "date"
    min: date | None = None
    max: date | None = None
    distribution: Distribution = Distribution()
    after: str | None = None
    gap_days: int = 0
    within_days: int | None = None

    @property
    def bounds(self) -> tuple[date, date]:
        """The first and the last day that can be."""
        first, last = (date.min, date.max) if self.after else (date(2000, 1, 1), date(2024, 12, 31))
        if self.after and self.within_days is None:
            last = date(2024, 12, 31)
        return self.min or first, self.max or last


@dataclass(frozen=True)
class Timestamp(Column):
    """Moments without a zone from `min` to `max`, both included (default: 2015 to 2024); timestamp[us].

    In whole units of `resolution`, which is `s`, `ms` or `us`. `after`, `gap_days` and `within_days` as for a
    date.
    """

    kind: ClassVar[str] = "timestamp"
    min: datetime | None = None
    max: datetime | None = None
    resolution: str = "s"
    distribution: Distribution = Distribution()
    after: str | None = None
    gap_days: int = 0
    within_days: int | None = None

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """The first and the last moment that can be."""
        end = datetime(2024, 12, 31, 23, 59, 59)
        first, last = (datetime.min, datetime.max) if self.after else (datetime(2015, 1, 1), end)
        if self.after and self.within_days is None:
            last = end
        return self.min or first, self.max or last


@dataclass(frozen=True)
class Choice(Column):
    """One of some texts or whole numbers, by weights or by rank.

    Attributes
    ----------
    values:
        All texts or all whole numbers. Empty where `values_by` is given.
    weights:
        As many as values, not negative, not all zero; empty: by `distribution` (over the rank: the first
        value is the most frequent of `zipf`).
    values_by:
        With `correlated_with`, the name of another choice: the values to choose from, evenly, for each value
        (as text) of that.
    """

    kind: ClassVar[str] = "choice"
    values: tuple[str, ...] | tuple[int, ...] = ()
    weights: tuple[float, ...] = ()
    distribution: Distribution = Distribution()
    values_by: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Pattern(Column):
    """Text by a pattern: literal text and, in braces, what changes (see `gidbench.specs.patterns`)."""

    kind: ClassVar[str] = "pattern"
    pattern: str = "{seq}"


@dataclass(frozen=True)
class Name(Column):
    """Names of persons by the weights of the pools that come with the package.

    `part` is `full`, `first` or `last`. With `correlated_with`, the name of a national id: of its sex.
    """

    kind: ClassVar[str] = "name"
    part: str = "full"


@dataclass(frozen=True)
class NationalId(Column):
    """Indonesian no_ktp (NIK), 16 digits, unique: area, DDMMYY (day + 40 for women), serial."""

    kind: ClassVar[str] = "national_id"
    born_from: date = date(1960, 1, 1)
    born_to: date = date(2005, 12, 31)


@dataclass(frozen=True)
class Uuid(Column):
    """UUIDs of version 4 (RFC 9562), text of 36 characters, unique."""

    kind: ClassVar[str] = "uuid"


@dataclass(frozen=True)
class Text(Column):
    """Words of free text, `min_length` to `max_length` characters; `distribution` is that of the length."""

    kind: ClassVar[str] = "text"
    min_length: int = 1
    max_length: int = 100
    distribution: Distribution = Distribution()


@dataclass(frozen=True)
class ForeignKey(Column):
    """Keys of another table of the same spec file: `references` is TABLE.COLUMN.

    `distribution` is over the rows of that table, of which there are as many as its spec says (`records`).
    """

    kind: ClassVar[str] = "foreign_key"
    references: str = ""
    distribution: Distribution = Distribution()


KINDS: dict[str, type[Column]] = {
    kind.kind: kind
    for kind in (
        Sequence,
        Integer,
        DecimalNumber,
        Boolean,
        Date,
        Timestamp,
        Choice,
        Pattern,
        Name,
        NationalId,
        Uuid,
        Text,
        ForeignKey,
    )
}


@dataclass(frozen=True)
class Table:
    """A table to generate: its columns in order, and how many rows it has where the caller does not say."""

    name: str
    columns: tuple[Column, ...]
    records: int | None = None

    def column(self, name: str) -> Column:
        """The column of that name; KeyError where there is none."""
        return {column.name: column for column in self.columns}[name]


@dataclass(frozen=True)
class Spec:
    """The tables of one spec file, by name, in order."""

    tables: dict[str, Table]
