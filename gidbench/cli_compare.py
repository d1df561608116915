"""`gidbench compare` and `gidbench history`, and the gates of `run`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gidbench.cli_common import COUNT, as_json, progress_of
from gidbench.errors import InputError

if TYPE_CHECKING:
    from gidbench.bench.gates import Gates
    from gidbench.running import RunOutcome

_GATES = ("fail_below", "fail_if_worse", "require_target", "strict")


def gate_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What must hold, or else the exit code is 1; also in [tool.gidbench] of pyproject.toml."""
    for option in (
        click.option("--strict", is_flag=True, default=None, help="Fail what can't be told, too."),
        click.option(
            "--require-target",
            is_flag=True,
            default=None,
            help="Exit code 1 where a case is proven to miss its target.",
        ),
        click.option(
            "--fail-if-worse",
            type=float,
            metavar="PCT",
            help="Exit code 1 where a case is proven to take so many per cent longer than before.",
        ),
        click.option(
            "--fail-below",
            metavar="TIER",
            help="Exit code 1 where a case is proven to be below: ULTRA, VERY HIGH, HIGH.",
        ),
    ):
        command = option(command)
    return command


history_option = click.option(
    "--history", type=click.Path(path_type=Path), help="File of the history (default: reports/history.jsonl)."
)
against_option = click.option(
    "--against", metavar="COMMIT", help="Hold it against a commit, branch or tag in the history."
)


def gates_of(options: dict[str, Any], against: str | None) -> Gates:
    """The project's gates with the options of the command, which are taken out of `options`."""
    from gidbench.bench.gates import load_gates

    given = {name: options.pop(name) for name in _GATES}
    return load_gates().with_options(against=against, **given)


def enforce(gates: Gates, outcome: RunOutcome) -> int:
    """Hold a finished run against the gates, tell what did not pass, and return the exit code."""
    from gidbench.bench.baseline import from_history
    from gidbench.bench.comparing import compare_runs
    from gidbench.bench.gates import check_gates
    from gidbench.bench.results import load_results
    from gidbench.bench.verdict import THRESHOLD
    from gidbench.verdict_table import print_gates

    if not gates.any:
        return 0
    compared, why_not = None, ""
    if gates.compares:
        try:
            pair = from_history(load_results(outcome.folder), against=gates.against)
        except InputError as error:
            why_not = error.problem
        else:
            threshold = THRESHOLD if gates.threshold is None else gates.threshold
            compared = compare_runs(pair.before, pair.after, threshold=threshold).cases
    report = check_gates(gates, outcome.results, compared, why_not)
    print_gates(report)
    return report.exit_code


@click.command()
@click.argument("runs", nargs=-1, metavar="[A] [B]")
@against_option
@click.option("--last", type=COUNT, default=0, metavar="N", help="Hold it against the N runs before it.")
@click.option(
    "--threshold",
    type=float,
    metavar="PCT",
    help="Differences below it are of no interest (default: 3).",
)
@click.option(
    "--anyway",
    is_flag=True,
    help="Give verdicts on other machines, data or databases, and when it was too busy.",
)
@click.option("--markdown", "as_markdown", is_flag=True, help="Print Markdown, for a pull request.")
@history_option
@click.option(
    "--live",
    metavar="CASE",
    help='Measure it now (like "generate csv"): the tree of --against beside this one, in turns, for a minute.',
)
@click.option("--records", type=COUNT, default=200_000, show_default=True, help="With --live: per round.")
@click.option("--seconds", type=float, help="With --live: how long [50].")
@gate_options
@as_json
def compare(
    runs: tuple[str, ...],
    live: str | None,
    records: int,
    seconds: float | None,
    against: str | None,
    last: int,
    threshold: float | None,
    anyway: bool,
    as_markdown: bool,
    as_json: bool,
    history: Path | None,
    **options: Any,
) -> None:
    """Compare two runs case by case: better, worse or inconclusive.

    A and B are result files or folders of runs, B the later. With --against or --last, A is the run to judge (default:
    the newest), and what it is held against is taken from the history. On a machine that others use, --live tells much
    smaller differences.
    """
    from gidbench.bench.baseline import from_history, two_files
    from gidbench.bench.comparing import compare_runs
    from gidbench.bench.comparison_texts import markdown
    from gidbench.bench.gates import EXIT_NOTHING, check_gates
    from gidbench.bench.history import HISTORY_FILE
    from gidbench.bench.results import newest
    from gidbench.bench.verdict import THRESHOLD
    from gidbench.verdict_table import print_gates, print_runs

    gates = gates_of(options, against)
    share = threshold / 100 if threshold is not None else gates.threshold
    share = THRESHOLD if share is None else share
    if live is not None:
        if runs or last or as_markdown:
            raise InputError("--live compares trees, not runs", "Use it with --against COMMIT only")
        sys.exit(_live(live, records, seconds, gates, share, as_json))
    looks_back = bool(against or last)
    if len(runs) != 2 if not looks_back else len(runs) > 1:
        raise InputError(
            f"{len(runs)} {'run is' if len(runs) == 1 else 'runs are'} named"
            + (" besides --against or --last" if looks_back else ""),
            "Name one at most" if looks_back else "Name two, or use --against COMMIT or --last N",
        )
    if looks_back:
        pair = from_history(
            runs[0] if runs else "", against=against, last=last, history=history or HISTORY_FILE
        )
    else:
        pair = two_files(*runs)
    result = compare_runs(pair.before, pair.after, threshold=share, anyway=anyway)
    report = check_gates(gates, newest(pair.after.results), result.cases)
    if as_json:
        values = {**result.to_dict(), "gates": report.to_dict()}
        click.echo(json.dumps(values, indent=2))
    elif as_markdown:
        click.echo(markdown(result, pair.before_name, pair.after_name, report), nl=False)
    else:
        print_runs(result, pair.before_name, pair.after_name)
        print_gates(report)
    code = report.exit_code
    if code == 0 and all(case.judgement is None for case in result.cases):
        code = EXIT_NOTHING
    if code:
        sys.exit(code)


