"""JupyterLab on the notebooks: copies that stay the user's, this interpreter as kernel, nothing sent anywhere."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import logging
import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil

from gidbench import notebooks
from gidbench.bench.folders import make_folder
from gidbench.errors import GidbenchError, InputError
from gidbench.files.atomic import replacing, write_text
from gidbench.parameters import read_notebook
from gidbench.widgets.markup import NOTEBOOKS

COPIES = "gidbench-notebooks"
MANIFEST = ".gidbench-notebooks.json"
_PATIENCE_S = 2.0
_NEWS = "@jupyterlab/apputils-extension:announcements"
_SOURCES = ("cell_type", "source")


@dataclass(frozen=True)
class Place:
    """Where the lab works: `root` is what it shows and where kernels run, `folder` in it holds the notebooks."""

    root: Path
    folder: Path


@dataclass(frozen=True)
class Copied:
    """What became of one notebook: "new", "updated" or "beside" (the user's own stays, `path` is the newer one)."""

    name: str
    state: str
    path: Path


def place_for(folder: Path | None) -> Place:
    """Where to work: the folder named; in a clone its own notebooks; else copies in a folder of the working folder.

    Kernels run where the reports of `gidbench run` go, too, so that the lab and the command line share them.
    """
    here, own = Path.cwd(), notebooks.folder()
    if folder is not None:
        return Place(folder.resolve(), folder.resolve())
    clone = own.parent
    if own.name == "notebooks" and (clone / "pyproject.toml").is_file() and here.is_relative_to(clone):
        return Place(clone, own)
    return Place(here, here / COPIES)


def copy_notebooks(folder: Path, version: str) -> list[Copied]:
    """Bring the package's notebooks into a folder, and tell what was done; where all is up to date, nothing.

    A copy that nobody has touched is replaced by a newer one. One that was changed or run stays as it is, and the newer
    one goes beside it, once, under a name with the version. Raises InputError where the folder can't be written.
    """
    if folder == notebooks.folder():
        return []
    make_folder(folder, remedy="Name another one by --folder")
    known, done = _known(folder), []
    for name in notebooks.ALL:
        content = notebooks.path_of(name).read_bytes()
        newest = hashlib.sha256(content).hexdigest()
        entry = known.setdefault(name, {})
        found = _bring(folder, name, content, entry, version)
        if found is not None:
            done.append(found)
        entry["offered"] = newest
    if done or not (folder / MANIFEST).is_file():
        write_text(folder / MANIFEST, json.dumps({"version": 1, "notebooks": known}, indent=2) + "\n")
    return done


def _known(folder: Path) -> dict[str, dict[str, str]]:
    """By notebook: hash of the copy that was made, and of the package's that was offered last."""
    try:
        found = json.loads((folder / MANIFEST).read_text("utf-8"))["notebooks"]
        return {str(name): dict(entry) for name, entry in found.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _bring(folder: Path, name: str, content: bytes, entry: dict[str, str], version: str) -> Copied | None:
    path, newest = folder / f"{name}.ipynb", hashlib.sha256(content).hexdigest()
    if not path.exists():
        _write(path, content)
        entry["copied"] = newest
        return Copied(name, "new", path)
    mine = path.read_bytes()
    if mine == content:
        entry["copied"] = newest
        return None
    if hashlib.sha256(mine).hexdigest() == entry.get("copied"):
        _write(path, content)
        entry["copied"] = newest
        return Copied(name, "updated", path)
    if entry.get("offered") == newest or _sources(path) == _sources(notebooks.path_of(name)):
        return None
    beside = folder / f"{name}-{version}.ipynb"
    number = 2
    while beside.exists() and beside.read_bytes() != content:
        beside = folder / f"{name}-{version}-{number}.ipynb"
        number += 1
    _write(beside, content)
    return Copied(name, "beside", beside)


def _write(path: Path, content: bytes) -> None:
    with replacing(path) as beside:
        beside.write_bytes(content)


def _sources(path: Path) -> list[list[Any]] | None:
    """What is written in the cells: running a notebook does not change it."""
    try:
        cells = read_notebook(path)["cells"]
    except InputError:
        return None
    return [
        ["".join(value) if isinstance(value := cell.get(key), list) else value for key in _SOURCES]
        for cell in cells
    ]


def check_port(ip: str, port: int) -> None:
    """Raise InputError where no server can listen there."""
    if not 0 <= port <= 65_535:
        raise InputError(f"{port} is no port", "Use 1024 to 65535, or leave --port out")
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    try:
        socket.getaddrinfo(ip, port, family)
        with socket.create_server((ip, port), family=family):
            pass
    except OSError as error:
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            raise InputError(
                f"{ip} is no address of this machine", "Use 127.0.0.1, or 0.0.0.0 for all"
            ) from None
        why = (error.strerror or str(error)).partition(" (")[0]
        raise InputError(
            f"port {port} of {ip} cannot be used ({why})", "Choose another by --port, or leave it out"
        ) from None


def serve(
    place: Place, opened: str, *, ip: str, port: int | None, browser: bool, ready: Callable[[str], None]
) -> None:
    """Run JupyterLab until Ctrl-C or SIGTERM, which end its kernels, too.

    Parameters
    ----------
    opened:
        Name of the notebook to begin with.
    port:
        None: 8888, or the next one that is free.
    ready:
        Called with the address, token included, once it answers.

    Raises
    ------
    InputError where it cannot listen there; GidbenchError without JupyterLab.
    """
    check_port(ip, port or 0)
    try:
        from jupyterlab.labapp import LabApp
    except ImportError as error:
        raise GidbenchError(
            f"JupyterLab cannot be loaded ({error.name} is missing)",
            "Install it: python -m pip install jupyterlab",
        ) from error
    from gidbench.kernel import search_path

    os.environ["PYTHONPATH"] = search_path()  # for the kernels
    os.environ[NOTEBOOKS] = str(place.folder)
    start = quote((place.folder / f"{opened}.ipynb").relative_to(place.root).as_posix())
    token = os.environ.get("JUPYTER_TOKEN") or secrets.token_hex(24)
    # what parts of Jupyter tell each other, like that a name is an old one, is nothing for who opens a notebook
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").addHandler(logging.NullHandler())
    server = LabApp.initialize_server(
        argv=[], config=_config(place, f"/lab/tree/{start}", token, ip, port, browser)
    )
    server.web_app.settings["page_config_hook"] = _without_news
    server.log.addFilter(_is_news)
    address = f"{server.connection_url.rstrip('/')}/lab/tree/{start}?token={token}"
    server.io_loop.add_callback(ready, address)
    try:
        server.start()
    finally:
        _end_children()


def _end_children() -> None:
    """Jupyter leaves a kernel that was just starting, and what a kernel that it killed was measuring with."""
    left = psutil.Process().children(recursive=True)
    for end in (psutil.Process.terminate, psutil.Process.kill):
        for process in left:
            with contextlib.suppress(psutil.Error):
                end(process)
        _, left = psutil.wait_procs(left, timeout=_PATIENCE_S)


def _without_news(_handler: Any, page: dict[str, Any]) -> dict[str, Any]:
    """Not even the question whether one wants to be told of news."""
    return {**page, "disabledExtensions": [*page.get("disabledExtensions", ()), _NEWS]}


def _is_news(record: logging.LogRecord) -> bool:
    """That it stops after it was asked to stop is none."""
    return record.levelno < logging.CRITICAL or "top" not in str(record.msg)


def _config(place: Place, start: str, token: str, ip: str, port: int | None, browser: bool) -> Any:
    from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
    from traitlets.config import Config

    from gidbench.kernel import OwnKernelSpecs

    class Kernels(AsyncMappingKernelManager):
        """Our notebooks run where the reports go, all others where they lie."""

        def cwd_for_path(self, path: str, **options: Any) -> str:
            found = str(super().cwd_for_path(path, **options))  # type: ignore[no-untyped-call]
            return str(place.root) if Path(found) == place.folder else found

    server: dict[str, Any] = {
        "root_dir": str(place.root),
        "ip": ip,
        "open_browser": browser,
        "answer_yes": True,  # Ctrl-C means it
        "allow_root": True,  # in a container everybody is
        "kernel_manager_class": Kernels,
        "kernel_spec_manager_class": OwnKernelSpecs,
        "log_level": logging.ERROR,
    }
    if port is not None:
        server |= {"port": port, "port_retries": 0}
    return Config(
        {
            "ServerApp": server,
            "IdentityProvider": {"token": token},
            "LabApp": {
                "default_url": start,
                "log_level": logging.ERROR,
                # nothing leaves this machine: no news, no look for updates, no list of extensions
                "news_url": None,
                "check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
                "extension_manager": "readonly",
            },
        }
    )
