"""Compressed text: whole streams in any number of pieces, and none that is broken or swells beyond the limits."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pytest

from gidbench.errors import EmptyFileError, InputError
from gidbench.files.options import DEFAULTS, Limits, ReadOptions
from gidbench.files.readers import open_reader

TEXT = b"a,b\n" + b"".join(b"%d,x%d\n" % (i, i) for i in range(50_000))


def packed(suffix: str, plain: bytes) -> bytes:
    if suffix == ".gz":
        return gzip.compress(plain, 1)
    return pa.compress(plain, codec="zstd", asbytes=True)


def count(path: Path, options: ReadOptions = DEFAULTS) -> int:
    with open_reader(path, options) as reader:
        assert reader.header == ["a", "b"]
        return sum(reader.parse(chunk, (0, 1)).flags.size for _, chunk in reader.chunks())


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_one_stream_or_several_in_a_row_are_read_whole(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t.csv{suffix}"
    path.write_bytes(packed(suffix, TEXT))
    assert count(path) == 50_000
    pieces = [TEXT[:100_001], b"", TEXT[100_001:300_000], TEXT[300_000:]]
    path.write_bytes(b"".join(packed(suffix, piece) for piece in pieces))
    assert count(path) == 50_000


@pytest.mark.parametrize(
    ("suffix", "damage"),  # what was changed inside of zstd is told by its checksum, if it has one
    [
        (".gz", "cut"),
        (".gz", "changed"),
        (".gz", "not compressed"),
        (".zst", "cut"),
        (".zst", "not compressed"),
    ],
)
def test_a_broken_stream_is_refused(tmp_path: Path, suffix: str, damage: str) -> None:
    path = tmp_path / f"t.csv{suffix}"
    content = bytearray(packed(suffix, TEXT))
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "changed":
        content[len(content) // 2] ^= 0x55
        content[-6] ^= 0x55
    else:
        content = bytearray(TEXT)
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"t\.csv\.\w+ cannot be decompressed .*Check that it is whole"):
        count(path)


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_an_empty_stream_is_an_empty_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t.csv{suffix}"
    path.write_bytes(packed(suffix, b""))
    with pytest.raises(EmptyFileError, match="is empty"):
        count(path)


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_bomb_is_given_up_at_the_limits(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t.csv{suffix}"
    path.write_bytes(packed(suffix, b"a,b\n" + b"1,2\n" * 20_000_000))
    with pytest.raises(InputError, match=r"more than 100 times its [\d,]+ bytes"):
        count(path, ReadOptions(limits=Limits(inflate_ratio=100)))
    with pytest.raises(InputError, match="holds more than 1,000,000 bytes"):
        count(path, ReadOptions(limits=Limits(inflated_bytes=1_000_000)))


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_nothing_is_left_in_the_temporary_folder(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    path = tmp_path / f"t.csv{suffix}"
    path.write_bytes(packed(suffix, TEXT))
    assert count(path) == 50_000
    path.write_bytes(packed(suffix, TEXT)[:-9])
    with pytest.raises(InputError):
        count(path)
    assert list(folder.iterdir()) == []
