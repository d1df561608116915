"""What `gidbench.workbench()` does: a panel in a notebook, a sentence where nobody could press its buttons."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from pathlib import Path

from gidbench.bench.suite import chosen
from gidbench.errors import InputError
from gidbench.units import format_count
from gidbench.widgets import form, presence
from gidbench.widgets.panel import STATIC, Workbench

_panels: weakref.WeakValueDictionary[str, Workbench] = weakref.WeakValueDictionary()


def workbench(
    operation: str = "generate",
    *,
    records: int | str = 1_000_000,
    cases: str | Sequence[str] = (),
    database: str = "",
    out: str | Path = "",
    batch_size: int = 0,
    workers: int = 0,
    pool_size: int = 0,
    strategy: str = "",
    processes: int = 0,
    rounds: int = 0,
    peers: bool = False,
    seed: int = 7,
) -> Workbench | Sentence:
    """A panel that measures: the arguments are what its controls begin with.

    Parameters
    ----------
    operation:
        generate, process or sync.
    records, cases, batch_size, workers, pool_size, strategy, processes, rounds, peers, seed:
        As for `gidbench.measure`.
    database:
        URL; empty: DATABASE_URL, else an embedded database for each run. A password in it is shown nowhere.
    out:
        Folder in which each run gets a new one; empty: reports/.

    Returns
    -------
    What a notebook displays where it is a cell's last line. Where nobody could press a button (a batch), a sentence.

    Raises
    ------
    InputError for an operation, a case or a write strategy that is not known.
    """
    if operation not in form.OPERATIONS:
        raise InputError(f"there is no operation {operation!r}", f"Use one of {', '.join(form.OPERATIONS)}")
    wanted = chosen(operation, cases)
    if presence.is_headless():
        return Sentence()
    cell = presence.cell()
    before = _panels.get(cell)
    if before is not None and cell:  # the cell is run again
        before.close()
    elif before is not None:
        before.stop()
    panel = Workbench(out=out, seed=seed)
    panel.begin_with(
        operation,
        str(records) if isinstance(records, str) else format_count(records),
        wanted,
        database,
        {
            name: format_count(value)
            for name, value in (
                ("batch_size", batch_size), ("workers", workers), ("pool_size", pool_size),
                ("processes", processes), ("rounds", rounds),
            )
            if value
        },
        strategy,
        peers,
    )  # fmt: skip
    _panels[cell] = panel
    return panel


class Sentence:
    """What stands in place of the panel where it would be dead."""

    def __repr__(self) -> str:
        return "gidbench workbench: open this notebook with `gidbench lab` to use it"

    def _repr_html_(self) -> str:
        return STATIC
