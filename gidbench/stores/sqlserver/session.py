"""The one session of a store in which its locks are held and its transactions run.

Both in one: where the connection breaks, the server takes back the transaction and the locks together, so that
nobody goes on under a lock that is lost.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gidbench.errors import StoreBusyError, StoreError
from gidbench.stores.retry import RetryPolicy
from gidbench.stores.sqlserver import faults
from gidbench.stores.sqlserver.staging import Staging, Yard, new_run, release_lock, run_lock, sweep, take_lock
from gidbench.stores.sqlserver.writing.model import Source, execute

_LONGEST_RESOURCE = 255  # sp_getapplock cuts what is longer

# Two threads of one process share the session, whose locks would let both in.
_held: defaultdict[tuple[str, str], threading.Lock] = defaultdict(threading.Lock)


class Session:
    """See the module.

    Parameters
    ----------
    identity:
        What is the same for every store of one database.
    schema:
        Where staging tables stand; empty: the login's own.
    """

    def __init__(
        self, connections: Source, name: str, identity: str, retry: RetryPolicy, schema: str = ""
    ) -> None:
        self.name, self.retry = name, retry
        self._connections, self._identity, self._schema = connections, identity, schema
        self._stack: contextlib.ExitStack | None = None
        self._connection: Any = None
        self._yard: Yard | None = None
        self._useless: list[Staging] = []
        self._statements: int | None = None  # run in the transaction under way
        self.token = ""  # of the transaction under way: the audit log tells by it whether it was kept

    @property
    def connection(self) -> Any:
        """The DB-API connection, in autocommit outside of `transaction`."""
        if self._connection is None:
            with contextlib.ExitStack() as stack:
                with faults.explained("connecting"):
                    self._connection = stack.enter_context(self._connections.session(autocommit=True))
                self._stack = stack.pop_all()
        return self._connection

    @property
    def yard(self) -> Yard:
        """The staging tables of this run; those of dead runs are dropped before the first is made."""
        if self._yard is None:
            run = new_run()
            cursor = self.connection.cursor()
            with faults.explained("preparing to load"):
                take_lock(cursor, run_lock(run), 0)
                cursor.close()
                with self._connections.session(autocommit=True) as other:
                    sweep(other)
            self._yard = Yard(run, self._schema)
        return self._yard

    @property
    def in_transaction(self) -> bool:
        return self._statements is not None

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Every row of a statement."""
        with self._explained():
            cursor = self.connection.cursor()
            try:
                cursor.execute(statement, list(parameters)) if parameters else cursor.execute(statement)
                found = [tuple(row) for row in cursor.fetchall()] if cursor.description else []
                while cursor.nextset():
                    pass
                return found
            finally:
                cursor.close()

    def execute(self, *statements: str, parameters: Sequence[object] = ()) -> int:
        """Run statements; returns the rows that the last one changed, to which the parameters belong.

        The first ones of a transaction are run again where an error passes by itself (the victim of a deadlock):
        nothing else of it is lost.
        """
        if self._statements != 0:
            return self._execute(statements, parameters)
        done = self.retry.call(lambda: self._from_the_start(statements, parameters), faults.is_transient)
        self._statements = 1
        return done

    def _from_the_start(self, statements: Sequence[str], parameters: Sequence[object]) -> int:
        try:
            return self._execute(statements, parameters)
        except StoreError as error:
            # a lost session has lost its locks, too: only what leaves it alive may be tried again
            if self._connection is not None and faults.is_transient(error):
                self._connection.rollback()
            raise

    def _execute(self, statements: Sequence[str], parameters: Sequence[object]) -> int:
        *first, last = statements
        with self._explained():
            cursor = self.connection.cursor()
            try:
                for statement in first:
                    execute(cursor, statement)
                return execute(cursor, last, list(parameters))
            finally:
                cursor.close()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Errors of the driver as ours; a session that is gone is thrown away, with all that it held."""
        try:
            with faults.explained(""):
                yield
        except StoreError as error:
            if faults.is_disconnect(error):
                self.discard()
            raise

    @contextlib.contextmanager
    def transaction(self, was_kept: Callable[[str], bool]) -> Iterator[None]:
        """What is done inside is kept as a whole or not at all.

        `was_kept(token)` is asked on a new session where the connection breaks during the commit.
        """
        with self._explained():
            self.connection.autocommit = False
        self._statements, self.token = 0, secrets.token_hex(8)
        try:
            yield
            try:
                with self._explained():
                    self.connection.commit()
            except StoreError as error:
                if not faults.is_disconnect(error) or not self._find_out(was_kept):
                    raise
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._statements, self.token = None, ""
        if self._connection is not None:
            with self._explained():
                self._connection.autocommit = True
            self._drop()

    def put_away(self, staging: Staging) -> None:
        """Drop a staging table, at the end of a transaction under way, which may still hold locks on it."""
        self._useless.append(staging)
        if not self.in_transaction:
            self._drop()

    def _drop(self) -> None:
        """What can't be dropped now, the next run drops."""
        useless, self._useless = self._useless, []
        if self._connection is None or self._yard is None:
            return
        with contextlib.suppress(StoreError), faults.explained("dropping what was staged"):
            for staging in useless:
                self._yard.drop(self._connection, staging)

    def _find_out(self, was_kept: Callable[[str], bool]) -> bool:
        """Whether a transaction was kept whose commit was not answered."""
        self._statements = None
        try:
            return was_kept(self.token)
        except StoreError:
            raise StoreError(
                "the connection broke during the commit, and the server can't be asked whether it was kept",
                "Run it again: what was kept is found, nothing is done twice",
            ) from None

    def _roll_back(self) -> None:
        if self._connection is None:
            return
        try:
            self._connection.rollback()
            self._connection.autocommit = True
            self._drop()
        except Exception:  # the session is of no use any more, whatever the driver says
            self.discard()

    def discard(self) -> None:
        """Throw the session away; the server takes back what was not committed, and its locks."""
        stack, self._stack, self._connection, self._yard = self._stack, None, None, None
        if stack is not None:
            with contextlib.suppress(Exception):  # an exception makes the pool close it instead of keeping it
                stack.__exit__(ConnectionError, ConnectionError("the session is lost"), None)

    def resource(self, purpose: str) -> str:
        """Name of an application lock. With the database in it: not every server keeps theirs apart."""
        return f"gidbench/{self._identity.rpartition('/')[2]}/{purpose}"[:_LONGEST_RESOURCE]

    @contextlib.contextmanager
    def lock(self, purpose: str, timeout_s: float) -> Iterator[None]:
        """Hold an application lock. Raises StoreBusyError where somebody else holds it for `timeout_s`."""
        started = time.monotonic()
        own = _held[self._identity, purpose]
        if not own.acquire(timeout=timeout_s):
            raise self.busy(purpose, timeout_s)
        try:
            left_ms = max(0, round(1000 * (timeout_s - (time.monotonic() - started))))
            resource = self.resource(purpose)
            with self._explained():
                cursor = self.connection.cursor()
                taken = take_lock(cursor, resource, left_ms)
                cursor.close()
            if not taken:
                raise self.busy(purpose, timeout_s)
            holder = self._connection
            try:
                yield
            finally:
                if self._connection is holder and holder is not None:
                    with self._explained():
                        cursor = holder.cursor()
                        release_lock(cursor, resource)
                        cursor.close()
        finally:
            own.release()

    def busy(self, purpose: str, timeout_s: float) -> StoreBusyError:
        return StoreBusyError(
            f"another run holds {purpose} of {self.name} for more than {timeout_s:g} s",
            "Wait until it ends, or allow a longer wait",
        )

    def close(self) -> None:
        """Drop what is left staged, and give the connection back."""
        if self._yard is not None and self._connection is not None:
            try:
                self._yard.clear(self._connection)
                cursor = self._connection.cursor()
                release_lock(cursor, run_lock(self._yard.run))
                cursor.close()
            except Exception:  # the next run drops what is left
                self.discard()
        stack, self._stack, self._connection, self._yard = self._stack, None, None, None
        if stack is not None:
            stack.close()
