"""What holds a case back at present: explicit rules on what was measured, in words with the numbers.

Waiting for memory looks like a busy CPU, so memory is asked before it. Above DISK_MOST the page cache took what was
written, and the disk held nobody back; files that are read come from the page cache, so no reading is asked for.

The rules, in the order in which they are asked; the first that holds is the answer:

| name | holds where |
|---|---|
| locks | the server tells of waits for locks, LOCKS_SHARE or more of the round |
| memory | the case moves bytes at MEMORY_SHARE or more of the memory's bandwidth |
| network | it moves them at NETWORK_SHARE or more of the loopback's bandwidth |
| cpu | cores in use, on average, are CPU_SHARE or more of those that the workers can use |
| cpu | one thread has to inflate a workbook, INFLATE_SHARE or more of the round, whatever the others do |
| disk | bytes are written at DISK_SHARE to DISK_MOST of the disk's rate, and the CPU is not busy |
| server | most of the time the CPU here is idle (below IDLE_SHARE) in a case that works on a server |
| cpu | in SERIAL_SHARE or more of the samples one core is busy, and no more: a part that is not spread |
| none | none of these: the answer then says what comes nearest |
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gidbench.bench.results import Result
from gidbench.units import format_bytes, format_rate, format_seconds

LOCKS_SHARE = 0.25
MEMORY_SHARE = 0.6
NETWORK_SHARE = 0.6
CPU_SHARE = 0.9
INFLATE_SHARE = 0.75
DISK_SHARE = 0.7
DISK_MOST = 1.25
IDLE_SHARE = 0.5
SERIAL_SHARE = 0.6
_FEW_SAMPLES = 3  # of a short round: then its average counts
_ON_AVERAGE = (0.9, 1.1)
_ONE_CORE = (0.75, 1.25)  # of a sample in which one core works
_HERE = ("memory", "csv", "parquet")  # destinations that no server has a part in
_LOCK_WAITS = "LCK"  # how SQL Server's waits for locks begin


@dataclass(frozen=True)
class _Facts:
    """What the rules are asked of."""

    result: Result
    wall_s: float
    usable: int
    cores: float
    is_server: bool

    @property
    def cpu_share(self) -> float:
        return self.cores / self.usable

    def limit(self, name: str) -> tuple[float, float] | None:
        """Share and value of a bound; None where it does not hold for the case."""
        for each in self.result.limits:
            if each.get("name") == name:
                return float(each.get("share", 0.0)), float(each.get("value", 0.0))
        return None

    @property
    def busy_words(self) -> str:
        return f"{self.cores:.1f} of {self.usable} cores that its workers can use were busy on average"


def name_bottleneck(
    result: Result, workers: int, usable_cores: int, *, is_server: bool = False
) -> dict[str, str]:
    """`name` and `words` of what holds a measured case back; empty for one that was not measured.

    Parameters
    ----------
    workers:
        Threads of the run; those of a peer are its own, so all usable cores count.
    usable_cores:
        Of this process.
    is_server:
        Whether the database is another process's, so that this one's CPU says nothing of its work.
    """
    if result.status != "ok" or result.median_s <= 0:
        return {}
    wall = min(result.walls_s, key=lambda each: abs(each - result.median_s), default=result.median_s)
    usable = max(usable_cores if result.peer else min(workers, usable_cores), 1)
    works_there = is_server and not (
        result.operation == "generate" and result.facts.get("destination") in _HERE
    )
    facts = _Facts(result, max(wall, 1e-9), usable, result.cpu_s / max(wall, 1e-9), works_there)
    for name, rule in _RULES:
        words = rule(facts)
        if words:
            return {"name": name, "words": words}
    return {"name": "none", "words": _nothing(facts)}


def _locks(facts: _Facts) -> str:
    waits = facts.result.facts.get("waits_ms")
    if not isinstance(waits, dict):
        return ""
    locked_s = sum(float(spent) for kind, spent in waits.items() if str(kind).startswith(_LOCK_WAITS)) / 1e3
    if locked_s < LOCKS_SHARE * facts.wall_s:
        return ""
    return (
        f"The server waited {format_seconds(locked_s)} for locks in a round of {format_seconds(facts.wall_s)}:"
        " others hold what it wants to write."
    )


def _memory(facts: _Facts) -> str:
    for name, done in (("memory write", "written"), ("memory read", "read")):
        share, value = facts.limit(name) or (0.0, 0.0)
        if share >= MEMORY_SHARE:
            return (
                f"Memory: bytes are {done} at {_percent(share)} of the {format_bytes(value)}/s that the same threads"
                " reach with nothing else to do."
            )
    return ""


def _network(facts: _Facts) -> str:
    share, value = facts.limit("loopback") or (0.0, 0.0)
    if share < NETWORK_SHARE:
        return ""
    return (
        f"The network: rows travel at {_percent(share)} of the {format_bytes(value)}/s that TCP reaches within this"
        " machine."
    )


def _cpu(facts: _Facts) -> str:
    if facts.cpu_share < CPU_SHARE:
        return ""
    stage = max(facts.result.busy_s.items(), key=lambda item: item[1], default=None)
    most = f"; most of it goes to “{stage[0]}” ({format_seconds(stage[1])} of threads)" if stage else ""
    return f"The CPU: {facts.busy_words}{most}."


def _inflating(facts: _Facts) -> str:
    share, value = facts.limit("inflate") or (0.0, 0.0)
    if share < INFLATE_SHARE:
        return ""
    return (
        f"One thread of the CPU: a workbook's sheet is one stream, and inflating it, at {format_bytes(value)}/s,"
        f" takes {_percent(share)} of the round."
    )


def _disk(facts: _Facts) -> str:
    if facts.cpu_share >= CPU_SHARE:
        return ""
    share, value = facts.limit("disk write") or (0.0, 0.0)
    if not DISK_SHARE <= share <= DISK_MOST:
        return ""
    return (
        f"The disk: bytes are written at {_percent(share)} of the {format_bytes(value)}/s that it takes, while"
        f" {facts.busy_words}."
    )


def _server(facts: _Facts) -> str:
    if not facts.is_server or facts.cpu_share >= IDLE_SHARE:
        return ""
    phase = max(facts.result.phases_s.items(), key=lambda item: item[1], default=None)
    where = f", most of the time in “{phase[0]}” ({format_seconds(phase[1])})" if phase else ""
    own = facts.limit("own insert")
    reached = (
        f"; its own INSERT … SELECT of such rows does {format_rate(own[1])}, of which {_percent(own[0])} are reached"
        if own
        else ""
    )
    return f"The server: only {facts.busy_words} here{where}{reached}."


def _serial(facts: _Facts) -> str:
    cores = facts.result.timeline.get("cpu_cores", [])
    if facts.usable < 2:
        return ""
    if len(cores) < _FEW_SAMPLES:
        low, high = _ON_AVERAGE
        if not low <= facts.cores <= high:
            return ""
        return f"One thread of the CPU: {facts.busy_words}, as of a part that is not spread."
    alone = sum(_ONE_CORE[0] <= each <= _ONE_CORE[1] for each in cores) / len(cores)
    if alone < SERIAL_SHARE:
        return ""
    return (
        f"One thread of the CPU: in {_percent(alone)} of the samples one core was busy and no more, of {facts.usable}"
        " that the workers could use."
    )


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")


def _nothing(facts: _Facts) -> str:
    text = f"No single one: {facts.busy_words}"
    if facts.cpu_share < IDLE_SHARE:
        text += " (the others waited, or other programs had them)"
    nearest = max(facts.result.limits, key=lambda each: float(each.get("share", 0.0)), default=None)
    if nearest:
        reached = _percent(float(nearest["share"]))
        text += f", and the nearest bound, {nearest.get('title', '')}, is reached to {reached}"
    return f"{text}."


_RULES: Sequence[tuple[str, Callable[[_Facts], str]]] = (
    ("locks", _locks),
    ("memory", _memory),
    ("network", _network),
    ("cpu", _cpu),
    ("cpu", _inflating),
    ("disk", _disk),
    ("server", _server),
    ("cpu", _serial),
)
