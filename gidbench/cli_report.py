"""`gidbench report`: the tier report of results, made anew."""

from __future__ import annotations

from pathlib import Path

import click

from gidbench.cli_compare import history_option


@click.command()
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="The file to write; - for standard output (default: report.html or report.md beside the results).",
)
@click.option("--markdown", is_flag=True, help="A short form for a pull request or a job's summary.")
@history_option
def report(results: tuple[Path, ...], out: Path | None, markdown: bool, history: Path | None) -> None:
    """Make the tier report of RESULTS: result files, or folders of runs.

    Several are merged where they are of one machine, the same data and one database: of each operation the newest run
    counts. Where a history or an earlier run lies beside them, the report holds the run against the previous one.
    """
    from gidbench.reporting import report_text, write_report

    if str(out) == "-":
        click.echo(report_text(results, markdown=markdown, history=history), nl=False)
        return
    path = write_report(results, out, markdown=markdown, history=history)
    click.echo(f"report: {path}")
