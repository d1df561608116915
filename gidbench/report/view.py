"""From a run's results to what its page shows: formatted strings, and the numbers that figures draw. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gidbench.bench.results import Result, RunResults, newest
from gidbench.bench.summary import noise_of
from gidbench.report import wording
from gidbench.report.cases import NONE, CaseView, Pair, case_view, pairs_of, value_of
from gidbench.report.past import (
    NOTHING,
    ComparisonView,
    Past,
    PreviousView,
    TrendView,
    comparison_view,
    previous_view,
    trend_view,
)
from gidbench.report.scoreboard import NO_CARD, CardView, card_view, limits_words
from gidbench.report.standing import (
    BottleneckView,
    LimitView,
    PeerView,
    bottleneck_views,
    limit_views,
    peer_views,
    peers_words,
)
from gidbench.report.study import NO_STUDY, StudyView, study_view
from gidbench.report.wording import shown
from gidbench.units import format_bytes, format_seconds

_ORDER = ("generate", "process", "sync")


@dataclass(frozen=True)
class OperationView:
    """An operation with its cases; `headline` stands for it on the scoreboard.

    `cases`, `measured` and `staged` are ours; `every` has the peers that took part as well.
    """

    name: str
    key: str
    title: str
    short_title: str
    headline: CaseView
    cases: tuple[CaseView, ...]
    measured: tuple[CaseView, ...]
    staged: tuple[CaseView, ...]
    sampled: CaseView | None
    rounds_words: str
    phases_words: str
    resources_words: str
    agreement: str
    warmup: str
    usable_cores: int | None
    every: tuple[CaseView, ...] = ()
    peers: tuple[PeerView, ...] = ()
    peers_words: str = ""
    limits: tuple[LimitView, ...] = ()
    limits_words: str = ""
    bottlenecks: tuple[BottleneckView, ...] = ()
    card: CardView = NO_CARD
    study: StudyView = NO_STUDY
    comparison: ComparisonView | None = None
    trend: TrendView | None = None


@dataclass(frozen=True)
class StudiedView:
    """An operation that was scaled or tuned, but not measured as a case."""

    key: str
    title: str
    short_title: str
    study: StudyView


@dataclass(frozen=True)
class View:
    """The whole page."""

    when: str
    when_iso: str
    host_short: str
    database: str
    database_name: str
    records: str
    verdict: str
    operations: tuple[OperationView, ...]
    noise: tuple[str, ...]
    page_cache: str
    host: tuple[Pair, ...]
    parameters: tuple[Pair, ...]
    command: str
    run_id: str
    gidbench: str
    studied: tuple[StudiedView, ...] = ()
    previous: PreviousView | None = None
    facts: tuple[Pair, ...] = ()
    merged: str = ""


def build_view(results: RunResults, command: str, past: Past = NOTHING, merged: str = "") -> View:
    """What the report shows of a run; of each case its newest result counts.

    `command` is the line that repeats the run, `past` what was before it, `merged` says of which runs it was put
    together; empty: of one. Strings of the data come out masked (URL passwords) but not
    escaped: that is the template's part.
    """
    header = results.header
    latest = newest(results.results)
    names = sorted(dict.fromkeys(result.operation for result in latest), key=_place)
    operations = tuple(
        _operation(
            f"o{index}", name, [result for result in latest if result.operation == name], results, past
        )
        for index, name in enumerate(names, 1)
    )
    studied = _studied(results, names)
    peers = {(result.operation, result.variant) for result in latest if result.peer}
    headlines = [_headline([result for result in latest if result.operation == name]) for name in names]
    measured = [result for result in latest if result.status == "ok" and not result.peer]
    host = header.host
    cores = host.get("usable_cores") or host.get("cores")
    short = [shown(host[name]) for name in ("cpu",) if host.get(name)]
    short += [f"{cores} cores"] if cores else []
    if isinstance(host.get("memory_bytes"), int | float):
        short.append(format_bytes(host["memory_bytes"]))
    return View(
        when=wording.when(header.started_at),
        when_iso=shown(header.started_at),
        host_short=", ".join(short) or "unknown",
        database=shown(header.database.get("version") or header.database.get("name") or "unknown"),
        database_name=shown(header.database.get("name") or "") if header.database.get("version") else "",
        records=value_of("records", header.parameters.get("records", NONE)),
        verdict=wording.verdict(headlines) if headlines or not studied else wording.studied_words(studied),
        operations=operations,
        noise=(*map(_sentence, noise_of(results.noise)), *wording.noise_words(header.noise, measured)),
        page_cache=shown(header.page_cache),
        host=pairs_of(host),
        parameters=pairs_of(header.parameters),
        command=shown(command),
        run_id=re.sub(r"[^\w-]", "", header.run_id)[:64],
        gidbench=shown(host.get("gidbench") or ""),
        studied=studied,
        previous=previous_view(past, peers),
        facts=pairs_of(dict(header.database)),
        merged=shown(merged),
    )


def _studied(results: RunResults, measured: Sequence[str]) -> tuple[StudiedView, ...]:
    found = {line.operation for line in results.scalings} | {line.operation for line in results.tunings}
    names = sorted(found - set(measured), key=_place)
    return tuple(
        StudiedView(
            f"s{index}",
            wording.operation_title(name),
            wording.SHORT_TITLES.get(name, shown(name)),
            study_view(results, name),
        )
        for index, name in enumerate(names, 1)
    )


def _sentence(text: str) -> str:
    return shown(text[:1].upper() + text[1:])


def _place(operation: str) -> tuple[int, str]:
    return (_ORDER.index(operation) if operation in _ORDER else len(_ORDER), operation)


def _headline(results: Sequence[Result]) -> Result:
    """The result that stands for the operation: its headline even if that failed, else any measured one."""
    marked = [result for result in results if result.headline]
    ours = [result for result in results if not result.peer]
    return (marked or [result for result in ours if result.status == "ok"] or ours or list(results))[0]


def _operation(key: str, name: str, results: Sequence[Result], run: RunResults, past: Past) -> OperationView:
    others = results
    first = _headline(results)
    took_part = [result for result in others if result.peer and result.status != "skipped"]
    results = [first, *(result for result in others if result is not first and not result.peer)]
    cases = tuple(case_view(result) for result in results)
    measured = [result for result in results if result.status == "ok"]
    cores = run.header.host.get("usable_cores")
    spoken = measured[0] if measured else None
    sampled = next((result for result in measured if result.timeline.get("t_s")), spoken)
    return OperationView(
        name=shown(name),
        key=key,
        title=wording.operation_title(name),
        short_title=wording.SHORT_TITLES.get(name, shown(name)),
        headline=cases[0],
        cases=cases,
        measured=tuple(case for case in cases if not case.failed),
        staged=tuple(case for case in cases if case.busy and not case.failed),
        sampled=next((case for case in cases if case.timeline.t_s and not case.failed), None),
        rounds_words=wording.rounds_words(measured),
        phases_words=wording.phases_words(spoken, measured) if spoken else "",
        resources_words=wording.resources_words(sampled, cores) if sampled else "",
        agreement=_agreement(measured),
        warmup=_warmup(results[0]),
        usable_cores=cores if isinstance(cores, int) and cores > 0 else None,
        every=(*cases, *(case_view(result) for result in took_part if result is not first)),
        peers=(peers := peer_views(others)),
        peers_words=peers_words(peers) if peers else "",
        limits=limit_views(measured),
        limits_words=limits_words(measured),
        bottlenecks=bottleneck_views(measured),
        card=card_view(name, first, peers),
        study=study_view(run, name),
        comparison=comparison_view(past, name, {(name, result.variant) for result in others if result.peer}),
        trend=trend_view(past, name, first.variant),
    )


def _agreement(measured: Sequence[Result]) -> str:
    """Whether the cases of an operation produced the same rows."""
    values = {result.value for result in measured}
    if len(measured) < 2 or None in values:
        return ""
    every = "Both cases" if len(measured) == 2 else f"All {wording.number(len(measured))} cases"
    if len(values) == 1:
        return f"{every} produced the same rows."
    sizes = {result.records for result in measured}
    why = "their numbers of records differ" if len(sizes) > 1 else "only cases on the same input must agree"
    return f"Not all cases have the same checksum: {why}, and the run has checked those that must."


def _warmup(result: Result) -> str:
    """`imports 1.10 s, kernels 264 ms (12 compiled)`; the same for every case of an operation."""
    compiled = result.kernels_compiled
    how = f"{compiled} compiled" if compiled else "none compiled, all loaded from the cache"
    parts = [f"{shown(name)} {format_seconds(spent)}" for name, spent in result.warmup_s.items()]
    return f"{', '.join(parts)} ({how})" if parts else ""
