"""How fast each way of writing loads a SQL Server, in turns: which one to take, and what the others cost."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

import numpy as np

from gidbench.bench.comparison import Comparison, check_extent, compare
from gidbench.bench.stats import median_interval
from gidbench.engine import Cancellation, ProgressCallback
from gidbench.kernels.warmup import compile_all
from gidbench.settings import load_settings
from gidbench.stores.opening import parse_url, safe_name

NO_SERVER = (
    "No SQL Server is named, so there is no way of writing to choose: the embedded DuckDB has one only. "
    "Set `DATABASE_URL` to a URL that begins with `mssql+pyodbc://` before you start this, and run it again."
)


@dataclass(frozen=True)
class WayFound:
    """One way of writing: records per second with a 95 % interval, or why there are none."""

    name: str
    title: str
    per_second: float = 0.0
    low: float = 0.0
    high: float = 0.0
    why_not: str = ""

    @property
    def is_measured(self) -> bool:
        return self.per_second > 0


@dataclass(frozen=True)
class Strategies:
    """All ways of writing to a database, the fastest first; `missing` says why there are none."""

    database: str
    records: int
    rounds: int
    ways: tuple[WayFound, ...] = ()
    missing: str = ""

    @property
    def measured(self) -> list[WayFound]:
        return [way for way in self.ways if way.is_measured]

    def of(self, name: str) -> WayFound | None:
        return next((way for way in self.measured if way.name == name), None)


def server_url(database: str = "") -> str:
    """The URL of a SQL Server that is named here or by DATABASE_URL; empty where that is none."""
    url = load_settings(database_url=database or None).url
    return url if url and parse_url(url).get_backend_name() == "mssql" else ""


def compare_strategies(
    database: str = "",
    *,
    records: int = 20_000,
    rounds: int = 3,
    seed: int = 7,
    workers: int | None = None,
    peers: bool = False,
    progress: ProgressCallback | None = None,
    cancellation: Cancellation | None = None,
) -> Strategies:
    """Load employees into a SQL Server by every way that it and its drivers allow, contenders taking turns.

    Parameters
    ----------
    database:
        URL of a database whose tables are empty; default: DATABASE_URL. What is made in it has names of its own, and
        is dropped in the end. Where it is no SQL Server nothing is measured, and `missing` says so.
    records:
        Of a load, at least 5,000; slow ways take fewer, and rates are compared.
    workers:
        Connections of a load; default: the settings.
    peers:
        Whether pandas.to_sql takes part, too.

    Raises
    ------
    InputError, StoreError, OperationCancelled. A way that fails is told, and the others go on.
    """
    check_extent(records, rounds)
    url = server_url(database)
    if not url:
        return Strategies("", records, rounds, missing=NO_SERVER)
    from gidbench.bench.load_bars import load_bars  # its drivers take 0.2 s to load
    from gidbench.bench.server_subject import opened

    compile_all()
    with opened(url, records, seed, load_settings(workers=workers).workers) as subject:
        contenders, _, left_out = load_bars(subject, peers=peers)
        found = compare(contenders, [], rounds=rounds, progress=progress, cancellation=cancellation)
    return Strategies(safe_name(url), records, rounds, ways_in(found, left_out))


def ways_in(found: Comparison, left_out: dict[str, str]) -> tuple[WayFound, ...]:
    """What a comparison has found of each contender, the fastest first; then who could not take part."""
    ways = []
    for name, title in found.titles.items():
        rates = found.rates.get(name)
        if not rates or name in found.failures:
            ways.append(WayFound(name, title, why_not=found.failures.get(name, "not measured")))
            continue
        _, low, high = median_interval(np.array(rates), np.random.default_rng(0))
        ways.append(WayFound(name, title, statistics.median(rates), low, high))
    ways.sort(key=lambda way: -way.per_second)
    others = [WayFound(title.partition(":")[0], title, why_not=why) for title, why in left_out.items()]
    return (*ways, *others)
