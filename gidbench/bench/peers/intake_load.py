"""How people accepted by pandas get into a database: DuckDB's own INSERT of a frame, or pandas.to_sql."""

from __future__ import annotations

import contextlib

import duckdb
import pyarrow as pa

from gidbench.stores.opening import duckdb_path, parse_url

_TABLE = "global_id_file"


def load_people(people: pa.Table, url: str) -> int:
    """Append accepted people to global_id_file, in one transaction; returns their number."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "duckdb":
        path = duckdb_path(parsed)
        assert path is not None
        with duckdb.connect(str(path)) as connection:
            connection.register("accepted", people)
            connection.execute(f"INSERT INTO {_TABLE} SELECT {', '.join(people.column_names)} FROM accepted")
        return int(people.num_rows)
    from gidbench.bench.peers.load_servers import ToSql
    from gidbench.stores.sqlserver.address import address_of

    with contextlib.closing(ToSql(address_of(parsed), fast=True, by_row=True)) as to_sql:
        return to_sql.load(_TABLE, people.to_pandas(date_as_object=True))
