"""Jupyter kernels of this very interpreter: what a batch starts its notebooks in, and what the lab offers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

NAME = "python3"  # that all notebooks name


def own_spec() -> KernelSpec:
    """This interpreter as a kernel, whatever else is installed on the machine under the name python3."""
    from ipykernel.kernelspec import RESOURCES

    # its warnings are about a transport that never leaves this machine
    quiet = "--IPKernelApp.log_level=ERROR"
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", quiet]
    return KernelSpec(
        argv=command,
        display_name="Python 3",
        language="python",
        resource_dir=str(RESOURCES),
        metadata={"debugger": True},
    )


def search_path() -> str:
    """PYTHONPATH with which a kernel imports the package that this process has imported."""
    package = str(Path(__file__).resolve().parents[1])
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return os.pathsep.join([*(path for path in given if path and path != package), package])


def kernel_manager(folder: Path, variables: Mapping[str, str]) -> type[AsyncKernelManager]:
    """A kernel manager class whose kernels run this interpreter, in `folder`, with `variables` set.

    Neither this process's working directory nor its environment changes.
    """
    environment = {**os.environ, "PYTHONPATH": search_path(), **variables}

    class OwnKernelManager(AsyncKernelManager):
        @property
        def kernel_spec(self) -> KernelSpec:
            return own_spec()

        async def _async_start_kernel(self, **options: Any) -> None:
            # What cells print comes as messages; here come warnings about a transport that never leaves
            # this machine, and tracebacks of a kernel that is interrupted.
            options.update(cwd=str(folder), env=dict(environment), stderr=subprocess.DEVNULL)
            await super()._async_start_kernel(**options)

        start_kernel = _async_start_kernel

    return OwnKernelManager


class OwnKernelSpecs(KernelSpecManager):
    """The kernels of the machine, but python3 is this interpreter."""

    def find_kernel_specs(self) -> dict[str, str]:
        return {**super().find_kernel_specs(), NAME: own_spec().resource_dir}

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return own_spec() if kernel_name.lower() == NAME else super().get_kernel_spec(kernel_name)
