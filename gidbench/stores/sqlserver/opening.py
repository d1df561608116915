"""From a URL to the store of a SQL Server."""

from __future__ import annotations

from sqlalchemy.engine import URL

from gidbench.settings import load_settings
from gidbench.stores.naming import OURS, Names
from gidbench.stores.sqlserver.address import address_of
from gidbench.stores.sqlserver.connections import Connections, PoolOptions
from gidbench.stores.sqlserver.data import LoadOptions
from gidbench.stores.sqlserver.store import SqlServerStore


def open_sql_server(
    url: URL, *, names: Names = OURS, options: LoadOptions | None = None, pool: PoolOptions | None = None
) -> SqlServerStore:
    """A store whose first connection is open, so that a wrong URL is told at once."""
    settings = load_settings()
    size = settings.pool_size
    connections = Connections(address_of(url), pool or PoolOptions(size=size))
    store = SqlServerStore(
        connections, names=names, options=options or LoadOptions(workers=min(settings.workers, size))
    )
    try:
        store.server  # noqa: B018  (looked up now)
    except BaseException:
        store.close()
        raise
    return store
