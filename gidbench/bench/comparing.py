"""Two runs, case by case: what may be compared, what must be told first, and what became of it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from gidbench.bench.results import Result, RunHeader, RunResults, newest
from gidbench.bench.verdict import THRESHOLD, Judgement, check_threshold, judge

_MACHINE = ("cpu", "cores", "usable_cores", "memory_bytes", "machine")
_VERSIONS = ("os", "python", "gidbench")
_SETTINGS = ("batch_size", "workers", "pool_size")
_NO_DATABASE = {("generate", "memory"), ("generate", "csv"), ("generate", "parquet")}
_MEMORY_TOLERANCE = 0.02  # what a kernel keeps for itself changes from boot to boot
_BADNESS = ("quiet", "noisy", "unusable")


@dataclass(frozen=True)
class Compared:
    """One case of two runs.

    Attributes
    ----------
    judgement:
        Of the second run against the first; None where one of them did not measure the case, and `marks` say why.
    before_s, after_s:
        Medians of the wall seconds.
    marks:
        What must be known to read the verdict.
    """

    operation: str
    variant: str
    title: str
    judgement: Judgement | None
    before_s: float | None
    after_s: float | None
    before_per_second: float | None
    after_per_second: float | None
    marks: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.operation} {self.variant}"

    @property
    def verdict(self) -> str:
        """better, worse, inconclusive, or "not measured"."""
        return self.judgement.verdict if self.judgement else "not measured"


@dataclass(frozen=True)
class RunComparison:
    """All cases of two runs, A (before) and B (after); `marks` hold for all of them."""

    before: dict[str, Any]
    after: dict[str, Any]
    cases: tuple[Compared, ...]
    marks: tuple[str, ...]
    threshold: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        values = asdict(self)
        for case, shown in zip(self.cases, values["cases"], strict=True):
            shown["verdict"] = case.verdict
        return values

    def of(self, verdict: str) -> list[Compared]:
        return [case for case in self.cases if case.verdict == verdict]


def compare_runs(
    before: RunResults, after: RunResults, *, threshold: float = THRESHOLD, anyway: bool = False
) -> RunComparison:
    """Compare every case that either run has.

    Runs on different machines, of different data or on different databases get no verdict: their ratios are shown,
    marked, and inconclusive, unless `anyway`. Different versions and settings are marked only: they may be what is
    compared.
    """
    check_threshold(threshold)
    first = {(each.operation, each.variant): each for each in newest(before.results)}
    second = {(each.operation, each.variant): each for each in newest(after.results)}
    apart = differences(before.header, after.header)
    cases = [
        _case(before, after, first.get(key), second.get(key), apart, threshold, anyway)
        for key in {**first, **second}
    ]
    marks = [*apart, *_notes(before.header, after.header)]
    if before.header.run_id == after.header.run_id:
        marks.insert(0, "both are the same run")
    return RunComparison(
        _describe(before.header), _describe(after.header), tuple(cases), tuple(marks), threshold
    )


def replicates(result: Result) -> list[list[float]]:
    """Seconds by process; of a file that does not know processes, all rounds are one's."""
    return result.replicates_s or [result.walls_s]


def pooled(runs: Sequence[RunResults]) -> RunResults:
    """Several runs as one: of each case the processes of all runs that measured it, described by the last.

    Runs on another machine or of other data than the last are left out.
    """
    last = runs[-1]
    alike = [run for run in runs if comparable(run.header, last.header)]
    results: dict[tuple[str, str], Result] = {}
    for run in alike:
        for result in newest(run.results):
            key = (result.operation, result.variant)
            known = results.get(key)
            if result.status != "ok" or known is None or known.status != "ok":
                results[key] = result if known is None or result.status == "ok" else known
            elif known.records == result.records and known.value == result.value:
                together = [*replicates(known), *replicates(result)]
                walls = [wall for each in together for wall in each]
                results[key] = replace(
                    result,
                    replicates_s=together,
                    walls_s=walls,
                    median_s=statistics.median(walls),
                    processes=len(together),
                )
            else:
                results[key] = result
    return RunResults(last.header, [], list(results.values()), [line for run in alike for line in run.noise])


def comparable(first: RunHeader, second: RunHeader) -> bool:
    """Whether runs are of the same machine, data and database."""
    return not differences(first, second)


def noise_of(run: RunResults, operation: str) -> str | None:
    """The worst verdict on noise while an operation was measured; None where the file tells of none."""
    found = [line.verdict for line in run.noise if line.operation == operation and line.verdict in _BADNESS]
    return max(found, key=_BADNESS.index) if found else None


