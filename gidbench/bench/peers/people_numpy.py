"""Employees by a vectorised numpy and pyarrow script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gidbench.records import EMPLOYEE
from gidbench.specs.pools import areas, name_pool

_FIRST_DAY, _DAYS = np.datetime64("1960-01-01"), 16_802
_STEP = 1_000_000_007  # prime, so that multiples of it modulo the number of ids are all different
_SERIALS = 9_999


def _pool(*files: str) -> tuple[pa.Array, np.ndarray[Any, Any]]:
    """Names of the files as one array, and where the weights of each file end, cumulated."""
    names, ends = [], []
    for file in files:
        some, weights = name_pool(file)
        names += [name.decode() for name in some]
        ends.append(np.cumsum(weights))
    return pa.array(names), np.concatenate(ends)


@dataclass(frozen=True)
class Numbers:
    """The columns of employees that are numbers; moments in seconds since 1970."""

    ids: npt.NDArray[np.int64]
    no_ktp: npt.NDArray[np.int64]
    sex: npt.NDArray[np.int64]
    births: npt.NDArray[np.datetime64]
    years: npt.NDArray[np.int64]
    created: npt.NDArray[np.int64]
    updated: npt.NDArray[np.int64]
    deleted: npt.NDArray[np.int64]


def numbers_of_people(rng: np.random.Generator, records: int) -> Numbers:
    """Drawn by numpy, whoever goes on with them."""
    ids = np.arange(1, records + 1, dtype=np.int64)
    codes = areas().astype(np.int64)
    room = codes.size * 2 * _DAYS * _SERIALS
    numbers = (ids * _STEP + rng.integers(room)) % room
    numbers, serial = np.divmod(numbers, _SERIALS)
    numbers, day = np.divmod(numbers, _DAYS)
    area, sex = np.divmod(numbers, 2)
    calendar = _FIRST_DAY + np.arange(_DAYS)
    text = calendar.astype(str)
    ddmmyy = np.array([int(d[8:10] + d[5:7] + d[2:4]) for d in text])
    no_ktp = codes[area] * 10**10 + (ddmmyy[day] + 400_000 * sex) * 10**4 + serial + 1
    births = calendar[day].astype("datetime64[s]").astype(np.int64)

    start = np.maximum(births + 6_575 * 86_400, 1_420_070_400)
    created = start + (rng.random(records) * (1_735_689_600 - start)).astype(np.int64)
    updated = created + (rng.random(records) * (1_751_328_000 - created)).astype(np.int64)
    deleted = updated + rng.integers(0, 180 * 86_400, records)
    years = created.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970
    return Numbers(ids, no_ktp, sex, calendar[day], years, created, updated, deleted)


def make(records: int, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    drawn = numbers_of_people(rng, records)
    ids = drawn.ids
    letters = pa.array([a + b for a in map(chr, range(65, 91)) for b in map(chr, range(65, 91))])
    passports = rng.permutation(records) if records < 10**6 else ids - 1
    passport = pc.binary_join_element_wise(
        letters.take(pa.array(passports % 676)),
        pc.utf8_lpad(pa.array(passports // 676).cast(pa.string()), 7, "0"),
        "",
    )
    moment = pa.timestamp("us")
    columns = [
        pa.array(ids),
        _names(rng, drawn.sex),
        _personal_numbers(drawn.years, ids),
        pa.array(drawn.no_ktp).cast(pa.string()),
        pc.if_else(pa.array(rng.random(records) < 0.08), passport, pa.scalar(None, pa.string())),
        pa.array(drawn.births),
        pa.nulls(records, pa.string()),
        pa.array(drawn.created * 1_000_000).cast(moment),
        pa.array(drawn.updated * 1_000_000).cast(moment),
        pa.array(drawn.deleted * 1_000_000, mask=rng.random(records) >= 0.01).cast(moment),
    ]
    return pa.Table.from_arrays(columns, schema=EMPLOYEE)


def drawn_names(
    rng: np.random.Generator, sex: npt.NDArray[np.int64]
) -> tuple[tuple[pa.Array, pa.Array], npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Pools of first and last names, and places in them: first, middle and last name, -1 where there is none."""
    firsts, first_ends = _pool("first_names_male.txt", "first_names_female.txt")
    lasts, last_ends = _pool("last_names.txt")
    men = len(name_pool("first_names_male.txt")[0])
    both = first_ends.copy()
    both[men:] += 1

    def draw() -> npt.NDArray[np.int64]:
        found = np.searchsorted(both, rng.random(sex.size) + sex, side="right")
        return np.asarray(np.minimum(found, len(firsts) - 1))

    first, middle = draw(), draw()
    last = np.minimum(np.searchsorted(last_ends, rng.random(sex.size), side="right"), len(lasts) - 1)
    shape = rng.random(sex.size)
    middle = np.where((shape >= 0.3) | (first == middle), -1, middle)
    return (firsts, lasts), first, middle, np.where(shape >= 0.94, -1, last)


def _names(rng: np.random.Generator, sex: npt.NDArray[np.int64]) -> pa.Array:
    (firsts, lasts), first, middle, last = drawn_names(rng, sex)
    return pc.binary_join_element_wise(
        firsts.take(pa.array(first)),
        firsts.take(pa.array(middle, mask=middle < 0)),
        lasts.take(pa.array(last, mask=last < 0)),
        " ",
        null_handling="skip",
    )


def _personal_numbers(years: np.ndarray[Any, Any], ids: np.ndarray[Any, Any]) -> pa.Array:
    """EMP-YYYY-NNNNNNN as a matrix of bytes, which is several times as fast as joining padded texts."""
    out = np.empty((ids.size, 16), np.uint8)
    out[:] = np.frombuffer(b"EMP-0000-0000000", np.uint8)
    for place, power in zip(range(4, 8), (1000, 100, 10, 1), strict=True):
        out[:, place] += (years // power % 10).astype(np.uint8)
    for place in range(9, 16):
        out[:, place] += (ids // 10 ** (15 - place) % 10).astype(np.uint8)
    offsets = np.arange(ids.size + 1, dtype=np.int32) * 16
    return pa.Array.from_buffers(pa.string(), ids.size, [None, pa.py_buffer(offsets), pa.py_buffer(out)])
