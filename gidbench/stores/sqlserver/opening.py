"""From a URL to the store of a SQL Server."""

from __future__ import annotations

from sqlalchemy.engine import URL

from gidbench.errors import InputError
from gidbench.settings import load_settings
from gidbench.stores.naming import OURS, Names
from gidbench.stores.sqlserver.address import address_of
from gidbench.stores.sqlserver.connections import Connections, PoolOptions
from gidbench.stores.sqlserver.data import LoadOptions
from gidbench.stores.sqlserver.store import SqlServerStore

LEAST_POOL = 3  # connections


def open_sql_server(
    url: URL, *, names: Names = OURS, options: LoadOptions | None = None, pool: PoolOptions | None = None
) -> SqlServerStore:
    """A store whose first connection is open, so that a wrong URL is told at once.

    Raises InputError where the pool is smaller than LEAST_POOL, or the write strategy can't be used.
    """
    settings = load_settings()
    size = settings.pool_size
    if size < LEAST_POOL:
        raise InputError(
            f"a pool of {size} connections is too small for SQL Server, which needs {LEAST_POOL}: for locks and"
            " transactions, for short statements beside them, and for loading",
            f"Set ULTRA_CONNECTION_POOL_SIZE to {LEAST_POOL} or more",
        )
    kept = PoolOptions(
        size=size, timeout_s=settings.pool_timeout, statement_timeout_s=settings.statement_timeout
    )
    connections = Connections(address_of(url), pool or kept)
    chosen = LoadOptions(settings.write_strategy, min(settings.workers, size - LEAST_POOL + 1))
    store = SqlServerStore(connections, names=names, options=options or chosen)
    try:
        store.choice  # noqa: B018  (looked up now, and the server with it)
    except BaseException:
        store.close()
        raise
    return store
