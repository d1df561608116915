"""Every way of writing rows into a table of SQL Server, behind one face; `choose` picks the best that works."""

from __future__ import annotations

from dataclasses import dataclass

from gidbench.errors import InputError
from gidbench.stores.sqlserver.server import Server
from gidbench.stores.sqlserver.writing.bulk import BULKCOPY, BULKCOPY_ARROW
from gidbench.stores.sqlserver.writing.documents import OPENJSON, TVP
from gidbench.stores.sqlserver.writing.model import DEFAULTS, Source, Strategy, WriteOptions
from gidbench.stores.sqlserver.writing.parameters import EXECUTEMANY, FAST_EXECUTEMANY, ROW, VALUES
from gidbench.stores.sqlserver.writing.server_file import BULK_INSERT

# The fastest first; `gidbench bench sync` measures all that work.
STRATEGIES = {
    strategy.name: strategy
    for strategy in (
        BULKCOPY_ARROW,
        BULK_INSERT,
        BULKCOPY,
        TVP,
        OPENJSON,
        FAST_EXECUTEMANY,
        VALUES,
        EXECUTEMANY,
        ROW,
    )
}
AUTO = "auto"

__all__ = ["AUTO", "DEFAULTS", "OPENJSON", "STRATEGIES", "VALUES", "Choice", "Strategy", "choose"]


@dataclass(frozen=True)
class Choice:
    """A strategy, and why it is the one."""

    strategy: Strategy
    why: str


def choose(name: str, connections: Source, server: Server, options: WriteOptions = DEFAULTS) -> Choice:
    """The strategy of a name, or for `auto` the fastest that the driver, the server and the permissions allow.

    Raises InputError where there is none of that name, or it can't be used here.
    """
    if name != AUTO:
        if name not in STRATEGIES:
            raise InputError(f"there is no write strategy {name!r}", f"Use auto, {', '.join(STRATEGIES)}")
        reason = STRATEGIES[name].hinders(connections, server, options)
        if reason:
            raise InputError(f"the write strategy {name} can't be used: {reason}", "Use auto")
        return Choice(STRATEGIES[name], "as asked for")
    passed: list[str] = []
    for strategy in STRATEGIES.values():
        reason = strategy.hinders(connections, server, options)
        if reason is None:
            first = not passed or passed == [f"{BULK_INSERT.name}: no folder is shared with the server"]
            return Choice(strategy, "the fastest there is" if first else f"not {'; not '.join(passed)}")
        passed.append(f"{strategy.name} ({reason})")
    raise InputError("no write strategy can be used", "; ".join(passed))
