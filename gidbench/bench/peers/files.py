"""Files by ourselves and by others: CSV to memory and disk, workbooks, whole processes."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from gidbench.bench.peers.intake_files import same_cells
from gidbench.engine import Context
from gidbench.errors import InputError, VerificationError
from gidbench.files.csv_writer import CsvWriter
from gidbench.files.parquet_writer import ROW_GROUP
from gidbench.generating import Making
from gidbench.generation.plan import employees
from gidbench.operations import generate

_LINEITEM_BYTES = 766_000_000  # of CSV at scale factor 1
_BLOCK = 1 << 20
_SAMPLE_S = 0.02


class _Counter:
    """A file that forgets what is written to it."""

    def __init__(self) -> None:
        self.count = 0

    def write(self, content: memoryview | bytes) -> int:
        self.count += len(content)
        return len(content)


def batches_handed_on(records: int, seed: int, workers: int) -> int:
    """Bytes of Arrow batches, as large as those of files, whose memory goes round as nobody keeps them."""
    plan = employees(seed)
    making = Making(plan, 0, records, workers, Context())
    making.hand_on(ROW_GROUP, lambda _: None)
    return making.bytes_made


def csv_to_memory(records: int, seed: int, workers: int) -> float:
    """Bytes of CSV text per second that come about in recycled buffers, and are left there."""
    plan, sink = employees(seed), _Counter()
    making = Making(plan, 0, records, workers, Context())
    began = time.perf_counter()
    making.write_with(CsvWriter(sink, plan.schema))  # type: ignore[arg-type]
    return sink.count / (time.perf_counter() - began)


def csv_to_file(path: Path, records: int, seed: int, workers: int, *, durable: bool) -> float:
    """Bytes of a new CSV file per second; `durable`: until it is on the disk (fsync)."""
    path.unlink(missing_ok=True)
    began = time.perf_counter()
    result = generate(records, seed=seed, workers=workers, out=path, durable=durable)
    return result.bytes_written / (time.perf_counter() - began)


def xlsx_by_us(path: Path, records: int, seed: int, workers: int) -> float:
    """Records per second of a workbook of all ten columns."""
    began = time.perf_counter()
    generate(records, seed=seed, workers=workers, out=path)
    return records / (time.perf_counter() - began)


def xlsx_by_xlsxwriter(path: Path, records: int, seed: int) -> float:
    """Records per second by xlsxwriter with constant_memory; the rows are there before."""
    import xlsxwriter

    people = employees(seed).batch(0, records)
    rows = list(zip(*(column.to_pylist() for column in people.columns), strict=True))
    began = time.perf_counter()
    options = {"constant_memory": True, "default_date_format": "yyyy-mm-dd hh:mm:ss"}
    with xlsxwriter.Workbook(str(path), options) as book:
        sheet = book.add_worksheet("records")
        sheet.write_row(0, 0, people.schema.names)
        number, text, moment = sheet.write_number, sheet.write_string, sheet.write_datetime
        # typed calls: `write` would look at each value
        for line, row in enumerate(rows, 1):
            number(line, 0, row[0])
            text(line, 1, row[1])
            text(line, 2, row[2])
            text(line, 3, row[3])
            if row[4] is not None:
                text(line, 4, row[4])
            moment(line, 5, row[5])
            moment(line, 7, row[7])
            moment(line, 8, row[8])
            if row[9] is not None:
                moment(line, 9, row[9])
    return records / (time.perf_counter() - began)


def check_same_cells(one: Path, other: Path) -> None:
    """Raise VerificationError unless two workbooks have the same cells, as an independent reader sees them."""
    if not same_cells(one, other):
        raise VerificationError(f"{one.name} and {other.name} hold different cells", "Report this as a fault")


@dataclass(frozen=True)
class Child:
    """What a process cost: start-up and all. Peak memory is sampled 50 times a second."""

    wall_s: float
    cpu_s: float
    peak_rss_bytes: int


@dataclass
class Program:
    """A command that writes CSV to its standard output, which nobody reads while it is measured.

    To files, both sides would spend most of their time on the system's page cache.
    """

    command: list[str]
    size: int = 0

    def prove(self) -> None:
        """Run it once and count what it writes."""
        with subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            assert process.stdout is not None
            while block := process.stdout.read(_BLOCK):
                self.size += len(block)
        if process.returncode or not self.size:
            raise VerificationError(f"{Path(self.command[0]).name} writes nothing", "Run it by hand")

    def run(self) -> Child:
        return run_child(self.command)

    def bytes_per_cpu_s(self) -> float:
        return self.size / self.run().cpu_s


def our_csv(records: int, seed: int) -> Program:
    """`gidbench generate` of employees."""
    options = ["--records", str(records), "--seed", str(seed), "--out", "-"]
    return Program([sys.executable, "-m", "gidbench", "generate", *options])


def tpchgen_csv(size: int) -> Program:
    """`tpchgen-cli csv` of the table lineitem, about so many bytes."""
    program = Path(sys.executable).with_name("tpchgen-cli")
    found = str(program) if program.exists() else shutil.which("tpchgen-cli")
    scale = f"{max(size / _LINEITEM_BYTES, 0.001):.3f}"
    return Program([found or "tpchgen-cli", "csv", "-s", scale, "--tables", "lineitem", "--stdout"])


def run_child(command: list[str]) -> Child:
    """Run a command to its end. Raises VerificationError where it fails, InputError where nobody counts."""
    if not hasattr(os, "wait4"):
        raise InputError("this system does not tell what a process cost", "Measure on Linux or macOS")
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while True:
        # wait4's own peak begins with the memory of the parent, out of which the child came
        with contextlib.suppress(psutil.Error):
            peak = max(peak, psutil.Process(process.pid).memory_info().rss)
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        time.sleep(_SAMPLE_S)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise VerificationError(f"{Path(command[0]).name} ended with {process.returncode}", "Run it by hand")
    return Child(wall, usage.ru_utime + usage.ru_stime, peak)
