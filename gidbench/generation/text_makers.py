"""Makers of text: names, national ids, choices, free text, UUIDs; and keys of other tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from gidbench.generation import tables
from gidbench.generation.distributions import Sampler, weighted
from gidbench.generation.makers import Base, Ordered
from gidbench.generation.part import Maker, Part, at
from gidbench.generation.values import Array, Values, empty, exact, fixed_offsets
from gidbench.kernels import numbers, people, texts
from gidbench.kernels.memory import SLACK
from gidbench.lending import Scratch
from gidbench.specs.model import Choice, ForeignKey, Name, NationalId, Text

_NAME_PARTS = {"full": 0, "first": 1, "last": 2}


class NationalIdMaker(Base):
    kind = pa.string()

    def __init__(self, column: NationalId, key: int, scratch: Scratch) -> None:
        super().__init__(column, key, scratch)
        self.births = tables.birth_words(column.born_from, column.born_to)
        self.areas = tables.area_words()
        self.first_day = tables.days_since_1970(column.born_from)

    def make(self, rows: Array, part: Part, places: Array | None) -> Values:
        count, days = rows.size, self.births.size
        ids = self.permuted(rows, self.areas.size * 2 * days * people.SERIALS)
        births, sexes = self.take("births", count, np.int32), self.take("sexes", count, np.uint8)
        words = empty(people.NO_KTP_WORDS * count, np.uint64)
        people.identities(ids, np.uint64(days), self.areas, self.births, self.first_day, births, sexes, words)
        offsets = fixed_offsets(count, people.NO_KTP_BYTES)
        return Values(self.kind, offsets=offsets, data=words.view(np.uint8), births=births, sexes=sexes)


class NameMaker(Base):
    kind = pa.string()

    def __init__(self, column: Name, key: int, scratch: Scratch) -> None:
        super().__init__(column, key, scratch)
        self.parts = _NAME_PARTS[column.part]
        self.tables = tables.name_tables().arguments

    def make(self, rows: Array, part: Part, places: Array | None) -> Values:
        bits = self.draw("value", rows)
        if self.column.correlated_with is not None:
            sexes = at(part.values(self.column.correlated_with).sexes, places)
        else:
            sexes = self.take("sexes", rows.size, np.uint8)
            np.right_shift(self.draw("sex", rows), 63, out=sexes, casting="unsafe")
        offsets = empty(rows.size + 1, np.int32)
        room = self.take("text", rows.size * people.MAX_NAME_BYTES + SLACK, np.uint8)
        people.names(bits, sexes, self.parts, *self.tables, offsets, room)
        return Values(self.kind, offsets=offsets, data=exact(room, int(offsets[-1])))


class ChoiceMaker(Base):
    """Texts or whole numbers by weights, by rank, or by another choice."""

    def __init__(self, column: Choice, key: int, scratch: Scratch, parents: tuple[str, ...] = ()) -> None:
        super().__init__(column, key, scratch)
        self.choice = column
        if column.values_by:
            self.parent = column.correlated_with
            groups = [column.values_by[value] for value in parents]
            values: tuple[Any, ...] = tuple(value for group in groups for value in group)
            self.firsts = np.cumsum([0, *(len(group) for group in groups)])[:-1]
            self.sizes = np.array([len(group) for group in groups], np.uint64)
        else:
            values = column.values
        self.values = values
        self.numeric = bool(values) and isinstance(values[0], int)
        self.kind = pa.int64() if self.numeric else pa.string()
        if self.numeric:
            self.table = np.array(values, np.int64)
        else:
            encoded = [str(value).encode() for value in values]
            self.offsets = np.cumsum([0, *map(len, encoded)]).astype(np.int32)
            self.table = np.frombuffer(b"".join(encoded) + bytes(SLACK), np.uint8)
            self.widest = max(map(len, encoded))
        self.sampler = Sampler(column.distribution, 0, len(values) - 1, column.name)
        self.bins = weighted(column.weights) if column.weights else None

    def make(self, rows: Array, part: Part, places: Array | None) -> Values:
        choices = self.take("choices", rows.size)
        if self.choice.values_by and self.parent is not None:
            groups = at(part.values(self.parent).choices, places)
            # the upper half of the bits times the size of the group: even to within 2^-16 for all sizes
            picked = (self.draw("value", rows) >> np.uint64(32)) * self.sizes.take(groups)
            np.add(self.firsts.take(groups), (picked >> np.uint64(32)).view(np.int64), out=choices)
        elif self.column.unique:
            choices[:] = self.permuted(rows, len(self.values)).view(np.int64)
        elif self.bins is not None:
            numbers.look_up_bits(self.bits(rows, part, places), *self.bins, choices)
        else:
            self.sampler.sample(self.bits(rows, part, places), choices)
        if self.numeric:
            fixed = empty(rows.size, np.int64)
            np.take(self.table, choices, out=fixed)
            return Values(self.kind, fixed=fixed, choices=choices)
        offsets = empty(rows.size + 1, np.int32)
        room = self.take("text", rows.size * self.widest + SLACK, np.uint8)
        texts.choose_texts(choices, self.offsets, self.table, offsets, room)
        return Values(self.kind, offsets=offsets, data=exact(room, int(offsets[-1])), choices=choices)


class TextMaker(Ordered):
    """Words of free text; the distribution is that of the length."""

    kind = pa.string()

    def __init__(self, column: Text, key: int, scratch: Scratch) -> None:
        super().__init__(column, key, scratch, column.min_length, column.max_length)
        self.pool = tables.word_pool()

    def make(self, rows: Array, part: Part, places: Array | None) -> Values:
        lengths = self.take("lengths", rows.size)
        self.sample(rows, part, places, lengths)
        offsets = empty(rows.size + 1, np.int32)
        room = empty(int(lengths.sum()) + SLACK, np.uint8)
        texts.word_texts(self.draw("words", rows), lengths, *self.pool, offsets, room)
        return Values(self.kind, offsets=offsets, data=room)


class UuidMaker(Base):
    """122 bits: 60 random ones, and 62 from a bijection of the row, which makes them unique."""

    kind = pa.string()

    def make(self, rows: Array, part: Part, places: Array | None) -> Values:
        data = empty(rows.size * texts.UUID_BYTES + SLACK, np.uint8)
        texts.uuid_texts(self.draw("high", rows), self.permuted(rows, 1 << 62), data)
        return Values(self.kind, offsets=fixed_offsets(rows.size, texts.UUID_BYTES), data=data)


class ForeignKeyMaker(Ordered):
    """Keys of another table: those of rows that are drawn by the distribution."""

    def __init__(self, column: ForeignKey, key: int, scratch: Scratch, target: Maker, records: int) -> None:
        super().__init__(column, key, scratch, 0, records - 1)
        self.target, self.kind, self.records = target, target.kind, records

    def make(self, rows: Array, part: Part, places: Array | None) -> Values:
        drawn = self.take("rows", rows.size)
        self.sample(rows, part, places, drawn)
        there = drawn.view(np.uint64)
        return self.target.make(
            there, Part(there, 0, self.records, {self.target.column.name: self.target}, {}), None
        )
