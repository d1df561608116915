"""Results as cards: the tier, how sure it is, what the limit is, and where the time went. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from gidbench.bench.noise import QUIET, worst
from gidbench.bench.results import Noise, Result
from gidbench.report import wording
from gidbench.report.cases import CaseView, case_view
from gidbench.report.standing import limit_views, peer_views
from gidbench.units import format_count, format_rate, format_seconds
from gidbench.widgets.live_numbers import escaped

_HATCHES = 5  # kinds of phases that are told apart by shade; the list beside has the names
_NOISE_WORDS = {
    "quiet": "Quiet machine: the numbers can be relied on.",
    "noisy": "Noisy machine: read the intervals rather than the medians.",
    "unusable": "The machine was too busy: measure again before you conclude anything.",
}


def first_card(results: Sequence[Result], noise: Sequence[Noise] = ()) -> str:
    """The case that stands for the operation, and the noise."""
    order = _ordered(results)
    return (_card(order[0]) if order else "") + noise_words(noise)


def other_cards(results: Sequence[Result]) -> str:
    """The other cases of ours, then the peers; empty where there is neither."""
    made = "".join(_card(result) for result in _ordered(results)[1:])
    return (f'<div class="gb-cards">{made}</div>' if made else "") + _peers(results)


def _ordered(results: Sequence[Result]) -> list[Result]:
    """Ours, the headline first."""
    ours = [result for result in results if not result.peer]
    return sorted(ours, key=lambda result: (not result.headline, result.status != "ok"))


def noise_words(noise: Sequence[Noise]) -> str:
    """The verdict on the noise, with its reasons; empty where nothing was observed."""
    found = worst(noise)
    if found is None:
        return ""
    reasons = "".join(f"<li>{escaped(reason)}</li>" for reason in found.reasons)
    listed = f"<ul>{reasons}</ul>" if reasons else ""
    sign = "✓" if found.verdict == QUIET else "!"
    return (
        f'<div class="gb-noise gb-{escaped(found.verdict)}"><span class="gb-sign" aria-hidden="true">{sign}</span>'
        f"<div><p>{escaped(_NOISE_WORDS.get(found.verdict, found.verdict))}</p>{listed}</div></div>"
    )


def badge(tier: str, level: int) -> str:
    """A tier, its level by bars as well as by colour."""
    bars = "".join(f'<i class="{"on" if place <= level else ""}"></i>' for place in range(1, 5))
    return (
        f'<span class="gb-badge gb-tier{level}"><span class="gb-meter" aria-hidden="true">{bars}</span>'
        f"{escaped(tier)}</span>"
    )


def _card(result: Result) -> str:
    view = case_view(result)
    title = f'<h4>{escaped(f"{result.operation} {result.variant}")}</h4><p class="gb-muted">{escaped(result.title)}</p>'
    if view.failed:
        return (
            f'<article class="gb-card gb-failed">{title}<p><span class="gb-badge gb-bad">'
            f"{escaped(result.status)}</span></p><p>{escaped(view.error)}</p></article>"
        )
    tier = badge(result.tier or "", view.badge.level) if view.badge else ""
    borderline = f'<p class="gb-note">{escaped(view.borderline)}</p>' if view.borderline else ""
    return (
        f'<article class="gb-card{" gb-headline" if result.headline else ""}">{title}'
        f'<p class="gb-rate">{tier}<span class="gb-big">{escaped(view.rate_amount)}'
        f"<small> {escaped(view.rate_unit)}</small></span></p>{borderline}"
        f"<dl>{_pair('95 % interval', _interval(result, view))}{_pair('Target', _target(result))}"
        f"{_pair('Share of the limit', _limit(result))}{_pair('Median time', _time(result, view))}"
        f"{_pair('Held back by', _bottleneck(result), 'gb-whole')}</dl>{_phases(view)}</article>"
    )


def _pair(label: str, value: str, kind: str = "") -> str:
    return f'<div class="{kind}"><dt>{label}</dt><dd>{value}</dd></div>'


def _interval(result: Result, view: CaseView) -> str:
    if result.rounds < 2:
        return "one round only: there is none"
    low = format_rate(result.records_per_second_low)
    high = format_rate(result.records_per_second_high)
    noisy = ", <strong>noisy rounds</strong>" if result.noisy else ""
    rounds = view.how_many if "rounds" in view.how_many else f"{view.how_many} rounds"
    return f"{low} to {high} ({escaped(rounds)}{noisy})"


def _target(result: Result) -> str:
    sign = "✓ met" if result.target_met else "✗ missed"
    words = wording.target_words(result).partition(": ")[2]
    return f"<strong>{sign}</strong>: {escaped(words)}"


def _limit(result: Result) -> str:
    """The bound that is reached most, with its bar."""
    views = limit_views([result])
    if not views:
        return "no bound was measured for this case"
    tightest = max(views, key=lambda view: view.width)
    return (
        f'<span class="gb-share" aria-hidden="true"><i style="width:{tightest.width}%"></i></span> '
        f"<strong>{escaped(tightest.share)}</strong> of {escaped(tightest.title)} ({escaped(tightest.value)})"
    )


def _bottleneck(result: Result) -> str:
    return escaped(result.bottleneck.get("words") or "not known")


def _time(result: Result, view: CaseView) -> str:
    return f"{escaped(view.median)} for {format_count(result.records)} records"


def _phases(view: CaseView) -> str:
    """Where the time of the median round went: a bar, and the same as a list."""
    if not view.phases or not view.wall_s:
        return ""
    parts = "".join(
        f'<i class="gb-p{place % _HATCHES}" style="width:{100 * phase.seconds / view.wall_s:.2f}%"></i>'
        for place, phase in enumerate(view.phases)
    )
    names = "".join(
        f'<li><i class="gb-key gb-p{place % _HATCHES}" aria-hidden="true"></i>{escaped(phase.name)} '
        f'<span class="gb-muted">{escaped(phase.time)}, {escaped(phase.share)}</span></li>'
        for place, phase in enumerate(view.phases)
    )
    return (
        f'<p class="gb-label">Phases of the median round ({format_seconds(view.wall_s)})</p>'
        f'<div class="gb-phases" aria-hidden="true">{parts}</div><ul class="gb-keys">{names}</ul>'
    )


def _peers(results: Sequence[Result]) -> str:
    views = peer_views(results)
    if not views:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{escaped(view.name)}</th><td>{escaped(view.title)}</td><td>{escaped(view.against)}</td>'
        f"<td>{escaped(view.rate)}</td><td>{escaped(view.times)} {escaped(view.interval)}</td>"
        f"<td>{escaped(view.why)}</td></tr>"
        for view in views
    )
    title = "Other tools on the same input: how many times as fast gidbench is"
    return f'<h4 class="gb-legend">{title}</h4>' + table(
        title,
        ("tool", "what it does", "against our", "its records/s", "times as fast", "note"),
        rows,
    )


def table(caption: str, columns: Sequence[str], rows: str, sort: tuple[int, bool] | None = None) -> str:
    """A table in a box that scrolls where it is too wide; `sort`: the column, and whether it ascends."""
    heads = []
    for place, name in enumerate(columns):
        sorted_by = sort is not None and sort[0] == place
        order = ("ascending" if sort and sort[1] else "descending") if sorted_by else ""
        arrow = ' <span aria-hidden="true">' + ("▲" if sort and sort[1] else "▼") + "</span>" if order else ""
        heads.append(f'<th scope="col"{f" aria-sort={order}" if order else ""}>{escaped(name)}{arrow}</th>')
    kind = ' class="gb-plain"' if sort else ""
    return (
        f'<div class="gb-scroll" tabindex="0" role="region" aria-label="{escaped(caption)}"><table{kind}>'
        f'<caption class="gb-sr">{escaped(caption)}</caption><thead><tr>{"".join(heads)}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )
