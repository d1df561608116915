"""What of a database decides how fast it is: version, recovery model, indexes, logging; for a run's header."""

from __future__ import annotations

from typing import Any

import duckdb

from gidbench.errors import GidbenchError
from gidbench.stores.opening import open_store, parse_url, safe_name

_TABLES = ("employee", "global_id", "global_id_file")


def describe_database(url: str) -> dict[str, str]:
    """Name and version of the database of a URL, and its facts. Raises InputError, StoreError."""
    with open_store(url) as store:
        return {"name": safe_name(url), "version": store.version, **facts_of(store, url)}


def facts_of(store: Any, url: str) -> dict[str, str]:
    """Facts of an open store by name, as texts; what the login may not see is left out.

    Of a SQL Server: recovery_model, isolation, collation, write_strategy, log_views (why they can't be read, where
    they can't), and of each of our tables that is there its indexes and how a load into it is logged. Of DuckDB:
    storage and indexes.
    """
    if parse_url(url).get_backend_name() == "mssql":
        return _of_sql_server(store)
    return _of_duckdb(store, url)


def _of_sql_server(store: Any) -> dict[str, str]:
    server = store.server
    facts = {
        "recovery_model": server.recovery or "the login may not see it",
        "isolation": "read committed snapshot" if server.snapshot else "read committed, by locks",
        "collation": server.collation,
    }
    try:
        choice = store.choice
        facts["write_strategy"] = f"{choice.strategy.name}: {choice.why}"
    except GidbenchError as error:
        facts["write_strategy"] = error.problem
    if server.hides_state:
        facts["log_views"] = f"not read: {server.hides_state}"
    for table in _TABLES:
        try:
            found = store.advise(table)
        except GidbenchError:  # a table that is not there, or may not be looked up
            continue
        checks = {check.name: check.found for check in found.findings}
        structure, others = checks.get("structure", ""), checks.get("nonclustered indexes", "none")
        facts[f"{table}_indexes"] = f"{structure}; nonclustered: {others}"
        facts[f"{table}_logging"] = (
            "a load can be minimally logged"
            if found.minimal
            else f"a load logs every row ({', '.join(found.hindering)})"
        )
    return facts


def _of_duckdb(store: Any, url: str) -> dict[str, str]:
    facts = {
        "storage": "in memory"
        if parse_url(url).database in (None, "", ":memory:")
        else "a file, write-ahead log"
    }
    try:
        rows = store.rows(
            "SELECT table_name, constraint_type, list_aggregate(constraint_column_names, 'string_agg', ', ')"
            " FROM duckdb_constraints() WHERE constraint_type IN ('PRIMARY KEY', 'UNIQUE') ORDER BY ALL"
        )
        made = store.rows("SELECT table_name, index_name FROM duckdb_indexes() ORDER BY ALL")
    except duckdb.Error as error:  # whatever an older one lacks, the run is measured anyway
        return {**facts, "indexes": f"not known ({type(error).__name__})"}
    found = [f"{table}: {str(kind).lower()} ({columns})" for table, kind, columns in rows]
    found += [f"{table}: {name}" for table, name in made]
    return {**facts, "indexes": "; ".join(found)} if found else facts  # none: there are no tables yet
