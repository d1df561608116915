"""What a card of the scoreboard says besides tier and rate: against the usual way, and against the limit. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gidbench.bench.results import Result
from gidbench.report import wording
from gidbench.report.standing import PeerView, limit_views
from gidbench.report.wording import shown

# What most people would use in its place, by operation, the most usual first; the names are those of the peers.
USUAL = {
    "generate": ("faker", "mimesis", "numpy + pandas", "numpy"),
    "process": ("pandas", "pandas c", "pandas pyarrow"),
    "sync": ("pandas", "sql", "merge"),
}
_FULL = (
    1.0  # a share above it says that the bound was none: a page cache took what the disk had not written yet
)


@dataclass(frozen=True)
class CardView:
    """Sentences; empty where nothing is known."""

    usual: str = ""
    limit: str = ""


NO_CARD = CardView()


def card_view(operation: str, headline: Result, peers: Sequence[PeerView]) -> CardView:
    """Of the case that stands for an operation; a failed one has neither."""
    if headline.status != "ok":
        return NO_CARD
    return CardView(_usual(operation, headline, peers), _limit(headline))


def _usual(operation: str, headline: Result, peers: Sequence[PeerView]) -> str:
    """`35× faster than pandas [33×, 38×]; 5.2× faster than the fastest peer, duckdb [5×, 5.4×].`"""
    held = [peer for peer in peers if peer.ratio and peer.against == shown(headline.variant)]
    held = held or [peer for peer in peers if peer.ratio]
    if not held:
        return ""
    names = USUAL.get(operation, ())
    known = [peer for name in names for peer in held if peer.name == name]
    usual = known[0] if known else max(held, key=lambda peer: peer.ratio)
    nearest = min(held, key=lambda peer: peer.ratio)
    text = _told(usual, headline)
    if nearest is not usual:
        text += f"; {_told(nearest, headline, 'the fastest peer, ')}"
    return f"{text[:1].upper()}{text[1:]}."


def _told(peer: PeerView, headline: Result, role: str = "") -> str:
    of = "" if peer.against == shown(headline.variant) else f" ({peer.against})"
    if peer.low <= 1 <= peer.high:
        return f"not sure whether faster than {role}{peer.name}{of}: {peer.times} {peer.interval}"
    if peer.ratio < 1:
        return f"slower than {role}{peer.name}{of}: {peer.times} its rate {peer.interval}"
    return f"{peer.times} as fast as {role}{peer.name}{of} {peer.interval}"


def _limit(headline: Result) -> str:
    """The tightest bound that is one, and the share of it."""
    views = limit_views([headline])
    if not views:
        return ""
    whole = [view for view in views if view.part <= _FULL]
    nearest = max(whole or list(views), key=lambda view: view.part)
    return f"{nearest.share} of what {nearest.title} allows ({nearest.value})."


def limits_words(results: Sequence[Result]) -> str:
    """What the bars of the bounds show."""
    views = limit_views(results)
    if not views:
        return ""
    told = []
    for variant in dict.fromkeys(view.variant for view in views):
        own = [view for view in views if view.variant == variant]
        whole = [view for view in own if view.part <= _FULL]
        nearest = max(whole or own, key=lambda view: view.part)
        told.append(f"{variant} reaches {nearest.share} of {nearest.title}")
    beyond = [view for view in views if view.part > _FULL]
    text = f"Nearest to a bound: {wording.listed(told)}."
    if beyond:
        named = wording.listed(list(dict.fromkeys(f"{view.title} ({view.variant})" for view in beyond)))
        text += f" Above 100 %, so no bound at all here: {named}."
    return text
