"""Makers of numbers, dates, moments and truth values."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from gidbench.generation.distributions import Sampler
from gidbench.generation.part import Part, at, subkey
from gidbench.generation.tables import days_since_1970
from gidbench.generation.values import Array, Values, empty
from gidbench.kernels import draws, numbers
from gidbench.lending import Scratch
from gidbench.specs.model import Boolean, Column, Date, DecimalNumber, Integer, Sequence, Timestamp

_WHOLE = 1 << 64
_DAY_S = 86_400
DAY_US = _DAY_S * 1_000_000
_TICKS_PER_S = {"s": 1, "ms": 1_000, "us": 1_000_000}


class Base:
    """What makers share: the column, its key, its Arrow type."""

    kind: pa.DataType = pa.int64()
    parent: str | None = None

    def __init__(self, column: Any, key: int, scratch: Scratch) -> None:
        self.column: Column = column
        self.key, self.scratch = key, scratch

    def draw(self, purpose: str, rows: Array) -> Array:
        """64 random bits for each row."""
        out = self.take(purpose, rows.size, np.uint64)
        draws.draw_bits(subkey(self.key, purpose), rows, out)
        return out

    def bits(self, rows: Array, part: Part, places: Array | None) -> Array:
        bits = self.draw("value", rows)
        source, rho = self.column.correlated_with, self.column.correlation
        if source is not None and rho is not None:
            share = min(int(abs(rho) * _WHOLE), _WHOLE - 1)
            flip = np.uint64(_WHOLE - 1 if rho < 0 else 0)
            blend = subkey(self.key, "blend")
            draws.blend_bits(blend, rows, np.uint64(share), flip, at(part.bits(source), places), bits)
        return bits

    def take(self, name: object, count: int, dtype: Any = np.int64) -> Array:
        """Scratch memory of this column; what stands in it is valid until it is made for other rows."""
        return self.scratch.take((id(self), name), count, dtype)

    def permuted(self, rows: Array, count: int) -> Array:
        """A different number below `count` for each row below it, uint64."""
        out = self.take("permuted", rows.size, np.uint64)
        # two sides of about the same size, whose product is hardly over count
        lefts = int(count**0.5) + 1
        rights = -(-count // lefts)
        sides = (np.uint64(lefts), np.uint64(rights), np.uint64(count))
        draws.permute_rows(subkey(self.key, "permute"), rows, *sides, out)
        return out


class SequenceMaker(Base):
    def make(self, rows: Array, part: Part, places: Array | None) -> Values:
        assert isinstance(self.column, Sequence)
        values = empty(rows.size, np.int64)
        numbers_of = rows.view(np.int64)
        if self.column.step != 1:
            numbers_of = np.multiply(numbers_of, self.column.step, out=values)
        np.add(numbers_of, self.column.start, out=values)
        return Values(self.kind, fixed=values)


class Ordered(Base):
    """Kinds whose values are whole numbers in a range inside: by a distribution, or each once."""

    def __init__(self, column: Any, key: int, scratch: Scratch, low: int, high: int) -> None:
        super().__init__(column, key, scratch)
        self.low, self.high = low, high
        self.sampler = Sampler(column.distribution, low, high, column.name)

    def sample(self, rows: Array, part: Part, places: Array | None, out: Array) -> None:
        if self.column.unique:
            numbers_below = self.permuted(rows, self.high - self.low + 1)
            np.add(numbers_below.view(np.int64), self.low, out=out)
        else:
            self.sampler.sample(self.bits(rows, part, places), out)


class After(Ordered):
    """Dates and moments, which may come after another column; `per_day` units of theirs make a day."""

    per_day = 1

    def sample_after(self, rows: Array, sources: Array, unit: int, tick: int, out: Array) -> None:
        """Values after moments in microseconds, of which `unit` make one; `tick` times as large."""
        column = self.column
        assert isinstance(column, Date | Timestamp)
        days = column.within_days
        within = self.high - self.low if days is None else days * self.per_day
        bounds = (column.gap_days * self.per_day, within, self.low, self.high)
        numbers.scale_after(subkey(self.key, "value"), rows, sources, unit, *bounds, tick, out)


class IntegerMaker(Ordered):
    def __init__(self, column: Integer, key: int, scratch: Scratch) -> None:
        super().__init__(column, key, scratch, column.min, column.max)

    def make(self, rows: Array, part: Part, places: Array | None) -> Values:
        values = empty(rows.size, np.int64)
        self.sample(rows, part, places, values)
        return Values(self.kind, fixed=values)


class DecimalMaker(Ordered):
    def __init__(self, column: DecimalNumber, key: int, scratch: Scratch) -> None:
        low, high = (int(bound.scaleb(column.scale)) for bound in (column.min, column.max))
        super().__init__(column, key, scratch, low, high)
        self.kind = pa.decimal128(column.precision, column.scale)
        unit = 10**column.scale
        spread = column.distribution
        if spread.mean is not None or spread.sd is not None:  # given in the unit of the value
            inner = type(spread)(
                spread.name,
                None if spread.mean is None else spread.mean * unit,
                None if spread.sd is None else spread.sd * unit,
            )
            self.sampler = Sampler(inner, low, high, column.name)

    def make(self, rows: Array, part: Part, places: Array | None) -> Values:
        values = self.take("unscaled", rows.size)
        self.sample(rows, part, places, values)
        return Values(self.kind, fixed=values)


class BooleanMaker(Base):
    kind = pa.bool_()

    def make(self, rows: Array, part: Part, places: Array | None) -> Values:
        assert isinstance(self.column, Boolean)
        values = self.take("truth", rows.size, np.uint8)
        if self.column.unique:
            values[:] = self.permuted(rows, 2)
        else:
            # the upper share is true, so that larger bits are the larger value
            false_share = min(int((1 - self.column.true_fraction) * _WHOLE), _WHOLE - 1)
            bits = self.bits(rows, part, places)
            np.greater_equal(bits, np.uint64(false_share), out=values.view(np.bool_))
            if self.column.true_fraction == 0:
                values[:] = 0
        return Values(self.kind, fixed=values)


class DateMaker(After):
    """Days; of birth where a national id says so, or after another column."""

    kind = pa.date32()

    def __init__(self, column: Date, key: int, scratch: Scratch, born_in: bool) -> None:
        super().__init__(column, key, scratch, *map(days_since_1970, column.bounds))
        self.born_in = born_in
        self.parent = column.after

    def make(self, rows: Array, part: Part, places: Array | None) -> Values:
        column = self.column
        assert isinstance(column, Date)
        values = empty(rows.size, np.int32)
        if self.born_in and column.correlated_with is not None:
            values[:] = at(part.values(column.correlated_with).births, places)
        else:
            days = self.take("days", rows.size)
            if column.after is None:
                self.sample(rows, part, places, days)
            else:
                self.sample_after(rows, at(part.values(column.after).moments, places), DAY_US, 1, days)
            values[:] = days
        moments = self.take("moments", rows.size)
        np.multiply(values, DAY_US, out=moments, dtype=np.int64)
        return Values(self.kind, fixed=values, moments=moments)


class TimestampMaker(After):
    """Moments in ticks of the resolution inside, in microseconds outside."""

    kind = pa.timestamp("us")

    def __init__(self, column: Timestamp, key: int, scratch: Scratch) -> None:
        self.ticks = _TICKS_PER_S[column.resolution]
        self.tick_us, self.per_day = 1_000_000 // self.ticks, _DAY_S * self.ticks
        low, high = (_ticks(bound, self.ticks) for bound in column.bounds)
        super().__init__(column, key, scratch, low, high)
        self.parent = column.after

    def make(self, rows: Array, part: Part, places: Array | None) -> Values:
        column = self.column
        assert isinstance(column, Timestamp)
        values = empty(rows.size, np.int64)
        if column.after is None:
            ticks = self.take("ticks", rows.size)
            self.sample(rows, part, places, ticks)
            np.multiply(ticks, self.tick_us, out=values)
        else:
            sources = at(part.values(column.after).moments, places)
            self.sample_after(rows, sources, self.tick_us, self.tick_us, values)
        return Values(self.kind, fixed=values, moments=values)


def _ticks(moment: datetime | date, per_s: int) -> int:
    """Whole ticks since 1970 of a moment without a zone, rounded down."""
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    since = moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * _DAY_S + since.seconds) * per_s + since.microseconds * per_s // 1_000_000
