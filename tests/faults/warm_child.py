"""What the server of `child` imports before it forks: everything, with compiled kernels, and no connection opened."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import child  # noqa: F401

from gidbench.kernels.warmup import compile_all

compile_all()
