"""Plain-language words for numbers: what the tier report says in sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from gidbench.bench.results import Result
from gidbench.bench.stats import NOISY_CV
from gidbench.log import redact
from gidbench.tiers import TARGET_PER_SECOND
from gidbench.units import format_bytes, format_count, format_rate, format_seconds

TITLES = {
    "generate": "Dummy data generation",
    "process": "CSV and Excel processing",
    "sync": "Data synchronisation",
}
SHORT_TITLES = {"generate": "Generation", "process": "Processing", "sync": "Synchronisation"}
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_LONGEST = 2_000  # characters of a text from the data; an error may quote a whole statement
_BUSY_LOAD = 0.5  # per core, from others: above it a round is likely to wait for a core
_STOLEN = 0.01

# The session masks what it writes; a report is handed on, so what looks like a secret is masked again.
_QUERY = re.compile(r"([a-z][a-z0-9+.-]*://[^\s'\"?]*)\?[^\s'\"]+", re.IGNORECASE)


def masked(text: str) -> str:
    """The text with the password and query of each URL in it, and each `PWD=…`, replaced by `***`."""
    return _QUERY.sub(r"\1?***", redact(text))


def shown(value: Any) -> str:
    """Any value of the data as text to show: masked, not endless, without control characters."""
    text = masked(str(value)[: 10 * _LONGEST])
    text = "".join(
        each if each.isprintable() or each == "\n" else "\N{REPLACEMENT CHARACTER}" for each in text
    )
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def operation_title(operation: str) -> str:
    """What an operation is called in headings."""
    return TITLES.get(operation, shown(operation))


def number(count: int) -> str:
    """Small numbers as words."""
    return _NUMBERS[count] if count < len(_NUMBERS) else format_count(count)


def listed(items: Sequence[str]) -> str:
    """`a, b and c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def times(ratio: float) -> str:
    """`1.46 times`, `20 times`."""
    return (
        f"{ratio:,.0f} times" if ratio >= 10 else f"{ratio:.2g} times" if ratio >= 2 else f"{ratio:.2f} times"
    )


def share(part: float) -> str:
    """`34 %`; what is there but rounds to nothing is `<1 %`."""
    return "<1 %" if 0 < part < 0.01 else f"{part:.0%}".replace("%", " %")


def when(started_at: str) -> str:
    """`24 November 2026, 00:24 UTC` from an ISO timestamp; any other text as it is."""
    try:
        moment = datetime.fromisoformat(started_at)
    except ValueError:
        return shown(started_at)
    if moment.tzinfo:
        moment = moment.astimezone(UTC)
    return f"{moment.day} {moment:%B %Y, %H:%M}{' UTC' if moment.tzinfo else ''}"


def day(started_at: str) -> str:
    """`24 November 2026`."""
    return when(started_at).partition(",")[0]


def rate_unit(per_second: float) -> str:
    """The unit of a formatted rate in full: `M records/s`."""
    return " ".join(format_rate(per_second).split()[1:]).replace("/s", " records/s").strip()


def interval(low: float, high: float) -> str:
    """`[9.44 M, 17.1 M]`."""
    return f"[{format_rate(low).removesuffix('/s').strip()}, {format_rate(high).removesuffix('/s').strip()}]"


def target_of(result: Result) -> float:
    """Records per second that a case should exceed; results may come without it."""
    return result.target_per_second or TARGET_PER_SECOND


def target_words(result: Result) -> str:
    """Whether the target is met, and by how much, in words."""
    target = target_of(result)
    name = f"the target of {format_rate(target).removesuffix('/s').strip()} records/s"
    if result.target_met:
        return (
            f"Yes: even the interval's lower end is {times(result.records_per_second_low / target)} {name}."
        )
    if result.records_per_second > target:
        return f"No: the median is above {name}, but the interval's lower end is not."
    return f"No: the median is {share(result.records_per_second / target)} of {name}."


def borderline_words(result: Result) -> str:
    """What `borderline` means for this case; empty where it is not."""
    if not result.borderline:
        return ""
    return (
        f"Borderline: the median is in {shown(result.tier_reached)}, but the interval's lower end is not, "
        f"so the tier is {shown(result.tier)}."
    )


def verdict(headlines: Sequence[Result]) -> str:
    """One sentence on the whole run, from the result that stands for each operation."""
    target = f"{format_rate(TARGET_PER_SECOND).removesuffix('/s').strip()} records/s"
    measured = [result for result in headlines if result.status == "ok"]
    if not measured:
        return "Nothing was measured: no operation has a verified result."
    met = [result for result in measured if result.target_met]
    if len(met) == len(headlines):
        count = {1: "The operation measured meets", 2: "Both operations meet"}.get(
            len(met), f"All {number(len(met))} operations meet"
        )
        text = f"{count} the target of {target}"
    else:
        some = f"{number(len(met)).capitalize()} of {number(len(headlines))}"
        text = f"{some} operation{'s' if len(headlines) > 1 else ''} met the target of {target}"
    if len(measured) > 1:
        slowest = min(measured, key=lambda result: result.records_per_second)
        text += f"; the slowest is {_inside(slowest)} at {format_rate(slowest.records_per_second)}"
    failed = listed([_inside(result) for result in headlines if result.status != "ok"])
    return text + (f". {failed[:1].upper()}{failed[1:]} failed." if failed else ".")


def studied_words(studied: Sequence[Any]) -> str:
    """The same of a file that holds scalings and tunings only; `studied` have a title and a study."""
    told = []
    for each in studied:
        kinds = ["its growth"] if each.study.scalings else []
        kinds += ["its settings"] if each.study.tunings else []
        told.append(f"{each.title[:1].lower()}{each.title[1:]} ({listed(kinds)})")
    return f"No operation was measured as a case; looked into was {listed(told)}."


def _inside(result: Result) -> str:
    """The operation's title inside a sentence: only a name keeps its capital."""
    title = operation_title(result.operation)
    return title if title[:2].isupper() else title[:1].lower() + title[1:]


def rounds_words(measured: Sequence[Result]) -> str:
    """What the figure of the rounds shows."""
    if not measured:
        return "No case of this operation was measured."
    best = max(measured, key=lambda result: result.records_per_second)
    worst = min(measured, key=lambda result: result.records_per_second)
    if best is worst:
        return (
            f"The rounds of {shown(best.variant)} lie between {format_rate(_slowest(best))} and "
            f"{format_rate(_fastest(best))}; the median is {format_rate(best.records_per_second)}."
        )
    ratio = times(best.records_per_second / max(worst.records_per_second, 1e-9))
    apart = best.records_per_second_low > worst.records_per_second_high
    sure = (
        "their intervals do not overlap" if apart else "but their intervals overlap, so the order is not sure"
    )
    return (
        f"Fastest is {shown(best.variant)} at {format_rate(best.records_per_second)}, {ratio} the rate of "
        f"{shown(worst.variant)} ({format_rate(worst.records_per_second)}); {sure}."
    )


def _slowest(result: Result) -> float:
    return result.records / max(result.walls_s, default=result.median_s)


def _fastest(result: Result) -> float:
    return result.records / min(result.walls_s, default=result.median_s)


def shown_wall_s(result: Result) -> float:
    """Wall seconds of the round that phases and resources are of: the one nearest to the median."""
    wall = min(result.walls_s, key=lambda wall: abs(wall - result.median_s), default=result.median_s)
    return max(wall, 1e-9)  # a divisor


def phases_words(headline: Result, measured: Sequence[Result]) -> str:
    """What the figure of the phases shows."""
    wall = shown_wall_s(headline)
    if not headline.phases_s:
        return f"{shown(headline.variant)} has no named phases; its round took {format_seconds(wall)}."
    name, spent = max(headline.phases_s.items(), key=lambda item: item[1])
    most = "took" if len(headline.phases_s) == 1 else "took the largest part,"
    text = (
        f"In the median round of {shown(headline.variant)}, “{shown(name)}” {most} "
        f"{format_seconds(spent)} of {format_seconds(wall)} ({share(spent / wall)})."
    )
    for result in measured:
        whole = shown_wall_s(result)
        left = whole - sum(result.phases_s.values())
        if result.phases_s and left / whole > 0.1:
            text += f" Of {shown(result.variant)}, {share(left / whole)} passed outside any named phase."
    return text


def resources_words(headline: Result, usable_cores: Any) -> str:
    """What the figure of the resources shows."""
    cores = headline.cpu_s / shown_wall_s(headline)
    known = isinstance(usable_cores, int) and usable_cores > 0
    text = f"The median round of {shown(headline.variant)} kept {cores:.1f}"
    text += f" of {usable_cores} cores busy on average" if known else " cores busy on average"
    if known:
        used = cores / usable_cores
        text += (
            ", so the processor sets the pace"
            if used >= 0.85
            else f", so {share(1 - used)} of their time was idle"
        )
    moved = [count for count in (headline.read_bytes, headline.written_bytes) if count is not None]
    text += f"; memory peaked at {format_bytes(headline.peak_rss_bytes)} over all rounds"
    return text + (f", and {format_bytes(sum(moved))} were read and written." if moved else ".")


def noise_words(noise: dict[str, Any], measured: Sequence[Result]) -> list[str]:
    """How sure the numbers are: sentences on the machine and on the scatter of the rounds."""
    said = []
    load, stolen = noise.get("load_per_core"), noise.get("steal_share")
    memory, swap = noise.get("memory_used_share"), noise.get("swap_used_bytes")
    if isinstance(load, int | float):
        state = "busy with other work" if load > _BUSY_LOAD else "otherwise idle"
        said.append(f"Before the first round the machine was {state}: its load was {load:.2f} per core.")
    if isinstance(stolen, int | float):
        state = "other virtual machines slow this one down" if stolen > _STOLEN else "too little to matter"
        said.append(
            f"The hypervisor had taken {stolen:.2%} of the processor time since boot: {state}.".replace(
                "%", " %"
            )
        )
    if isinstance(memory, int | float) and isinstance(swap, int | float):
        swapped = f"{format_bytes(swap)} of swap were in use" if swap else "no swap was in use"
        said.append(f"{share(memory)} of the memory was taken, and {swapped}.")
    noisy = [f"{result.operation} {shown(result.variant)}" for result in measured if result.noisy]
    limit = f"a coefficient of variation above {share(NOISY_CV)}"
    if noisy:
        of = f"{number(len(noisy)).capitalize()} of {number(len(measured))} cases"
        of = "The only case" if len(measured) == 1 else of
        are = "is" if len(noisy) == 1 else "are"
        said.append(
            f"{of} {are} noisy ({limit}): {listed(noisy)}. Read their intervals rather than their medians."
        )
    elif measured:
        said.append(f"No case is noisy (that is, none has {limit}).")
    few = [result for result in measured if 1 < result.rounds <= 5]
    if few and len(few) == len(measured):
        said.append("With so few rounds, a 95 % interval reaches from the slowest round to the fastest.")
    if any(result.rounds == 1 for result in measured):
        said.append("A case with a single round has no interval worth the name, and says nothing of noise.")
    return said
