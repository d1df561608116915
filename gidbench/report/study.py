"""What the page shows of scalings and tunings: sentences, tables, and what the figures are drawn from. Pure."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from gidbench.bench.results import RunResults, ScalingLine, TuningLine
from gidbench.bench.scaling import Growth, Scaling
from gidbench.bench.studies import newest_studies, scaling_of, tuning_of
from gidbench.bench.study_words import growth_words, scaling_words, verdict, workers_words
from gidbench.bench.tuning import NOT_TRIED, Cell, Tuning
from gidbench.bench.tuning_space import TITLES
from gidbench.bench.tuning_space import shown as setting
from gidbench.report import wording
from gidbench.report.wording import shown
from gidbench.units import format_bytes, format_rate, format_seconds

ACROSS = (
    "batch_size",
    "workers",
    "pool_size",
    "strategy",
    "mode",
)  # two on a surface's axes, the rest makes panels
MOST_PANELS = 6  # the best ones: they fit on a page of paper, and more would say no more
_MOST_CHOICES = 200  # of a surface, told one by one; the raw results have all


@dataclass(frozen=True)
class ScalingView:
    """How an operation grows: a sentence a variant, a row a size, and what workers gain."""

    result: Scaling
    words: tuple[str, ...]
    workers_words: str
    sizes: tuple[tuple[str, ...], ...]
    fits: tuple[tuple[str, ...], ...]
    workers: tuple[tuple[str, ...], ...]
    workers_records: str
    when: str
    where: str

    @property
    def has_growth(self) -> bool:
        return any(growth.measured for growth in self.result.growths)

    @property
    def has_workers(self) -> bool:
        return len(self.result.efficiencies) > 1


@dataclass(frozen=True)
class TuningView:
    """What was found: a sentence, what to set, each choice; and what rules of thumb say: state, name, words, remedy."""

    result: Tuning
    words: str
    searched: str
    settings: str
    heads: tuple[str, ...]
    choices: tuple[tuple[str, ...], ...]
    left_out: str
    findings: tuple[tuple[str, str, str, str], ...]
    when: str
    where: str

    @property
    def has_surface(self) -> bool:
        return bool(self.result.space.searched) and any(cell.ratio for cell in self.result.cells)


@dataclass(frozen=True)
class StudyView:
    """The studies of one operation; of each kind the newest of each database."""

    scalings: tuple[ScalingView, ...] = ()
    tunings: tuple[TuningView, ...] = ()

    @property
    def any(self) -> bool:
        return bool(self.scalings or self.tunings)


NO_STUDY = StudyView()


def study_view(results: RunResults, operation: str) -> StudyView:
    """Those of an operation in a result file. Raises InputError where a line is damaged."""
    return StudyView(
        tuple(_scaling(line) for line in newest_studies(results.scalings) if line.operation == operation),
        tuple(_tuning(line) for line in newest_studies(results.tunings) if line.operation == operation),
    )


def _scaling(line: ScalingLine) -> ScalingView:
    result = scaling_of(line)
    return ScalingView(
        result=result,
        words=tuple(shown(scaling_words(growth)) for growth in result.growths),
        workers_words=shown(workers_words(result)),
        sizes=tuple(row for growth in result.growths for row in _sizes(growth)),
        fits=tuple(
            (shown(growth.title), what, shown(growth_words(fit, what)))
            for growth in result.growths
            for what, fit in (("time", growth.time), ("memory", growth.memory))
            if fit is not None
        ),
        workers=tuple(
            (
                str(each.workers),
                format_seconds(each.seconds),
                f"{each.speedup:.2f}×",
                f"[{each.speedup_low:.2f}×, {each.speedup_high:.2f}×]" if each.workers > 1 else "–",
                wording.share(each.share),
            )
            for each in result.efficiencies
        ),
        workers_records=f"{result.workers_records:,}",
        when=wording.when(line.measured_at),
        where=shown(result.database),
    )


def _sizes(growth: Growth) -> list[tuple[str, ...]]:
    """Variant, records, time, rate, own memory, processes, note."""
    rows: list[tuple[str, ...]] = []
    for size in growth.sizes:
        if not size.seconds:
            rows.append((shown(growth.variant), f"{size.records:,}", "–", "–", "–", "0", shown(size.note)))
            continue
        seconds = statistics.median(size.seconds)
        rows.append(
            (
                shown(growth.variant),
                f"{size.records:,}",
                format_seconds(seconds),
                format_rate(size.records / seconds),
                format_bytes(statistics.median(size.own_bytes)),
                str(len(size.seconds)),
                shown(size.note),
            )
        )
    return rows


def _tuning(line: TuningLine) -> TuningView:
    result = tuning_of(line)
    names = result.space.searched
    known = [cell for cell in result.cells if cell.records or cell.note != NOT_TRIED]
    known.sort(key=lambda cell: (-(cell.records or 0), -(cell.ratio or 0)))
    settings = " ".join(f"{name}={value}" for name, value in result.variables.items())
    untried = len(result.cells) - len(known)
    more = max(0, len(known) - _MOST_CHOICES)
    left = [f"{untried} of {len(result.cells)} choices were not tried: no time was left."] if untried else []
    others = [name for name in ACROSS if name in names][2:]
    panels = len({tuple(getattr(cell.point, name) for name in others) for cell in known})
    if panels > MOST_PANELS:
        told = wording.listed([TITLES[name] for name in others])
        left.append(
            f"Of {wording.number(panels)} combinations of {told}, the {wording.number(MOST_PANELS)} with the fastest"
            " choices are drawn."
        )
    left += [f"{more} slower choices are in the raw results only."] if more else []
    return TuningView(
        result=result,
        words=shown(verdict(result)),
        searched=shown(
            f"{len(known)} of {len(result.cells)} choices of {wording.listed([TITLES[name] for name in names])} were"
            f" tried in {result.trials} trials, {format_seconds(max(result.spent_s, 1e-6))} in all."
            if names
            else ""
        ),
        settings=shown(settings) if result.is_better else "",
        heads=tuple(TITLES[name] for name in names),
        choices=tuple(_choice(result, cell) for cell in known[:_MOST_CHOICES]),
        left_out=" ".join(left),
        findings=tuple(
            (shown(check.state), shown(check.name.strip()), shown(check.found), shown(check.remedy))
            for check in result.findings
        ),
        when=wording.when(line.measured_at),
        where=shown(result.database),
    )


def _choice(result: Tuning, cell: Cell) -> tuple[str, ...]:
    """The settings, records, rate, speed to that of the defaults, and what is to be known of it."""
    marks = [
        "the defaults" if cell.point == result.space.default else "",
        "chosen"
        if cell.point == result.chosen
        else "the best of the search"
        if cell.point == result.best
        else "",
        cell.note,
    ]
    return (
        *(shown(setting(getattr(cell.point, name))) for name in result.space.searched),
        f"{cell.records:,}" if cell.records else "–",
        format_rate(cell.rate) if cell.rate else "–",
        f"{cell.ratio:.2f}×" if cell.ratio else "–",
        shown("; ".join(mark for mark in marks if mark)),
    )
