"""Whatever goes wrong while a file is written, what was there before stays, and nothing half-written does."""

from __future__ import annotations

import csv
import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from gidbench.converting import convert
from gidbench.errors import InputError, VerificationError
from gidbench.files import writers
from gidbench.files.csv_reader import FLAG_REASONS
from gidbench.files.table_files import CHUNK_ROWS, ArrowReader
from gidbench.files.text import TextBatch

ROWS = 200_000
DESTINATIONS = ["d.csv", "d.csv.gz", "d.csv.zst", "d.parquet", "d.arrow", "d.xlsx"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    table = pa.table({"id": pa.array(range(ROWS)), "name": [f"name {row}" for row in range(ROWS)]})
    with pa.ipc.new_file(tmp_path / "s.arrow", table.schema) as writer:
        writer.write_table(table)
    (tmp_path / "folder").mkdir()
    return tmp_path / "s.arrow"


def left(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in tmp_path.iterdir())


class FullDisk:
    """A file that takes so many writes and no more."""

    def __init__(self, file: Any, writes: int) -> None:
        self._file, self._left = file, writes

    def write(self, data: Any) -> int:
        self._left -= 1
        if self._left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@pytest.mark.parametrize("writes", [0, 1, 2])
@pytest.mark.parametrize("destination", DESTINATIONS)
@pytest.mark.parametrize("before", [None, b"what was there"])
def test_a_full_disk(
    tmp_path: Path,
    source: Path,
    destination: str,
    writes: int,
    before: bytes | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if before is not None:
        (tmp_path / destination).write_bytes(before)
    suffix = writers.check_destination(destination)
    make = writers.WRITERS[suffix]
    monkeypatch.setitem(
        writers.WRITERS, suffix, lambda file, schema, **given: make(FullDisk(file, writes), schema, **given)
    )
    with pytest.raises(InputError, match=r"d\.[\w.]+ cannot be written \(No space left on device\)"):
        convert(source, destination)
    assert left(tmp_path) == sorted(["folder", "s.arrow", *([destination] if before else [])])
    if before is not None:
        assert (tmp_path / destination).read_bytes() == before


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, MemoryError])
@pytest.mark.parametrize("destination", DESTINATIONS)
def test_an_error_in_the_middle_of_reading(
    tmp_path: Path,
    source: Path,
    destination: str,
    error: type[BaseException],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parse, calls = ArrowReader.parse, []

    def fail_later(self: ArrowReader, chunk: Any, wanted: Any) -> Any:
        calls.append(chunk)
        if len(calls) == 4:
            raise error("on purpose")
        return parse(self, chunk, wanted)

    monkeypatch.setattr(ArrowReader, "parse", fail_later)
    with pytest.raises(error):
        convert(source, destination)
    assert left(tmp_path) == ["folder", "s.arrow"]


def test_a_list_of_malformed_records_that_cannot_be_written(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ArrowReader, "parse", malformed(ArrowReader.parse))
    with pytest.raises(InputError, match=r"the folder .*no does not exist"):
        convert(source, "d.parquet", malformed=tmp_path / "no" / "list.csv")
    assert left(tmp_path) == ["folder", "s.arrow"]


def malformed(parse: Any) -> Any:
    """A reader's `parse` that can place no seventh record."""

    def parsed(self: ArrowReader, chunk: Any, wanted: Any) -> TextBatch:
        batch = parse(self, chunk, wanted)
        flags = batch.flags.copy()
        flags[::7] = next(iter(FLAG_REASONS))
        repairs = np.zeros(len(flags), np.uint8)
        repairs[1] = 1
        return replace(batch, flags=flags, repairs=repairs)

    return parsed


@pytest.mark.parametrize("destination", DESTINATIONS)
@pytest.mark.parametrize("types", ["text", "infer"])
def test_malformed_records_are_counted_listed_and_left_out(
    tmp_path: Path, source: Path, destination: str, types: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ArrowReader, "parse", malformed(ArrowReader.parse))
    result = convert(source, destination, types=types)
    chunks = [min(CHUNK_ROWS, ROWS - start) for start in range(0, ROWS, CHUNK_ROWS)]
    expected = sum(-(-rows // 7) for rows in chunks)
    assert (result.records, result.malformed, result.repaired) == (ROWS, expected, len(chunks))
    assert result.malformed_path == Path("d.malformed.csv")
    with Path("d.malformed.csv").open(newline="") as file:
        listed = list(csv.DictReader(file))
    assert len(listed) == expected
    for place in (0, 1, CHUNK_ROWS // 7 + 1, expected - 1):
        row = int(listed[place]["record"]) - 1
        assert row == row // CHUNK_ROWS * CHUNK_ROWS + row % CHUNK_ROWS // 7 * 7
        assert listed[place]["line"] == str(row + 1)
        assert listed[place]["original"] == f"{row},name {row}"
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    if destination != "d.xlsx":
        again = convert(destination, "back.csv")
        assert again.records == ROWS - expected
        assert Path("back.csv").read_text().splitlines()[1:3] == ["1,name 1", "2,name 2"]


def test_a_destination_that_cannot_be(tmp_path: Path, source: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        (tmp_path / "folder.csv").mkdir()
        convert(source, "folder.csv")
    with pytest.raises(InputError, match="does not exist"):
        convert(source, "no/d.csv")
    with pytest.raises(InputError, match=r"Use one of \.arrow, \.csv"):
        convert(source, "d.doc")
    assert left(tmp_path) == ["folder", "folder.csv", "s.arrow"]


def test_a_source_that_changes_between_two_readings_is_noticed(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def batch(text: str) -> pa.RecordBatch:
        return pa.RecordBatch.from_pydict({"id": ["1"], "name": [text]})

    # of opening, of the sample, of the first pass, and of the second
    turns = [batch("1"), batch("1"), batch("2.5"), batch("x")]
    monkeypatch.setattr(ArrowReader, "_batches", lambda _: iter([turns.pop(0)]))
    with pytest.raises(VerificationError, match="name held other values when it was read again"):
        convert(source, "d.parquet", types="infer")
    assert turns == []
    assert left(tmp_path) == ["folder", "s.arrow"]
