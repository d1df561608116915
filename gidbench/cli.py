"""The command line: parse, call, print. Heavy imports wait until a command needs them."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click
import setproctitle

from gidbench import __version__
from gidbench.cli_batch import batch
from gidbench.cli_bench import bench
from gidbench.cli_common import (
    COUNT,
    EXIT_FAILED,
    as_json,
    batch_size,
    names,
    progress_of,
    seed,
    show,
    workers,
)
from gidbench.cli_compare import compare, history
from gidbench.cli_convert import convert
from gidbench.cli_database import advise, schema
from gidbench.cli_lab import lab
from gidbench.cli_report import report
from gidbench.cli_run import run
from gidbench.cli_tune import tune
from gidbench.errors import GidbenchError, InputError
from gidbench.units import parse_count

EXIT_USAGE, EXIT_INTERRUPTED = 2, 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="gidbench")
def cli() -> None:
    """How fast can this machine and its database generate, process and synchronise a million records?"""


@cli.command()
@click.option("--records", type=COUNT, help="How many (default: what the spec says).")
@click.option("--first-row", type=COUNT, default=0, help="Begin with this row of the table, from 0.")
@click.option("--spec", type=click.Path(path_type=Path), help="TOML file of the tables to make [employees].")
@click.option("--table", help="Table of the spec [its first].")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="TEXT",
    help='A column in the place of a spec, as "NAME: KIND option=value …"; repeat it.',
)
@click.option(
    "--like", metavar="URL/TABLE", help="Write a spec for the columns of a database's table, and stop."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, allow_dash=True),
    help="File: .csv, .csv.gz, .csv.zst, .parquet, .arrow or .xlsx; - for CSV to standard output.",
)
@click.option("--into", metavar="URL", help="Database; the table of that name takes the rows.")
@click.option("--replace", is_flag=True, help="With --into: empty the table first.")
@click.option("--no-header", is_flag=True, help="CSV without a header row: such slices can be put together.")
@click.option(
    "--guard-formulas", is_flag=True, help="An apostrophe before texts that spreadsheets take for formulas."
)
@click.option("--durable", is_flag=True, help="Wait until the file is on the disk (fsync).")
@names
@seed
@batch_size
@workers
@as_json
def generate(
    seed: int | None,
    columns: tuple[str, ...],
    like: str | None,
    spec: Path | None,
    as_json: bool,
    no_header: bool,
    **options: Any,
) -> None:
    """Make dummy rows: the same seed gives the same bytes, however many workers.

    Employees, or any table by a spec. Prints a digest of the records; `gidbench verify` finds the same one in
    the file or table that they went to.
    """
    from gidbench import operations
    from gidbench.specs.parsing import columns_from_shorthand

    if like is not None:
        _write_spec(like, options["out"])
        return
    if columns and spec:
        raise InputError("both a spec and columns are given", "Choose one of --spec and --column")
    known = columns_from_shorthand(columns, options.pop("table") or "table") if columns else spec
    to_output = str(options["out"]) == "-"
    with progress_of(quiet=as_json) as progress:
        result = operations.generate(
            seed=seed or 0, spec=known, header=not no_header, progress=progress, **options
        )
    show(result, as_json, to_error=to_output)


def _write_spec(like: str, out: Path | None) -> None:
    from gidbench.files.atomic import write_text
    from gidbench.specs.rendering import to_toml
    from gidbench.stores.describe import describe_table

    found = describe_table(like)
    text = to_toml(found.spec, found.notes)
    if out is None or str(out) == "-":
        click.echo(text, nl=False)
    else:
        write_text(out, text)


@cli.command()
@click.argument("source")
@click.option("--expect", metavar="DIGEST", help="Fail unless the digest is this one.")
@workers
@as_json
def verify(source: str, as_json: bool, **options: Any) -> None:
    """Digest the records of SOURCE, a file or URL/TABLE: equal digests, equal records."""
    from gidbench import operations

    with progress_of(quiet=as_json) as progress:
        result = operations.verify(source, progress=progress, **options)
    show(result, as_json)


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--into", metavar="URL", required=True, help="Database whose table global_id_file takes the people."
)
@click.option(
    "--rejects", type=click.Path(path_type=Path), help="CSV of what was not accepted [FILE.rejects.csv]."
)
@click.option(
    "--max-rejects",
    metavar="N|P%",
    help="Stop, with exit code 1 and nothing kept but the rejects, when more are rejected.",
)
@click.option("--records", metavar="FIRST:LAST", help="Take in these records only, counted from 1.")
@click.option("--commit-every", type=COUNT, help="Keep every so many records by themselves.")
@click.option("--resume", is_flag=True, help="Go on behind the records of FILE that are kept already.")
@names
@workers
@as_json
def process(file: Path, records: str | None, as_json: bool, **options: Any) -> None:
    """Take in a CSV or Excel FILE of people; all of it is kept, or nothing."""
    from gidbench import operations

    first, last = _range(records)
    with progress_of(quiet=as_json) as progress:
        result = operations.process(file, first_record=first, last_record=last, progress=progress, **options)
    show(result, as_json)


def _range(text: str | None) -> tuple[int, int | None]:
    """Numbers of the first and the last record, None for an open end; either side may be left out."""
    first, colon, last = (text or ":").partition(":")
    if not colon:
        raise InputError(f"{text!r} is no range of records", "Write it like 1001:2000, 1001: or :2000")
    return parse_count(first) if first.strip() else 1, parse_count(last) if last.strip() else None


@cli.command()
@click.option("--source", metavar="URL", required=True, help="Database with the table employee.")
@click.option("--target", metavar="URL", help="Database with the table global_id (default: the source).")
@click.option(
    "--mode",
    type=click.Choice(["auto", "server", "stream"]),
    default="auto",
    help="server: statements within one database; stream: between any two; auto: what is possible.",
)
@click.option(
    "--incremental", is_flag=True, help="Read only what has changed since the last incremental run, if any."
)
@click.option("--dry-run", is_flag=True, help="Count what would become of the rows; change nothing.")
@click.option("--verify", is_flag=True, help="Compare every row afterwards; exit code 4 where any differs.")
@click.option(
    "--lock-timeout",
    "lock_timeout_s",
    type=float,
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for another run on the same target.",
)
@click.option(
    "--conflicts", type=click.Path(path_type=Path), help="CSV file for the ids of conflicting rows."
)
@names
@workers
@as_json
def sync(source: str, target: str | None, conflicts: Path | None, as_json: bool, **options: Any) -> None:
    """Make global_id agree with employee, in one transaction."""
    from gidbench import operations
    from gidbench.files.writers import check_destination, write_file

    if conflicts:
        check_destination(conflicts)
    with progress_of(quiet=as_json) as progress:
        result = operations.sync(source, target, progress=progress, **options)
    if conflicts and result.conflicts is not None:
        write_file(conflicts, result.conflicts.to_batches(), result.conflicts.schema)
    show(result, as_json)


@cli.command()
@click.option("--database", metavar="URL", help="Database to check (default: DATABASE_URL).")
@click.option("--production", is_flag=True, help="Walk the checklist for production use, too.")
@as_json
def doctor(database: str | None, production: bool, as_json: bool) -> None:
    """Check this machine, its drivers and its database; say how to mend what is wrong."""
    from gidbench import doctor as checkup
    from gidbench.terminal import print_checks

    checks = checkup.examine(database, production=production)
    if as_json:
        click.echo(json.dumps([check.to_dict() for check in checks], indent=2))
    else:
        print_checks(checks)
    if any(check.state == "bad" for check in checks):
        sys.exit(EXIT_FAILED)


for command in (run, lab, batch, convert, bench, compare, history, tune, report, schema, advise):
    cli.add_command(command)


def _terminate(*_: object) -> None:
    raise KeyboardInterrupt


def _hide_passwords() -> None:
    """Take the passwords of URLs out of the command line that every user of the machine may list."""
    from gidbench.log import redact

    given = ["gidbench", *sys.argv[1:]]
    shown = [redact(argument) for argument in given]
    if shown != given:
        setproctitle.setproctitle(" ".join(shown))


def _interrupted() -> NoReturn:
    # asyncio would tell at the very end of a task that the interrupt left behind in a notebook's client
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    click.echo("gidbench: interrupted; nothing half-done was kept.", err=True)
    sys.exit(EXIT_INTERRUPTED)


def main(arguments: list[str] | None = None) -> None:
    """Entry point: every foreseen error is one line and an exit code, never a traceback."""
    from gidbench.log import log_to_file, redact

    if arguments is None:
        _hide_passwords()
    with contextlib.suppress(ValueError):  # not the main thread
        signal.signal(signal.SIGTERM, _terminate)
    command: Callable[..., Any] = cli
    asked_for_help = {"-h", "--help", "--version"} & set(arguments if arguments is not None else sys.argv[1:])
    handler = None if asked_for_help else log_to_file(Path.cwd())
    try:
        command(arguments, prog_name="gidbench", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else str(error), err=True)
        sys.exit(EXIT_USAGE)
    except click.ClickException as error:
        click.echo(f"gidbench: {redact(error.format_message())}", err=True)
        sys.exit(EXIT_USAGE)
    except GidbenchError as error:
        click.echo(f"gidbench: {redact(str(error))}", err=True)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _interrupted()
    except BrokenPipeError:  # the reader of standard output has enough; what is left must not be flushed
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_FAILED)
    except Exception as error:  # a fault of ours: the log has the traceback, the reader a sentence
        if (
            str(error) == "Query interrupted"
        ):  # Ctrl-C while DuckDB runs a statement comes as this RuntimeError
            _interrupted()
        logging.getLogger("gidbench").exception("unforeseen error")
        where = "gid_system.log has the details" if handler else "run it in a writable folder for a log"
        click.echo(f"gidbench: unforeseen {type(error).__name__}; {where}. Please report it.", err=True)
        sys.exit(EXIT_FAILED)
    finally:
        if handler:
            logging.getLogger("gidbench").removeHandler(handler)
            handler.close()


if __name__ == "__main__":
    main()
