"""What a load cost the server: bytes of its log, and what its sessions waited for.

Read before and after, where the server has the views and the login may see them. Both count for everybody: bytes of
the database's log files (`sys.dm_io_virtual_file_stats`), waits of the whole server (`sys.dm_os_wait_stats`). What is
told of single transactions or sessions leaves out the most of a load: a bulk copy runs on connections of its own,
which are gone, with their figures, before they could be asked.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gidbench.errors import GidbenchError
from gidbench.stores.sqlserver import faults
from gidbench.stores.sqlserver.server import Server

if TYPE_CHECKING:
    from gidbench.stores.sqlserver.data import SqlServerTables

# The kinds of waits that a load can be held up by; a server waits for much else all the time. Source: Microsoft Learn,
# "sys.dm_os_wait_stats (Transact-SQL)".
_WAITS = (
    "WRITELOG",
    "LOGBUFFER",
    "LOG[_]RATE[_]GOVERNOR",
    "POOL[_]LOG[_]RATE[_]GOVERNOR",
    "HADR[_]SYNC[_]COMMIT",
    "LCK[_]%",
    "LATCH[_]%",
    "PAGELATCH[_]%",
    "PAGEIOLATCH[_]%",
    "IO[_]COMPLETION",
    "ASYNC[_]IO[_]COMPLETION",
    "ASYNC[_]NETWORK[_]IO",
    "RESOURCE[_]SEMAPHORE%",
    "SOS[_]SCHEDULER[_]YIELD",
    "THREADPOOL",
)


@dataclass(frozen=True)
class Cost:
    """What was written and waited for meanwhile, by everybody on the database and the server.

    Attributes
    ----------
    log_bytes:
        Bytes written to the log of the database; None where they can't be seen.
    waits_ms:
        Milliseconds by kind of wait, the longest first; None where they can't be seen.
    why_not:
        Why one of them is None.
    """

    log_bytes: int | None = None
    waits_ms: dict[str, int] | None = field(default=None)
    why_not: str = ""

    def __sub__(self, earlier: Cost) -> Cost:
        """What has been added since an earlier reading."""
        if self.log_bytes is None or earlier.log_bytes is None:
            return Cost(why_not=self.why_not or earlier.why_not)
        waits = None
        if self.waits_ms is not None and earlier.waits_ms is not None:
            grown = {kind: ms - earlier.waits_ms.get(kind, 0) for kind, ms in self.waits_ms.items()}
            waits = {kind: ms for kind, ms in sorted(grown.items(), key=lambda pair: -pair[1]) if ms > 0}
        return Cost(self.log_bytes - earlier.log_bytes, waits, self.why_not or earlier.why_not)


def read_cost(connection: Any, server: Server) -> Cost:
    """How far the counters have come."""
    hindered = server.hides_state
    if hindered:
        return Cost(why_not=hindered)
    waits = "sys.dm_db_wait_stats" if server.is_azure else "sys.dm_os_wait_stats"
    kinds = " OR ".join(f"wait_type LIKE '{kind}'" for kind in _WAITS)
    try:
        with faults.explained(""), closing(connection.cursor()) as cursor:
            [(log_bytes,)] = cursor.execute(
                "SELECT CAST(SUM(s.num_of_bytes_written) AS bigint)"
                " FROM sys.dm_io_virtual_file_stats(DB_ID(), NULL) s"
                " JOIN sys.database_files f ON f.file_id = s.file_id WHERE f.type = 1"
            ).fetchall()
            rows = cursor.execute(f"SELECT wait_type, wait_time_ms FROM {waits} WHERE {kinds}").fetchall()
    except GidbenchError as error:  # a permission that is finer than what was asked for
        return Cost(why_not=error.problem)
    return Cost(int(log_bytes or 0), {str(kind): int(ms) for kind, ms in rows})


def counters(store: SqlServerTables) -> Cost:
    """The same by a store, on a connection of its own: an error there leaves a transaction alone."""
    if store.server.hides_state:
        return Cost(why_not=store.server.hides_state)
    with store.apart() as connection:
        return read_cost(connection, store.server)
