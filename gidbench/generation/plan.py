"""A table of a spec, ready to be made: `Plan.batch` gives any rows of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from gidbench.errors import InputError
from gidbench.generation import makers, text_makers
from gidbench.generation.part import Maker, Part
from gidbench.generation.pattern_maker import PatternMaker
from gidbench.lending import Scratch
from gidbench.specs import model
from gidbench.specs.checks import check_rows
from gidbench.specs.parsing import employee_spec

_WHOLE = 1 << 64
_MOST_TEXT_BYTES = (1 << 31) - (1 << 16)  # of a column of a batch: Arrow's offsets have 32 bits

_PLAIN: dict[type[model.Column], Callable[[Any, int, Scratch], Maker]] = {
    model.Sequence: makers.SequenceMaker,
    model.Integer: makers.IntegerMaker,
    model.DecimalNumber: makers.DecimalMaker,
    model.Boolean: makers.BooleanMaker,
    model.Timestamp: makers.TimestampMaker,
    model.Name: text_makers.NameMaker,
    model.NationalId: text_makers.NationalIdMaker,
    model.Uuid: text_makers.UuidMaker,
    model.Text: text_makers.TextMaker,
}


class Plan:
    """How to make a table.

    Every value is a function of (seed, table, column, row): batches of any rows, made by anyone in any
    order, are the rows of the whole.

    Parameters
    ----------
    spec:
        A checked spec; other tables of it are looked into for foreign keys.
    table:
        Name of one of its tables.
    seed:
        0 .. 2^64 - 1; InputError otherwise.
    """

    def __init__(self, spec: model.Spec, table: str, seed: int) -> None:
        if not 0 <= seed < _WHOLE:
            raise InputError(f"the seed {seed} is outside 0 .. 2^64 - 1", "Choose a smaller whole number")
        self.spec, self.table, self.seed = spec, spec.tables[table], seed
        self._scratch = Scratch()
        self.makers = {column.name: self._maker(self.table, column) for column in self.table.columns}
        self._keys = {name: self._key(self.table, name) for name in self.makers}
        self.schema = pa.schema(
            [
                pa.field(column.name, self.makers[column.name].kind, nullable=self._nullable(column))
                for column in self.table.columns
            ]
        )

    def check(self, first_row: int, records: int) -> None:
        """Raise InputError for a negative, CapacityError for an impossible range of rows."""
        if first_row < 0 or records < 0:
            raise InputError(
                f"{records:,} records from row {first_row:,} is not a range", "Use numbers from 0 on"
            )
        check_rows(self.spec, self.table, first_row, records)

    def batch(self, first: int, count: int) -> pa.RecordBatch:
        """Rows first .. first + count - 1 (from 0), which the caller has checked."""
        rows = np.arange(first, first + count, dtype=np.uint64)
        part = Part(rows, first, first + count, self.makers, self._keys)
        columns = [part.column(name) for name in self.makers]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def parts(self, first: int, count: int, size: int) -> Iterator[tuple[int, int]]:
        """(first row, rows) of each part of at most `size` rows; empty parts do not occur."""
        return parts(first, count, min(size, _MOST_TEXT_BYTES // self._widest()))

    def _widest(self) -> int:
        """The most bytes that a row has in one text column, roughly."""
        lengths = [column.max_length for column in self.table.columns if isinstance(column, model.Text)]
        return max([256, *lengths])

    def _key(self, table: model.Table, column: str) -> int:
        named = f"{self.seed}\0{table.name}\0{column}".encode()
        return int.from_bytes(hashlib.blake2b(named, digest_size=8).digest(), "little")

    def _nullable(self, column: model.Column) -> bool:
        parent = self.makers[column.name].parent
        return column.null_fraction > 0 or (parent is not None and self._nullable(self.table.column(parent)))

    def _maker(self, table: model.Table, column: model.Column) -> Maker:
        key = self._key(table, column.name)
        if isinstance(column, model.Date):
            of_birth = column.correlated_with is not None and column.correlation is None
            return makers.DateMaker(column, key, self._scratch, of_birth)
        if isinstance(column, model.Choice):
            return text_makers.ChoiceMaker(column, key, self._scratch, self._parent_values(table, column))
        if isinstance(column, model.Pattern):
            return PatternMaker(column, key, self._scratch)
        if isinstance(column, model.ForeignKey):
            name, _, target = column.references.rpartition(".")
            there = self.spec.tables[name]
            made = self._maker(there, there.column(target))
            return text_makers.ForeignKeyMaker(column, key, self._scratch, made, there.records or 0)
        return _PLAIN[type(column)](column, key, self._scratch)

    def _parent_values(self, table: model.Table, column: model.Choice) -> tuple[str, ...]:
        """The values of the choice that this one agrees with, as texts."""
        if not column.values_by or column.correlated_with is None:
            return ()
        parent = table.column(column.correlated_with)
        assert isinstance(parent, model.Choice)
        if parent.values_by:
            above = self._parent_values(table, parent)
            return tuple(value for one in above for value in parent.values_by[one])
        return tuple(str(value) for value in parent.values)


def parts(first: int, count: int, size: int) -> Iterator[tuple[int, int]]:
    """(first row, rows) of each part of at most `size` rows; empty parts do not occur."""
    for start in range(first, first + count, size):
        yield start, min(size, first + count - start)


@lru_cache(maxsize=8)
def employees(seed: int) -> Plan:
    """The plan of the employee table that comes with the package."""
    table = employee_spec()
    return Plan(model.Spec({table.name: table}), table.name, seed)
