"""Several result files as one, where they are of one machine, the same data and one database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gidbench.bench.comparing import differences
from gidbench.bench.results import Noise, Result, Round, RunResults, newest
from gidbench.errors import InputError


@dataclass(frozen=True)
class Merged:
    """The results as one, and the runs that they are of, each with what was taken from it."""

    results: RunResults
    runs: tuple[RunResults, ...]


def merge_runs(runs: Sequence[tuple[str, RunResults]]) -> Merged:
    """Merge runs, each with its name for messages.

    Of each operation the newest run that measured it gives all cases, peers among them: cases of different runs were
    not measured in turns, so they are not set beside each other. Scalings and tunings are taken from all. The first
    line is that of the newest run with results. Raises InputError where the runs are of different machines, data or
    databases; files with scalings and tunings only must be of the same machine.
    """
    if not runs:
        raise InputError("no results are named", "Name result files, or folders of runs")
    ordered = sorted(runs, key=lambda pair: pair[1].header.started_at)
    measured = [pair for pair in ordered if pair[1].results]
    last_name, last = (measured or ordered)[-1]
    for name, run in ordered:
        found = differences(run.header, last.header)
        if not (run.results and last.results):
            found = [each for each in found if each.startswith("other machine")]
        if found:
            raise InputError(
                f"{name} (A) and {last_name} (B) can't be one report: {found[0]}",
                "Make a report of each, or hold them against each other with `gidbench compare`",
            )
    owner = {result.operation: run for _, run in ordered for result in run.results}
    taken: list[RunResults] = []
    results: list[Result] = []
    rounds: list[Round] = []
    noise: list[Noise] = []
    for _, run in ordered:
        mine = {operation for operation, other in owner.items() if other is run}
        part = replace(
            run,
            results=[result for result in newest(run.results) if result.operation in mine],
            rounds=[each for each in run.rounds if each.operation in mine],
            noise=[each for each in run.noise if each.operation in mine],
        )
        results, rounds, noise = results + part.results, rounds + part.rounds, noise + part.noise
        if part.results or part.scalings or part.tunings:
            taken.append(part)
    whole = RunResults(
        last.header,
        rounds,
        results,
        noise,
        sorted((line for _, run in ordered for line in run.scalings), key=lambda line: line.measured_at),
        sorted((line for _, run in ordered for line in run.tunings), key=lambda line: line.measured_at),
    )
    return Merged(whole, tuple(taken))
