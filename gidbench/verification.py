"""The digest of what a file or a table holds, so that anyone can tell whether what arrived is what was sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet

from gidbench.digest import Digest
from gidbench.engine import Context, ending, map_ordered
from gidbench.errors import InputError
from gidbench.files.options import DEFAULTS, ReadOptions
from gidbench.files.readers import open_reader
from gidbench.files.text import TableReader
from gidbench.outcome import Outcome
from gidbench.stores.opening import open_store, split_table

_BATCH_ROWS = 131_072
T = TypeVar("T")


@dataclass(frozen=True)
class VerificationResult(Outcome):
    """Records found, and their digest (see `gidbench.digest`)."""

    source: str = ""
    digest: str = ""

    def counts(self) -> dict[str, int | str]:
        return {"source": self.source, "digest": self.digest}

    @classmethod
    def of(cls, found: Found, phases: dict[str, float]) -> VerificationResult:
        return cls("verify", found.digest.records, 0.0, phases, {}, found.source, str(found.digest))


@dataclass(frozen=True)
class Found:
    """What a source holds, and what to call it (never with a password)."""

    source: str
    digest: Digest


def digest_source(source: str, workers: int, context: Context, options: ReadOptions = DEFAULTS) -> Found:
    """The digest of a file by its extension, or of a table by URL/TABLE."""
    digest = Digest()
    if "://" in source:
        url, table = split_table(source)
        with open_store(url) as store:
            total = store.count(table)
            for batch in store.read(table, store.schema_of(table).names):
                digest.add(batch)
                context.report("verifying", digest.records, total)
            return Found(f"{store.name}/{table}", digest)
    path = Path(source)
    typed = _TYPED.get(path.suffix.lower())
    if typed is not None:
        _add_typed(path, typed, digest, workers, context)
    else:
        _add_text(path, digest, workers, context, options)
    return Found(str(path), digest)


def _parquet(path: Path) -> tuple[int, Iterator[pa.RecordBatch]]:
    file = pa.parquet.ParquetFile(path)
    return file.metadata.num_rows, file.iter_batches(_BATCH_ROWS)


def _arrow(path: Path) -> tuple[int, Iterator[pa.RecordBatch]]:
    reader = pa.ipc.open_file(pa.memory_map(str(path)))
    batches = (reader.get_batch(index) for index in range(reader.num_record_batches))
    return reader.count_rows(), batches


_TYPED: dict[str, Callable[[Path], tuple[int, Iterator[pa.RecordBatch]]]] = {
    ".parquet": _parquet,
    ".arrow": _arrow,
}


def _add_typed(
    path: Path,
    read: Callable[[Path], tuple[int, Iterator[pa.RecordBatch]]],
    digest: Digest,
    workers: int,
    context: Context,
) -> None:
    if not path.is_file():
        raise InputError(f"there is no file {path}", "Check the name and the folder")
    try:
        total, batches = read(path)
        _add_all(batches, digest.add, workers, context, lambda: digest.records, total)
    except pa.ArrowException as error:
        told = str(error).splitlines()[0]
        raise InputError(f"{path.name} cannot be read ({told})", "Check that the file is whole") from error


def _add_all(
    items: Iterable[T],
    add: Callable[[T], None],
    workers: int,
    context: Context,
    done: Callable[[], int],
    total: int,
) -> None:
    with ending(map_ordered(add, items, workers=workers, cancellation=context.cancellation)) as added:
        for _ in added:
            context.report("verifying", done(), total)


def _add_text(path: Path, digest: Digest, workers: int, context: Context, options: ReadOptions) -> None:
    """Add the records of a file of text cells; a malformed one is an InputError that names its line."""
    with open_reader(path, options) as first:
        for sheet in first.sheets():
            _add_sheet(path, sheet, digest, workers, context)


def _add_sheet(path: Path, reader: TableReader, digest: Digest, workers: int, context: Context) -> None:
    names = reader.header
    lowered = [name.lower() for name in names]
    if len(set(lowered)) < len(lowered):
        twice = next(name for name in lowered if lowered.count(name) > 1)
        raise InputError(f"{path.name} has the column {twice!r} twice", "Rename one of them")
    wanted = range(len(names))
    line = reader.header_lines + 1

    def parse(chunk: tuple[int, object]) -> tuple[int, int, int]:
        units, content = chunk
        batch = reader.parse(content, wanted)
        bad = batch.flags.nonzero()[0]
        if not bad.size:
            digest.add(pa.RecordBatch.from_arrays(list(batch.columns), names=names))
        return units, batch.line_count, int(batch.lines[bad[0]]) if bad.size else -1

    done = 0
    chunks = map_ordered(parse, reader.chunks(), workers=workers, cancellation=context.cancellation)
    with ending(chunks) as parsed:
        for units, lines, bad in parsed:
            if bad >= 0:
                raise InputError(
                    f"the record on line {line + bad:,} of {path.name} is malformed",
                    "Mend it, or use `process`",
                )
            done += units
            line += lines
            context.report("verifying", done, reader.size, reader.unit)
