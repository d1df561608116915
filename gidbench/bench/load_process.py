"""A whole process that loads employees into a staging table of a SQL Server: its time and memory."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import pyarrow as pa

from gidbench.bench.intake_process import peak_rss_bytes
from gidbench.bench.server_subject import BATCH_ROWS, NAMES
from gidbench.errors import VerificationError
from gidbench.generation.plan import employees
from gidbench.kernels.warmup import compile_all
from gidbench.records import EMPLOYEE
from gidbench.stores.opening import parse_url
from gidbench.stores.sqlserver.data import LoadOptions
from gidbench.stores.sqlserver.opening import open_sql_server
from gidbench.stores.sqlserver.types import OWN_TYPES

_VARIABLE = "DATABASE_URL"  # the URL may hold a password, which the arguments of a process show to everybody


@dataclass(frozen=True)
class Finding:
    """What a process said of itself."""

    records: int
    wall_s: float
    peak_rss_bytes: int


def measure(database: str, records: int, workers: int) -> Finding:
    """Run it. Raises VerificationError where it fails."""
    command = [sys.executable, "-m", __name__, str(records), str(workers)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, _VARIABLE: database}
    )
    if done.returncode:
        raise VerificationError(
            f"loading {records:,} records failed ({done.stderr.strip().splitlines()[-1:]})",
            "Run it by itself",
        )
    return Finding(**json.loads(done.stdout))


def _people(records: int) -> Iterator[pa.RecordBatch]:
    plan = employees(7)
    for first in range(0, records, BATCH_ROWS):
        yield plan.batch(first, min(BATCH_ROWS, records - first))


def main(records: int, workers: int) -> None:
    compile_all()
    url = parse_url(os.environ[_VARIABLE])
    with contextlib.closing(open_sql_server(url, names=NAMES, options=LoadOptions(workers=workers))) as store:
        with store.apart() as connection:
            staging = store.session.yard.make(connection, EMPLOYEE, OWN_TYPES)
        started = time.perf_counter()
        rows = store.load(staging, _people(records)).rows
        finding = Finding(rows, time.perf_counter() - started, peak_rss_bytes())
    sys.stdout.write(json.dumps(asdict(finding)))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
