"""Rows that are being made: every column's values on demand, each once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import numpy as np
import pyarrow as pa

from gidbench.generation.values import Array, Values, bitmap
from gidbench.kernels import draws
from gidbench.specs.model import Column

_WHOLE = 1 << 64


class Maker(Protocol):
    """Makes the values of one column; holds what can be worked out before any row is known."""

    column: Column
    kind: pa.DataType
    parent: str | None  # the column whose nulls are nulls here, too

    def make(self, rows: Array, part: Part, places: Array | None) -> Values:
        """Values at row numbers (uint64), all of a part's or those at `places` in it."""
        ...

    def bits(self, rows: Array, part: Part, places: Array | None) -> Array:
        """The random bits that decide the value, larger bits for a larger value: what correlation shares."""
        ...


@dataclass
class Part:
    """Some rows of a table.

    Attributes
    ----------
    rows:
        Row numbers from 0, uint64 of shape (n,).
    first, bound:
        All row numbers are from `first` to `bound` - 1.
    makers, keys:
        By column.
    """

    rows: Array
    first: int
    bound: int
    makers: Mapping[str, Maker]
    keys: Mapping[str, int]
    _values: dict[str, Values] = field(default_factory=dict)
    _valid: dict[str, tuple[Array, Array]] = field(default_factory=dict)
    _bits: dict[str, Array] = field(default_factory=dict)

    def values(self, name: str) -> Values:
        """What a column holds at every row, or would hold where it is null."""
        if name not in self._values:
            self._values[name] = self.makers[name].make(self.rows, self, None)
        return self._values[name]

    def bits(self, name: str) -> Array:
        """The random bits of a column at every row."""
        if name not in self._bits:
            self._bits[name] = self.makers[name].bits(self.rows, self, None)
        return self._bits[name]

    def column(self, name: str) -> pa.Array:
        """A column as Arrow has it; one with nulls is made for the rows that have a value only."""
        maker = self.makers[name]
        if maker.column.null_fraction == 1.0:
            return pa.nulls(self.rows.size, maker.kind)
        if not self.has_nulls(name):
            return self.values(name).to_arrow()
        bits, places = self.valid(name)
        # What was made for all rows stands in memory that is used again here.
        self._values.pop(name, None)
        self._bits.pop(name, None)
        dense = maker.make(self.rows.take(places), self, places)
        return dense.spread(bits, places, self.rows.size)

    def has_nulls(self, name: str) -> bool:
        maker = self.makers[name]
        return maker.column.null_fraction > 0 or (maker.parent is not None and self.has_nulls(maker.parent))

    def valid(self, name: str) -> tuple[Array, Array]:
        """Bitmap of the rows where a column has a value, and their positions (int64)."""
        if name not in self._valid:
            self._valid[name] = self._find_valid(name)
        return self._valid[name]

    def _find_valid(self, name: str) -> tuple[Array, Array]:
        maker, count = self.makers[name], self.rows.size
        bits = bitmap(count)
        places = np.empty(count + 1, np.int64)
        share = min(int(maker.column.null_fraction * _WHOLE), _WHOLE - 1)
        key, words = subkey(self.keys[name], "null"), bits.view(np.uint64)
        found = draws.draw_valid(key, self.rows, np.uint64(share), words, places)
        if maker.parent is not None and self.has_nulls(maker.parent):
            shared = (count + 7) // 8
            bits[:shared] &= self.valid(maker.parent)[0][:shared]
            places = np.flatnonzero(np.unpackbits(bits[:shared], count=count, bitorder="little"))
            return bits, places
        return bits, places[:found]


@lru_cache(maxsize=4096)
def subkey(key: int, purpose: str) -> np.uint64:
    """The key of one use of a column's randomness: SplitMix64's mixing of the key and the purpose."""
    z = (key + int.from_bytes(purpose.encode()[:8], "little")) % _WHOLE
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % _WHOLE
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % _WHOLE
    return np.uint64(z ^ (z >> 31))


def at(values: Array | None, places: Array | None) -> Array:
    """Values of a whole part at some places."""
    assert values is not None
    return values if places is None else values.take(places)
