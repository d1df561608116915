"""A connection while it is lent: when it goes back, it and all its cursors are out of the borrower's hands.

A cursor that outlives the loan (a frame that is not gone yet, a traceback, a circle of garbage) would be closed
later and in whatever thread, and closing one sends a request: "Connection is busy" is what the next borrower
would then be told, one time in fifty with eight threads.
"""

from __future__ import annotations

import weakref
from contextlib import suppress
from types import TracebackType
from typing import Any

from gidbench.errors import StoreError


class LentCursor:
    """A driver's cursor, with all that it has; it lives no longer than the loan of its connection."""

    __slots__ = ("__weakref__", "_cursor")
    _cursor: Any

    def __init__(self, cursor: Any) -> None:
        object.__setattr__(self, "_cursor", cursor)

    def execute(self, *arguments: Any, **options: Any) -> LentCursor:
        self._cursor.execute(*arguments, **options)
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._cursor, name, value)

    def __iter__(self) -> LentCursor:
        return self

    def __next__(self) -> Any:
        row = self._cursor.fetchone()
        if row is None:
            raise StopIteration
        return row

    def __enter__(self) -> LentCursor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cursor.close()


class LentConnection:
    """A driver's connection, with all that it has, until `end`."""

    __slots__ = ("_connection", "_cursors")
    _connection: Any
    _cursors: weakref.WeakSet[LentCursor]

    def __init__(self, connection: Any) -> None:
        object.__setattr__(self, "_connection", connection)
        object.__setattr__(self, "_cursors", weakref.WeakSet())

    def cursor(self, *arguments: Any, **options: Any) -> LentCursor:
        cursor = LentCursor(self._live().cursor(*arguments, **options))
        self._cursors.add(cursor)
        return cursor

    def execute(self, *arguments: Any, **options: Any) -> LentCursor:
        return self.cursor().execute(*arguments, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._live(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._live(), name, value)

    def end(self) -> None:
        """Close every cursor that is left, and let go of the connection."""
        for cursor in list(self._cursors):
            with suppress(Exception):  # closed already, or its connection is
                cursor.close()
        object.__setattr__(self, "_connection", None)

    def _live(self) -> Any:
        if self._connection is None:
            raise StoreError("a connection was used after it had been given back", "Please report this")
        return self._connection
