"""`gidbench batch`: notebooks with parameters and sweeps, for CI."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gidbench.cli_common import progress_of
from gidbench.cli_compare import against_option, enforce, gate_options, gates_of

if TYPE_CHECKING:
    from gidbench.batch_outcome import Ran


@click.command()
@click.argument("notebooks", nargs=-1, required=True, metavar="NOTEBOOK…")
@click.option(
    "-p", "parameters", type=(str, str), multiple=True, metavar="NAME VALUE", help="Notebook parameter."
)
@click.option(
    "-f",
    "files",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE.yml",
    help="Parameters, a line `name: value` each; -p comes before them.",
)
@click.option(
    "--sweep",
    multiple=True,
    metavar="NAME=A,B …",
    help="Try several values; of several names every combination: --sweep records=1e5,1e6 workers=1,2.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="New folder of the batch (default: reports/<UTC time>)."
)
@click.option("--html", is_flag=True, help="Each notebook as a page, too.")
@click.option("--fail-fast", is_flag=True, help="End with the first notebook that fails.")
@gate_options
@against_option
def batch(
    notebooks: tuple[str, ...],
    parameters: tuple[tuple[str, str], ...],
    files: tuple[Path, ...],
    sweep: tuple[str, ...],
    against: str | None,
    out: Path | None,
    html: bool,
    fail_fast: bool,
    **options: Any,
) -> None:
    """Execute notebooks headless, one after the other: those of gidbench by name (01_generate or generate), any others
    by path.

    Parameters are checked before anything runs. Each combination of what is swept has its own folder, with its results
    and its report; index.html shows all of them, summary.md is for a CI's summary, batch.json for machines.
    """
    from gidbench.batch import run_batch
    from gidbench.batch_plan import Given, load_values, parse_sweep
    from gidbench.terminal import near

    names, more = _apart(notebooks, bool(sweep))
    gates = gates_of(options, against)
    given = Given(dict(parameters), load_values(files), parse_sweep([*sweep, *more]))
    with progress_of() as progress:
        outcome = run_batch(
            names,
            given,
            out=out,
            html=html,
            fail_fast=fail_fast,
            command=_command(names, given, html=html, fail_fast=fail_fast),
            told=_tell,
            progress=progress,
        )
    code = outcome.exit_code
    for run in outcome.runs() if gates.any else ():
        if run.folder != outcome.folder:
            click.echo(f"gates of {run.folder.name}:")
        gate_code = enforce(gates, run)
        code = code or gate_code
    click.echo(f"index: {near(outcome.index)}")
    if code:
        sys.exit(code)


def _apart(words: tuple[str, ...], sweeps: bool) -> tuple[list[str], list[str]]:
    """Notebooks, and what follows a --sweep: `workers=1,2` is the name of no notebook."""
    more = [word for word in words if sweeps and "=" in word and not Path(word).exists()]
    return [word for word in words if word not in more], more


def _tell(number: int, total: int, ran: Ran) -> None:
    """One line, fit for the log of a CI."""
    from gidbench.batch_summary import outcome_of
    from gidbench.batch_texts import first_sentence
    from gidbench.units import format_seconds

    chosen = ", ".join(f"{name}={value}" for name, value in ran.step.shown.items())
    said = ran.error or ran.headline or first_sentence(ran.answer, 100)
    words = [
        f"[{number}/{total}]",
        f"{ran.started_at[11:19]}Z",
        ran.step.name,
        f"({chosen})" if chosen else "",
        outcome_of(ran),
        f"in {format_seconds(ran.wall_s)}" + (":" if said else ""),
        said,
    ]
    click.echo(" ".join(filter(None, words)))


def _command(names: list[str], given: Any, *, html: bool, fail_fast: bool) -> str:
    """The line of the shell that repeats the batch, without a password."""
    from gidbench.log import redact

    words = ["gidbench", "batch", *names]
    for name, value in {**given.values, **given.texts}.items():
        words += ["-p", name, str(value).lower() if isinstance(value, bool) else str(value)]
    for name, values in given.sweep.items():
        mark = ";" if any("," in value for value in values) else ","
        words += ["--sweep", f"{name}={mark.join(values)}"]
    words += [*(["--html"] if html else []), *(["--fail-fast"] if fail_fast else [])]
    return redact(shlex.join(words))
