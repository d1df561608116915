"""Who looks on: whether there is anybody to press a button, which cell is run, where a file can be opened."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gidbench.bench.progress_file import VARIABLE
from gidbench.widgets.markup import HEADLESS


def in_batch() -> bool:
    """Whether gidbench itself executes this notebook."""
    return bool(os.environ.get(HEADLESS) or os.environ.get(VARIABLE))


def is_headless() -> bool:
    """Whether a batch runs this, so that a widget would be dead from the start.

    Papermill and nbconvert allow no input, as notebooks of people do; nor does Voila, which names itself.
    """
    if in_batch():
        return True
    kernel = getattr(_shell(), "kernel", None)
    if kernel is None or os.environ.get("SERVER_SOFTWARE", "").lower().startswith("voila"):
        return False
    return not getattr(kernel, "_allow_stdin", True)


def cell() -> str:
    """What identifies the cell that is run, the same when it is run again; empty where nobody says."""
    try:
        metadata = _shell().get_parent().get("metadata", {})
    except (AttributeError, LookupError):
        return ""
    return str(metadata.get("cellId") or metadata.get("cell_id") or "")


def tells_of_views() -> bool:
    """Whether views are taken away only when a cell's output is; VS Code may do so for cells out of sight."""
    return "VSCODE_PID" not in os.environ


def _shell() -> Any:
    import sys

    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython

    return get_ipython()


def link_to(path: Path) -> str:
    """Where the Jupyter server that started this kernel serves a file; empty where it does not, or nobody knows."""
    server = _server()
    if not server:
        return ""
    root = Path(str(server.get("root_dir") or server.get("notebook_dir") or "")).resolve()
    try:
        inside = path.resolve().relative_to(root)
    except ValueError:
        return ""
    if any(part.startswith(".") for part in inside.parts):  # not served
        return ""
    return f"{server.get('base_url', '/')}files/{quote(inside.as_posix())}"


def _server() -> dict[str, Any]:
    """What the server says of itself in its runtime folder; kernels know its process by JPY_PARENT_PID."""
    pid = os.environ.get("JPY_PARENT_PID", "")
    if not pid.isdecimal() or os.environ.get("SERVER_SOFTWARE", "").lower().startswith("voila"):
        return {}
    from jupyter_core.paths import jupyter_runtime_dir

    try:
        found = json.loads((Path(jupyter_runtime_dir()) / f"jpserver-{pid}.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
