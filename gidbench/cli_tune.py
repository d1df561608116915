"""`gidbench tune`: which settings are fastest here, and what the rules of thumb say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from gidbench.cli_common import COUNT, as_json, progress_of, seed
from gidbench.errors import InputError
from gidbench.units import parse_count


def _counts(_context: click.Context, _option: click.Parameter, text: str | None) -> list[int]:
    """A number, or several with commas between."""
    try:
        return [parse_count(item) for item in text.split(",")] if text else []
    except InputError as error:
        raise click.BadParameter(str(error)) from None


def _words(_context: click.Context, _option: click.Parameter, text: str | None) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()] if text else []


@click.command()
@click.argument("operation", type=click.Choice(["generate", "process", "sync"]))
@click.option(
    "--database",
    metavar="URL",
    help="Empty database to tune for (default: DATABASE_URL, or memory and an embedded one).",
)
@click.option("--records", type=COUNT, default=1_000_000, show_default=True, help="Of the confirmation.")
@click.option(
    "--budget",
    "budget_s",
    type=float,
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="For all trials together; never more.",
)
@click.option("--batch-size", callback=_counts, metavar="N[,N]", help="Sizes to search; one fixes it.")
@click.option("--workers", callback=_counts, metavar="N[,N]", help="Numbers of workers to search.")
@click.option("--pool-size", callback=_counts, metavar="N[,N]", help="Pool sizes to search (SQL Server).")
@click.option(
    "--strategy", callback=_words, metavar="NAME[,NAME]", help="Write strategies to search (SQL Server)."
)
@click.option(
    "--mode",
    type=click.Choice(["auto", "server", "stream"]),
    default="auto",
    help="Of a synchronisation; auto: both are tried.",
)
@click.option(
    "--apply",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the best settings, if better, to .env or gidbench.toml; its other lines stay.",
)
@click.option(
    "--figure", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.svg", help="Draw the surface."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep it in the results of this folder, for `gidbench report`; made if need be.",
)
@click.option("--scratch", type=click.Path(path_type=Path), help="Folder for the files [the system's].")
@seed
@as_json
def tune(
    operation: str,
    batch_size: list[int],
    workers: list[int],
    pool_size: list[int],
    strategy: list[str],
    figure: Path | None,
    seed: int | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Find the fastest settings for OPERATION on this machine and database, and prove their gain.

    Many choices are tried on few records, the better ones on more, and the best is held against the defaults in
    pairs. Without a proven gain the defaults stay.
    """
    from gidbench.bench.recording import tune as search
    from gidbench.bench.study_words import verdict

    fixed: dict[str, list[Any]] = {
        "batch_size": batch_size,
        "workers": workers,
        "pool_size": pool_size,
        "strategy": strategy,
    }
    with progress_of(quiet=as_json, lines=True) as progress:
        result = search(
            operation, fixed=fixed, seed=7 if seed is None else seed, progress=progress, **options
        )
    from gidbench.tuning_table import print_tuning

    if figure is not None:
        from gidbench.report.tuning_figure import save_surface

        save_surface(result, figure, verdict(result))
    if as_json:
        click.echo(json.dumps({**result.to_dict(), "verdict": verdict(result)}, indent=2))
    else:
        print_tuning(result)