def _live(
    case: str, records: int, seconds: float | None, gates: Gates, threshold: float, as_json: bool
) -> int:
    """Measure a case of two trees in turns, and return the exit code."""
    from gidbench.bench import live
    from gidbench.bench.gates import check_live
    from gidbench.bench.suite import OPERATIONS
    from gidbench.bench.trees import present_tree, tree_of
    from gidbench.settings import load_settings
    from gidbench.verdict_table import print_gates, print_live

    operation, _, variant = case.replace("/", " ").strip().partition(" ")
    if operation not in OPERATIONS or not variant:
        raise InputError(f"{case!r} is no case", 'Name one like "generate memory" or "sync initial"')
    here, settings = present_tree(), load_settings()
    there = tree_of(gates.against, here) if gates.against else here
    names = (gates.against or "this tree", "this tree" if gates.against else "this tree, again")
    a, b = (
        live.Side(name, tree, operation, variant, records, 7, settings.batch_size, settings.workers)
        for name, tree in zip(names, (there, here), strict=True)
    )
    with progress_of(quiet=as_json, lines=True) as progress, live.processes(a, b) as start:
        found = live.compare_live(
            start,
            names=names,
            seconds=live.SECONDS if seconds is None else seconds,
            wave=live.wave_for(records),
            threshold=threshold,
            progress=progress,
        )
    report = check_live(gates, f"{operation} {variant}", found.judgement, found.same_output)
    if as_json:
        click.echo(json.dumps({**found.to_dict(), "gates": report.to_dict()}, indent=2))
    else:
        print_live(found)
        print_gates(report)
    return report.exit_code


@click.command()
@click.argument("case", nargs=-1)
@click.option("--last", type=COUNT, default=0, metavar="N", help="The newest N runs only.")
@history_option
@click.option(
    "--threshold",
    type=float,
    default=3.0,
    show_default=True,
    metavar="PCT",
    help="Smaller steps are not told.",
)
@as_json
def history(case: tuple[str, ...], last: int, history: Path | None, threshold: float, as_json: bool) -> None:
    """Show what became of each CASE from run to run (like: generate csv), and where it made a step."""
    from gidbench.bench.history import HISTORY_FILE, catch_up, load_history
    from gidbench.bench.steps import trends
    from gidbench.bench.verdict import check_threshold
    from gidbench.verdict_table import print_runs_of, print_trends

    check_threshold(threshold / 100)
    path = history or HISTORY_FILE
    if path.parent.is_dir():
        catch_up(path)
    known = load_history(path)
    found = trends(known, " ".join(case), threshold=threshold / 100, last=last)
    if not found:
        names = sorted({entry.case for entry in known.entries})
        raise InputError(
            f"the history holds no case {' '.join(case)!r}", f"Use one of {', '.join(names) or 'none yet'}"
        )
    if as_json:
        click.echo(json.dumps([trend.to_dict() for trend in found], indent=2))
        return
    print_trends(found, known.passed_over)
    if len(found) == 1 and found[0].entries:
        print_runs_of(found[0])
