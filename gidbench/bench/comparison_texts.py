"""Comparisons of runs in words: cells of a table, Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from gidbench.bench.comparing import Compared, RunComparison
from gidbench.bench.gates import GateReport
from gidbench.units import format_rate, format_seconds

COLUMNS = ("case", "before", "after", "time", "95 % interval", "verdict", "why")
_SIGNS = {"better": "🟢", "worse": "🔴", "inconclusive": "⚪", "not measured": "⚠️"}
_LONGEST = 100  # of a change that is told in per cent; more is told as times


def row(case: Compared) -> tuple[str, ...]:
    """A row of `COLUMNS`."""
    found = case.judgement
    before, after = (_side(*each) for each in _sides(case))
    if found is None:
        return (case.name, before, after, "–", "–", case.verdict, "; ".join(case.marks))
    verdict = "same" if found.same else case.verdict
    why = "; ".join(dict.fromkeys([found.why, *case.marks]))
    return (
        case.name,
        before,
        after,
        change(found.ratio),
        f"{change(found.low)} … {change(found.high)}",
        verdict,
        why,
    )


def change(ratio: float) -> str:
    """Of a time: +5.0 %, −12 %, 3.2 x."""
    per_cent = (ratio - 1) * 100
    if abs(per_cent) >= _LONGEST:
        return f"{ratio:.3g} x"
    text = f"{per_cent:+.1f} %" if abs(per_cent) < 10 else f"{per_cent:+.0f} %"
    return text.replace("-", "−")


def summary(result: RunComparison) -> str:
    """One sentence on all cases."""
    counts = []
    for verdict in ("worse", "better", "inconclusive", "not measured"):
        found = result.of(verdict)
        if found:
            counts.append(f"{len(found)} {verdict}")
    same = sum(1 for case in result.cases if case.judgement and case.judgement.same)
    words = ", ".join(counts) or "no case"
    if same:
        words += f" ({same} of them the same within {result.threshold * 100:g} %)"
    return words


def markdown(result: RunComparison, before: str, after: str, gates: GateReport | None = None) -> str:
    """A comment for a pull request."""
    lines = [
        f"### gidbench: {_escaped(after)} against {_escaped(before)}",
        "",
        f"{summary(result)}. Ratios are of wall time (less is better); a verdict needs a difference of "
        f"{result.threshold * 100:g} %, a 95 % interval that does not hold 0 %, and a rank test over processes.",
        "",
        "| | " + " | ".join(COLUMNS) + " |",
        "|---|---|---:|---:|---:|---|---|---|",
    ]
    for case in result.cases:
        cells = [_escaped(cell) for cell in row(case)]
        cells[5] = f"**{cells[5]}**" if case.verdict in ("better", "worse") else cells[5]
        lines.append(f"| {_SIGNS[case.verdict]} | " + " | ".join(cells) + " |")
    for label, side in (("before", result.before), ("after", result.after)):
        commit = f"commit `{side['commit']}`" if side["commit"] else f"gidbench {side['gidbench']}"
        lines += ["", f"{label}: {commit}, {side['started_at']}, {_escaped(str(side['cpu']))}"]
    if result.marks:
        lines += ["", *(f"- {_escaped(mark)}" for mark in result.marks)]
    if gates is not None and gates.checks:
        lines += ["", "| gate | case | outcome | |", "|---|---|---|---|"]
        lines += [
            f"| {_escaped(check.gate)} | {_escaped(check.case)} | {check.state} | {_escaped(check.why)} |"
            for check in gates.checks
        ]
    return "\n".join(lines) + "\n"


def gate_lines(report: GateReport) -> list[tuple[str, str]]:
    """State and words of each check that did not pass; of those that did only how many."""
    lines = [
        (check.state, f"{check.case}: {check.gate}: {check.state} ({check.why})")
        for state in ("failed", "not measured", "unproven")
        for check in report.of(state)
    ]
    passed = len(report.of("passed"))
    return [*lines, ("passed", f"{passed} of {len(report.checks)} gates passed")]


def _sides(case: Compared) -> Sequence[tuple[float | None, float | None]]:
    return ((case.before_s, case.before_per_second), (case.after_s, case.after_per_second))


def _side(seconds: float | None, per_second: float | None) -> str:
    if seconds is None or per_second is None:
        return "–"
    return f"{format_seconds(seconds)} ({format_rate(per_second)})"


def _escaped(text: str) -> str:
    """No cell may end its table, and no reason of an error may be taken for HTML."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
