"""What a measurement does at this moment, as HTML: the bar, the numbers, and what is said aloud. Pure."""

from __future__ import annotations

import html
from collections.abc import Mapping

from gidbench.bench.watching import Sample
from gidbench.engine import Progress
from gidbench.report.wording import shown
from gidbench.units import format_bytes, format_count, format_rate, format_seconds

NONE = "–"
_MOST_CORES = 8  # told one by one
_SAY_EVERY_S = 15.0
_FIELDS = ("queries", "pool_in_use", "blocking_sessions")


def escaped(text: object) -> str:
    """Any text of the data as HTML: masked, without control characters, escaped."""
    return html.escape(shown(text), quote=True)


def doing(sample: Sample, progress: Progress | None = None) -> str:
    """What is being done, in words; `progress` counts until the sample tells of a phase."""
    return sample.phase or (progress.phase if progress else "starting")


def left(sample: Sample) -> str:
    """How long it will take, in words; empty while nothing is known of it."""
    if sample.eta_s is None:
        return ""
    return "almost done" if sample.eta_s < 1 else f"about {_rounded(sample.eta_s)} left"


def _rounded(seconds: float) -> str:
    """`12 s`, `2 min 05 s`: an estimate has no hundredths."""
    return format_seconds(seconds) if seconds >= 120 else f"{round(seconds)} s"


def bar(sample: Sample, progress: Progress | None = None) -> str:
    """The bar with its words: what is done, how far it is, how long it takes yet."""
    percent = f"{sample.share * 100:.0f}"
    known = f'aria-valuenow="{percent}" ' if sample.total else ""
    words = " · ".join(filter(None, [f"{percent} %" if sample.total else "", left(sample)]))
    return (
        f'<div class="gb-progress"><div class="gb-doing"><strong>{escaped(doing(sample, progress))}</strong>'
        f'<span class="gb-muted">{words}</span></div>'
        f'<div class="gb-bar{"" if sample.total else " gb-unknown"}" role="progressbar" aria-label="Progress of the '
        f'measurement" aria-valuemin="0" aria-valuemax="100" {known}>'
        f'<i style="width:{sample.share * 100:.1f}%"></i></div></div>'
    )


def tiles(sample: Sample, why: Mapping[str, str]) -> str:
    """The numbers, each with its label."""
    shown_tiles = [
        _tile("Records/s", _rate(sample.records_per_s), kind="gb-lead"),
        _tile("Cells/s", _rate(sample.cells_per_s)),
        _tile("MB/s", NONE if sample.bytes_per_s is None else f"{sample.bytes_per_s / 1e6:,.1f}"),
        _tile("CPU per core", *_cores(sample.cpu_percent)),
        _tile("Memory (RSS)", format_bytes(sample.rss_bytes) if sample.rss_bytes else NONE),
        _tile("Database queries", _count(sample.queries), note=why.get("queries", "")),
        _tile("Pool in use", _pool(sample), note=why.get("pool_in_use", "")),
        _tile("Blocking sessions", _count(sample.blocking_sessions), note=why.get("blocking_sessions", "")),
    ]
    return f'<dl class="gb-tiles">{"".join(shown_tiles)}</dl>{_reasons(sample, why)}'


def _tile(label: str, value: str, extra: str = "", *, note: str = "", kind: str = "") -> str:
    known = "" if value != NONE or not note else '<span class="gb-sr"> (not known, see below)</span>'
    return f'<div class="gb-tile {kind}"><dt>{label}</dt><dd>{value}{known}{extra}</dd></div>'


def _reasons(sample: Sample, why: Mapping[str, str]) -> str:
    """Why some numbers are not known; what several sentences begin with is told once."""
    missing = [name for name in _FIELDS if getattr(sample, name) is None and why.get(name)]
    told: dict[str, list[str]] = {}
    for sentence in dict.fromkeys(why[name] for name in missing):
        begin, _, rest = sentence.partition(": ")
        told.setdefault(begin, []).append(rest)
    words = [f"{begin}: {'; '.join(rest)}." if any(rest) else f"{begin}." for begin, rest in told.items()]
    return f'<p class="gb-hint">{" ".join(map(escaped, words))}</p>' if words else ""


def _cores(percent: tuple[float, ...]) -> tuple[str, str]:
    if not percent:
        return NONE, ""
    if len(percent) > _MOST_CORES:
        mean = sum(percent) / len(percent)
        return (
            f"{mean:.0f} %",
            f" <small>{min(percent):.0f} to {max(percent):.0f} % of {len(percent)}</small>",
        )
    bars = "".join(f'<i style="height:{max(2.0, min(each, 100.0)):.0f}%"></i>' for each in percent)
    numbers = " · ".join(f"{each:.0f}" for each in percent)
    return f"{numbers} %", f'<span class="gb-cores" aria-hidden="true">{bars}</span>'


def _rate(value: float | None) -> str:
    return NONE if value is None else format_rate(value).removesuffix("/s").strip()


def _count(value: int | None) -> str:
    return NONE if value is None else format_count(value)


def _pool(sample: Sample) -> str:
    if sample.pool_in_use is None:
        return NONE
    of = f" <small>of {format_count(sample.pool_size)}</small>" if sample.pool_size is not None else ""
    return f"{format_count(sample.pool_in_use)}{of}"


class Announcer:
    """What a screen reader says of a run: when another case begins, and else every quarter of a minute."""

    def __init__(self) -> None:
        self._said_s = float("-inf")
        self._case = ""

    def words(self, sample: Sample) -> str | None:
        """A sentence; None where the last one still stands."""
        if sample.t_s - self._said_s < (3.0 if sample.case != self._case else _SAY_EVERY_S):
            return None
        self._said_s, self._case = sample.t_s, sample.case
        far = f"{sample.share * 100:.0f} % done" if sample.total else "started"
        return ", ".join(filter(None, [f"Measuring: {far}", sample.case or sample.phase, left(sample)])) + "."
