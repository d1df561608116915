"""The index page of a batch: one HTML file in the report's style, without script and without network."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gidbench import __version__
from gidbench.batch_outcome import BatchOutcome, Ran
from gidbench.batch_summary import chosen, common, outcome_of, sentence
from gidbench.bench.results import RunHeader, load_results
from gidbench.bench.session import RESULTS_FILE
from gidbench.report.style import page_style
from gidbench.report.wording import shown, when
from gidbench.tiers import level_of
from gidbench.units import format_bytes, format_rate, format_seconds


@dataclass(frozen=True)
class Row:
    """A notebook as the page shows it."""

    name: str
    chosen: tuple[str, ...]
    where: str
    state: str
    outcome: str
    started: str
    spent: str
    headline: str
    error: str
    answer: str
    links: tuple[tuple[str, str], ...]
    anchor: str


@dataclass(frozen=True)
class Bar:
    """The rate of one case at one combination; `width` in per cent of the fastest."""

    where: str
    rate: str
    tier: str
    level: int
    width: float


@dataclass(frozen=True)
class Chart:
    """One case over all combinations, and what that says."""

    title: str
    words: str
    bars: tuple[Bar, ...]


def render(outcome: BatchOutcome) -> str:
    """The page as text."""
    rows = [_row(number, each, outcome) for number, each in enumerate(outcome.ran, 1)]
    header = _header(outcome)
    facts = {"Started": when(outcome.started_at), "Took": format_seconds(outcome.wall_s)}
    if header is not None:
        host = header.host
        facts["Machine"] = shown(
            f"{host.get('cpu', 'unknown')}, {host.get('usable_cores', '?')} cores, "
            f"{format_bytes(host.get('memory_bytes') or 0)}"
        )
        facts["Database"] = shown(header.database.get("version") or header.database.get("name") or "none")
    return (
        _environment()
        .get_template("batch.html.j2")
        .render(
            version=__version__,
            title=f"gidbench batch, {when(outcome.started_at)}",
            verdict=sentence(outcome),
            facts=facts,
            parameters=common(outcome),
            swept=outcome.swept,
            rows=rows,
            said=[row for row in rows if row.error or row.answer],
            charts=_charts(outcome),
            command=outcome.command,
            style=Markup(page_style("pages/batch.css")),
        )
    )


def _row(number: int, ran: Ran, outcome: BatchOutcome) -> Row:
    report = outcome.reports.get(ran.step.folder)
    links = [
        *([("page", quote(ran.page))] if ran.page else []),
        *([("notebook", quote(ran.notebook))] if ran.notebook else []),
        *([("tier report", quote(report))] if report and (ran.results or ran.step.takes_out) else []),
    ]
    return Row(
        shown(ran.step.name),
        tuple(shown(ran.step.at[name]) for name in outcome.swept),
        shown(chosen(ran)),
        ran.state.replace(" ", "-"),
        outcome_of(ran),
        ran.started_at[11:19],
        format_seconds(ran.wall_s) if ran.wall_s else "–",
        shown(ran.headline) or "–",
        shown(ran.error),
        shown(ran.answer),
        tuple(links),
        f"run-{number}",
    )


def _charts(outcome: BatchOutcome) -> list[Chart]:
    """Of each case that stands for its operation, its rates over what was swept; none where nothing was."""
    if len({each.step.folder for each in outcome.ran}) < 2:
        return []
    found: dict[str, list[tuple[Ran, float, str, str]]] = {}
    for each in outcome.ran:
        for result in each.results:
            if result.status == "ok" and result.headline:
                name = f"{result.operation} {result.variant}"
                found.setdefault(name, []).append(
                    (each, result.records_per_second, result.tier or "", result.title)
                )
    return [_chart(name, points) for name, points in found.items() if len(points) > 1]


def _chart(name: str, points: list[tuple[Ran, float, str, str]]) -> Chart:
    most, least = max(points, key=lambda point: point[1]), min(points, key=lambda point: point[1])
    bars = tuple(
        Bar(
            shown(chosen(ran)),
            format_rate(rate),
            tier,
            level_of(tier) or 1,
            round(100 * rate / most[1], 1),
        )
        for ran, rate, tier, _ in points
    )
    ratio = most[1] / least[1]
    words = f"Fastest with {chosen(most[0])}: {format_rate(most[1])}"
    words += f", {ratio:.2f} times the slowest ({chosen(least[0])})." if ratio > 1.005 else "."
    words += " One run each: gidbench compare says whether a difference is more than noise."
    return Chart(f"{shown(name)}: {shown(most[3])}", shown(words), bars)


def _header(outcome: BatchOutcome) -> RunHeader | None:
    for each in outcome.ran:
        path = outcome.folder / each.step.folder / RESULTS_FILE
        if path.is_file():
            return load_results(path).header
    return None


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("gidbench", "data/pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
