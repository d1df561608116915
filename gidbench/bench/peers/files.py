"""Files by ourselves and by others: CSV to memory and disk, workbooks, whole processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from gidbench.engine import Context
from gidbench.errors import InputError, VerificationError
from gidbench.files.csv_writer import CsvWriter
from gidbench.files.excel_reader import ExcelReader
from gidbench.generating import Making
from gidbench.generation.plan import employees
from gidbench.operations import generate

_LINEITEM_BYTES = 766_000_000  # of CSV at scale factor 1


class _Counter:
    """A file that forgets what is written to it."""

    def __init__(self) -> None:
        self.count = 0

    def write(self, content: memoryview | bytes) -> int:
        self.count += len(content)
        return len(content)


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
    result = generate(records, seed=seed, workers=workers, out=path)
    if durable:
        with path.open("rb") as file:
            os.fsync(file.fileno())
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
    tables = []
    for path in (one, other):
        reader = ExcelReader(path)
        batches = [reader.parse(chunk, range(len(reader.header))) for _, chunk in reader.chunks()]
        tables.append(
            pa.Table.from_batches([pa.record_batch(list(b.columns), names=reader.header) for b in batches])
        )
        reader.close()
    if not tables[0].equals(tables[1]):
        raise VerificationError(f"{one.name} and {other.name} hold different cells", "Report this as a fault")


@dataclass(frozen=True)
class Child:
    """What a process cost, as the system counts it: start-up and all."""

    wall_s: float
    cpu_s: float
    peak_rss_bytes: int


def run_child(command: list[str]) -> Child:
    """Run a command to its end. Raises VerificationError where it fails, InputError where nobody counts."""
    if not hasattr(os, "wait4"):
        raise InputError("this system does not tell what a process cost", "Measure on Linux or macOS")
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    told = process.stderr.read().decode(errors="replace").strip()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode:
        last = told.splitlines()[-1] if told else f"exit code {process.returncode}"
        raise VerificationError(f"{Path(command[0]).name} failed ({last})", "Run it by hand")
    unit = 1 if sys.platform == "darwin" else 1024
    return Child(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit)


def our_csv_process(folder: Path, records: int, seed: int) -> tuple[Child, int]:
    """`gidbench generate` to a CSV file, and the bytes of it."""
    path = folder / "people.csv"
    path.unlink(missing_ok=True)
    arguments = ["generate", "--records", str(records), "--seed", str(seed), "--out", str(path)]
    child = run_child([sys.executable, "-m", "gidbench", *arguments])
    return child, path.stat().st_size


def tpchgen_process(folder: Path, size: int) -> tuple[Child, int]:
    """`tpchgen-cli csv` of the table lineitem, about so many bytes, and how many it were."""
    program = Path(sys.executable).with_name("tpchgen-cli")
    found = str(program) if program.exists() else shutil.which("tpchgen-cli")
    if found is None:
        raise InputError("tpchgen-cli is not installed", 'pip install "gidbench[peers]"')
    path = folder / "lineitem.csv"
    path.unlink(missing_ok=True)
    scale = f"{size / _LINEITEM_BYTES:.3f}"
    child = run_child([found, "csv", "-s", scale, "--tables", "lineitem", "--output-dir", str(folder)])
    return child, path.stat().st_size
