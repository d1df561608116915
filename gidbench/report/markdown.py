"""The report as Markdown: short, for a pull request or the summary of a job."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gidbench.bench.results import RunResults
from gidbench.report.cases import NONE, CaseView
from gidbench.report.past import NOTHING, Past
from gidbench.report.study import StudyView
from gidbench.report.view import OperationView, View, build_view

_SPECIAL = re.compile(r"([\\`*_{}\[\]|~])")
_SIGNS = {"better": "🟢", "worse": "🔴", "same": "⚪", "inconclusive": "⚪", "not measured": "⚠️"}


def markdown_report(results: RunResults, command: str, past: Past = NOTHING, merged: str = "") -> str:
    """The scoreboard, every case, the previous run, growth and settings in words, noise, machine, how to repeat it.

    Every text of the data is escaped: none can end a table, or be taken for HTML or a link.
    """
    view = build_view(results, command, past, merged)
    blocks = [f"## gidbench tier report\n\n**{escaped(view.verdict)}**"]
    if view.merged:
        blocks.append(escaped(view.merged))
    if view.operations:
        blocks += [_scoreboard(view), _details("All cases", _cases(view))]
    blocks += _previous(view)
    blocks += [_words(view)] if any(_lines(view)) else []
    if view.operations:
        blocks.append(_details("Noise", "\n".join(f"- {escaped(line)}" for line in view.noise)))
    blocks.append(
        f"{escaped(view.when)} · {escaped(view.host_short)} · {escaped(view.database)}"
        f" · gidbench {escaped(view.gidbench)}"
    )
    blocks.append(_fenced(view.command))
    return "\n\n".join(blocks) + "\n"


def escaped(text: str) -> str:
    """Text that Markdown shows as it is, in one line."""
    one = " ".join(text.split())
    one = one.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", one)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Cells are escaped; a column is set to the right where its place is in `right`."""
    rule = ["---:" if place in right else "---" for place in range(len(heads))]
    lines = [heads, rule, *([escaped(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _scoreboard(view: View) -> str:
    rows = [_score(operation) for operation in view.operations]
    heads = [
        "operation",
        "records/s",
        "95 % interval",
        "tier",
        "target",
        "against the usual way",
        "share of the limit",
    ]
    return _table(heads, rows, right=(1,))


def _score(operation: OperationView) -> list[str]:
    case = operation.headline
    if case.failed:
        return [operation.title, NONE, NONE, "FAILED", NONE, case.error, NONE]
    return [
        operation.title,
        case.rate,
        case.interval,
        _tier(case),
        "met" if case.target_met == "yes" else "missed",
        operation.card.usual or NONE,
        operation.card.limit or NONE,
    ]


def _tier(case: CaseView) -> str:
    return "FAILED" if case.failed else case.badge.tier if case.badge else NONE


def _cases(view: View) -> str:
    rows = [
        [
            case.operation,
            case.variant,
            case.records,
            case.median,
            f"{case.rate} {case.interval}".strip(),
            case.target_met,
            f"FAILED: {case.error}" if case.failed else _tier(case),
        ]
        for operation in view.operations
        for case in operation.every
    ]
    heads = ["operation", "variant", "records", "median", "records/s", "target met", "tier"]
    return _table(heads, rows, right=(2, 3, 4))


def _previous(view: View) -> Iterator[str]:
    found = view.previous
    if found is None:
        return
    rows = [
        [
            f"{_SIGNS.get(case.verdict, '')} {case.verdict}",
            case.operation,
            case.variant,
            case.change,
            case.interval,
            case.why,
        ]
        for case in found.cases
        if not case.peer
    ]
    table = _table(["verdict", "operation", "variant", "time", "95 % interval", "why"], rows, right=(3, 4))
    marks = "".join(f"\n- {escaped(mark)}" for mark in found.marks)
    yield f"### Against the previous run\n\n{escaped(found.words)} {escaped(found.against)}"
    yield _details("Case by case", f"{table}\n{marks}" if marks else table)


def _words(view: View) -> str:
    return "\n".join(f"- {line}" for line in _lines(view))


def _lines(view: View) -> Iterator[str]:
    """History, growth and settings, a line each."""
    for operation in view.operations:
        if operation.trend:
            yield f"**{escaped(operation.short_title)}, history:** {escaped(operation.trend.words)}"
        yield from _study(operation.short_title, operation.study)
    for each in view.studied:
        yield from _study(each.short_title, each.study)


def _study(title: str, study: StudyView) -> Iterator[str]:
    for scaling in study.scalings:
        words = " ".join([*scaling.words, scaling.workers_words])
        yield f"**{escaped(title)}, growth:** {escaped(words)}"
    for tuning in study.tunings:
        settings = f" Set {_code(tuning.settings)}." if tuning.settings else ""
        yield f"**{escaped(title)}, settings:** {escaped(tuning.words)}{settings}"


def _details(title: str, inside: str) -> str:
    return f"<details><summary>{escaped(title)}</summary>\n\n{inside}\n\n</details>"


def _code(text: str) -> str:
    return f"`{text.replace('`', '')}`"


def _fenced(text: str) -> str:
    """A block of code; its fence is longer than any row of backticks in it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}console\n{text}\n{fence}"
