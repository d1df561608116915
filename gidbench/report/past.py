"""What was before a run: the previous run case by case, and the trend of each operation. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from gidbench.bench.comparing import Compared, RunComparison
from gidbench.bench.comparison_texts import change, row
from gidbench.bench.history import Entry
from gidbench.bench.steps import Step, Trend
from gidbench.report import wording
from gidbench.report.wording import shown
from gidbench.units import format_rate, format_seconds

_MOST_RUNS = 60  # of a trend that are drawn and told one by one: the newest
_LEAST_FOR_STEPS = 6  # three on either side, as `gidbench.bench.steps` needs them


@dataclass(frozen=True)
class Past:
    """What is known of before: the comparison with `before_name`, and trends; either may be missing."""

    comparison: RunComparison | None = None
    before_name: str = ""
    trends: tuple[Trend, ...] = ()


NOTHING = Past()


@dataclass(frozen=True)
class ComparedView:
    """A case of two runs. `verdict` is better, worse, same, inconclusive or not measured; `ratio` of times, 0: none."""

    operation: str
    variant: str
    verdict: str
    before: str
    after: str
    change: str
    interval: str
    why: str
    ratio: float
    low: float
    high: float
    peer: bool = False


@dataclass(frozen=True)
class ComparisonView:
    """The cases of an operation, and a sentence; `threshold` is the share of time below which nothing matters."""

    cases: tuple[ComparedView, ...]
    words: str
    threshold: float

    @property
    def drawn(self) -> tuple[ComparedView, ...]:
        return tuple(case for case in self.cases if case.ratio)


@dataclass(frozen=True)
class PreviousView:
    """The comparison as a whole: what with, in a sentence, and what must be known to read it."""

    words: str
    against: str
    cases: tuple[ComparedView, ...]
    marks: tuple[str, ...]


@dataclass(frozen=True)
class RunView:
    """A run of a trend."""

    when: str
    commit: str
    rate: str
    interval: str
    noise: str
    step: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class StepView:
    """From the run at this place on it is another speed."""

    at: int
    words: str
    faster: bool


@dataclass(frozen=True)
class TrendView:
    """What became of a case from run to run, oldest first."""

    case: str
    runs: tuple[RunView, ...]
    steps: tuple[StepView, ...]
    words: str


def previous_view(past: Past, peers: Collection[tuple[str, str]] = ()) -> PreviousView | None:
    """None where nothing is compared. `peers` are cases (operation, variant) of others' tools: they come last."""
    found = past.comparison
    if found is None:
        return None
    ours = [case for case in found.cases if (case.operation, case.variant) not in peers]
    others = [case for case in found.cases if (case.operation, case.variant) in peers]
    cases = (
        *(_compared(case) for case in ours),
        *(replace(_compared(case), peer=True) for case in others),
    )
    before = found.before
    parts = [wording.when(str(before.get("started_at") or "")), shown(before.get("cpu") or "unknown machine")]
    parts += [f"commit {shown(before['commit'])}"] if before.get("commit") else []
    parts += [f"gidbench {shown(before['gidbench'])}"] if before.get("gidbench") else []
    name = shown(past.before_name) or "the previous run"
    return PreviousView(
        words=_comparison_words(cases[: len(ours)] or cases, found.threshold),
        against=f"{name[:1].upper()}{name[1:]}: {', '.join(parts)}.",
        cases=cases,
        marks=tuple(shown(mark[:1].upper() + mark[1:]) for mark in found.marks),
    )


def comparison_view(
    past: Past, operation: str, peers: Collection[tuple[str, str]] = ()
) -> ComparisonView | None:
    """Of our own cases of an operation; None where none is known to both runs."""
    found = past.comparison
    if found is None:
        return None
    cases = tuple(
        _compared(case)
        for case in found.cases
        if case.operation == operation and (case.operation, case.variant) not in peers
    )
    if not any(case.ratio for case in cases):
        return None
    return ComparisonView(cases, _comparison_words(cases, found.threshold), found.threshold)


