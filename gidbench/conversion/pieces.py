"""Pieces of a table, parsed: rows of text or of typed columns, and what cannot be placed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from gidbench.engine import Context
from gidbench.errors import VerificationError
from gidbench.files.text import TableReader
from gidbench.inference import TEXT, Evidence, arrow_type, examine, read


@dataclass(frozen=True)
class Piece:
    """Consecutive chunks of one sheet."""

    sheet: TableReader
    units: int
    chunks: list[Any]


@dataclass(frozen=True)
class Parsed:
    """What is in a piece: rows that can be placed, and records that cannot be.

    Attributes
    ----------
    malformed:
        (record, line, flag, text) of each, the first two counted from the start of the piece.
    evidence, misfit:
        What the values show of their columns, and whether one is not of its column's kind: the batches do not
        count then.
    """

    piece: Piece
    batches: list[pa.RecordBatch]
    records: int
    lines: int
    malformed: list[tuple[int, int, int, str]]
    repairs: Counter[int]
    evidence: list[Evidence]
    misfit: bool


@dataclass
class Parser:
    """Parses pieces on any thread.

    Attributes
    ----------
    names:
        Of the columns.
    kinds:
        Of the columns (see `gidbench.inference`), or None where all stay text.
    evidence:
        What is known of the columns by now.
    is_sure:
        Whether the kinds are those of all values.
    """

    names: list[str]
    context: Context
    kinds: list[int] | None = None
    evidence: list[Evidence] = field(default_factory=list)
    is_sure: bool = False

    @property
    def schema(self) -> pa.Schema:
        """Of the batches."""
        kinds = self.kinds or [TEXT] * len(self.names)
        return pa.schema(
            [pa.field(name, arrow_type(kind)) for name, kind in zip(self.names, kinds, strict=True)]
        )

    @property
    def found_kinds(self) -> list[int]:
        """The kinds of the columns by what is known of them."""
        return [each.kind for each in self.evidence]

    def sample(self, reader: TableReader) -> None:
        """Choose kinds by the first chunk."""
        self.evidence = [Evidence() for _ in self.names]
        for _, chunk in reader.chunks():
            parsed = self.parse(Piece(reader, 0, [chunk]), decide_only=False)
            if parsed.batches:
                self.evidence = [examine(column) for column in parsed.batches[0].columns]
                break
        self.kinds = self.found_kinds

    def parse(self, piece: Piece, *, decide_only: bool) -> Parsed:
        """The rows of a piece; with `decide_only` nothing but what their values show."""
        self.context.cancellation.check()
        batches: list[pa.RecordBatch] = []
        malformed: list[tuple[int, int, int, str]] = []
        repairs: Counter[int] = Counter()
        evidence = [Evidence() for _ in self.names]
        records = lines = 0
        misfit = decide_only
        schema = self.schema
        for chunk in piece.chunks:
            with self.context.stage("parse"):
                batch = piece.sheet.parse(chunk, range(len(self.names)))
            columns = list(batch.columns)
            bad = batch.flags.nonzero()[0]
            if bad.size:
                malformed += [
                    (records + row, lines + int(batch.lines[row]), int(batch.flags[row]), batch.raw(row))
                    for row in bad.tolist()
                ]
                fit = pa.array(batch.flags == 0)
                columns = [column.filter(fit) for column in columns]
            if batch.repairs is not None and batch.repairs.any():
                kinds, counts = np.unique(batch.repairs[batch.repairs > 0], return_counts=True)
                repairs.update(dict(zip(kinds.tolist(), counts.tolist(), strict=True)))
            if batch.flags.size > bad.size:
                if self.kinds is not None:
                    with self.context.stage("types"):
                        misfit |= not self._type(columns, evidence, fits=not misfit)
                if not misfit:
                    rows = pa.RecordBatch.from_arrays(columns, schema=schema)
                    batches.append(_compact(rows) if len(piece.chunks) > 1 else rows)
            records += batch.flags.size
            lines += batch.line_count
        return Parsed(piece, batches, records, lines, malformed, repairs, evidence, misfit)

    def _type(self, columns: list[pa.Array], evidence: list[Evidence], *, fits: bool) -> bool:
        """Put typed columns in the place of texts; False where a value is not of its column's kind."""
        assert self.kinds is not None
        for place, (column, kind, known) in enumerate(zip(columns, self.kinds, self.evidence, strict=True)):
            found = read(column, kind, known) if fits or self.is_sure else None
            if found is not None:
                columns[place], shown = found
            if not self.is_sure and (found is None or kind == TEXT) and not known.settled:
                shown = examine(column)
            elif found is None:
                if self.is_sure:
                    raise VerificationError(
                        f"{self.names[place]} held other values when it was read again",
                        "Convert a file that nobody writes to",
                    )
                shown = Evidence(0, True)
            fits &= found is not None
            evidence[place].add(shown)
        return fits


def _compact(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The rows in memory of Arrow's, so that the reader has its large and mostly empty buffers back.

    While four of those are held, two threads spend more time on pages of memory than on records.
    """
    return pa.concat_batches([batch, batch.slice(0, 0)])
