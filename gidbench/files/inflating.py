"""Compressed files made plain, in a temporary file: chunks of one are read in parallel from a memory map."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from gidbench.errors import InputError
from gidbench.files.options import Limits

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
_BLOCK = 4 << 20
_RATIO_FROM = 64 << 20  # inflated bytes from which on their ratio to the compressed ones counts


@contextmanager
def inflated(path: Path, limits: Limits) -> Iterator[Path]:
    """The content of a compressed file in a temporary one, which is removed at the end.

    Raises InputError where it is broken, or beyond the limits.
    """
    codec = COMPRESSIONS[path.suffix.lower()]
    with tempfile.TemporaryDirectory(prefix="gidbench-") as folder:
        plain = Path(folder) / path.stem
        try:
            with pa.input_stream(str(path), compression=codec) as source, plain.open("wb") as target:
                _copy(source, target, path, limits)
        except (OSError, pa.ArrowException) as error:
            raise InputError(
                f"{path.name} cannot be decompressed ({str(error).splitlines()[0]})", "Check that it is whole"
            ) from error
        yield plain


def _copy(source: Any, target: Any, path: Path, limits: Limits) -> None:
    compressed, size = path.stat().st_size, 0
    while block := source.read(_BLOCK):
        size += len(block)
        if size > limits.inflated_bytes:
            raise InputError(
                f"{path.name} holds more than {limits.inflated_bytes:,} bytes",
                "Raise the limit of inflated bytes if you trust the file",
            )
        if size > _RATIO_FROM and size > limits.inflate_ratio * compressed:
            raise InputError(
                f"{path.name} holds more than {limits.inflate_ratio:,} times its {compressed:,} bytes",
                "Raise the limit of the ratio if you trust the file",
            )
        target.write(block)
