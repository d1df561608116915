"""Employees by DuckDB: one SELECT over range(), hash() as the source of randomness, all threads."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from gidbench.generation.tables import name_tables
from gidbench.records import EMPLOYEE
from gidbench.specs.pools import areas, name_pool

_STATEMENT = """
WITH drawn AS (
    SELECT i, ((i + 1) * 1000000007 + $seed) % $room AS number,
        hash(i, $seed, 1) AS h1, hash(i, $seed, 2) AS h2, hash(i, $seed, 3) AS h3, hash(i, $seed, 4) AS h4
    FROM range($records) AS t(i)
), split AS (
    SELECT *, number % 9999 + 1 AS serial, (number // 9999) % 16802 AS day,
        (number // 168003198) % 2 AS sex, number // 336006396 AS area
    FROM drawn
), born AS (
    SELECT *, DATE '1960-01-01' + day::INTEGER AS bod, epoch(DATE '1960-01-01' + day::INTEGER)::BIGINT AS born
    FROM split
), made AS (
    SELECT *, greatest(born + 6575 * 86400, 1420070400) AS low FROM born
), created AS (
    SELECT *, low + ((h1 >> 32) * (1735689600 - low)::UBIGINT >> 32)::BIGINT AS created FROM made
), updated AS (
    SELECT *, created + ((h2 >> 32) * (1751328000 - created)::UBIGINT >> 32)::BIGINT AS updated FROM created
)
SELECT i + 1 AS id,
    concat_ws(' ', f.word, CASE WHEN h3 >> 56 < 77 AND m.word <> f.word THEN m.word END,
        CASE WHEN h3 >> 56 < 240 THEN l.word END) AS name,
    'EMP-' || year(make_timestamp(created * 1000000)) || '-' || lpad((i + 1)::VARCHAR, 7, '0') AS personal_number,
    (a.code * 10000000000 + (day(bod) * 10000 + month(bod) * 100 + year(bod) % 100 + 400000 * sex) * 10000
        + serial)::VARCHAR AS no_ktp,
    CASE WHEN h4 % 100 < 8 THEN chr((65 + i % 26)::INTEGER) || chr((65 + i // 26 % 26)::INTEGER)
        || lpad((i // 676)::VARCHAR, 7, '0') END AS passport_id,
    bod, NULL::VARCHAR AS g_id,
    make_timestamp(created * 1000000) AS created_at, make_timestamp(updated * 1000000) AS updated_at,
    CASE WHEN h4 // 100 % 100 < 1
        THEN make_timestamp((updated + ((h4 >> 32) % 15552000)::BIGINT) * 1000000) END AS deleted_at
FROM updated
    JOIN areas AS a ON a.place = area
    JOIN firsts AS f ON f.slot = sex * 4096 + (h3 & 4095)::BIGINT
    JOIN firsts AS m ON m.slot = sex * 4096 + (h3 >> 12 & 4095)::BIGINT
    JOIN lasts AS l ON l.slot = (h3 >> 24 & 4095)::BIGINT
ORDER BY id
"""


def connect() -> duckdb.DuckDBPyConnection:
    """A connection with the pools as tables, which is no part of the timed work."""
    connection = duckdb.connect()
    first_slots, last_slots = name_tables().first_entries, name_tables().last_entries
    names = [name.decode() for sex in ("male", "female") for name in name_pool(f"first_names_{sex}.txt")[0]]
    lasts = [name.decode() for name in name_pool("last_names.txt")[0]]
    codes = areas().astype(np.int64)
    held: dict[str, dict[str, Any]] = {
        "areas": {"place": np.arange(codes.size), "code": codes},
        "firsts": {
            "slot": np.arange(first_slots.size),
            "word": [names[slot] for slot in first_slots.tolist()],
        },
        "lasts": {"slot": np.arange(last_slots.size), "word": [lasts[slot] for slot in last_slots.tolist()]},
    }
    for name, columns in held.items():
        connection.register("incoming", pa.table({key: pa.array(values) for key, values in columns.items()}))
        connection.execute(f"CREATE TABLE {name} AS FROM incoming").fetchall()
        connection.unregister("incoming")
    return connection


def make(connection: duckdb.DuckDBPyConnection, records: int, seed: int) -> pa.Table:
    room = areas().size * 2 * 16_802 * 9_999
    parameters = {"records": records, "seed": seed, "room": room}
    return connection.sql(_STATEMENT, params=parameters).to_arrow_table().cast(EMPLOYEE)
