"""New files: room is reserved ahead and given back; durable ones are on the disk before they have their name."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from gidbench import operations
from gidbench.errors import InputError
from gidbench.files import growing
from gidbench.files.growing import open_new

MEBI = 1 << 20
linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux reserves room")


def write(path: Path, pieces: list[bytes], **options: bool) -> None:
    with open_new(path, **options) as file:
        for piece in pieces:
            file.write(piece)


@pytest.fixture
def reserved(monkeypatch) -> list[tuple[int, int]]:
    """(start, length) of what is asked for; nothing is."""
    asked: list[tuple[int, int]] = []

    def fallocate(_handle: int, mode: int, start: int, length: int) -> int:
        assert mode == growing._KEEP_SIZE
        asked.append((start, length))
        return 0

    monkeypatch.setattr(growing, "_fallocate", fallocate)
    return asked


PIECES = [b"head", b"a" * MEBI, b"", b"b" * (3 * MEBI + 17), b"tail" * 5]


@pytest.mark.parametrize("early", [False, True])
def test_a_file_holds_what_was_written(tmp_path, early):
    write(tmp_path / "file", PIECES, early=early)
    assert (tmp_path / "file").read_bytes() == b"".join(PIECES)


@linux_only
def test_what_was_reserved_and_not_needed_is_given_back(tmp_path):
    path = tmp_path / "file"
    with open_new(path) as file:
        file.write(b"x" * (2 * MEBI))
        file.flush()
        assert path.stat().st_size == 2 * MEBI  # the length never tells what is reserved
        meanwhile = path.stat().st_blocks * 512
    if meanwhile <= 3 * MEBI:
        pytest.skip("this file system reserves nothing")
    assert path.stat().st_blocks * 512 <= 2 * MEBI + 64 * 1024


def test_room_is_reserved_for_large_writes_only_and_each_byte_once(tmp_path, reserved):
    write(tmp_path / "small", [b"x" * 1000] * 2000)
    assert reserved == []
    write(tmp_path / "large", [b"y" * (40 * MEBI)] * 4)
    assert len(reserved) == 2
    (first, length), (second, _) = reserved
    assert (first, second) == (0, length)
    assert sum(length for _, length in reserved) >= 160 * MEBI
    assert (tmp_path / "large").stat().st_size == 160 * MEBI


@pytest.mark.parametrize("missing", [True, False], ids=["no such call", "refused"])
def test_where_nothing_can_be_reserved_files_are_written_all_the_same(tmp_path, monkeypatch, missing):
    asked: list[int] = []
    monkeypatch.setattr(growing, "_fallocate", None if missing else lambda *_: asked.append(1) or -1)
    write(tmp_path / "file", [b"z" * (2 * MEBI)] * 3)
    assert (tmp_path / "file").stat().st_size == 6 * MEBI
    assert len(asked) == (0 if missing else 1)  # who refused is not asked again


# --- durable --------------------------------------------------------------------------------------


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
