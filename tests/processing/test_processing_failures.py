"""When processing fails, table, rejects file, folder and G_ID sequence stay as they were."""

from __future__ import annotations

import errno
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from intake_model import next_ordinal, query, read_rejects, stored

from gidbench import gid
from gidbench.engine import Cancellation
from gidbench.errors import CapacityError, InputError, OperationCancelled, StoreError, VerificationError
from gidbench.files import readers
from gidbench.files.csv_reader import CsvReader
from gidbench.files.rejects import RejectsFile
from gidbench.operations import process
from gidbench.processing import _Ranges
from gidbench.stores.duckdb_store import DuckDBStore

TODAY = date(2024, 6, 15)
HEADER = "name,no_ktp,bod\n"
PART = 400  # bytes per part in these tests: about ten records


def line(number: int, name: str = "Budi") -> str:
    return f"{name},{3201_0101_0190_0000 + number},1990-01-02\n"


@dataclass(frozen=True)
class Place:
    """A database with people in it, an older rejects file, and a file to process."""

    folder: Path
    url: str

    @property
    def file(self) -> Path:
        return self.folder / "people.csv"

    @property
    def rejects(self) -> Path:
        return self.folder / "people.rejects.csv"

    def state(self) -> tuple[Any, ...]:
        """Everything that a failure must leave alone."""
        return (
            stored(self.url),
            next_ordinal(self.url),
            self.rejects.read_bytes(),
            sorted(path.name for path in self.folder.iterdir() if not path.name.endswith(".wal")),
        )

    def outcomes(self) -> list[tuple[object, ...]]:
        return query(self.url, "SELECT operation, outcome, counts, parameters FROM audit_log")


