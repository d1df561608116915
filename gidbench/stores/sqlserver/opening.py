"""From a URL to the store of a SQL Server."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import URL

from gidbench.errors import InputError
from gidbench.settings import Settings, load_settings
from gidbench.stores.naming import OURS, Names
from gidbench.stores.sqlserver.address import address_of
from gidbench.stores.sqlserver.connections import Connections, PoolOptions
from gidbench.stores.sqlserver.data import LoadOptions
from gidbench.stores.sqlserver.store import SqlServerStore
from gidbench.stores.sqlserver.writing.model import WriteOptions

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
    workers = min(settings.workers, size - LEAST_POOL + 1)
    chosen = LoadOptions(settings.write_strategy, workers, write_options(settings))
    store = SqlServerStore(connections, names=names, options=options or chosen)
    try:
        store.choice  # noqa: B018  (looked up now, and the server with it)
    except BaseException:
        store.close()
        raise
    return store


def write_options(settings: Settings) -> WriteOptions:
    """As the settings have it. Raises InputError where a folder is named on one side only, or is none."""
    shared, server = settings.write_shared_folder, settings.write_server_folder
    if bool(shared) != bool(server):
        raise InputError(
            "a folder shared with SQL Server is named on one side only",
            "Set both GIDBENCH_WRITE_SHARED_FOLDER (as this machine calls it) and GIDBENCH_WRITE_SERVER_FOLDER (as"
            " the server does)",
        )
    if shared and not Path(shared).is_dir():
        raise InputError(
            f"GIDBENCH_WRITE_SHARED_FOLDER is {shared!r}, which is no folder here",
            "Create it, or name another",
        )
    return WriteOptions(
        batch_rows=settings.write_batch_rows,
        table_lock=settings.write_table_lock,
        keep_nulls=settings.write_keep_nulls,
        check_constraints=settings.write_check_constraints,
        fire_triggers=settings.write_fire_triggers,
        order=tuple(name.strip() for name in settings.write_order.split(",") if name.strip()),
        timeout_s=settings.write_timeout,
        shared_folder=Path(shared) if shared else None,
        server_folder=server or None,
    )
