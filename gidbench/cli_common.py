"""What the commands share: options, progress, and how a result is shown."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from gidbench.errors import InputError
from gidbench.units import parse_count

if TYPE_CHECKING:
    from gidbench.engine import ProgressCallback
    from gidbench.outcome import Outcome
    from gidbench.stores.naming import Names


class _Count(click.ParamType[int]):
    """A whole number as people type it: 1000000, 1_000_000, 1e6, 2.5M."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            return parse_count(str(value))
        except InputError as error:
            self.fail(str(error), param, ctx)


def _names(_context: click.Context, _option: click.Parameter, path: str | None) -> Names:
    from gidbench.stores.naming import OURS, load_names

    return OURS if path is None else load_names(path)


EXIT_FAILED = 4
COUNT = _Count()
names = click.option(
    "--names",
    callback=_names,
    metavar="TOML",
    help='How tables and columns are called: employee = "hr.pegawai", … (default: as here).',
)
workers = click.option(
    "--workers", type=COUNT, help="Threads (default: ULTRA_PARALLEL_WORKERS, or the cores)."
)
batch_size = click.option(
    "--batch-size", type=COUNT, help="Records per batch (default: ULTRA_BATCH_SIZE, or 50000)."
)
seed = click.option("--seed", type=COUNT, help="Of the generated people; the same seed gives the same bytes.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def show(result: Outcome, as_json: bool, *, to_error: bool = False) -> None:
    """Print a result; on standard error where standard output has the records."""
    if as_json:
        click.echo(json.dumps(result.to_dict(), indent=2), err=to_error)
        return
    from gidbench.terminal import print_outcome

    print_outcome(result, to_error=to_error)


@contextlib.contextmanager
def progress_of(*, quiet: bool = False, lines: bool = False) -> Iterator[ProgressCallback | None]:
    """A progress bar on standard error; `lines` in its place where that is no terminal."""
    from gidbench.terminal import progress_bar

    if quiet:
        yield None
        return
    with progress_bar(lines=lines) as callback:
        yield callback
