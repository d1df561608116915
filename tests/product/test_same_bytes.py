"""The same seed gives the same bytes, whoever makes them."""

from __future__ import annotations

import hashlib
from itertools import product
from pathlib import Path

import pytest

import gidbench


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".arrow"])
def test_a_million_records_have_the_same_bytes_for_every_split(suffix: str, tmp_path: Path) -> None:
    digests = {}
    for workers, batch_size in product([1, 2, 4], [1000, 50_000, 1_000_000]):
        path = tmp_path / f"people{suffix}"
        gidbench.generate(1_000_000, seed=7, workers=workers, batch_size=batch_size, out=path)
        with path.open("rb") as file:
            digests[workers, batch_size] = hashlib.file_digest(file, "sha256").hexdigest()
    assert len(set(digests.values())) == 1, digests
