"""`gidbench bench`: comparisons with other tools and with the limits of the machine."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gidbench.cli_common import COUNT, EXIT_FAILED, as_json, progress_of, seed, workers
from gidbench.errors import InputError

if TYPE_CHECKING:
    from gidbench.bench.comparison import Comparison

_SCALED = ("rounds", "seed", "workers", "database", "scratch", "out")  # options that --scale looks at, too


@click.group()
def bench() -> None:
    """Comparisons with other tools and with the limits of the machine."""


def _bars(
    records: int | None, huge: str, shown: str | bool = True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The options of a comparison."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in (
            as_json,
            workers,
            seed,
            click.option(
                "--scratch", type=click.Path(path_type=Path), help="Folder for the files [the system's]."
            ),
            click.option("--huge", is_flag=True, help=huge),
            click.option(
                "--scale",
                metavar="LOW..HIGH",
                help="In place of the bars: how time and memory grow from LOW to HIGH records, as in 1e4..1e7, each"
                " time in a fresh process, and what several workers gain.",
            ),
            click.option("--workers-scale", is_flag=True, help="Only what several workers gain over one."),
            click.option(
                "--figure",
                type=click.Path(path_type=Path, dir_okay=False),
                metavar="FILE.svg",
                help="With --scale: draw it.",
            ),
            click.option(
                "--out",
                type=click.Path(path_type=Path, file_okay=False),
                help="With --scale or --workers-scale: keep it in the results of this folder, for `gidbench report`.",
            ),
            click.option(
                "--peers", is_flag=True, help='Other libraries, too (pip install "gidbench[peers]").'
            ),
            click.option("--rounds", type=COUNT, default=5, show_default=True, help="Timed rounds."),
            click.option(
                "--records", type=COUNT, default=records, show_default=shown, help="Records per round."
            ),
        ):
            command = option(command)
        return command

    return decorate


@bench.command("generate")
@_bars(1_000_000, "100 million records to CSV, too: memory and time per record.")
def bench_generate(**options: Any) -> None:
    """How fast rows are made, against bars, peers and the bandwidth of memory and disk."""
    from gidbench.bench.generation_bars import compare_generation

    _compare("generate", compare_generation, **options)


@bench.command("process")
@_bars(5_000_000, "100 million records (13 GB), too: memory and time per record.")
def bench_process(**options: Any) -> None:
    """How fast files are taken in and converted, against bars and peers that only read them."""
    from gidbench.bench.processing_bars import compare_processing

    _compare("process", compare_processing, **options)


@bench.command("sync")
@_bars(None, "Loads of 2 million records, too: memory.", "1,000,000; 200,000 with --database")
@click.option("--database", metavar="URL", help="SQL Server to measure, whose tables are empty [embedded].")
def bench_sync(**options: Any) -> None:
    """How fast rows are loaded and synchronised, against bars, peers and the server's own statements."""
    from gidbench.bench.sync_bars import compare_synchronising

    _compare("sync", compare_synchronising, **options)


@bench.command("harness")
@click.option("--records", type=COUNT, default=1_000_000, show_default=True, help="Records per call.")
@click.option("--rounds", type=COUNT, default=5, show_default=True, help="Rounds of 50 pairs of calls.")
@seed
@workers
@as_json
def bench_harness(**options: Any) -> None:
    """What measuring itself costs: generation with the sampler at work, and without, in turns."""
    from gidbench.bench.overhead import measure_harness

    _tell(measure_harness, **options)


def _compare(
    operation: str,
    compare: Callable[..., Comparison],
    seed: int | None,
    as_json: bool,
    scale: str | None,
    workers_scale: bool,
    figure: Path | None,
    out: Path | None,
    **options: Any,
) -> None:
    chosen = 7 if seed is None else seed
    if scale is not None or workers_scale:
        _scale(operation, scale, figure, as_json, seed=chosen, out=out, **options)
        return
    if figure is not None:
        raise InputError("there is a figure of --scale only", "Say --scale 1e4..1e7, or leave --figure out")
    if out is not None:
        raise InputError(
            "only growth is kept in result files",
            "Say --scale 1e4..1e7, or leave --out out (--json prints all)",
        )
    _tell(compare, chosen, as_json, **options)


def _tell(compare: Callable[..., Comparison], seed: int | None, as_json: bool, **options: Any) -> None:
    from gidbench.comparison_table import print_comparison

    with progress_of(quiet=as_json, lines=True) as progress:
        result = compare(seed=7 if seed is None else seed, progress=progress, **options)
    if as_json:
        click.echo(json.dumps(result.to_dict(), indent=2))
    else:
        print_comparison(result)
    if result.failures:
        sys.exit(EXIT_FAILED)


def _scale(operation: str, text: str | None, figure: Path | None, as_json: bool, **options: Any) -> None:
    from gidbench.bench.recording import scale
    from gidbench.bench.scaling import parse_scale
    from gidbench.scaling_table import print_scaling

    sizes = parse_scale(text) if text is not None else []
    if figure is not None and not sizes:
        raise InputError("there is a figure of --scale only", "Say --scale 1e4..1e7, or leave --figure out")
    known = {name: options[name] for name in _SCALED if name in options}
    with progress_of(quiet=as_json, lines=True) as progress:
        result = scale(operation, text or "", progress=progress, **known)
    if figure is not None and any(growth.measured for growth in result.growths):
        from gidbench.report.scaling_figure import save_scaling

        save_scaling(result, figure)
    if as_json:
        click.echo(json.dumps(result.to_dict(), indent=2))
    else:
        print_scaling(result)
    if sizes and not any(growth.measured for growth in result.growths):
        sys.exit(EXIT_FAILED)
