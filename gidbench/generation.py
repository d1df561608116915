"""Employees by number: any part of the whole, the same bytes whoever makes it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gidbench.errors import CapacityError, InputError
from gidbench.kernels import people
from gidbench.records import EMPLOYEE

Array = npt.NDArray[Any]


def _read_data(name: str) -> list[list[str]]:
    text = resources.files("gidbench").joinpath("data", name).read_text("utf-8")
    return [line.split() for line in text.splitlines() if line and not line.startswith("#")]


def _name_pool(name: str) -> tuple[list[bytes], Array]:
    """Names as bytes, and their weights as float64 that add up to 1."""
    rows = _read_data(name)
    weights = np.array([float(weight) for _, weight in rows])
    return [text.encode() for text, _ in rows], weights / weights.sum()


def _name_table(names: list[bytes]) -> tuple[Array, Array]:
    """(bytes padded to the stride, lengths), both uint8."""
    too_long = [name for name in names if len(name) > people.NAME_STRIDE]
    if too_long:
        raise InputError(f"the name {too_long[0]!r} is over {people.NAME_STRIDE} bytes", "Shorten it")
    padded = b"".join(name.ljust(people.NAME_STRIDE, b"\0") for name in names)
    return np.frombuffer(padded, np.uint8), np.array([len(name) for name in names], np.uint8)


def _slots(weights: Array, base: int = 0) -> Array:
    """NAME_SLOTS entries (uint16), entry k as often as its weight says and at least once."""
    shares = np.maximum(1, np.floor(weights * people.NAME_SLOTS).astype(np.int64))
    order = np.argsort(-weights, kind="stable")
    surplus = people.NAME_SLOTS - int(shares.sum())
    shares[order[0]] += surplus if surplus < 0 else 0
    for extra in range(max(0, surplus)):
        shares[order[extra % len(order)]] += 1
    return (np.repeat(np.arange(len(weights)), shares) + base).astype(np.uint16)


def _areas() -> Array:
    """Six-digit codes of districts (province, regency or city, district), int32."""
    codes = []
    for row in _read_data("areas.txt"):
        province, regencies, cities, districts, city_districts = map(int, row)
        places = [(1 + n, districts) for n in range(regencies)]
        places += [(71 + n, city_districts) for n in range(cities)]
        for place, count in places:
            codes += [province * 10_000 + place * 100 + district for district in range(1, count + 1)]
    return np.array(codes, np.int32)


class _Tables:
    """What the kernels look things up in; made once per process."""

    def __init__(self) -> None:
        men, men_weights = _name_pool("first_names_male.txt")
        women, women_weights = _name_pool("first_names_female.txt")
        last, last_weights = _name_pool("last_names.txt")
        self.firsts, self.first_lengths = _name_table(men + women)
        self.lasts, self.last_lengths = _name_table(last)
        self.first_slots = np.concatenate([_slots(men_weights), _slots(women_weights, len(men))])
        self.last_slots = _slots(last_weights)
        self.areas = _areas()
        days = np.datetime64("1970-01-01") + np.arange(
            people.FIRST_BIRTH_DAY, people.FIRST_BIRTH_DAY + people.BIRTH_DAYS
        )
        text = days.astype(str)
        self.birth_codes = np.array([int(d[8:10] + d[5:7] + d[2:4]) for d in text], np.int32)


@cache
def _tables() -> _Tables:
    return _Tables()


@cache
def capacity() -> int:
    """How many employees there can be: as many as have distinct no_ktp and passport_id."""
    ids = _tables().areas.size * 2 * people.BIRTH_DAYS * people.SERIALS
    return int(min(ids, people.PASSPORTS[0] * people.PASSPORTS[1]))


def seed_key(seed: int) -> int:
    """The kernels' 64-bit key of a seed. Raises InputError unless 0 <= seed < 2^64."""
    if not 0 <= seed < 1 << 64:
        raise InputError(f"the seed {seed} is outside 0 .. 2^64 - 1", "Choose a smaller whole number")
    z = (seed + 0x9E3779B97F4A7C15) % (1 << 64)
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % (1 << 64)
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % (1 << 64)
    return z ^ (z >> 31)


