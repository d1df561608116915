"""`gidbench convert`, and the options of commands that read files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gidbench.cli_common import COUNT, as_json, progress_of, show, workers

F = TypeVar("F", bound=Callable[..., Any])
_MARKS = {
    "tab": "\t",
    "\\t": "\t",
    "space": " ",
    "comma": ",",
    "semicolon": ";",
    "pipe": "|",
    "colon": ":",
    "none": "",
}


def _mark(text: str) -> str:
    """One character, or the name of one."""
    return _MARKS.get(text.lower(), text)


class _Header(click.ParamType[int]):
    """Rows of a header, or none; `auto` is what is not said."""

    name = "rows"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        text = str(value).lower()
        if text == "auto":
            return -1
        if text == "none":
            return 0
        try:
            return COUNT.convert(text, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r} is neither a number of rows, none nor auto", param, ctx)


_LIMITS = (
    ("max-rows", "Rows of a table"),
    ("max-columns", "Columns of a table"),
    ("max-field-bytes", "Bytes of one value"),
    ("max-inflated-bytes", "Bytes that a compressed file or a part of a workbook may hold"),
    ("max-inflate-ratio", "Inflated bytes for each compressed one"),
    ("max-shared-strings", "Shared strings of a workbook"),
    ("max-blank-cells", "Cells within a sheet's corners that are not in the file"),
)


def reading(command: F) -> F:
    """The options that say how a file is to be read."""
    options = [
        click.option(
            "--sheet", metavar="NAME|N", help="Sheet of a workbook, by name or else by number from 1."
        ),
        click.option(
            "--delimiter", type=_mark, metavar="CHARACTER", help="Between fields: a character, tab, space …"
        ),
        click.option("--quote", type=_mark, metavar="CHARACTER", help="Around fields: \" or ', or none."),
        click.option(
            "--escape", type=_mark, metavar="CHARACTER", help="Before a quote inside a field, or none."
        ),
        click.option("--encoding", help="Such as utf-8, utf-16 or cp1252."),
        click.option("--header", type=_Header(), metavar="N|none|auto", help="Rows of the header [auto]."),
        *(
            click.option(f"--{name}", type=COUNT, help=f"{what}, at most (GIDBENCH_{_variable(name)}).")
            for name, what in _LIMITS
        ),
        click.option("--links", is_flag=True, help="Read symbolic links, devices and pipes, too."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")


@click.command()
@click.argument("source", type=click.Path(path_type=Path, allow_dash=True))
@click.argument("destination", metavar="DEST", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--types",
    type=click.Choice(["text", "infer"]),
    default="text",
    show_default=True,
    help="Leave values as text, or find numbers, dates, moments and truth values.",
)
@click.option(
    "--malformed", type=click.Path(path_type=Path), help="CSV of what cannot be placed [DEST.malformed.csv]."
)
@reading
@click.option("--quiet", is_flag=True, help="Do not tell what was found out about SOURCE.")
@workers
@as_json
def convert(source: Path, destination: Path, as_json: bool, quiet: bool, **options: Any) -> None:
    """Write any table, SOURCE, as .csv (also .gz, .zst), .parquet, .arrow or .xlsx.

    SOURCE is delimited text of any kind (also .gz, .zst), a workbook, .parquet or .arrow; - is text on standard
    input. No record is dropped: what cannot be placed stands in a list of its own.
    """
    from gidbench import converting
    from gidbench.terminal import print_decisions

    if options["header"] == -1:
        options["header"] = None
    options["links"] = options["links"] or None
    to_output = str(destination) == "-"
    with progress_of(quiet=as_json or quiet) as progress:
        result = converting.convert(source, destination, progress=progress, **options)
    if not (quiet or as_json):
        print_decisions(result.decisions, source)
    for warning in result.warnings:
        click.echo(f"gidbench: warning: {warning}", err=True)
    show(result, as_json, to_error=to_output)
