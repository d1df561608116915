"""Where the cases stand: against peers, against the bounds, and what holds them back. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gidbench.bench.results import Result
from gidbench.report import wording
from gidbench.report.wording import shown
from gidbench.units import format_bytes, format_count, format_rate


@dataclass(frozen=True)
class PeerView:
    """A peer: by how much ours is faster. `ratio` is ours over the peer's, `low` and `high` the widest that both
    intervals allow; 0 where there is none, and `why` says so.
    """

    name: str
    title: str
    against: str
    rate: str
    records: str
    ratio: float
    low: float
    high: float
    times: str
    interval: str
    why: str


@dataclass(frozen=True)
class LimitView:
    """A bound of a case, and the share of it that is reached (`part`; `width` in % of the bar, at most 100)."""

    variant: str
    title: str
    value: str
    share: str
    width: float
    part: float


@dataclass(frozen=True)
class BottleneckView:
    """What holds a case back."""

    variant: str
    name: str
    words: str


def peer_views(results: Sequence[Result]) -> tuple[PeerView, ...]:
    """Every peer of an operation, those of one variant of ours together, the fastest first."""
    ours = {result.variant: result for result in results if not result.peer}
    order = list(ours)
    views = [_peer(result, ours.get(result.against or "")) for result in results if result.peer]
    place = {shown(variant): index for index, variant in enumerate(order)}
    return tuple(
        sorted(views, key=lambda view: (place.get(view.against, len(order)), not view.ratio, view.ratio))
    )


def _peer(result: Result, ours: Result | None) -> PeerView:
    low = high = ratio = 0.0
    why = ""
    if result.status != "ok":
        verb = "takes no part" if result.status == "skipped" else "failed"
        why = f"{verb}: {shown(result.error or 'no reason was recorded')}"
    elif ours is None or ours.status != "ok" or not result.records_per_second:
        why = "nothing of ours was measured to hold it against"
    else:
        ratio = ours.records_per_second / result.records_per_second
        low = ours.records_per_second_low / max(result.records_per_second_high, 1e-9)
        high = ours.records_per_second_high / max(result.records_per_second_low, 1e-9)
    fewer = bool(ratio and ours and result.records < ours.records)
    return PeerView(
        name=shown(result.peer),
        title=shown(result.title),
        against=shown(result.against or ""),
        rate=format_rate(result.records_per_second) if result.status == "ok" else "–",
        records=format_count(result.records) if fewer else "",
        ratio=ratio,
        low=low,
        high=high,
        times=times(ratio) if ratio else "–",
        interval=f"[{times(low)}, {times(high)}]" if ratio else "",
        why=why,
    )


def times(ratio: float) -> str:
    """`0.43×`, `5.3×`, `1,234×`."""
    return f"{ratio:,.0f}×" if ratio >= 100 else f"{ratio:.3g}×"


def peers_words(peers: Sequence[PeerView]) -> str:
    """What the figure of the peers shows."""
    held = [peer for peer in peers if peer.ratio]
    if not held:
        return "No peer could be held against a case of ours."
    sure = [peer for peer in held if peer.low > 1]
    slower = [peer for peer in held if peer.high < 1]
    unsure = [peer for peer in held if peer not in sure and peer not in slower]
    near, far = min(held, key=lambda peer: peer.ratio), max(held, key=lambda peer: peer.ratio)
    text = f"Faster than {wording.number(len(sure))} of {wording.number(len(held))} peers"
    text += f", slower than {wording.listed([peer.name for peer in slower])}" if slower else ""
    text += f"; not sure: {wording.listed([peer.name for peer in unsure])}" if unsure else ""
    if near is far:
        return f"{text}: {near.times} the rate of {near.name}."
    text += f". From {near.times} the rate of {near.name} to {far.times} that of {far.name}."
    if few := [peer for peer in held if peer.records]:
        slow = wording.listed([f"{peer.name} ({peer.records})" for peer in few])
        text += f" On fewer records, as they are slow: {slow}."
    return text


def limit_views(results: Sequence[Result]) -> tuple[LimitView, ...]:
    """The bounds of our cases, each with the share that is reached; the tightest of a case first."""
    return tuple(_limit(result, limit) for result in results if not result.peer for limit in result.limits)


def _limit(result: Result, limit: dict[str, Any]) -> LimitView:
    unit, value, share = str(limit.get("unit", "")), _number(limit.get("value")), _number(limit.get("share"))
    amount = f"{format_bytes(value)}/s" if unit == "bytes/s" else format_rate(value)
    return LimitView(
        variant=shown(result.variant),
        title=shown(limit.get("title") or limit.get("name") or ""),
        value=amount if value else "–",
        share=wording.share(share) if share else "0 %",
        width=round(100 * min(max(share, 0.0), 1.0), 1),
        part=share,
    )


def _number(value: Any) -> float:
    """A number of the data, which may hold anything; no negative ones and none that is not one."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value < float("inf") else 0.0


def bottleneck_views(results: Sequence[Result]) -> tuple[BottleneckView, ...]:
    """What holds each of our cases back, in words; none in older files."""
    return tuple(
        BottleneckView(shown(result.variant), shown(result.bottleneck.get("name", "")), shown(words))
        for result in results
        if not result.peer and (words := result.bottleneck.get("words"))
    )
