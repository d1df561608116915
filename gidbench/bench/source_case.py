"""A case on a file of the user's own, with the records that it has: nobody knows beforehand what becomes of them.

So it is taken in once, untimed; what came of it then must come of it in every round.
"""

from __future__ import annotations

from pathlib import Path

from gidbench.bench.case import Case, TimedCall, Verified
from gidbench.bench.ground import Bench
from gidbench.digest import digest_of
from gidbench.engine import Cancellation, ProgressCallback
from gidbench.errors import InputError, VerificationError
from gidbench.files.options import ReadOptions, limits_of
from gidbench.files.readers import check_kind, open_reader
from gidbench.operations import process
from gidbench.outcome import Outcome
from gidbench.processing import TABLE as FILE_TABLE
from gidbench.processing import ProcessResult
from gidbench.records import PERSON_FIELDS, is_people_header
from gidbench.settings import load_settings

VARIANT = "file"
VARIABLE = (
    "GIDBENCH_SOURCE"  # by which `gidbench run` tells its kernels the file, whose path no notebook keeps
)


def check_source(source: str) -> Path:
    """The file by its full path, `~` being the home folder. Raises InputError where there is none, or no reader."""
    path = Path(source)
    try:
        path = path.expanduser()
        found = path.is_file()
    except (OSError, RuntimeError):  # a name that is too long, a folder nobody may look into, nobody's home
        found = False
    if not found:
        raise InputError(
            f"there is no file {(path.name or str(path))[:80]} to process", "Check its name and its folder"
        )
    check_kind(path)
    return path.resolve()


def source_case(bench: Bench) -> Case:
    """The intake of `bench.source` into the database. Raises what `process` raises of such a file."""
    path, rejects = Path(bench.source), bench.folder / "rejects.csv"
    options = ReadOptions(is_header=is_people_header, limits=limits_of(load_settings()))
    with open_reader(path, options) as reader:
        columns = len(reader.header)
    size = path.stat().st_size

    def take_in(
        progress: ProgressCallback | None = None, cancellation: Cancellation | None = None
    ) -> ProcessResult:
        return process(
            path,
            bench.database,
            rejects=rejects,
            workers=bench.workers,
            progress=progress,
            cancellation=cancellation,
        )

    bench.begin_afresh(FILE_TABLE)
    first = take_in()
    if not first.records:
        raise InputError(f"{path.name} has no records", "Name a file that has some")
    expected = _became(first)
    law = expected["accepted"] + expected["duplicate"] + expected["rejected"]

    def prepare(cancellation: Cancellation) -> TimedCall:
        if path.stat().st_size != size:
            raise InputError(f"{path.name} has changed since it was looked at", "Leave it alone meanwhile")
        bench.begin_afresh(FILE_TABLE)
        return lambda: take_in(bench.progress, cancellation)

    def verify(outcome: Outcome) -> Verified:
        if not isinstance(outcome, ProcessResult):
            raise TypeError("a processing case times process")
        found = _became(outcome)
        if found != expected or outcome.records != first.records or law != first.records:
            raise VerificationError(
                f"of {outcome.records:,} records came {found}, but of {first.records:,} came {expected} before",
                "Report this as a fault",
            )
        value = digest_of(bench.read(FILE_TABLE, PERSON_FIELDS))
        kept = value.partition(":")[0]
        if kept != str(expected["accepted"]):
            raise VerificationError(
                f"{FILE_TABLE} holds {kept} rows, but {expected['accepted']} records were accepted",
                "Report this as a fault",
            )
        return Verified(value, outcome.records * columns, size, {**found, "file_bytes": size})

    title = f"the file {path.name}, into the database"
    return Case("process", VARIANT, title, True, first.records, f"intake of {path.name}", prepare, verify)


def _became(result: ProcessResult) -> dict[str, int]:
    return {"accepted": result.accepted, "duplicate": result.duplicate, "rejected": result.rejected}