def _case(
    before: RunResults,
    after: RunResults,
    first: Result | None,
    second: Result | None,
    apart: list[str],
    threshold: float,
    anyway: bool,
) -> Compared:
    known = second or first
    assert known is not None
    good = [each is not None and each.status == "ok" for each in (first, second)]
    marks = []
    for side, result in (("A", first), ("B", second)):
        if result is None:
            marks.append(f"{side} does not have it")
        elif result.status != "ok":
            marks.append(f"failed in {side}: {result.error or 'no reason is told'}")
    judgement = None
    if all(good):
        assert first is not None
        assert second is not None
        operation = known.operation
        drift = _drift(before, after, operation)
        judgement = judge(replicates(first), replicates(second), threshold=threshold, drift=drift)
        refused = [*_without_database(apart, known), *_data_apart(first, second)]
        marks += [each for each in refused if each not in apart]
        if refused and not anyway:
            judgement = _withheld(judgement, f"not comparable: {refused[0]}")
        for side, run, result in (("A", before, first), ("B", after, second)):
            noise = noise_of(run, operation)
            if noise in ("noisy", "unusable"):
                marks.append(f"{side} was {noise}")
            elif noise is None and result.noisy:
                marks.append(f"{side} was noisy: its rounds scatter by {result.cv * 100:.0f} %")
            if noise == "unusable" and not anyway:
                judgement = _withheld(judgement, f"{side} was measured on a machine too busy to measure")
        if abs(drift - 1.0) > threshold:
            slower = "slower" if drift > 1 else "faster"
            marks.append(
                f"the machine itself was {abs(drift - 1) * 100:.0f} % {slower} in B: the interval is wider"
            )
    return Compared(
        known.operation,
        known.variant,
        known.title,
        judgement,
        first.median_s if first is not None and good[0] else None,
        second.median_s if second is not None and good[1] else None,
        first.records_per_second if first is not None and good[0] else None,
        second.records_per_second if second is not None and good[1] else None,
        tuple(marks),
    )


def _withheld(judgement: Judgement, why: str) -> Judgement:
    return replace(judgement, verdict="inconclusive", same=False, why=why, withheld=True)


def _drift(before: RunResults, after: RunResults, operation: str) -> float:
    """How much longer the fixed piece of work took in the second run; 1.0 where a file does not tell."""
    medians = []
    for run in (before, after):
        found = [line.calibration_s for line in run.noise if line.operation == operation]
        found = [seconds for seconds in found if seconds > 0]
        if not found:
            return 1.0
        medians.append(statistics.median(found))
    return medians[1] / medians[0]


def differences(first: RunHeader, second: RunHeader) -> list[str]:
    """What makes two runs incomparable, in words that call them A and B; none: they may be compared."""
    found = []
    for name in _MACHINE:
        a, b = first.host.get(name), second.host.get(name)
        if name == "memory_bytes" and a and b and abs(a - b) <= _MEMORY_TOLERANCE * max(a, b):
            continue
        if a != b:
            found.append(f"other machine: {name.replace('_', ' ')} {_told(a)} in A, {_told(b)} in B")
    a, b = first.parameters.get("seed"), second.parameters.get("seed")
    if a != b:
        found.append(f"other data: seed {_told(a)} in A, {_told(b)} in B")
    names = [_database(header) for header in (first, second)]
    if names[0] != names[1]:
        found.append(f"other database: {names[0]} in A, {names[1]} in B")
    return found


def _without_database(apart: list[str], result: Result) -> list[str]:
    """A case that uses no database does not mind another one."""
    if (result.operation, result.variant) not in _NO_DATABASE:
        return apart
    return [each for each in apart if not each.startswith("other database")]


def _data_apart(first: Result, second: Result) -> list[str]:
    if first.records != second.records:
        return [f"other data: {first.records:,} records in A, {second.records:,} in B"]
    if first.value is not None and second.value is not None and first.value != second.value:
        return [f"other output: digest {first.value} in A, {second.value} in B"]
    return []


def _notes(first: RunHeader, second: RunHeader) -> list[str]:
    """What differs and may be what is compared."""
    notes = []
    for name in _VERSIONS:
        a, b = first.host.get(name), second.host.get(name)
        if a != b:
            notes.append(f"{name} {_told(a)} in A, {_told(b)} in B")
    packages = [header.host.get("packages") or {} for header in (first, second)]
    for name in sorted({*packages[0], *packages[1]}):
        a, b = packages[0].get(name), packages[1].get(name)
        if a != b:
            notes.append(f"{name} {_told(a)} in A, {_told(b)} in B")
    a, b = first.database.get("version"), second.database.get("version")
    if a != b and _database(first) == _database(second):
        notes.append(f"database {_told(a)} in A, {_told(b)} in B")
    for name in _SETTINGS:
        a, b = first.parameters.get(name), second.parameters.get(name)
        if a != b:
            notes.append(f"{name.replace('_', ' ')} {_told(a)} in A, {_told(b)} in B")
    return notes


def _database(header: RunHeader) -> str:
    """What a database is called; one that a run made for itself is as good as any other such."""
    name = header.database.get("name", "")
    if name.startswith(("embedded", "duckdb:")):
        return "embedded"
    return name or "none"


def _told(value: Any) -> str:
    return "unknown" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _describe(header: RunHeader) -> dict[str, Any]:
    return {
        "run_id": header.run_id,
        "started_at": header.started_at,
        "commit": header.host.get("commit"),
        "gidbench": header.host.get("gidbench"),
        "cpu": header.host.get("cpu"),
        "database": _database(header),
    }
