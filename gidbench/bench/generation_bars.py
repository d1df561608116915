"""The bars of generation: who takes part in `gidbench bench generate`, and what must come out."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from gidbench.bench import limits
from gidbench.bench.comparison import (
    PROOF_RECORDS,
    Bar,
    Comparison,
    Contender,
    check_extent,
    compare,
    together,
)
from gidbench.bench.peers import files
from gidbench.bench.peers.checks import check_people
from gidbench.bench.peers.model import Maker
from gidbench.bench.peers.registry import MAKERS
from gidbench.bench.turns import settled, steady, typical, warm
from gidbench.engine import Cancellation, ProgressCallback
from gidbench.kernels.warmup import compile_all
from gidbench.operations import generate
from gidbench.settings import load_settings

_BOOK_RECORDS = 20_000  # of xlsxwriter, which takes too long for more
# How many times as fast we must be.
_LEAST = {"numpy": 5.0, "numpy + pandas": 5.0, "duckdb": 5.0, "polars": 3.0, "mimesis": 150.0, "faker": 500.0}
_PROCESS_FACTOR = 20  # whole processes make so many times the records, so that their start counts for little
_HUGE = 100_000_000
_MOST_BYTES = 500_000_000


def compare_generation(
    records: int = 1_000_000,
    *,
    rounds: int = 5,
    seed: int = 7,
    workers: int | None = None,
    peers: bool = True,
    huge: bool = False,
    scratch: Path | None = None,
    progress: ProgressCallback | None = None,
    cancellation: Cancellation | None = None,
) -> Comparison:
    """Measure generation against its bars, in one run, contenders taking turns.

    Parameters
    ----------
    records:
        Per round; slow peers make fewer, and rates are compared.
    peers:
        Whether other libraries take part.
    huge:
        Whether 100 million records are written as well, for memory and time per record.
    scratch:
        Folder for the files, which are removed; default: the system's.
    """
    check_extent(records, rounds)
    threads = load_settings(workers=workers).workers
    compile_all()
    with tempfile.TemporaryDirectory(prefix="gidbench-", dir=scratch) as name:
        folder = Path(name)
        groups = [_ours(records, seed, threads, folder)]
        if peers:
            groups.append(_peers(records, seed, folder))
        if huge:
            groups.append(_huge(records, seed, threads))
        return compare(*together(groups), rounds=rounds, progress=progress, cancellation=cancellation)


def _ours(records: int, seed: int, threads: int, folder: Path) -> tuple[list[Contender], list[Bar]]:
    memory = limits.MemoryWrite(threads)
    text: list[Any] = []
    path = folder / "people.csv"

    def arrow() -> int:
        return generate(records, seed=seed, workers=threads).records

    def arrow_bytes() -> int:
        return files.batches_handed_on(records, seed, threads)

    def keep_text() -> None:
        """The bytes that are to be written, once made."""
        generate(records, seed=seed, workers=threads, out=path)
        text.append(memoryview(path.read_bytes()))

    def plain(*, durable: bool) -> float:
        return limits.file_write_bytes_per_second(folder / "plain.bin", text[0], durable=durable)

    contenders = [
        Contender(
            "arrow",
            "employees to Arrow batches in memory",
            "records/s",
            partial(steady, arrow),
        ),
        Contender(
            "arrow bytes",
            "the same, handed on and not kept, in bytes",
            "bytes/s",
            partial(steady, arrow_bytes),
        ),
        Contender("memory", f"filling memory by {threads} threads", "bytes/s", partial(steady, memory.fill)),
        Contender(
            "csv memory",
            "CSV text to memory",
            "bytes/s",
            partial(warm, partial(files.csv_to_memory, records, seed, threads)),
        ),
        Contender(
            "plain file",
            "the same bytes from a buffer",
            "bytes/s",
            partial(settled, partial(plain, durable=False)),
            keep_text,
        ),
        Contender(
            "csv file",
            "CSV to a file",
            "bytes/s",
            partial(settled, partial(files.csv_to_file, path, records, seed, threads, durable=False)),
        ),
        Contender(
            "plain disk",
            "the same bytes from a buffer, until on disk",
            "bytes/s",
            partial(settled, partial(plain, durable=True)),
        ),
        Contender(
            "csv disk",
            "CSV to a file, until on disk",
            "bytes/s",
            partial(settled, partial(files.csv_to_file, path, records, seed, threads, durable=True)),
        ),
        Contender(
            "xlsx",
            "employees to a workbook",
            "records/s",
            partial(files.xlsx_by_us, folder / "p.xlsx", records, seed, threads),
        ),
    ]
    bars = [
        Bar("employees to Arrow batches", "arrow", 20e6),
        Bar("  handed on / memory-write bandwidth", "arrow bytes", 0.15, "memory"),
        Bar("CSV text to memory", "csv memory", 1e9),
        Bar("CSV file / writing its bytes (on disk)", "csv disk", 0.7, "plain disk"),
        Bar("CSV file / writing its bytes (page cache)", "csv file", 0.7, "plain file"),
        Bar("employees to xlsx (1M in 4 s)", "xlsx", 250_000),
    ]
    return contenders, bars


def _peers(records: int, seed: int, folder: Path) -> tuple[list[Contender], list[Bar]]:
    contenders, bars = [], []
    for peer in MAKERS:
        count = peer.records(records)
        contenders.append(
            Contender(
                peer.name,
                f"{peer.title}, {count:,} records",
                "records/s",
                partial(steady, partial(_people_of, peer, count, seed)),
                partial(prove_maker, peer, seed),
            )
        )
        bars.append(Bar(f"  against {peer.title}", "arrow", _LEAST[peer.name], peer.name))
    few = min(records, _BOOK_RECORDS)

    def same_cells() -> None:
        ours, theirs = folder / "ours.xlsx", folder / "theirs.xlsx"
        generate(PROOF_RECORDS, seed=seed, out=ours)
        files.xlsx_by_xlsxwriter(theirs, PROOF_RECORDS, seed)
        files.check_same_cells(ours, theirs)

    by_xlsxwriter = partial(files.xlsx_by_xlsxwriter, folder / "x.xlsx", few, seed)
    title = f"xlsxwriter (constant_memory), {few:,} records"
    contenders.append(Contender("xlsxwriter", title, "records/s", by_xlsxwriter, same_cells))
    bars.append(Bar("  xlsx against xlsxwriter", "xlsx", 20, "xlsxwriter"))

    many = records * _PROCESS_FACTOR
    ours, theirs = files.our_csv(many, seed), files.tpchgen_csv(many * 125)
    contenders += [
        Contender(
            "csv process",
            f"gidbench, {many:,} records to CSV",
            "bytes per CPU s",
            ours.bytes_per_cpu_s,
            ours.prove,
        ),
        Contender(
            "tpchgen", "tpchgen-cli csv, lineitem", "bytes per CPU s", theirs.bytes_per_cpu_s, theirs.prove
        ),
    ]
    bars.append(Bar("CSV per CPU second / tpchgen-cli", "csv process", 3, "tpchgen"))
    return contenders, bars


def _huge(records: int, seed: int, threads: int) -> tuple[list[Contender], list[Bar]]:
    """A hundred million records: time per record against that of the others, and memory of a whole process.

    To memory and to a standard output that nobody reads: a disk may take a tenth of what comes, and is not
    what is measured here.
    """

    def head_room() -> float:
        return _MOST_BYTES / files.our_csv(_HUGE, seed).run().peak_rss_bytes

    rate = partial(files.csv_to_memory, seed=seed, workers=threads)
    contenders = [
        Contender(
            "few",
            f"CSV text of {records:,} records to memory",
            "bytes/s",
            partial(typical, partial(rate, records)),
        ),
        Contender("huge", f"CSV text of {_HUGE:,} records to memory", "bytes/s", partial(rate, _HUGE)),
        Contender("head room", f"500 MB / peak memory of {_HUGE:,} records to CSV", "ratio", head_room),
    ]
    bars = [
        Bar(f"CSV of {_HUGE / 1e6:g}M records / of {records / 1e6:g}M", "huge", 1 / 1.15, "few"),
        Bar(f"500 MB / peak memory of {_HUGE / 1e6:g}M records", "head room", 1),
    ]
    return contenders, bars


def _people_of(peer: Maker, records: int, seed: int) -> int:
    return int(peer.make(records, seed).num_rows)


def prove_maker(peer: Maker, seed: int, records: int = PROOF_RECORDS) -> None:
    """Raise VerificationError unless a peer makes the same table as we do."""
    check_people(peer.make(records, seed), records, peer.name)
