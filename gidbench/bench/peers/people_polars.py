"""Employees by polars: one lazy select over a range, hash() as the source of randomness, all threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from gidbench.generation.tables import name_tables
from gidbench.records import EMPLOYEE
from gidbench.specs.pools import areas, name_pool

_DAYS, _SERIALS = 16_802, 9_999


def make(records: int, seed: int) -> pa.Table:
    import polars as pl

    first_slots, last_slots = name_tables().first_entries, name_tables().last_entries
    pools = [name.decode() for sex in ("male", "female") for name in name_pool(f"first_names_{sex}.txt")[0]]
    firsts = pl.Series([pools[slot] for slot in first_slots.tolist()])
    surnames = [name.decode() for name in name_pool("last_names.txt")[0]]
    lasts = pl.Series([surnames[slot] for slot in last_slots.tolist()])
    codes = pl.Series(areas().astype(np.int64))
    room = codes.len() * 2 * _DAYS * _SERIALS

    def share(bits: Any, span: Any) -> Any:
        """The upper 32 bits, as a share of a span below 2^32."""
        return ((bits // 2**32) * span.cast(pl.UInt64) // 2**32).cast(pl.Int64)

    i = pl.col("i")
    drawn = pl.LazyFrame({"i": pl.int_range(0, records, eager=True)}).with_columns(
        number=((i + 1) * 1_000_000_007 + seed) % room,
        h1=i.hash(4 * seed + 0),
        h2=i.hash(4 * seed + 1),
        h3=i.hash(4 * seed + 2),
        h4=i.hash(4 * seed + 3),
    )
    number = pl.col("number")
    split = drawn.with_columns(
        serial=number % _SERIALS + 1,
        bod=(number // _SERIALS % _DAYS - 3_653).cast(pl.Int32).cast(pl.Date),
        sex=number // (_SERIALS * _DAYS) % 2,
        area=number // (_SERIALS * _DAYS * 2),
    )
    born = pl.col("bod").cast(pl.Int32).cast(pl.Int64) * 86_400
    low = pl.max_horizontal(born + 6_575 * 86_400, pl.lit(1_420_070_400))
    dated = split.with_columns(low=low).with_columns(
        created=pl.col("low") + share(pl.col("h1"), 1_735_689_600 - pl.col("low"))
    )
    dated = dated.with_columns(
        updated=pl.col("created") + share(pl.col("h2"), 1_751_328_000 - pl.col("created"))
    )
    bits, bod = pl.col("h3"), pl.col("bod")
    shape = bits // 2**56
    first = pl.lit(firsts).gather(pl.col("sex") * 4096 + (bits % 4096).cast(pl.Int64))
    middle = pl.lit(firsts).gather(pl.col("sex") * 4096 + (bits // 2**12 % 4096).cast(pl.Int64))
    last = pl.lit(lasts).gather((bits // 2**24 % 4096).cast(pl.Int64))
    day = bod.dt.day().cast(pl.Int64) * 10_000 + bod.dt.month().cast(pl.Int64) * 100 + bod.dt.year() % 100
    chance = pl.col("h4")

    def moment(seconds: Any) -> Any:
        return (seconds * 1_000_000).cast(pl.Datetime("us"))

    frame = dated.select(
        id=i + 1,
        name=pl.concat_str(
            first,
            pl.when((shape < 77) & (middle != first)).then(middle),
            pl.when(shape < 240).then(last),
            separator=" ",
            ignore_nulls=True,
        ),
        personal_number=pl.concat_str(
            pl.lit("EMP-"),
            moment(pl.col("created")).dt.year(),
            pl.lit("-"),
            (i + 1).cast(pl.String).str.zfill(7),
        ),
        no_ktp=(
            pl.lit(codes).gather(pl.col("area")) * 10**10
            + (day + 400_000 * pl.col("sex")) * 10**4
            + pl.col("serial")
        ).cast(pl.String),
        passport_id=pl.when(chance % 100 < 8).then(
            pl.concat_str(
                pl.lit(pl.Series(_LETTERS)).gather(i % 676), (i // 676).cast(pl.String).str.zfill(7)
            )
        ),
        bod=bod,
        g_id=pl.lit(None, pl.String),
        created_at=moment(pl.col("created")),
        updated_at=moment(pl.col("updated")),
        deleted_at=pl.when(chance // 100 % 100 < 1).then(
            moment(pl.col("updated") + (chance // 2**32).cast(pl.Int64) % 15_552_000)
        ),
    ).collect()
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(EMPLOYEE)


_LETTERS = [a + b for a in map(chr, range(65, 91)) for b in map(chr, range(65, 91))]
