"""Employees by a vectorised script of numpy and pandas: codes of categories for what repeats, Arrow's strings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from gidbench.bench.peers.people_numpy import drawn_names, numbers_of_people
from gidbench.records import EMPLOYEE

_MOMENT = "datetime64[us]"


def make(records: int, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    drawn = numbers_of_people(rng, records)
    pools, first, middle, last = drawn_names(rng, drawn.sex)
    texts = [pd.Series(pool.to_numpy(zero_copy_only=False), dtype="str") for pool in pools]
    names = texts[0].take(first).reset_index(drop=True)
    for pool, places in ((texts[0], middle), (texts[1], last)):
        has = places >= 0
        more = (" " + pool).take(places[has])
        more.index = np.flatnonzero(has)
        names = names.where(~has, names[has] + more)
    letters = np.array([a + b for a in map(chr, range(65, 91)) for b in map(chr, range(65, 91))], object)
    chosen = rng.random(records) < 0.08
    places = rng.permutation(records)[chosen]
    passports = pd.Series(None, index=range(records), dtype="str")
    passports[chosen] = letters[places % 676] + pd.Series(places // 676).astype("str").str.zfill(7).to_numpy()
    numbers = pd.Series(drawn.ids).astype("str").str.zfill(7)
    deleted = pd.Series(drawn.deleted.astype("datetime64[s]").astype(_MOMENT))
    frame = pd.DataFrame(
        {
            "id": drawn.ids,
            "name": names,
            "personal_number": "EMP-" + pd.Series(drawn.years).astype("str") + "-" + numbers,
            "no_ktp": pd.Series(drawn.no_ktp).astype("str"),
            "passport_id": passports,
            "bod": drawn.births,
            "g_id": pd.Series(None, index=range(records), dtype="str"),
            "created_at": drawn.created.astype("datetime64[s]").astype(_MOMENT),
            "updated_at": drawn.updated.astype("datetime64[s]").astype(_MOMENT),
            "deleted_at": deleted.where(rng.random(records) < 0.01),
        }
    )
    return table_of(frame)


def table_of(frame: Any) -> pa.Table:
    """The frame as Arrow has it: pandas' strings are Arrow's already."""
    return pa.Table.from_pandas(frame, preserve_index=False).cast(EMPLOYEE)
