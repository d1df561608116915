"""`gidbench lab`: JupyterLab on the notebooks."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gidbench import __version__
from gidbench.errors import InputError

if TYPE_CHECKING:
    from gidbench.lab import Copied

_ALL_ADDRESSES = ("", "0.0.0.0", "::", "*")


@click.command()
@click.argument("notebook", required=False)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to keep the notebooks [./gidbench-notebooks; in a clone its own].",
)
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.option("--port", type=int, help="Port to listen on [8888, or the next free one].")
@click.option("--ip", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all.")
@click.option("--database", metavar="URL", help="Database of the notebooks (default: DATABASE_URL).")
def lab(
    notebook: str | None,
    folder: Path | None,
    no_browser: bool,
    port: int | None,
    ip: str,
    database: str | None,
) -> None:
    """Open JupyterLab on the notebooks, NOTEBOOK first (like: generate) [00_overview].

    The notebooks are copied to a folder of yours. What you changed there stays: a newer notebook goes beside it.
    Ctrl-C ends the lab and everything that runs in it. Nothing leaves this machine.
    """
    from gidbench import lab as server
    from gidbench import notebooks

    opened = _name(notebook)
    if database is not None:
        from gidbench.stores.opening import parse_url

        parse_url(database)
        os.environ["DATABASE_URL"] = database
    place = server.place_for(folder)
    server.check_port("0.0.0.0" if ip in _ALL_ADDRESSES else ip, port or 0)  # before anything is copied
    for copied in server.copy_notebooks(place.folder, __version__):
        _tell(copied)
    if opened is None:
        opened = notebooks.OVERVIEW
    server.serve(
        place,
        opened,
        ip="0.0.0.0" if ip in _ALL_ADDRESSES else ip,
        port=port,
        browser=not no_browser,
        ready=lambda address: _show(address, place.folder, ip),
    )
    click.echo("gidbench: the lab has ended.", err=True)


def _name(notebook: str | None) -> str | None:
    from gidbench import notebooks

    if notebook is None:
        return None
    found = notebooks.find(notebook)
    if found.parent != notebooks.folder():
        raise InputError(f"{notebook} is none of the notebooks", f"Name one of {', '.join(notebooks.ALL)}")
    return found.stem


def _tell(copied: Copied) -> None:
    words = {
        "new": f"{copied.path.name}: copied",
        "updated": f"{copied.path.name}: replaced by a newer one (you had not changed it)",
        "beside": f"{copied.name}.ipynb: yours stays; the newer one is {copied.path.name}",
    }
    click.echo(words[copied.state])


def _show(address: str, folder: Path, ip: str) -> None:
    from gidbench.terminal import near

    click.echo(f"JupyterLab on {near(folder)} (Ctrl-C ends it):\n  {address}")
    if ip in _ALL_ADDRESSES:
        click.echo(f"  from elsewhere {socket.gethostname()} in the place of the address")
