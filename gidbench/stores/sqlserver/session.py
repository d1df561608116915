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
from typing import Any, TypeVar

from gidbench.errors import GidbenchError, StoreBusyError, StoreError
from gidbench.stores.retry import RetryPolicy
from gidbench.stores.sqlserver import faults
from gidbench.stores.sqlserver.commits import AGAIN, find_out, mark_transaction
from gidbench.stores.sqlserver.staging import Staging, Yard, new_run, release_lock, run_lock, sweep, take_lock
from gidbench.stores.sqlserver.writing.model import Source, execute

R = TypeVar("R")

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
        self._orphans: list[Yard] = []  # of sessions that were lost
        self._statements: int | None = None  # run in the transaction under way
        self.leaves_a_trace = False  # by which to know whether the transaction under way was kept
        self._held = 0  # locks and transactions, of which all are gone when the session is
        self._lost: BaseException | None = None  # by which they are gone
        self.token = ""  # of the transaction under way: the audit log tells by it whether it was kept

    @property
    def connection(self) -> Any:
        """The DB-API connection, in autocommit outside of `transaction`.

        Raises StoreError where the session has been lost that held a lock or a transaction under way: nobody may
        go on without them.
        """
        if self._connection is None:
            if self._lost is not None:
                gone = StoreError("the connection was cut, and its locks and transaction are gone", AGAIN)
                gone.transient = faults.is_transient(self._lost)
                raise gone
            with contextlib.ExitStack() as stack:
                with faults.explained("connecting"):
                    self._connection = stack.enter_context(self._connections.session(autocommit=True))
                self._stack = stack.pop_all()
        return self._connection

    def look(self, work: Callable[[Any], R]) -> R:
        """What `work` finds by the connection, changing nothing."""

        def looked() -> R:
            with self._explained("looking up a table"):
                return work(self.connection)

        return self._again(looked)

    @contextlib.contextmanager
    def using(self, doing: str = "") -> Iterator[Any]:
        """The connection, for statements of others: what they do in a transaction is not done again."""
        with self._explained(doing):
            yield self.connection
        if self._statements is not None:
            self._statements = 1

    @property
    def yard(self) -> Yard:
        """The staging tables of this run; those of dead runs are dropped before the first is made."""
        if self._yard is None:
            run = new_run()

            def live() -> None:
                with self._explained("preparing to load"):
                    cursor = self.connection.cursor()
                    take_lock(cursor, run_lock(run), 0)
                    cursor.close()

            self._again(live)
            self._sweep()
            self._yard = Yard(run, self._schema)
        return self._yard

    def _sweep(self) -> None:
        with faults.explained("dropping old staging tables"):
            self.retry.call(self._sweep_once, faults.is_transient)

    def _sweep_once(self) -> None:
        with self._connections.session(autocommit=True) as other:
            for orphan in list(self._orphans):
                orphan.clear(other)
                self._orphans.remove(orphan)
            sweep(other)

    @property
    def in_transaction(self) -> bool:
        return self._statements is not None

    def _again(self, work: Callable[[], R]) -> R:
        """`work` on the session, and again on another one where it is lost and has held nothing."""
        return self.retry.call(work, lambda error: not self._held and faults.is_transient(error))

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Every row of a statement, which changes nothing."""
        return self._again(lambda: self._rows(statement, parameters))

    def _rows(self, statement: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
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
        done = self.retry.call(
            lambda: self._from_the_start(statements, parameters),
            lambda error: self._connection is not None and faults.is_transient(error),
        )
        self._statements = 1
        return done

    def _from_the_start(self, statements: Sequence[str], parameters: Sequence[object]) -> int:
        try:
            return self._execute(statements, parameters)
        except StoreError as error:
            # a lost session has lost its locks, too: only what leaves it alive may be tried again
            if self._connection is not None and faults.is_transient(error):
                with self._explained():
                    self._connection.rollback()
                    mark_transaction(self._connection, self.token)
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
    def _explained(self, doing: str = "") -> Iterator[None]:
        """Errors of the driver as ours; a session that is gone is thrown away, with all that it held."""
        try:
            with faults.explained(doing):
                yield
        except StoreError as error:
            if faults.is_disconnect(error):
                self.discard(error)
            raise

    @contextlib.contextmanager
    def _holding(self) -> Iterator[None]:
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            if not self._held:
                self._lost = None

    @contextlib.contextmanager
    def transaction(self, was_kept: Callable[[Any], bool]) -> Iterator[None]:
        """What is done inside is kept as a whole or not at all.

        `was_kept(connection)` is asked, on another connection, where this one breaks during the commit, if the
        transaction `leaves_a_trace`.
        """
        self._again(self._begin)
        with self._holding():
            self._statements, self.leaves_a_trace = 0, False
            try:
                yield
                self._commit(was_kept)
            except BaseException:
                self._roll_back()
                raise
            finally:
                self._statements, self.token = None, ""
            if self._connection is not None:
                try:
                    with faults.explained(""):
                        self._connection.autocommit = True
                except StoreError as error:  # all is kept, whatever becomes of the session
                    self.discard(error)
            self._drop()

    def _begin(self) -> None:
        self.token = secrets.token_hex(8)
        with self._explained():
            self.connection.autocommit = False
            mark_transaction(self._connection, self.token)

    def _commit(self, was_kept: Callable[[Any], bool]) -> None:
        connection = self.connection
        try:
            with self._explained():
                connection.commit()
        except StoreError as error:
            if not faults.is_disconnect(error):
                raise
            known = was_kept if self.leaves_a_trace else None
            if not find_out(self._connections, self.token, known, self.retry):
                raise

    def put_away(self, staging: Staging) -> None:
        """Drop a staging table, at the end of a transaction under way, which may still hold locks on it."""
        self._useless.append(staging)
        if not self.in_transaction:
            self._drop()

    def _drop(self) -> None:
        """What can't be dropped now is dropped at the end, or by the next run."""
        useless, self._useless = self._useless, []
        if self._connection is None or self._yard is None:
            return
        try:
            with faults.explained("dropping what was staged"):
                for staging in useless:
                    self._yard.drop(self._connection, staging)
        except StoreError as error:
            if faults.is_disconnect(error):
                self.discard(error)

    def _roll_back(self) -> None:
        if self._connection is None:
            return
        try:
            self._connection.rollback()
            self._connection.autocommit = True
            self._drop()
        except Exception as error:  # the session is of no use any more, whatever the driver says
            self.discard(error)

    def discard(self, cause: BaseException) -> None:
        """Throw the session away; the server takes back what was not committed, and its locks."""
        if self._held and self._connection is not None:
            self._lost = cause
        if self._yard is not None:
            self._orphans.append(self._yard)
        stack, self._stack, self._connection, self._yard = self._stack, None, None, None
        if stack is not None:
            with contextlib.suppress(Exception):  # an exception makes the pool close it instead of keeping it
                stack.__exit__(ConnectionError, ConnectionError("the session is lost"), None)

    @contextlib.contextmanager
    def lock(self, purpose: str, timeout_s: float) -> Iterator[None]:
        """Hold an application lock. Raises StoreBusyError where somebody else holds it for `timeout_s`."""
        started = time.monotonic()
        own = _held[self._identity, purpose]
        if not own.acquire(timeout=timeout_s):
            raise self.busy(purpose, timeout_s)
        try:
            resource = f"gidbench_{purpose}"

            def take() -> bool:
                left_ms = max(0, round(1000 * (timeout_s - (time.monotonic() - started))))
                with self._explained():
                    cursor = self.connection.cursor()
                    taken = take_lock(cursor, resource, left_ms)
                    cursor.close()
                    return taken

            if not self._again(take):
                raise self.busy(purpose, timeout_s)
            holder = self._connection
            with self._holding():
                try:
                    yield
                finally:
                    if self._connection is holder and holder is not None:
                        self._release(resource)
        finally:
            own.release()

    def _release(self, resource: str) -> None:
        """Give a lock back; the end of the session does it where that fails, and what was done is done."""
        try:
            cursor = self._connection.cursor()
            release_lock(cursor, resource)
            cursor.close()
        except Exception as error:
            self.discard(error)

    def busy(self, purpose: str, timeout_s: float) -> StoreBusyError:
        return StoreBusyError(
            f"another run holds {purpose} of {self.name} for more than {timeout_s:g} s",
            "Wait until it ends, or allow a longer wait",
        )

    def close(self) -> None:
        """Drop what is left staged, and give the connection back."""
        has_staged = self._yard is not None or bool(self._orphans)
        if self._yard is not None and self._connection is not None:
            try:
                self._yard.clear(self._connection)
            except Exception as error:
                self.discard(error)
            else:
                self._release(run_lock(self._yard.run))
        if has_staged:
            with contextlib.suppress(GidbenchError):  # the next run drops what is left
                self._sweep()
        stack, self._stack, self._connection, self._yard = self._stack, None, None, None
        if stack is not None:
            stack.close()