def _compared(case: Compared) -> ComparedView:
    _, before, after, told, interval, verdict, why = row(case)
    found = case.judgement
    numbers = (found.ratio, found.low, found.high) if found else (0.0, 0.0, 0.0)
    if not all(math.isfinite(number) and number > 0 for number in numbers):
        numbers = (0.0, 0.0, 0.0)
    return ComparedView(
        shown(case.operation),
        shown(case.variant),
        verdict,
        before,
        after,
        told,
        f"[{interval.replace(' … ', ', ')}]" if found else "",
        shown(why),
        *numbers,
    )


def _comparison_words(cases: Sequence[ComparedView], threshold: float) -> str:
    """Who got better and who worse, by how much; the rest by number."""
    named = len({case.operation for case in cases}) > 1

    def told(verdict: str) -> list[str]:
        return [
            f"{case.operation + ' ' if named else ''}{case.variant} ({case.change} time)"
            for case in cases
            if case.verdict == verdict
        ]

    parts = []
    for verdict, word in (("worse", "slower"), ("better", "faster")):
        if found := told(verdict):
            parts.append(f"{wording.listed(found)} {'is' if len(found) == 1 else 'are'} {word}")
    same = sum(case.verdict == "same" for case in cases)
    unsure = sum(case.verdict == "inconclusive" for case in cases)
    missing = sum(case.verdict == "not measured" for case in cases)
    if same:
        parts.append(f"{_many(same)} the same within {threshold * 100:g} %")
    if unsure:
        parts.append(
            f"nothing can be told for sure of {wording.number(unsure)} case{'s' if unsure > 1 else ''}"
        )
    if missing:
        parts.append(f"{_many(missing)} not measured in both runs")
    text = "; ".join(parts) or "nothing could be compared"
    return f"{text[:1].upper()}{text[1:]}."


def _many(count: int) -> str:
    return f"{wording.number(count)} {'is' if count == 1 else 'are'}"


def trend_view(past: Past, operation: str, variant: str) -> TrendView | None:
    """The trend of a case; None where fewer than two runs of it can be held against each other."""
    trend = next((each for each in past.trends if each.case == f"{operation} {variant}"), None)
    if trend is None or len(trend.entries) < 2:
        return None
    first = max(0, len(trend.entries) - _MOST_RUNS)
    steps = tuple(_step(step, first) for step in trend.steps if step.at > first)
    at = {step.at: step.words for step in steps}
    runs = tuple(_run(entry, at.get(index, "")) for index, entry in enumerate(trend.entries[first:]))
    return TrendView(shown(trend.case), runs, steps, _trend_words(trend, steps, len(runs)))


def _run(entry: Entry, step: str) -> RunView:
    found = entry.result
    value = found.records_per_second
    return RunView(
        when=wording.when(entry.started_at),
        commit=shown(entry.commit or "–"),
        rate=format_rate(value),
        interval=wording.interval(found.records_per_second_low, found.records_per_second_high),
        noise=shown(entry.noise or "not recorded"),
        step=step,
        value=value,
        low=found.records_per_second_low or value,
        high=found.records_per_second_high or value,
    )


def _step(step: Step, first: int) -> StepView:
    """Of a time that got longer the rate got smaller."""
    faster = step.ratio < 1
    return StepView(step.at - first, f"{'faster' if faster else 'slower'}: {change(step.ratio)} time", faster)


def _trend_words(trend: Trend, steps: Sequence[StepView], many: int) -> str:
    entries = trend.entries[-many:]
    begin, end = wording.day(entries[0].started_at), wording.day(entries[-1].started_at)
    span = f"on {begin}" if begin == end else f"from {begin} to {end}"
    last = entries[-1].result
    text = f"{wording.number(many).capitalize()} runs {span}; the last took {format_seconds(last.median_s)}"
    text += f" ({format_rate(last.records_per_second)})."
    if not steps:
        text += (
            " No step: whatever differs is scatter."
            if many >= _LEAST_FOR_STEPS
            else f" A step can be told from scatter only with {_LEAST_FOR_STEPS} runs or more."
        )
    for step in steps:
        entry = entries[step.at]
        where = f", commit {shown(entry.commit)}" if entry.commit else ""
        text += f" From {wording.when(entry.started_at)}{where} on it is {step.words}."
    if trend.left_out:
        text += (
            f" {wording.number(trend.left_out).capitalize()} run{'s' if trend.left_out > 1 else ''} of other"
            " machines, data or databases, or that failed, are left out."
        )
    return text
