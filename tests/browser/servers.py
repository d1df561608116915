"""Servers that browser tests talk to: started on a port of their own, with their output in a file."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

STARTS_WITHIN_S = 90.0
CONFIGURATION = """\
c.ServerApp.allow_root = True  # tests run as whoever runs them, in a container too
c.ServerApp.open_browser = False
c.LabApp.news_url = None
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def own_jupyter(folder: Path) -> dict[str, str]:
    """Variables by which Jupyter keeps to a folder: no settings of the developer's, none left behind."""
    places = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    for name in places.values():
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "config" / "jupyter_server_config.py").write_text(CONFIGURATION)
    return {variable: str(folder / name) for variable, name in places.items()}


class Server:
    """A process that serves pages, and all that it starts."""

    def __init__(
        self, command: Sequence[str], folder: Path, log: Path, environment: Mapping[str, str]
    ) -> None:
        self.log = log
        with log.open("wb") as sink:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
            )

    def told(self) -> str:
        return self.log.read_text("utf-8", errors="replace")

    def wait_for_text(self, pattern: str) -> str:
        """What the pattern finds in the server's output, once it is there."""
        found: list[str] = []

        def look() -> bool:
            found[:] = re.findall(pattern, self.told())
            return bool(found)

        self._wait(look, f"printed nothing like {pattern}")
        return found[0]

    def wait_for_answer(self, url: str) -> None:
        """Until the server answers at an address (with whatever it answers)."""

        def ask() -> bool:
            try:
                with urllib.request.urlopen(url, timeout=10):
                    return True
            except urllib.error.HTTPError:
                return True
            except OSError:
                return False

        self._wait(ask, f"did not answer at {url}")

    def _wait(self, condition: object, problem: str) -> None:
        assert callable(condition)
        until = time.monotonic() + STARTS_WITHIN_S
        while not condition():
            if self._process.poll() is not None:
                raise AssertionError(f"the server ended with {self._process.returncode}:\n{self.told()}")
            if time.monotonic() > until:
                raise AssertionError(f"the server {problem}:\n{self.told()}")
            time.sleep(0.1)

    def stop(self) -> None:
        """End the server and the kernels that it started, and those that outlive a polite request."""
        try:
            root = psutil.Process(self._process.pid)
            family = [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        self._process.terminate()
        _, alive = psutil.wait_procs(family, timeout=10)
        for process in alive:
            process.kill()
        self._process.wait(10)
