"""The runs of a session as a table that can be sorted, and two runs side by side. Pure but for reading result files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gidbench.bench import comparison_texts
from gidbench.bench.comparing import RunComparison, compare_runs
from gidbench.bench.noise import worst
from gidbench.bench.request import Request
from gidbench.bench.results import Noise, Result, RunResults, load_results
from gidbench.bench.session import RESULTS_FILE
from gidbench.errors import GidbenchError
from gidbench.tiers import level_of
from gidbench.units import format_count, format_rate, format_seconds
from gidbench.widgets.cards import badge, table
from gidbench.widgets.live_numbers import NONE, escaped

_SIGNS = {"better": "▲", "worse": "▼", "inconclusive": "=", "same": "=", "not measured": "?"}
_MOST_FILES = 30


@dataclass(frozen=True)
class SessionRun:
    """A run that ended by itself.

    `clock` is the time of day at its end, `folder` where its results are; `batch_size` and `workers` are what counted,
    where the request leaves them to the settings, too.
    """

    number: int
    clock: str
    request: Request
    results: tuple[Result, ...]
    noise: tuple[Noise, ...]
    folder: Path
    batch_size: int
    workers: int

    @property
    def title(self) -> str:
        operation = ", ".join(self.request.operations)
        what = self.file or f"{format_count(self.request.records)} records"
        return f"Run {self.number}, {self.clock}: {operation}, {what}"

    @property
    def file(self) -> str:
        """The name of the user's own file that was measured; empty where there was none."""
        return Path(self.request.source).name


@dataclass(frozen=True)
class _Row:
    run: SessionRun
    result: Result


SORTS: Mapping[str, Callable[[_Row], float | str]] = {
    "run": lambda row: row.run.number,
    "case": lambda row: f"{row.result.operation} {row.result.variant}",
    "records": lambda row: row.result.records,
    "median": lambda row: row.result.median_s,
    "records/s": lambda row: row.result.records_per_second,
    "tier": lambda row: level_of(row.result.tier),
    "batch size": lambda row: row.run.batch_size,
    "workers": lambda row: row.run.workers,
}
_COMPARED = ("case", "verdict", "change of time", "95 % interval", "before (A)", "after (B)", "why")
_COLUMNS = (*SORTS, "95 % interval", "database", "noise")


def runs_table(runs: Sequence[SessionRun], by: str = "run", *, ascending: bool = False) -> str:
    """A row for each case of ours of each run; rows that are alike in what they are sorted by, newest run first."""
    rows = [_Row(run, result) for run in reversed(runs) for result in run.results if not result.peer]
    rows.sort(key=SORTS[by], reverse=not ascending)
    made = "".join(map(_row, rows))
    return table("Runs of this session", _COLUMNS, made, (list(SORTS).index(by), ascending))


def _row(row: _Row) -> str:
    result = row.result
    ok = result.status == "ok"
    noise = worst([each for each in row.run.noise if each.operation == result.operation])
    interval = (
        f"{format_rate(result.records_per_second_low)} to {format_rate(result.records_per_second_high)}"
    )
    cells = [
        escaped(f"{result.operation} {row.run.file or result.variant}"),
        format_count(result.records),
        format_seconds(result.median_s) if ok else NONE,
        format_rate(result.records_per_second) if ok else NONE,
        badge(result.tier, level_of(result.tier) or 1) if ok and result.tier else escaped(result.status),
        format_count(row.run.batch_size),
        format_count(row.run.workers),
        interval if ok and result.rounds > 1 else NONE,
        escaped(row.run.request.database or "embedded"),
        escaped(noise.verdict if noise else NONE),
    ]
    made = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr><th scope="row">{row.run.number}</th>{made}</tr>'


def result_files(parent: Path, apart_from: Sequence[Path] = ()) -> list[tuple[str, Path]]:
    """Result files under a folder, the newest first: how to call each, and its folder."""
    known = {path.resolve() for path in apart_from}
    found = [path.parent for path in sorted(parent.glob(f"*/{RESULTS_FILE}"), reverse=True)]
    return [(str(folder), folder) for folder in found if folder.resolve() not in known][:_MOST_FILES]


def compared(before: Path, after: Path, before_name: str, after_name: str) -> str:
    """Two result folders case by case, as HTML. Raises InputError where one cannot be read."""
    return comparison_html(compare_runs(load_results(before), load_results(after)), before_name, after_name)


def comparison_html(found: RunComparison, before: str, after: str) -> str:
    """A comparison as a table with its verdicts in words, and what must be known to read it."""
    rows = []
    for case in found.cases:
        name, *numbers, verdict, why = comparison_texts.row(case)
        before_after, change = numbers[:2], numbers[2:]
        shown = [f"<td>{escaped(cell)}</td>" for cell in (*change, *before_after)]
        rows.append(
            f'<tr><th scope="row">{escaped(name)}</th><td class="gb-verdict gb-{_kind(verdict)}">'
            f'<span aria-hidden="true">{_SIGNS.get(verdict, "")}</span> {escaped(verdict)}</td>'
            f"{''.join(shown)}<td>{escaped(why)}</td></tr>"
        )
    marks = "".join(f"<li>{escaped(mark)}</li>" for mark in found.marks)
    said = f"{escaped(after)} (B) against {escaped(before)} (A): {escaped(comparison_texts.summary(found))}."
    caption = "Case by case; less time is better"
    return f"<p>{said}</p>{table(caption, _COMPARED, ''.join(rows))}" + (
        f'<ul class="gb-marks">{marks}</ul>' if marks else ""
    )


def _kind(verdict: str) -> str:
    return verdict.replace(" ", "-") if verdict in _SIGNS else "inconclusive"


def kept(folder: Path) -> str:
    """What a run that was stopped or failed has left in its folder, in words; empty where that is nothing."""
    try:
        found: RunResults = load_results(folder)
    except GidbenchError:
        return ""
    rounds = [each for each in found.rounds if not each.warmup and each.error is None]
    if not rounds:
        return ""
    counts: dict[str, int] = {}
    for each in rounds:
        counts[each.variant] = counts.get(each.variant, 0) + 1
    told = ", ".join(f"{count} of {variant}" for variant, count in counts.items())
    many = f"{len(rounds)} verified round{'s' if len(rounds) > 1 else ''}"
    return f"{many} ({told}) {'are' if len(rounds) > 1 else 'is'} kept in {folder / RESULTS_FILE}"
