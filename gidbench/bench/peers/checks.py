"""Proof that a peer makes the same table: its columns, types, fractions and agreements."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gidbench.errors import VerificationError
from gidbench.records import EMPLOYEE

_SIGMAS = 6.0
_SHARES = {"passport_id": 0.08, "deleted_at": 0.01}


def check_people(table: pa.Table, records: int, who: str) -> None:
    """Raise VerificationError that says in what a table is not one of so many employees."""

    def require(condition: bool, what: str) -> None:
        if not condition:
            raise VerificationError(
                f"{who} does not make the same table: {what}", "Its time would say nothing"
            )

    require(table.schema.names == EMPLOYEE.names, f"its columns are {table.schema.names}")
    for field in EMPLOYEE:
        require(table.schema.field(field.name).type == field.type, f"{field.name} has another type")
        nulls = table[field.name].null_count
        require(field.nullable or nulls == 0, f"{field.name} has {nulls} nulls")
    require(table.num_rows == records, f"it has {table.num_rows} rows, not {records}")
    require(table["g_id"].null_count == records, "somebody has a g_id")
    require(pc.count_distinct(table["no_ktp"]).as_py() == records, "a no_ktp comes twice")
    require(table["id"].to_pylist() == list(range(1, records + 1)), "ids do not count from 1")
    for name, share in _SHARES.items():
        found = records - table[name].null_count
        slack = _SIGMAS * sqrt(records * share * (1 - share)) + 1
        require(abs(found - records * share) <= slack, f"{found} of {records} rows have a {name}")
    _check_identities(table, require)
    personal = pc.match_substring_regex(table["personal_number"], "^EMP-[0-9]{4}-[0-9]{7,}$")
    require(pc.all(personal).as_py(), "a personal_number has another form")
    require(pc.min(pc.utf8_length(table["name"])).as_py() >= 2, "a name has one letter")
    created, updated, deleted = (table[name] for name in ("created_at", "updated_at", "deleted_at"))
    require(pc.all(pc.less_equal(created, updated)).as_py(), "somebody was changed before being created")
    ordered = pc.fill_null(pc.less_equal(updated, deleted), True)
    require(pc.all(ordered).as_py(), "somebody was deleted before being changed")


def _check_identities(table: pa.Table, require: object) -> None:
    """no_ktp has 16 digits, the third pair of which is the day of birth, 40 more for women."""
    assert callable(require)
    numbers = table["no_ktp"]
    require(pc.all(pc.match_substring_regex(numbers, "^[0-9]{16}$")).as_py(), "a no_ktp is not 16 digits")
    day, month, year = (
        pc.utf8_slice_codeunits(numbers, start, start + 2).cast(pa.int64()).to_numpy() for start in (6, 8, 10)
    )
    births = table["bod"]
    require(bool(np.all(day % 40 == pc.day(births).to_numpy())), "a no_ktp has another day than bod")
    require(bool(np.all(month == pc.month(births).to_numpy())), "a no_ktp has another month than bod")
    require(bool(np.all(year == pc.year(births).to_numpy() % 100)), "a no_ktp has another year than bod")
    women = float((day > 40).mean())
    require(0.4 < women < 0.6, f"{women:.0%} are women")
