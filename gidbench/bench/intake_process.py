"""A whole process that takes a file of people in and keeps nothing: what it costs in time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psutil

from gidbench import gid
from gidbench.engine import Cancellation, Context
from gidbench.errors import VerificationError
from gidbench.files.options import ReadOptions
from gidbench.files.readers import open_reader
from gidbench.kernels.warmup import compile_all
from gidbench.processing import ProcessResult, process_in_memory
from gidbench.records import is_people_header


@dataclass(frozen=True)
class Finding:
    """What a process said of itself."""

    records: int
    accepted: int
    wall_s: float
    peak_rss_bytes: int


def measure(path: Path, workers: int, warm: Path) -> Finding:
    """Run it. Its time is that of processing, after a file that does not count: memory that a process takes for the
    first time costs more than all the rest. Raises VerificationError where it fails.
    """
    command = [sys.executable, "-m", __name__, str(path), str(workers), str(warm)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise VerificationError(
            f"processing {path.name} failed ({done.stderr.strip().splitlines()[-1:]})", "Run it by itself"
        )
    return Finding(**json.loads(done.stdout))


class _Round:
    """G_IDs that begin anew when they run out: a hundred million records are more than there are."""

    def __init__(self) -> None:
        self._next = 0

    def take(self, count: int, expected_more: int = 0) -> npt.NDArray[np.int64]:  # noqa: ARG002
        taken = np.arange(self._next, self._next + count) % gid.CAPACITY
        self._next += count
        return taken


def peak_rss_bytes() -> int:
    """Of this process since its start; what wait4 tells begins with the memory of the parent on Linux."""
    status = Path("/proc/self/status")
    if status.exists():
        [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024
    if peak := getattr(psutil.Process().memory_info(), "peak_wset", 0):  # Windows
        return int(peak)
    import resource

    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)  # bytes on macOS


def _process(path: Path, workers: int) -> ProcessResult:
    with (
        tempfile.TemporaryDirectory(prefix="gidbench-") as folder,
        open_reader(path, ReadOptions(is_header=is_people_header)) as reader,
    ):
        return process_in_memory(
            reader,
            lambda batch: None,  # noqa: ARG005
            rejects=Path(folder) / "rejects.csv",
            workers=workers,
            context=Context(None, Cancellation()),
            supply=_Round(),
        )


def main(path: Path, workers: int, warm: Path) -> None:
    compile_all()
    _process(warm, workers)
    started = time.perf_counter()
    result = _process(path, workers)
    spent = time.perf_counter() - started
    finding = Finding(result.records, result.accepted, spent, peak_rss_bytes())
    sys.stdout.write(json.dumps(asdict(finding)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
