"""gidbench: generate, process and synchronise records, and measure it honestly.

The names below are imported on first use, so that `import gidbench` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gidbench.aio import aconvert, agenerate, aprocess, arun, async_
    from gidbench.bench.frames import results
    from gidbench.bench.recording import scale, tune
    from gidbench.bench.results import load_results
    from gidbench.bench.session import measure
    from gidbench.converting import convert
    from gidbench.engine import Cancellation, Progress
    from gidbench.errors import GidbenchError
    from gidbench.operations import generate, process, sync, verify
    from gidbench.reporting import tier_report
    from gidbench.running import run
    from gidbench.widgets.workbench import workbench

_WHERE = {
    "Cancellation": "engine",
    "GidbenchError": "errors",
    "Progress": "engine",
    "aconvert": "aio",
    "agenerate": "aio",
    "aprocess": "aio",
    "arun": "aio",
    "async_": "aio",
    "convert": "converting",
    "generate": "operations",
    "load_results": "bench.results",
    "measure": "bench.session",
    "process": "operations",
    "results": "bench.frames",
    "run": "running",
    "scale": "bench.recording",
    "sync": "operations",
    "tier_report": "reporting",
    "tune": "bench.recording",
    "verify": "operations",
    "workbench": "widgets.workbench",
}

__all__ = [
    "Cancellation",
    "GidbenchError",
    "Progress",
    "aconvert",
    "agenerate",
    "aprocess",
    "arun",
    "async_",
    "convert",
    "generate",
    "load_results",
    "measure",
    "process",
    "results",
    "run",
    "scale",
    "sync",
    "tier_report",
    "tune",
    "verify",
    "workbench",
]
__version__ = "0.7.0"


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'gidbench' has no attribute {name!r}")
    return getattr(import_module(f"gidbench.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_WHERE])
