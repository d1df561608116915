"""From one result to what the page shows of it: strings for the tables, numbers for the figures. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from gidbench.bench.results import Result
from gidbench.bench.summary import rounds_of, stopped
from gidbench.report import wording
from gidbench.report.wording import shown
from gidbench.tiers import TIERS
from gidbench.units import format_bytes, format_count, format_rate, format_seconds

OUTSIDE = "outside any phase"  # what remains of the wall time
NONE = "–"
_MOST_SAMPLES = 400  # per timeline: twice the pixels that show them would be waste
_MOST_WALLS = 100  # told one by one; the raw results have all
_LABELS = {"cpu": "CPU", "max_mhz": "highest MHz", "os": "operating system", "machine": "architecture"}
_LAWS = {
    "process": ("accepted", "duplicate", "rejected"),
    "sync": ("inserted", "updated", "deactivated", "reactivated", "unchanged", "conflict"),
}


@dataclass(frozen=True)
class Badge:
    """A tier: its name, and its level from 1 (STANDARD) to 4 (ULTRA)."""

    tier: str
    level: int


@dataclass(frozen=True)
class Pair:
    """A label and its value."""

    label: str
    value: str


@dataclass(frozen=True)
class Phase:
    """A part of a round: where it begins when all are laid end to end, and how long it took."""

    name: str
    start_s: float
    seconds: float
    time: str
    share: str


@dataclass(frozen=True)
class Timeline:
    """Samples of a round: at the end of each, averages (cores, I/O) or the state (memory)."""

    t_s: tuple[float, ...]
    cpu_cores: tuple[float, ...]
    rss_bytes: tuple[float, ...]
    io_bytes_per_s: tuple[float, ...]


@dataclass(frozen=True)
class CaseView:
    """A case: strings for the tables, numbers (records/s, seconds) for figures and sorting."""

    operation: str
    variant: str
    title: str
    headline: bool
    failed: bool
    error: str
    badge: Badge | None
    borderline: str
    reached: str
    peer: bool
    target_met: str
    target_words: str
    records: str
    rounds: str
    median: str
    rate: str
    rate_amount: str
    rate_unit: str
    interval: str
    cells_rate: str
    bytes_rate: str
    walls: str
    resources: tuple[str, ...]
    checksum: str
    facts: str
    law: str
    scatter: str
    how_many: str
    stopped: str
    noisy: str
    busy: tuple[Pair, ...]
    phases: tuple[Phase, ...]
    timeline: Timeline
    wall_s: float
    rates: tuple[float, ...]
    rate_value: float
    rate_low: float
    rate_high: float
    sort: dict[str, float | str]


def case_view(result: Result) -> CaseView:
    """What the report shows of one result, measured or failed."""
    ok = result.status == "ok"
    wall = wording.shown_wall_s(result) if ok else 0.0
    met = "yes" if result.target_met else "no"
    return CaseView(
        operation=shown(result.operation),
        variant=shown(result.variant),
        title=shown(result.title),
        headline=result.headline,
        failed=not ok,
        error=shown(result.error or "no reason was recorded") if not ok else "",
        badge=_badge(result.tier) if ok and result.tier else None,
        borderline=wording.borderline_words(result) if ok else "",
        reached=shown(result.tier_reached) if ok and result.borderline else "",
        peer=bool(result.peer),
        target_met=met if ok else NONE,
        target_words=wording.target_words(result) if ok else "",
        records=format_count(result.records),
        rounds=format_count(result.rounds),
        median=format_seconds(result.median_s) if ok else NONE,
        rate=format_rate(result.records_per_second) if ok else NONE,
        rate_amount=format_rate(result.records_per_second).split()[0] if ok else NONE,
        rate_unit=wording.rate_unit(result.records_per_second) if ok else "",
        interval=wording.interval(result.records_per_second_low, result.records_per_second_high)
        if ok
        else "",
        cells_rate=format_rate(result.cells_per_second) if ok and result.cells else NONE,
        bytes_rate=f"{format_bytes(result.bytes_per_second)}/s" if ok and result.bytes else NONE,
        walls=_walls(result),
        resources=_resources(result, wall) if ok else (),
        checksum=shown(result.value or NONE),
        facts=_facts(result.facts),
        law=_law(result),
        scatter=f"{result.cv:.1%}".replace("%", " %") if ok and result.rounds > 1 else NONE,
        how_many=shown(rounds_of(result)) if ok else NONE,
        stopped=shown(stopped(result) or NONE) if ok else NONE,
        noisy=("yes" if result.noisy else "no") if ok and result.rounds > 1 else NONE,
        busy=tuple(Pair(shown(name), format_seconds(spent)) for name, spent in result.busy_s.items()),
        phases=_phases(result, wall),
        timeline=_timeline(result.timeline),
        wall_s=wall,
        rates=tuple(result.records / wall_s for wall_s in result.walls_s if wall_s > 0),
        rate_value=result.records_per_second if ok else 0.0,
        rate_low=result.records_per_second_low if ok else 0.0,
        rate_high=result.records_per_second_high if ok else 0.0,
        sort={
            "records": result.records,
            "rounds": result.rounds,
            "median": result.median_s,
            "rate": result.records_per_second,
            "cells": result.cells_per_second,
            "bytes": result.bytes_per_second,
            "met": (2 if result.target_met else 1) if ok else 0,
            "tier": _badge(result.tier).level if ok and result.tier else 0,
        },
    )


def _badge(tier: str) -> Badge:
    names = [name for name, _ in TIERS]
    return Badge(shown(tier), len(names) - names.index(tier) if tier in names else 1)


def _walls(result: Result) -> str:
    told = ", ".join(format_seconds(wall_s) for wall_s in result.walls_s[:_MOST_WALLS])
    more = len(result.walls_s) - _MOST_WALLS
    return f"{told} and {format_count(more)} more" if more > 0 else told


def _resources(result: Result, wall_s: float) -> tuple[str, ...]:
    """CPU seconds, cores on average, peak memory, bytes read, bytes written."""
    moved = (result.read_bytes, result.written_bytes)
    return (
        format_seconds(result.cpu_s) if result.cpu_s else "0 s",
        f"{result.cpu_s / wall_s:.1f}",
        format_bytes(result.peak_rss_bytes),
        *(NONE if count is None else format_bytes(count) for count in moved),
    )


def _phases(result: Result, wall_s: float) -> tuple[Phase, ...]:
    """The phases end to end, and what of the round is in none of them, where that is 1 % or more."""
    phases, start = [], 0.0
    left = wall_s - sum(result.phases_s.values())
    spans = [*result.phases_s.items(), *([(OUTSIDE, left)] if wall_s and left / wall_s >= 0.01 else [])]
    for name, seconds in spans:
        part = wording.share(seconds / wall_s) if wall_s else NONE
        phases.append(Phase(shown(name), start, seconds, format_seconds(seconds) if seconds else "0 s", part))
        start += seconds
    return tuple(phases)


def _timeline(line: dict[str, list[float]]) -> Timeline:
    """The samples; of a long round, means of neighbours weighted by time, and of memory the largest."""
    t, cores, rss, io = (
        list(line.get(name, ())) for name in ("t_s", "cpu_cores", "rss_bytes", "io_bytes_per_s")
    )
    count = min(map(len, (t, cores, rss, io)))
    step = -(-count // _MOST_SAMPLES) or 1
    columns: tuple[list[float], ...] = ([], [], [], [])
    for first in range(0, count, step):
        chosen = range(first, min(first + step, count))
        spans = [t[n] - (t[n - 1] if n else 0.0) for n in chosen]
        whole = sum(spans) or 1.0
        columns[0].append(t[chosen[-1]])
        columns[1].append(sum(cores[n] * span for n, span in zip(chosen, spans, strict=True)) / whole)
        columns[2].append(max(rss[n] for n in chosen))
        columns[3].append(sum(io[n] * span for n, span in zip(chosen, spans, strict=True)) / whole)
    return Timeline(*(tuple(column) for column in columns))


def _facts(facts: dict[str, Any]) -> str:
    """The counts in words; no bytes means that they are not known (a table has no size of its own)."""
    known = {name: fact for name, fact in facts.items() if fact or not name.endswith(("bytes", "waits_ms"))}
    if isinstance(waits := known.get("waits_ms"), dict):
        longest = sorted(waits.items(), key=lambda item: str(item[1]).zfill(12), reverse=True)[:3]
        known["waits_ms"] = ", ".join(f"{kind} {spent}" for kind, spent in longest)
    return ", ".join(f"{_fact_label(name)} {value_of(name, fact)}" for name, fact in known.items())


def _fact_label(name: str) -> str:
    return shown(re.sub(r"(^|_)bytes$", " size", name)).replace("_", " ").strip()


def _law(result: Result) -> str:
    """The sum that must be the number of records, spelled out; empty where none applies."""
    counts = {name: result.facts[name] for name in _LAWS.get(result.operation, ()) if name in result.facts}
    if result.operation == "generate" and result.value and result.value.partition(":")[0].isdecimal():
        counts = {"rows": int(result.value.partition(":")[0])}
    if not counts or not all(isinstance(count, int) for count in counts.values()):
        return ""
    total = sum(counts.values())
    holds = "holds" if total == result.records else f"broken: there were {format_count(result.records)}"
    parts = " + ".join(f"{format_count(count)} {name}" for name, count in counts.items())
    return f"{parts} = {format_count(total)} records: {holds}"


def pairs_of(values: dict[str, Any], prefix: str = "") -> tuple[Pair, ...]:
    """Names and values as people read them; of a dictionary inside, each on its own; without what is empty."""
    pairs: list[Pair] = []
    for name, value in values.items():
        if isinstance(value, dict):
            pairs += pairs_of(value, "" if name == "packages" else f"{name} ")
        elif value not in (None, "", []):
            label = _LABELS.get(name) or shown(name).removesuffix("_bytes").replace("_", " ")
            pairs.append(Pair(prefix + label, value_of(name, value)))
    return tuple(pairs)


def value_of(name: str, value: Any) -> str:
    """A value of the data, in the unit that its name tells; of a list, its items."""
    if isinstance(value, list):
        return shown(", ".join(map(str, value)))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return shown(value)
    if name.endswith("bytes"):
        return format_bytes(value)
    return shown(value) if name.endswith("seed") or isinstance(value, float) else format_count(value)
