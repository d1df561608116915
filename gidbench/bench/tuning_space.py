"""What can be tuned of an operation on a store: the values of each setting, and which settings it does not look at."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gidbench.errors import InputError
from gidbench.settings import Settings, load_settings, usable_cores

# How people name them, in the order of tables; the variables that `gidbench.settings` reads.
TITLES = {
    "mode": "mode",
    "strategy": "write strategy",
    "workers": "workers",
    "batch_size": "batch size",
    "pool_size": "pool size",
}
VARIABLES = {
    "strategy": "GIDBENCH_WRITE_STRATEGY",
    "workers": "ULTRA_PARALLEL_WORKERS",
    "batch_size": "ULTRA_BATCH_SIZE",
    "pool_size": "ULTRA_CONNECTION_POOL_SIZE",
}
BATCHES = (10_000, 25_000, 50_000, 100_000, 200_000)
LEAST_POOL = 3  # as gidbench.stores.sqlserver.opening has it: one connection of these loads
MEMORY, EMBEDDED, SERVER = "memory", "embedded", "server"


@dataclass(frozen=True)
class Point:
    """One choice of everything."""

    batch_size: int
    workers: int
    pool_size: int
    strategy: str
    mode: str = "auto"

    @property
    def connections(self) -> int:
        """How many connections load a SQL Server side by side."""
        return min(self.workers, self.pool_size - LEAST_POOL + 1)

    def with_value(self, name: str, value: Any) -> Point:
        return dataclasses.replace(self, **{name: value})

    def told(self, names: Sequence[str]) -> str:
        """The values of some settings in words."""
        return ", ".join(f"{TITLES[name]} {shown(getattr(self, name))}" for name in names) or "no choice"


def shown(value: int | str) -> str:
    return f"{value:,}" if isinstance(value, int) else value


@dataclass(frozen=True)
class Space:
    """What is searched.

    Attributes
    ----------
    values:
        Of each setting that is searched or fixed, by name.
    ignored:
        Settings that the operation does not look at here, and why.
    default:
        What gidbench does where nobody sets anything.
    left_out:
        Values that can't be used here, and why.
    """

    operation: str
    kind: str
    values: Mapping[str, tuple[Any, ...]]
    ignored: Mapping[str, str]
    default: Point
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def searched(self) -> tuple[str, ...]:
        """Settings that may have several values, in the order of TITLES."""
        return tuple(name for name in TITLES if len(self.values.get(name, ())) > 1)

    def key(self, point: Point) -> tuple[Any, ...]:
        """Points of one key do the very same."""
        loads = self.kind == SERVER and not (self.operation == "sync" and point.mode != "stream")
        threads = self.operation != "sync" or point.mode == "stream"
        return (
            point.mode if "mode" in self.values else "",
            point.strategy if loads else "",
            point.workers if threads else 0,
            point.batch_size if "batch_size" in self.values else 0,
            point.connections if loads else 0,
        )

    def points(self) -> list[Point]:
        """Each choice that does something else, the default first if it is among them."""
        known: dict[tuple[Any, ...], Point] = {}
        for point in sorted(self._all(), key=lambda point: point != self.default):
            known.setdefault(self.key(point), point)
        return list(known.values())

    def _all(self) -> Iterator[Point]:
        names = list(self.values)
        for chosen in itertools.product(*self.values.values()):
            yield dataclasses.replace(self.default, **dict(zip(names, chosen, strict=True)))


def default_point(mode: str = "auto") -> Point:
    """What holds where there is neither a variable nor a file."""
    fields = Settings.model_fields
    workers = fields["workers"].get_default(call_default_factory=True)
    sizes = fields["batch_size"].default, workers, fields["pool_size"].default
    return Point(*sizes, fields["write_strategy"].default, mode)


def make_space(
    operation: str,
    kind: str,
    *,
    records: int,
    strategies: Sequence[str] = (),
    unusable: Mapping[str, str] | None = None,
    fixed: Mapping[str, Sequence[Any]] | None = None,
    mode: str = "auto",
) -> Space:
    """The space of an operation (generate, process, sync) on a store of a kind (MEMORY, EMBEDDED, SERVER).

    Parameters
    ----------
    records:
        Most of a trial: a batch that is larger than half of them would leave nothing to share out.
    strategies, unusable:
        Write strategies that the server takes, and why it does not take the others.
    fixed:
        Values that the caller wants searched, by setting; one value fixes it.

    Raises InputError for values that no setting can have, or that the operation does not look at.
    """
    own: Mapping[str, Sequence[Any]] = {
        name: list(values) for name, values in (fixed or {}).items() if values
    }
    default = default_point("server" if operation == "sync" and mode == "auto" else mode)
    ignored = _ignored(operation, kind, mode)
    for name, asked in own.items():
        if name in ignored:
            raise InputError(
                f"the {TITLES[name]} does not matter: {ignored[name]}",
                f"Leave --{name.replace('_', '-')} out",
            )
        for value in asked:
            _check(name, value, strategies, unusable or {})
    left_out = dict(unusable or {}) if "strategy" not in ignored else {}
    now = load_settings()
    current = {"batch_size": now.batch_size, "workers": now.workers, "pool_size": now.pool_size}
    usual: dict[str, list[Any]] = {
        "batch_size": [size for size in BATCHES if size * 2 <= records],
        "workers": _doubling(2 * usable_cores() if kind != SERVER else max(8, 2 * usable_cores())),
        "strategy": [default.strategy],
        "mode": ["server", "stream"] if mode == "auto" and kind != MEMORY else [mode],
    }
    values: dict[str, tuple[Any, ...]] = {}
    for name in TITLES:
        if name in ignored:
            continue
        if name in own:
            values[name] = tuple(dict.fromkeys(own[name]))
            continue
        if name == "pool_size":
            usual[name] = _pools(values["workers"])
        if name == "strategy":
            usual[name] = [name for name in strategies if name != default.strategy]
        extra = [current[name]] if name in current else []
        values[name] = tuple(dict.fromkeys(sorted({*usual[name], *extra, getattr(default, name)})))
    if kind == SERVER and "pool_size" in values and min(values["pool_size"]) < LEAST_POOL:
        raise InputError(
            f"a pool of {min(values['pool_size'])} is too small for SQL Server", f"Use {LEAST_POOL} or more"
        )
    if "strategy" in values and len(values["strategy"]) > 1 and "strategy" not in own:
        values["strategy"] = _without_auto(values["strategy"], strategies, default)
    return Space(operation, kind, values, ignored, default, left_out)


def _without_auto(values: Sequence[str], strategies: Sequence[str], default: Point) -> tuple[str, ...]:
    """`auto` takes the first strategy that can be used, so that one need not be measured twice."""
    chosen = strategies[0] if strategies else ""
    return (default.strategy, *(name for name in values if name not in (default.strategy, chosen)))


def _ignored(operation: str, kind: str, mode: str) -> dict[str, str]:
    within = operation == "sync" and mode == "server"
    why: dict[str, str] = {}
    if operation != "generate":
        title = "processing" if operation == "process" else "a synchronisation"
        why["batch_size"] = f"{title} cuts its input into pieces of its own"
    if within:
        for name in ("workers", "pool_size", "strategy"):
            why[name] = "a synchronisation within one server is the server's own statements"
    if kind != SERVER:
        where = "memory has" if kind == MEMORY else "the embedded database has"
        why["pool_size"] = f"{where} no connections to share"
        why["strategy"] = f"{where} one way of taking rows"
    if operation != "sync":
        why["mode"] = "only a synchronisation has modes"
    return why


def _check(name: str, value: Any, strategies: Sequence[str], unusable: Mapping[str, str]) -> None:
    if name in ("batch_size", "workers", "pool_size"):
        load_settings(**{name: value})
    elif name == "strategy" and value != "auto" and value not in strategies:
        reason = unusable.get(value, "there is none of that name")
        raise InputError(
            f"the write strategy {value!r} can't be used: {reason}", f"Use auto, {', '.join(strategies)}"
        )


def _doubling(most: int) -> list[int]:
    """1, 2, 4 … up to `most`, and the cores."""
    powers = list(itertools.takewhile(lambda count: count <= most, (1 << n for n in range(9))))
    return sorted({*powers, min(usable_cores(), 256)})


def _pools(workers: Sequence[int]) -> list[int]:
    """Pools that let 1, 2, 4 … of the workers load, up to all of them."""
    most = max(workers)
    counts = [count for count in _doubling(most) if count <= most]
    return sorted({min(500, LEAST_POOL + count - 1) for count in counts})