def check_range(first: int, count: int) -> None:
    """Raise InputError for a negative, CapacityError for an impossible range of rows."""
    if first < 0 or count < 0:
        raise InputError(f"{count:,} records from row {first:,} is not a range", "Use numbers from 0 on")
    if first + count > capacity():
        raise CapacityError(
            f"{first + count:,} records are asked for, but only {capacity():,} have a no_ktp of their own",
            "Ask for fewer records",
        )


def parts(first: int, count: int, size: int) -> Iterator[tuple[int, int]]:
    """(first row, rows) of each part of at most `size` rows; empty parts do not occur."""
    for start in range(first, first + count, size):
        yield start, min(size, first + count - start)


def _empty(count: int, dtype: Any) -> Array:
    """Uninitialised array of shape (count,) from Arrow's memory pool.

    The pool hands freed blocks out again; numpy's come from the system each time, and touching their fresh
    pages cost 40 % of the whole generation.
    """
    kind = np.dtype(dtype)
    return np.frombuffer(pa.allocate_buffer(count * kind.itemsize), kind)


def _text(offsets: Array, data: Array, valid: Array | None = None, nulls: int = 0) -> pa.Array:
    used = int(offsets[-1])
    buffers = [
        pa.py_buffer(valid) if nulls and valid is not None else None,
        pa.py_buffer(offsets),
        pa.py_buffer(data[:used]),
    ]
    return pa.Array.from_buffers(pa.string(), len(offsets) - 1, buffers, null_count=nulls)


def _fixed(kind: pa.DataType, values: Array, valid: Array | None = None, nulls: int = 0) -> pa.Array:
    buffers = [pa.py_buffer(valid) if nulls and valid is not None else None, pa.py_buffer(values)]
    return pa.Array.from_buffers(kind, len(values), buffers, null_count=nulls)


def employees(key: int, first: int, count: int) -> pa.RecordBatch:
    """Rows first .. first + count - 1 (0-based) of the employees of a seed key, as a batch of `EMPLOYEE`.

    Row i depends on (key, i) alone, and its id is i + 1. The caller has checked the range.
    """
    tables = _tables()
    word = np.uint64(key)
    births = _empty(count, np.int32)
    sexes = _empty(count, np.uint8)
    no_ktp = _empty(count * people.NO_KTP_BYTES, np.uint8)
    people.identities(word, first, tables.areas, tables.birth_codes, births, sexes, no_ktp)

    name_offsets = _empty(count + 1, np.int32)
    name_data = _empty(count * people.MAX_NAME_BYTES + people.NAME_STRIDE, np.uint8)
    people.names(
        word,
        first,
        sexes,
        tables.firsts,
        tables.first_lengths,
        tables.first_slots,
        tables.lasts,
        tables.last_lengths,
        tables.last_slots,
        name_offsets,
        name_data,
    )

    created, updated, deleted = (_empty(count, np.int64) for _ in range(3))
    deleted_valid = _empty((count + 7) // 8, np.uint8)
    undeleted = people.lifetimes(word, first, births, created, updated, deleted, deleted_valid)

    number_offsets = _empty(count + 1, np.int32)
    number_data = _empty(count * people.MAX_PERSONAL_NUMBER_BYTES, np.uint8)
    people.personal_numbers(first, created, number_offsets, number_data)

    passport_offsets = _empty(count + 1, np.int32)
    passport_data = _empty(count * people.PASSPORT_BYTES, np.uint8)
    passport_valid = _empty((count + 7) // 8, np.uint8)
    unissued = people.passports(word, first, passport_offsets, passport_valid, passport_data)

    moment = pa.timestamp("us")
    return pa.RecordBatch.from_arrays(
        [
            _fixed(pa.int64(), np.arange(first + 1, first + count + 1, dtype=np.int64)),
            _text(name_offsets, name_data),
            _text(number_offsets, number_data),
            _text(np.arange(0, no_ktp.size + 1, people.NO_KTP_BYTES, dtype=np.int32), no_ktp),
            _text(passport_offsets, passport_data, passport_valid, unissued),
            _fixed(pa.date32(), births),
            pa.nulls(count, pa.string()),
            _fixed(moment, created),
            _fixed(moment, updated),
            _fixed(moment, deleted, deleted_valid, undeleted),
        ],
        schema=EMPLOYEE,
    )
