"""Whether a transaction was kept whose commit was not answered.

A connection that breaks during the commit leaves that open. Each transaction holds an application lock of its own
until it ends: whoever gets it knows that the server has ended the transaction, and can look for what it has left.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gidbench.errors import GidbenchError, StoreError
from gidbench.stores.retry import RetryPolicy
from gidbench.stores.sqlserver import faults
from gidbench.stores.sqlserver.staging import release_lock, take_lock
from gidbench.stores.sqlserver.writing.model import Source

AGAIN = "Run it again: what was kept is found, nothing is done twice"
_WAIT_MS = 30_000  # for the server to end a transaction whose connection is gone


def mark_transaction(connection: Any, token: str) -> None:
    """Hold a lock as long as the transaction lasts that has just begun."""
    cursor = connection.cursor()
    take_lock(cursor, _lock(token), 0, owner="Transaction")
    cursor.close()


def _lock(token: str) -> str:
    return f"gidbench_transaction_{token}"


def find_out(
    connections: Source, token: str, was_kept: Callable[[Any], bool] | None, retry: RetryPolicy
) -> bool:
    """Ask the server on another connection; `was_kept` looks for what the transaction has left, if it has.

    Raises StoreError where nothing tells.
    """
    if was_kept is None:
        raise StoreError(
            "the connection broke during the commit, and nothing tells whether it was kept",
            "Look at the table before you run it again",
        )

    def ask() -> bool:
        with connections.session(autocommit=True) as other:
            cursor = other.cursor()
            if not take_lock(cursor, _lock(token), _WAIT_MS):
                raise StoreError("the server has not ended it yet", AGAIN)
            release_lock(cursor, _lock(token))
            cursor.close()
            return was_kept(other)

    try:
        with faults.explained(""):
            return retry.call(ask, faults.is_transient)
    except GidbenchError as error:
        unknown = StoreError(
            "the connection broke during the commit, and the server can't be asked whether it was kept", AGAIN
        )
        unknown.transient = faults.is_transient(error)
        raise unknown from error.__cause__
