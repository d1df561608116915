"""Whether somebody has read or processed the same people as we have."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from gidbench.digest import digest_of
from gidbench.errors import VerificationError
from gidbench.records import PERSON_FIELDS


def people_digest(batches: Iterable[pa.RecordBatch]) -> str:
    """`records:digest` of what describes a person, whatever else stands in the rows and in which order."""
    return digest_of(_plain(batch) for batch in batches)


def keys_digest(batches: Iterable[pa.RecordBatch]) -> str:
    """`records:digest` of no_ktp with its G_ID."""
    return digest_of(batch.select(["no_ktp", "g_id"]) for batch in batches)


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [batch.column(name) for name in PERSON_FIELDS]
    # polars' strings are large ones or views
    plain = [
        column if pa.types.is_date32(column.type) else column.cast(pa.string()).fill_null("")
        for column in columns
    ]
    return pa.RecordBatch.from_arrays(plain, list(PERSON_FIELDS))


def check_people(table: pa.Table, expected: str, who: str) -> None:
    """Raise VerificationError unless a table has the people of a digest."""
    found = people_digest(table.to_batches())
    if found != expected:
        raise VerificationError(
            f"{who} has not read the same people: {found} in the place of {expected}",
            "Its time would say nothing",
        )
