"""Jupyter kernels of this very interpreter: what a batch starts its notebooks in."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager


def kernel_manager(folder: Path, variables: Mapping[str, str]) -> type[AsyncKernelManager]:
    """A kernel manager class whose kernels run this interpreter, in `folder`, with `variables` set.

    Whatever kernels are installed on the machine under the name python3 does not matter, and neither this
    process's working directory nor its environment changes.
    """
    package = str(Path(__file__).resolve().parents[1])
    paths = [path for path in (os.environ.get("PYTHONPATH"), package) if path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **variables}
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]

    class OwnKernelManager(AsyncKernelManager):
        @property
        def kernel_spec(self) -> KernelSpec:
            return KernelSpec(argv=command, display_name="Python 3", language="python")

        async def _async_start_kernel(self, **options: Any) -> None:
            # What cells print comes as messages; here come warnings about a transport that never leaves
            # this machine, and tracebacks of a kernel that is interrupted.
            options.update(cwd=str(folder), env=dict(environment), stderr=subprocess.DEVNULL)
            await super()._async_start_kernel(**options)

        start_kernel = _async_start_kernel

    return OwnKernelManager
