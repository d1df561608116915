"""Commands about a database itself: `schema` and `advise`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from gidbench.cli_common import as_json, names

if TYPE_CHECKING:
    from gidbench.stores.naming import Names

_database = click.option("--database", metavar="URL", help="Database (default: DATABASE_URL).")


@click.group()
def schema() -> None:
    """The tables, keys and indexes of gidbench in a database."""


@schema.command("create")
@_database
@names
@as_json
def create(database: str | None, names: Names, as_json: bool) -> None:
    """Make what is missing; tables that are there are left alone, and must have columns that fit."""
    from gidbench import administration
    from gidbench.terminal import print_checks

    report = administration.create_schema(database, names=names)
    if as_json:
        click.echo(json.dumps(report.to_dict(), indent=2))
    else:
        print_checks(report.checks())


@schema.command("show")
@_database
@names
def show(database: str | None, names: Names) -> None:
    """Print the SQL that makes every table, to be run by somebody who may; nothing is connected to."""
    from gidbench import administration

    click.echo(administration.schema_sql(database, names=names), nl=False)


@click.command()
@_database
@click.option(
    "--table", default="employee", show_default=True, help="One of ours, or [[DATABASE.]SCHEMA.]TABLE."
)
@names
@as_json
def advise(database: str | None, table: str, names: Names, as_json: bool) -> None:
    """What makes a load into a table of a SQL Server minimally logged, and what of it is lacking."""
    from gidbench import administration
    from gidbench.findings import Check
    from gidbench.terminal import print_checks

    found = administration.advise(database, table=table, names=names)
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=2))
        return
    verdict = (
        Check("a load", "good", f"into {found.table} can be minimally logged")
        if found.minimal
        else Check("a load", "note", f"into {found.table} logs rows in full", "See what hinders it above")
    )
    print_checks([*found.findings, verdict])
