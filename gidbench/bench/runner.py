"""Rounds: warm-up first, cases interleaved, every round verified, everything written as it lands."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from gidbench.bench.case import Case, Verified
from gidbench.bench.results import Result, Round
from gidbench.bench.sampler import Sampler, Usage
from gidbench.bench.stats import summarise
from gidbench.engine import Cancellation, Progress, ProgressCallback
from gidbench.errors import GidbenchError, OperationCancelled, VerificationError
from gidbench.tiers import TARGET_PER_SECOND, award

LEAST_ROUNDS = 3


@dataclass
class _State:
    """What is known of a case so far."""

    case: Case
    rounds: list[Round] = field(default_factory=list)
    usages: list[Usage] = field(default_factory=list)
    busy_s: list[dict[str, float]] = field(default_factory=list)
    verified: Verified | None = None
    error: str | None = None


def run_cases(
    cases: Sequence[Case],
    *,
    rounds: int,
    budget_s: float | None,
    emit: Callable[[Round | Result], None],
    progress: ProgressCallback | None = None,
    cancellation: Cancellation | None = None,
    warmup_s: dict[str, float] | None = None,
    kernels_compiled: int = 0,
    clock: Callable[[], float] = time.perf_counter,
    make_sampler: Callable[[], Sampler] = Sampler,
) -> list[Result]:
    """Measure the cases of one operation; returns a result for each, failed ones too.

    One warm-up, then `rounds` rounds; in each, every case has its turn, and the first moves on by one, so
    that drift and after-effects hit all alike. With a budget, no further round begins once it is used up
    and LEAST_ROUNDS are done. A case that fails is not tried again. `emit` gets each round as it ends, and
    each result at the end.
    """
    states = [_State(case) for case in cases]
    values: dict[str, tuple[str, str]] = {}
    token = cancellation or Cancellation()
    began = clock()
    for index in range(rounds + 1):
        if budget_s is not None and index > LEAST_ROUNDS and clock() - began > budget_s:
            break
        turn = index % len(states)
        for position, state in enumerate(states[turn:] + states[:turn]):
            if state.error is None:
                done = index * len(states) + position
                if progress:
                    label = "warming up" if index == 0 else f"round {index} of {rounds}"
                    progress(
                        Progress(f"{state.case.name}: {label}", done, (rounds + 1) * len(states), "rounds")
                    )
                emit(_round(state, index, values, token, clock, make_sampler()))
    results = [
        replace(_conclude(state), warmup_s=warmup_s or {}, kernels_compiled=kernels_compiled)
        for state in states
    ]
    for result in results:
        emit(result)
    return results


def _round(
    state: _State,
    index: int,
    values: dict[str, tuple[str, str]],
    token: Cancellation,
    clock: Callable[[], float],
    sampler: Sampler,
) -> Round:
    case = state.case
    wall, usage, outcome, error = 0.0, Usage(), None, None
    try:
        token.check()
        call = case.prepare(token)
        gc.collect()
        sampler.start()
        began = clock()
        try:
            outcome = call()
        finally:
            wall = clock() - began
            usage = sampler.stop()
        verified = case.verify(outcome)
        first_name, expected = values.setdefault(case.family, (case.name, verified.value))
        if verified.value != expected:
            raise VerificationError(
                f"{case.name} gave {verified.value}, but {first_name} gave {expected}",
                "Report this as a fault",
            )
        state.verified = verified
    except OperationCancelled:
        raise
    except GidbenchError as failure:
        error = str(failure)
    except Exception as failure:  # whatever a case's libraries raise, the other cases go on
        error = f"{type(failure).__name__} in {case.name}"
    done = Round(
        case.operation,
        case.variant,
        index,
        index == 0,
        wall,
        usage.cpu_s,
        usage.peak_rss_bytes,
        usage.read_bytes,
        usage.written_bytes,
        dict(outcome.phases) if outcome else {},
        error,
    )
    if error is not None:
        state.error = error
    elif index > 0 and outcome is not None:
        state.rounds.append(done)
        state.usages.append(usage)
        state.busy_s.append(dict(outcome.busy))  # not the outcome, which may hold a million records
    return done


def _conclude(state: _State) -> Result:
    case, verified = state.case, state.verified
    if state.error is not None or verified is None or not state.rounds:
        return Result(
            case.operation,
            case.variant,
            case.title,
            case.headline,
            case.records,
            "failed",
            state.error or "no round was run",
            rounds=len(state.rounds),
            target_per_second=TARGET_PER_SECOND,
        )
    walls = [item.wall_s for item in state.rounds]
    summary = summarise([walls])
    middle = min(range(len(walls)), key=lambda n: abs(walls[n] - summary.median_s))
    shown, usage = state.rounds[middle], state.usages[middle]
    rate, low, high = (case.records / s for s in (summary.median_s, summary.high_s, summary.low_s))
    given = award(rate, low)
    return Result(
        case.operation,
        case.variant,
        case.title,
        case.headline,
        case.records,
        "ok",
        rounds=len(walls),
        walls_s=walls,
        median_s=summary.median_s,
        low_s=summary.low_s,
        high_s=summary.high_s,
        min_s=summary.min_s,
        cv=summary.cv,
        cells=verified.cells,
        bytes=verified.bytes,
        records_per_second=rate,
        records_per_second_low=low,
        records_per_second_high=high,
        cells_per_second=verified.cells / summary.median_s,
        bytes_per_second=verified.bytes / summary.median_s,
        target_per_second=TARGET_PER_SECOND,
        target_met=low > TARGET_PER_SECOND,
        tier=given.tier,
        tier_reached=given.reached,
        borderline=given.borderline,
        noisy=summary.noisy,
        value=verified.value,
        facts=verified.facts,
        phases_s=shown.phases_s,
        busy_s=state.busy_s[middle],
        cpu_s=shown.cpu_s,
        peak_rss_bytes=max(item.peak_rss_bytes for item in state.rounds),
        read_bytes=shown.read_bytes,
        written_bytes=shown.written_bytes,
        timeline=usage.timeline,
    )
