"""Comparisons: contenders take turns in rounds, and bars say what must come out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from gidbench.bench.interrupts import remembered
from gidbench.bench.stats import median_interval
from gidbench.engine import Cancellation, Progress, ProgressCallback, silent
from gidbench.errors import GidbenchError, InputError, OperationCancelled

PROOF_RECORDS = 5_000  # of which everyone proves to make the right thing, before all rounds


@dataclass(frozen=True)
class Contender:
    """Something that is timed.

    Attributes
    ----------
    name, title:
        A word to refer to it by, and what it does.
    prepare:
        Untimed, once before all rounds: what proves that it does the right thing; raises where it does not.
    measure:
        One round: a rate (records or bytes per second, or whatever `unit` says).
    """

    name: str
    title: str
    unit: str
    measure: Callable[[], float]
    prepare: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Bar:
    """What a contender must reach: a rate of its own, or a ratio to another in the same round.

    Attributes
    ----------
    least:
        The bound, included; None: it is told, and nothing is asked of it.
    against:
        Name of the other contender; None: the rate itself counts.
    """

    title: str
    contender: str
    least: float | None
    against: str | None = None


@dataclass(frozen=True)
class Finding:
    """What became of a bar: median of the rounds with a bootstrap 95 % interval, or why there is none."""

    title: str
    least: float | None
    is_ratio: bool
    unit: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    met: bool | None = None
    note: str = ""


@dataclass
class Comparison:
    """All of a run: findings of the bars, rates of each contender by round, what failed, and who can't take part."""

    findings: list[Finding] = field(default_factory=list)
    rates: dict[str, list[float]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def check_extent(records: int, rounds: int) -> None:
    """Raise InputError where so few records or rounds are asked for that nothing can be said."""
    if records < PROOF_RECORDS or rounds < 1:
        raise InputError(
            f"{records:,} records in {rounds} rounds say nothing",
            f"Use {PROOF_RECORDS:,} records and a round at least",
        )


def together(
    groups: Sequence[tuple[Sequence[Contender], Sequence[Bar]]],
) -> tuple[list[Contender], list[Bar]]:
    """The contenders and the bars of several groups."""
    return [each for group, _ in groups for each in group], [bar for _, bars in groups for bar in bars]


def compare(
    contenders: Sequence[Contender],
    bars: Sequence[Bar],
    *,
    rounds: int,
    progress: ProgressCallback | None = None,
    cancellation: Cancellation | None = None,
) -> Comparison:
    """Run one untimed and `rounds` timed rounds; in each every contender has its turn, the first moving on by one.

    A ratio is taken within each round, so that drift of the machine hits both sides. A contender that fails is
    told and left out, with the bars that need it; the others go on.
    """
    result = Comparison(
        titles={each.name: each.title for each in contenders},
        units={each.name: each.unit for each in contenders},
    )
    token, told = cancellation or Cancellation(), progress or silent
    total = (rounds + 1) * len(contenders)
    with remembered() as check:
        for index in range(rounds + 1):
            turn = index % max(len(contenders), 1)
            for place, each in enumerate([*contenders[turn:], *contenders[:turn]]):
                token.check()
                label = "proving and warming up" if index == 0 else f"round {index} of {rounds}"
                told(Progress(f"{each.name}: {label}", index * len(contenders) + place, total, "rounds"))
                if each.name not in result.failures:
                    _take_turn(each, index, result, check)
    result.findings = [_judge(bar, result) for bar in bars]
    return result


def _take_turn(each: Contender, index: int, result: Comparison, check: Callable[[], None]) -> None:
    try:
        if index == 0:
            each.prepare()
        rate = each.measure()
    except OperationCancelled:
        raise
    except Exception as error:  # whatever a library raises, the others go on
        check()  # but for what it has made of an interrupt
        result.failures[each.name] = _failure(error)
    else:
        if index:
            result.rates.setdefault(each.name, []).append(rate)


def _failure(error: Exception) -> str:
    if isinstance(error, GidbenchError):
        return str(error)
    if isinstance(error, ImportError):
        return f'{error.name} is not installed: pip install "gidbench[peers]"'
    return f"{type(error).__name__}: {error}"


def _judge(bar: Bar, result: Comparison) -> Finding:
    is_ratio = bar.against is not None
    unit = result.units.get(bar.contender, "")
    for name in (bar.contender, bar.against):
        # who fails in a later round has fewer rates than the other, and none that can be trusted
        if name is not None and (name in result.failures or name not in result.rates):
            return Finding(
                bar.title, bar.least, is_ratio, unit, note=result.failures.get(name, "not measured")
            )
    values = np.array(result.rates[bar.contender])
    if bar.against is not None:
        values = values / np.array(result.rates[bar.against])
    middle, low, high = median_interval(values, np.random.default_rng(0))
    met = None if bar.least is None else middle >= bar.least
    return Finding(bar.title, bar.least, is_ratio, unit, middle, low, high, met)
