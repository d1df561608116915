"""`gidbench run`: the main job, and the one command that every line of `Request.command` is for."""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gidbench.cli_common import COUNT, EXIT_FAILED, batch_size, progress_of, seed, workers
from gidbench.cli_compare import against_option, enforce, gate_options, gates_of

if TYPE_CHECKING:
    from gidbench.bench.request import Request


@click.command()
@click.option("--records", type=COUNT, default=1_000_000, show_default=True, help="Records per round.")
@click.option(
    "--processes", type=COUNT, default=0, help="Fresh processes, one after the other (default: 3 or more)."
)
@click.option(
    "--rounds",
    type=COUNT,
    default=0,
    help="Timed rounds per case in each process (default: until the interval is narrow, or 18 s are over).",
)
@click.option(
    "--operations",
    multiple=True,
    metavar="NAME",
    help="generate, process or sync; repeat it or separate names by commas (default: all).",
)
@click.option(
    "--database", metavar="URL", help="Empty database to measure (default: DATABASE_URL, or embedded)."
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="New folder of the run (default: reports/<UTC time>)."
)
@click.option(
    "-p", "parameters", type=(str, str), multiple=True, metavar="NAME VALUE", help="Notebook parameter."
)
@click.option(
    "--cases",
    default="",
    metavar="NAME[,NAME]",
    help="Which of them: memory, csv, parquet, database; csv, xlsx; initial, unchanged (default: all).",
)
@click.option(
    "--source",
    default="",
    metavar="FILE",
    help="A file of your own that process takes in, as a case by itself.",
)
@click.option(
    "--pool-size", type=COUNT, help="Database connections (default: ULTRA_CONNECTION_POOL_SIZE, or 20)."
)
@click.option(
    "--strategy",
    metavar="NAME",
    help="How rows are written to SQL Server (default: GIDBENCH_WRITE_STRATEGY, or auto).",
)
@gate_options
@against_option
@click.option("--peers", is_flag=True, help='Other tools, too, as cases (pip install "gidbench[peers]").')
@seed
@batch_size
@workers
def run(
    parameters: tuple[tuple[str, str], ...], against: str | None, out: Path | None, **options: Any
) -> None:
    """Measure everything, and write the tier report (notebooks, results.jsonl, report.html)."""
    from gidbench import running
    from gidbench.terminal import print_run

    gates = gates_of(options, against)
    request = requested(options)
    with progress_of(lines=True) as progress:
        outcome = running.carry_out(request, out=out, parameters=dict(parameters), progress=progress)
    print_run(outcome)
    if code := enforce(gates, outcome) or (EXIT_FAILED if outcome.failed else 0):
        sys.exit(code)


def requested(options: dict[str, Any]) -> Request:
    """What the options ask for. Raises InputError where they do not go together."""
    from gidbench.bench.request import Request

    given = {field.name: options[field.name] for field in fields(Request)}
    return Request.asked(**{**given, "operations": ",".join(given["operations"])})
