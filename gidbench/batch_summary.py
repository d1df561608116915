"""A batch as Markdown, for $GITHUB_STEP_SUMMARY, and as JSON."""

from __future__ import annotations

import json
from typing import Any

from gidbench import __version__
from gidbench.batch_outcome import INDEX_FILE, BatchOutcome, Ran
from gidbench.report.wording import number
from gidbench.units import format_seconds

SCHEMA_VERSION = 1
_SIGNS = {"ok": "✅", "failed": "❌", "interrupted": "⏹️", "not run": "⚪"}


def sentence(outcome: BatchOutcome) -> str:
    """What became of all of it."""
    total, good = len(outcome.ran), len(outcome.of("ok"))
    spent = format_seconds(outcome.wall_s)
    if good == total:
        whole = f"{number(total).capitalize()} notebook{'s' if total > 1 else ''} ran"
        words = f"{whole} without an error, in {spent}."
    else:
        words = f"{number(good).capitalize()} of {number(total)} notebooks ran without an error, in {spent}."
    for state in ("failed", "interrupted", "not run"):
        if names := list(dict.fromkeys(each.step.name for each in outcome.of(state))):
            words += f" {state.capitalize()}: {', '.join(names)}."
    cases = [f"{each.operation} {each.variant}" for ran in outcome.ran for each in ran.failed_cases]
    if cases:
        words += f" Failed {'cases' if len(cases) > 1 else 'case'}: {', '.join(dict.fromkeys(cases))}."
    return words


def outcome_of(ran: Ran) -> str:
    """The state of a notebook, and how many of its cases failed."""
    failed = len(ran.failed_cases)
    return ran.state if not failed else f"{ran.state}, {failed} {'case' if failed == 1 else 'cases'} failed"


def chosen(ran: Ran) -> str:
    """The combination of what was swept: `records 100000, workers 2`."""
    return ", ".join(f"{name} {value}" for name, value in ran.step.at.items())


def common(outcome: BatchOutcome) -> dict[str, str]:
    """Parameters that no sweep changes."""
    found: dict[str, str] = {}
    for each in outcome.ran:
        found |= {name: value for name, value in each.step.shown.items() if name not in outcome.swept}
    return found


def as_markdown(outcome: BatchOutcome) -> str:
    """A table of the notebooks, and what each of them says."""
    told = common(outcome)
    lines = ["### gidbench batch", "", _escaped(sentence(outcome))]
    if told:
        lines += ["", "Parameters: " + ", ".join(f"`{_code(f'{k} = {v}')}`" for k, v in told.items()) + "."]
    titles = ["", "notebook", *(["parameters"] if outcome.swept else []), "outcome", "time", "headline"]
    marks = ["---", "---", *(["---"] if outcome.swept else []), "---", "---:", "---"]
    lines += ["", f"| {' | '.join(titles)} |", f"|{'|'.join(marks)}|"]
    for each in outcome.ran:
        cells = [
            _SIGNS[each.state],
            _escaped(each.step.name),
            *([_escaped(chosen(each))] if outcome.swept else []),
            _escaped(outcome_of(each)),
            format_seconds(each.wall_s) if each.wall_s else "–",
            _escaped(each.headline) if each.headline else "–",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    said = [each for each in outcome.ran if each.error or each.answer]
    if said:
        lines.append("")
        for each in said:
            where = f" ({_escaped(at)})" if (at := chosen(each)) else ""
            lines.append(f"- **{_escaped(each.step.name)}**{where}: {_escaped(each.error or each.answer)}")
    lines += ["", f"`{INDEX_FILE}` among the files links every notebook and report."]
    if outcome.command:
        lines += ["", "```sh", outcome.command, "```"]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    """No cell may end its table, and nothing of it be taken for HTML or Markdown."""
    text = text.replace("\\", "\\\\").replace("<", "&lt;").replace("\n", " ")
    for mark in "|*_`[":
        text = text.replace(mark, f"\\{mark}")
    return text


def _code(text: str) -> str:
    return text.replace("`", "'").replace("\n", " ")


def as_json(outcome: BatchOutcome) -> str:
    """All of it for machines."""
    return json.dumps(to_dict(outcome), indent=2, ensure_ascii=False) + "\n"


def to_dict(outcome: BatchOutcome) -> dict[str, Any]:
    """Plain values."""
    reports = outcome.reports
    return {
        "schema": SCHEMA_VERSION,
        "gidbench": __version__,
        "started_at": outcome.started_at,
        "wall_s": outcome.wall_s,
        "command": outcome.command,
        "exit_code": outcome.exit_code,
        "runs": [
            {
                "notebook": each.step.name,
                "parameters": dict(each.step.shown),
                "state": each.state,
                "started_at": each.started_at,
                "wall_s": each.wall_s,
                "error": each.error,
                "headline": each.headline,
                "answer": each.answer,
                "folder": each.step.folder,
                "executed": each.notebook,
                "page": each.page,
                "report": reports.get(each.step.folder, ""),
                "results": [
                    {
                        "operation": result.operation,
                        "variant": result.variant,
                        "status": result.status,
                        "error": result.error,
                        "records": result.records,
                        "median_s": result.median_s,
                        "records_per_second": result.records_per_second,
                        "records_per_second_low": result.records_per_second_low,
                        "records_per_second_high": result.records_per_second_high,
                        "tier": result.tier,
                        "target_met": result.target_met,
                    }
                    for result in each.results
                ],
            }
            for each in outcome.ran
        ],
    }
