"""Durable files: on the disk before they have their name, and the name, too; nothing stays of those that fail."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from gidbench import operations
from gidbench.errors import InputError
from gidbench.files import early
from gidbench.files.early import open_early

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="open files are told by /proc")
PIECES = [b"head", b"a" * 3_000_000, b"", b"b" * 5_000_017, b"tail" * 5]


def write(path: Path) -> None:
    with open_early(path) as file:
        for piece in PIECES:
            file.write(piece)


def test_a_file_holds_what_was_written(tmp_path):
    write(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"".join(PIECES)


def test_the_system_is_told_of_every_byte_once(tmp_path, monkeypatch):
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(early, "_sync_file_range", lambda _, start, count, __: told.append((start, count)))
    write(tmp_path / "file")
    starts = [0]
    for start, count in told:
        assert start == starts[-1]
        starts.append(start + count)
    assert starts[-1] == sum(map(len, PIECES))


def test_where_the_system_cannot_be_told_files_are_written_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(early, "_sync_file_range", None)
    write(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"".join(PIECES)


@pytest.fixture
def synced(monkeypatch) -> list[tuple[str, bool]]:
    """Names of what fsync was called for, and whether people.csv was there by then."""
    found: list[tuple[str, bool]] = []
    fsync = os.fsync

    def recorded(handle: int) -> None:
        name = Path(f"/proc/self/fd/{handle}").readlink()
        folder = name if name.is_dir() else name.parent
        found.append((name.name, (folder / "people.csv").exists()))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", recorded)
    return found


@linux_only
def test_a_durable_file_is_on_the_disk_before_it_has_its_name_and_then_the_name(tmp_path, synced):
    path = tmp_path / "people.csv"
    operations.generate(40_000, seed=7, out=path, durable=True)
    (content, named_before), (folder, named_after) = synced
    assert content.startswith(".people.csv.")
    assert content.endswith(".part")
    assert not named_before
    assert (folder, named_after) == (tmp_path.name, True)
    plain = tmp_path / "plain.csv"
    operations.generate(40_000, seed=7, out=plain)
    assert path.read_bytes() == plain.read_bytes()
    assert len(synced) == 2  # nobody waits for the disk unless asked to


@linux_only
def test_a_disk_that_fails_at_the_end_leaves_no_file(tmp_path, monkeypatch):
    def fail(_handle: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(InputError, match=r"people\.parquet cannot be written \(Input/output error\)"):
        operations.generate(1_000, out=tmp_path / "people.parquet", durable=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("out", "message"), [("-", "standard output"), (None, "no file whose")])
def test_only_a_file_can_be_durable(out, message):
    with pytest.raises(InputError, match=message):
        operations.generate(10, out=out, durable=True)
