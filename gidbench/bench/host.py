"""Where a number was measured: without it, the number says nothing."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

import gidbench
from gidbench.bench.machine import quiet
from gidbench.settings import usable_cores

_PACKAGES = ("numpy", "numba", "pyarrow", "duckdb", "pandas", "fastexcel", "papermill")


def describe() -> dict[str, Any]:
    """CPU, cores, memory, system, versions, commit; nothing that names the machine or its user."""
    frequency = quiet(psutil.cpu_freq)
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "usable_cores": usable_cores(),
        "max_mhz": round(frequency.max or frequency.current) if frequency else None,
        "memory_bytes": psutil.virtual_memory().total,
        "os": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": {name: _version(name) for name in _PACKAGES},
        "gidbench": gidbench.__version__,
        "commit": _commit(),
    }


def noise() -> dict[str, Any]:
    """What else the machine is doing right now.

    Returns load average per core (1 minute), share of CPU time stolen by the hypervisor since boot, share
    of memory in use, and swap in use; None where the system does not tell.
    """
    load = quiet(psutil.getloadavg)
    cpu = psutil.cpu_times()
    total = sum(cpu)
    return {
        "load_per_core": round(load[0] / usable_cores(), 3) if load else None,
        "steal_share": round(getattr(cpu, "steal", 0.0) / total, 4) if total else None,
        "memory_used_share": round(psutil.virtual_memory().percent / 100, 3),
        "swap_used_bytes": psutil.swap_memory().used,
    }


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("model name", "Hardware")):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    """Commit of the clone that the package is imported from; None for an installed package."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"], cwd=root, capture_output=True, text=True, timeout=5
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