@pytest.fixture
def place(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Two people and one reject are there from before; a file of 200 good and 100 bad records waits."""
    found = Place(tmp_path, database)
    found.file.write_text(HEADER + line(1) + line(2) + "X,1,1\n")
    process(found.file, database, today=TODAY)
    found.file.write_text(HEADER + "".join(line(n) + line(n + 1) + "X,1,1\n" for n in range(100, 300, 2)))
    monkeypatch.setitem(
        readers.READERS, ".csv", lambda path, options: CsvReader(path, options, chunk_bytes=PART)
    )
    return found


def cutting_off(monkeypatch: pytest.MonkeyPatch, failure: BaseException, batches: int) -> list[int]:
    """Let the store's `append` fail after some batches; the list tells how many rows it had got."""
    original = DuckDBStore.append
    rows: list[int] = []

    def append(self: DuckDBStore, table: str, incoming: Iterable[pa.RecordBatch]) -> int:
        def cut() -> Iterator[pa.RecordBatch]:
            for count, batch in enumerate(incoming):
                if count == batches:
                    raise failure
                rows.append(batch.num_rows)
                yield batch

        return original(self, table, cut())

    monkeypatch.setattr(DuckDBStore, "append", append)
    return rows


FAILURES: dict[str, Callable[[], BaseException]] = {
    "an error": lambda: RuntimeError("power cut"),
    "the store's error": lambda: StoreError("the server is gone", "start it"),  # also an OSError
    "no memory": MemoryError,
    "Ctrl-C": KeyboardInterrupt,
}


@pytest.mark.parametrize("batches", [0, 1, 5])
@pytest.mark.parametrize("kind", FAILURES)
def test_a_crash_in_the_middle_leaves_everything_as_it_was(
    place: Place, monkeypatch: pytest.MonkeyPatch, kind: str, batches: int
) -> None:
    before = place.state()
    failure = FAILURES[kind]()
    rows = cutting_off(monkeypatch, failure, batches)
    with pytest.raises(type(failure)) as caught:
        process(place.file, place.url, workers=2, today=TODAY)
    assert caught.value is failure
    assert len(rows) == batches
    assert place.state() == before
    assert place.outcomes()[-1][:2] == ("process", "failed")
    # none is left to the garbage collector, which would end them at a time when that can be a deadlock
    assert [thread for thread in threading.enumerate() if thread.name.startswith("gidbench_")] == []


def test_a_full_disk_leaves_everything_as_it_was(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    before = place.state()
    added: list[int] = []
    original = RejectsFile.add

    def add(self: RejectsFile, *record: Any) -> None:
        added.append(record[0])
        if len(added) == 50:
            raise OSError(errno.ENOSPC, "No space left on device")
        original(self, *record)

    monkeypatch.setattr(RejectsFile, "add", add)
    with pytest.raises(InputError, match=r"people\.rejects\.csv cannot be written \(No space left"):
        process(place.file, place.url, today=TODAY)
    assert place.state() == before


def test_after_a_crash_a_second_run_gives_what_one_run_would_have_given(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        cutting_off(patched, RuntimeError("power cut"), 7)
        with pytest.raises(RuntimeError):
            process(place.file, place.url, today=TODAY)
    result = process(place.file, place.url, today=TODAY)
    assert (result.accepted, result.rejected) == (200, 100)
    assert [row[0] for row in stored(place.url)] == [gid.encode(gid.FIRST_ORDINAL + n) for n in range(202)]
    assert len(read_rejects(place.rejects)) == 100


@pytest.mark.parametrize("step", ["verify", "seal", "record", "keys", "commit"])
def test_a_crash_at_any_later_step_leaves_everything_as_it_was(
    place: Place, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    before = place.state()

    def fail(*_: Any) -> None:
        raise RuntimeError("power cut")

    original = DuckDBStore.rows
    commits = itertools.count(1)

    def rows(self: DuckDBStore, statement: str, parameters: Any = ()) -> Any:
        if statement == "COMMIT" and next(commits) == 2:  # the first one is that of the tables
            raise RuntimeError("power cut")
        return original(self, statement, parameters)

    owner, name, replacement = {
        "verify": (_Ranges, "verify", fail),
        "seal": (RejectsFile, "seal", fail),
        "record": (DuckDBStore, "record", fail),
        "keys": (DuckDBStore, "keys", fail),
        "commit": (DuckDBStore, "rows", rows),
    }[step]
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, replacement)
        with pytest.raises(RuntimeError, match="power cut"):
            process(place.file, place.url, today=TODAY)
    after = place.state()
    if step == "commit":  # it may have arrived, so its G_IDs are not handed out again
        assert after[1] == before[1] + 200
        after = (after[0], before[1], *after[2:])
    assert after == before


def test_a_store_that_loses_rows_is_found_out_and_nothing_is_kept(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = place.state()
    original = DuckDBStore.append

    def append(self: DuckDBStore, table: str, batches: Iterable[pa.RecordBatch]) -> int:
        return original(self, table, (batch.slice(1) for batch in batches))

    monkeypatch.setattr(DuckDBStore, "append", append)
    with pytest.raises(VerificationError, match="300 records were read"):
        process(place.file, place.url, today=TODAY)
    assert place.state() == before


@pytest.mark.parametrize("left", [0, 1, 60, 199])
def test_too_few_g_ids_leave_everything_as_it_was(place: Place, left: int) -> None:
    with duckdb.connect(place.url.removeprefix("duckdb:///")) as connection:
        connection.execute("UPDATE g_id_sequence SET next_ordinal = ?", [gid.CAPACITY - left])
    before = place.state()
    with pytest.raises(CapacityError, match="are left"):
        process(place.file, place.url, today=TODAY)
    assert place.state() == before


def test_exactly_enough_g_ids_are_used_to_the_last(place: Place) -> None:
    with duckdb.connect(place.url.removeprefix("duckdb:///")) as connection:
        connection.execute("UPDATE g_id_sequence SET next_ordinal = ?", [gid.CAPACITY - 200])
    assert process(place.file, place.url, today=TODAY).accepted == 200
    assert stored(place.url)[-1][0] == "G999ZZ99"
    assert next_ordinal(place.url) == gid.CAPACITY


@pytest.mark.parametrize("fails", [True, False])
@pytest.mark.parametrize("bad_first", [0, 300], ids=["one range is enough", "another range is needed later"])
def test_g_ids_that_others_reserved_meanwhile_stay_theirs(
    place: Place, monkeypatch: pytest.MonkeyPatch, bad_first: int, fails: bool
) -> None:
    """A run may leave a gap then, but no G_ID is handed out twice, whether it fails or not."""
    lines = [line(n) if n % 20 == 0 else "X,1,1\n" for n in range(1_000, 1_000 + bad_first)]
    place.file.write_text(HEADER + "".join(lines) + "".join(line(n) for n in range(100, 400)))
    before = stored(place.url)
    theirs: list[int] = []
    original = DuckDBStore.append

    def append(self: DuckDBStore, table: str, batches: Iterable[pa.RecordBatch]) -> int:
        def watched() -> Iterator[pa.RecordBatch]:
            for count, batch in enumerate(batches):
                if count == 3:
                    theirs.append(self.reserve_gids(5))
                yield batch
            if fails:
                raise RuntimeError("power cut")

        return original(self, table, watched())

    monkeypatch.setattr(DuckDBStore, "append", append)
    if fails:
        with pytest.raises(RuntimeError):
            process(place.file, place.url, today=TODAY)
        assert stored(place.url) == before
        assert next_ordinal(place.url) == theirs[0] + 5
    else:
        process(place.file, place.url, today=TODAY)
        ours = [gid.decode(str(row[0])) for row in stored(place.url)]
        assert len(set(ours)) == len(ours) == len(before) + 300 + bad_first // 20
        assert not set(ours) & set(range(theirs[0], theirs[0] + 5))
        assert next_ordinal(place.url) > max(*ours, theirs[0] + 4)


def cancelling(cancellation: Cancellation, after: int) -> Callable[[Any], None]:
    seen: list[Any] = []

    def progress(event: Any) -> None:
        seen.append(event)
        if len(seen) == after:
            cancellation.cancel()

    return progress


@pytest.mark.parametrize("after", [1, 2, 10])
def test_cancelling_leaves_everything_as_it_was(place: Place, after: int) -> None:
    before = place.state()
    cancellation = Cancellation()
    with pytest.raises(OperationCancelled):
        process(
            place.file,
            place.url,
            today=TODAY,
            workers=2,
            progress=cancelling(cancellation, after),
            cancellation=cancellation,
        )
    assert place.state() == before


def test_a_run_cancelled_before_it_begins_does_nothing(place: Place) -> None:
    before = place.state()
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(OperationCancelled):
        process(place.file, place.url, cancellation=cancellation)
    assert place.state() == before


def test_a_progress_callback_that_fails_is_a_failure_like_any_other(place: Place) -> None:
    before = place.state()

    def progress(event: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        process(place.file, place.url, today=TODAY, progress=progress)
    assert place.state() == before


def test_a_record_too_long_to_be_one_leaves_everything_as_it_was(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gidbench.files.csv_reader.MAX_RECORD_BYTES", 2_000)
    place.file.write_text(HEADER + line(100) + line(101) + "x" * 9_000 + line(102) * 500)
    before = place.state()
    with pytest.raises(InputError, match="longer than 2,000 bytes"):
        process(place.file, place.url, today=TODAY)
    assert place.state() == before


@pytest.mark.parametrize(
    ("content", "pattern"),
    [
        (b"", "is empty"),
        (b"name,bod\nBudi,1990-01-02\n", "no column for no_ktp"),
        (b"name,nik,ktp,bod\n", "both mean no_ktp"),
        (b"PK\x03\x04", "zip archive"),
        (b'name,no_ktp,"bod\n', "quote"),
    ],
)
def test_an_unusable_file_leaves_everything_as_it_was(place: Place, content: bytes, pattern: str) -> None:
    place.file.write_bytes(content)
    before = place.state()
    with pytest.raises(InputError, match=pattern):
        process(place.file, place.url, today=TODAY)
    assert place.state() == before


def test_a_rejects_file_that_cannot_be_written_leaves_everything_as_it_was(place: Place) -> None:
    before = place.state()
    with pytest.raises(InputError, match="does not exist"):
        process(place.file, place.url, rejects=place.folder / "no" / "rejects.csv", today=TODAY)
    assert place.state() == before


@pytest.mark.parametrize("name", ["people.csv", "./people.csv", "../{folder}/people.csv"])
def test_the_rejects_file_may_not_be_the_file_itself(place: Place, name: str) -> None:
    before, content = place.state(), place.file.read_bytes()
    with pytest.raises(InputError, match="is the file to process"):
        process(place.file, place.url, rejects=name.format(folder=place.folder.name), today=TODAY)
    assert place.state() == before
    assert place.file.read_bytes() == content


@pytest.mark.parametrize("content", [None, b"", b"name,bod\n"])
def test_a_file_that_cannot_be_used_leaves_neither_a_database_nor_rejects(
    tmp_path: Path, database: str, content: bytes | None
) -> None:
    path = tmp_path / "people.csv"
    if content is not None:
        path.write_bytes(content)
    before = list(tmp_path.iterdir())
    with pytest.raises(InputError):
        process(path, database)
    assert list(tmp_path.iterdir()) == before
