"""What DuckDB says, in sentences that name what to do, without statements and values."""

from __future__ import annotations

import duckdb

from gidbench.errors import InputError, StoreBusyError, StoreError


def explain(error: duckdb.Error) -> StoreError:
    """What DuckDB says, as one sentence without the statement and without values."""
    text = str(error).strip().splitlines()[0]
    if isinstance(error, duckdb.ConstraintException):
        return StoreError(
            "a row breaks a rule of its table", f"Check its keys and empty values ({text.split(':')[0]})"
        )
    if isinstance(error, duckdb.OutOfMemoryException):
        return StoreError("DuckDB has too little memory or disk", "Free some, or use fewer records")
    if isinstance(error, duckdb.InterruptException):
        return StoreError("the statement was interrupted", "Nothing was kept; run it again")
    return StoreError(f"DuckDB refuses ({text[:200]})", "Check the tables against the README")


def opening_error(name: str, error: duckdb.IOException) -> Exception:
    text = str(error).splitlines()[0]
    if "lock" in text:
        return StoreBusyError(
            f"{name} is open in another process", "Close that one, or name another database file"
        )
    return InputError(f"{name} cannot be opened as a DuckDB database", f"Name another file ({text[:160]})")
