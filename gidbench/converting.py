"""Conversion from end to end: any table that can be read, to a file of text or of typed columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from gidbench.engine import Context, ending, map_ordered, work_ordered
from gidbench.errors import EmptyFileError, InputError, VerificationError
from gidbench.files.atomic import replacing
from gidbench.files.csv_reader import FLAG_REASONS
from gidbench.files.options import ReadOptions
from gidbench.files.readers import WORKBOOKS, open_reader, source_kind
from gidbench.files.rejects import RejectsFile
from gidbench.files.text import Decision, TableReader
from gidbench.files.writers import STANDARD_OUTPUT, CsvOptions, Writer, check_destination, open_writer, recut
from gidbench.inference import TEXT, Evidence, arrow_type, examine, read
from gidbench.outcome import Outcome
from gidbench.records import Reason

GROUP_UNITS = {"bytes": 16 << 20, "rows": 131_072}  # of a source, that make a row group


@dataclass(frozen=True)
class ConversionResult(Outcome):
    """What became of a table.

    Attributes
    ----------
    columns:
        Of the table; with their types in `types`, by name.
    malformed, repaired:
        Records that could not be placed, which are in `malformed_path`; and those that could be after all.
    reasons:
        Of both, by code.
    decisions:
        What was found out about the source, and how sure that is.
    warnings:
        What the reader of the result should know.
    """

    columns: int = 0
    malformed: int = 0
    repaired: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    destination: str = ""
    bytes_written: int = 0
    malformed_path: Path | None = None
    types: dict[str, str] = field(default_factory=dict)
    decisions: tuple[Decision, ...] = ()
    warnings: tuple[str, ...] = ()

    def counts(self) -> dict[str, int | str]:
        named: dict[str, int | str] = {
            "columns": self.columns,
            "destination": self.destination,
            "bytes_written": self.bytes_written,
        }
        if self.repaired:
            named["repaired"] = self.repaired
        if self.malformed:
            named["malformed"] = self.malformed
            named["malformed_list"] = str(self.malformed_path)
        if self.reasons:
            named["reasons"] = ", ".join(f"{code} {count:,}" for code, count in self.reasons.items())
        return named

    def to_dict(self) -> dict[str, Any]:
        decisions = [
            {"what": each.what, "value": each.value, "sure": each.sure, "why": each.why}
            for each in self.decisions
        ]
        return {
            **super().to_dict(),
            "malformed": self.malformed,
            "repaired": self.repaired,
            "types": dict(self.types),
            "decisions": decisions,
            "warnings": list(self.warnings),
        }


def check_places(source: Path, destination: str | Path, malformed: Path | None) -> Path:
    """The file for malformed records; InputError where one of the three files is another one, too."""
    check_destination(destination)
    if str(destination) == STANDARD_OUTPUT:
        listed = malformed or source.with_name(f"{source.name}.malformed.csv")
    else:
        goal = Path(destination)
        if _is_same(source, goal):
            raise InputError(f"{goal} is the file to convert", "Name another one to write to")
        suffix = check_destination(goal)
        listed = malformed or goal.with_name(f"{goal.name[: -len(suffix)]}.malformed.csv")
        if _is_same(goal, listed):
            raise InputError(f"{listed} is the file to write", "Name another one for malformed records")
    if _is_same(source, listed):
        raise InputError(f"{listed} is the file to convert", "Name another one for malformed records")
    return listed


def _is_same(one: Path, other: Path) -> bool:
    if one.exists() and other.exists():
        return one.samefile(other)
    return one.resolve() == other.resolve()


def convert_file(
    source: Path,
    destination: str | Path,
    *,
    options: ReadOptions,
    infer: bool,
    malformed: Path,
    workers: int,
    context: Context,
) -> ConversionResult:
    """Convert one file; the destination is there whole, or as it was before.

    Raises InputError where the source cannot be read or is beyond the limits.
    """
    suffix = check_destination(destination)
    to_csv = suffix.startswith(".csv")
    if to_csv and options.header is None and source_kind(source) in WORKBOOKS:
        options = replace(options, header=0)  # rows and columns stay where they are
    with ExitStack() as stack:
        try:
            with context.phase("open"):
                reader = stack.enter_context(open_reader(source, options))
        except EmptyFileError as error:
            return _empty(destination, str(error), malformed, context)
        run = _Conversion(reader, destination, options, malformed, workers, context)
        with context.phase("read and write"):
            run.convert(infer=infer)
        return run.result()


def _empty(destination: str | Path, told: str, malformed: Path, context: Context) -> ConversionResult:
    """An empty file from an empty file: not even a header is made up."""
    suffix = check_destination(destination)
    with RejectsFile(malformed), context.phase("write"):
        if suffix == ".csv" and str(destination) != STANDARD_OUTPUT:
            with replacing(Path(destination)) as beside:
                beside.touch()
        elif str(destination) != STANDARD_OUTPUT:
            options = CsvOptions(header=False) if suffix.startswith(".csv") else None
            with open_writer(destination, pa.schema([]), options):
                pass
    return ConversionResult(
        "convert",
        0,
        0.0,
        dict(context.phases),
        dict(context.busy),
        destination=str(destination),
        bytes_written=_size(destination),
        warnings=(told,),
    )


def unique_titles(titles: Sequence[str]) -> list[str]:
    """Titles that tell columns apart: blank ones by their place (column_3), a second `a` as a_2, a third as a_3.

    A title that is in the file already is not taken for another column.
    """
    taken = set(titles)
    used: set[str] = set()
    found = []
    for place, title in enumerate(titles, 1):
        wanted = title if title.strip() else f"column_{place}"
        name, number = wanted, 1
        while name in used or ((number > 1 or wanted != title) and name in taken):
            number += 1
            name = f"{wanted}_{number}"
        used.add(name)
        found.append(name)
    return found


@dataclass(frozen=True)
class _Piece:
    """Consecutive chunks of one sheet."""

    sheet: TableReader
    units: int
    chunks: list[Any]


@dataclass(frozen=True)
class _Parsed:
    """What is in a piece: rows that can be placed, and records that cannot be.

    Attributes
    ----------
    malformed:
        (record, line, flag, text) of each, the first two counted from the start of the piece.
    evidence, misfit:
        What the values show of their columns, and whether one is not of its column's kind: the batches do not
        count then.
    """

    piece: _Piece
    batches: list[pa.RecordBatch]
    records: int
    lines: int
    malformed: list[tuple[int, int, int, str]]
    repairs: Counter[int]
    evidence: list[Evidence]
    misfit: bool


class _AgainError(Exception):
    """The columns have other kinds than they were written as."""


class _Conversion:
    """One run over one file."""

    def __init__(
        self,
        reader: TableReader,
        destination: str | Path,
        options: ReadOptions,
        malformed: Path,
        workers: int,
        context: Context,
    ) -> None:
        self._reader, self._destination, self._options = reader, destination, options
        self._malformed_path, self._workers, self._context = malformed, workers, context
        self._suffix = check_destination(destination)
        self._to_csv = self._suffix.startswith(".csv")
        titles = list(reader.header)
        if len(titles) > options.limits.columns:
            raise InputError(
                f"the table has {len(titles):,} columns, more than {options.limits.columns:,}",
                "Raise the limit of columns (--max-columns) if you trust the file",
            )
        self._names = titles if self._to_csv else unique_titles(titles)
        self._kinds: list[int] | None = None  # of columns, where they are to have types
        self._wanted = range(len(titles))
        self._evidence: list[Evidence] = []
        self._warnings: tuple[str, ...] = ()
        self._is_sure = False  # whether the kinds are those of all values
        self._begin()

    def _begin(self) -> None:
        self._records = self._units = self._bytes = self._total = 0
        self._line = 0
        self._misfit = False  # whether a value was found that is not of its column's kind
        self._sheet: TableReader | None = None
        self._reasons: Counter[str] = Counter()
        self._repaired: Counter[str] = Counter()

    def convert(self, *, infer: bool) -> None:
        if infer and self._to_csv:
            self._warnings += ("CSV holds text: --types infer changes nothing",)
        if not infer or self._to_csv:
            self._convert()
            return
        self._evidence = self._sample()
        self._kinds = [each.kind for each in self._evidence]
        try:
            self._convert()
        except _AgainError:
            self._kinds, self._is_sure = [each.kind for each in self._evidence], True
            self._begin()
            self._convert()

    def _sample(self) -> list[Evidence]:
        """What the columns can be, going by the first chunk."""
        for _, chunk in self._reader.chunks():
            parsed = self._parse(_Piece(self._reader, 0, [chunk]), self._schema())
            if parsed.batches:
                return [examine(column) for column in parsed.batches[0].columns]
        return [Evidence() for _ in self._names]

    def _schema(self) -> pa.Schema:
        kinds = self._kinds or [TEXT] * len(self._names)
        return pa.schema(
            [pa.field(name, arrow_type(kind)) for name, kind in zip(self._names, kinds, strict=True)]
        )

    def _convert(self) -> None:
        schema = self._schema()
        header = None
        if self._to_csv and not self._reader.header_rows:
            header = CsvOptions(header=False)
        with (
            RejectsFile(self._malformed_path) as refused,
            open_writer(self._destination, schema, header) as writer,
        ):
            self._refused = refused
            if self._suffix == ".xlsx":
                self._write_exactly(writer, schema)
            else:
                self._write(writer, schema)
            if self._kinds is not None and not self._is_sure:
                self._misfit |= self._kinds != [each.kind for each in self._evidence]
            if self._misfit:
                raise _AgainError
            refused.seal()

    def _write(self, writer: Writer, schema: pa.Schema) -> None:
        """Pieces as they come are parts; all of the work on one is done by one thread."""
        groups = not self._to_csv

        def make(piece: _Piece) -> tuple[_Parsed, list[Any]]:
            parsed = self._parse(piece, schema)
            with self._context.stage("encode"):
                parts: list[Any] = [] if self._misfit or parsed.misfit else parsed.batches
                if groups and parts:
                    parts = [_as_one(parts, self._suffix)]
                return parsed, [writer.prepare(part) for part in parts]

        def take(made: tuple[_Parsed, list[Any]]) -> None:
            self._account(made[0])
            if not self._misfit:
                for part in made[1]:
                    self._bytes += writer.write(part)

        pieces = self._pieces(GROUP_UNITS[self._reader.unit] if groups else 1)
        work_ordered(make, take, pieces, workers=self._workers, tick=self._report)

    def _write_exactly(self, writer: Writer, schema: pa.Schema) -> None:
        """Parts of exactly as many rows as the writer wants."""

        def take(part: Any) -> None:
            self._bytes += writer.write(part)

        with ending(self._rows_in_order(schema)) as batches:
            parts = recut(batches, writer.part_rows)
            work_ordered(writer.prepare, take, parts, workers=self._workers, tick=self._report)

    def _rows_in_order(self, schema: pa.Schema) -> Generator[pa.RecordBatch, None, None]:
        parsed = map_ordered(lambda piece: self._parse(piece, schema), self._pieces(1), workers=self._workers)
        with ending(parsed):
            for each in parsed:
                self._account(each)
                if not self._misfit:
                    yield from each.batches

    def _pieces(self, units: int) -> Iterator[_Piece]:
        """The chunks of all sheets of the table, in pieces of about so many units."""
        sheets = self._reader.sheets() if self._reader.header_rows else iter([self._reader])
        for sheet in sheets:
            self._total += sheet.size
            held: list[Any] = []
            size = 0
            for count, chunk in sheet.chunks():
                held.append(chunk)
                size += count
                if size >= units:
                    yield _Piece(sheet, size, held)
                    held, size = [], 0
            if held:
                yield _Piece(sheet, size, held)

    def _parse(self, piece: _Piece, schema: pa.Schema) -> _Parsed:
        self._context.cancellation.check()
        batches: list[pa.RecordBatch] = []
        malformed: list[tuple[int, int, int, str]] = []
        repairs: Counter[int] = Counter()
        evidence = [Evidence() for _ in self._names]
        records = lines = 0
        misfit = self._misfit
        for chunk in piece.chunks:
            with self._context.stage("parse"):
                batch = piece.sheet.parse(chunk, self._wanted)
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
                if self._kinds is not None:
                    with self._context.stage("types"):
                        misfit |= not self._type(columns, evidence)
                if not misfit:
                    rows = pa.RecordBatch.from_arrays(columns, schema=schema)
                    batches.append(_compact(rows) if len(piece.chunks) > 1 else rows)
            records += batch.flags.size
            lines += batch.line_count
        return _Parsed(piece, batches, records, lines, malformed, repairs, evidence, misfit)

    def _type(self, columns: list[pa.Array], evidence: list[Evidence]) -> bool:
        """Put typed columns in the place of texts; False where a value is not of its column's kind."""
        assert self._kinds is not None
        fits = not self._misfit
        for place, (column, kind, known) in enumerate(zip(columns, self._kinds, self._evidence, strict=True)):
            found = read(column, kind, known) if fits or self._is_sure else None
            if found is not None:
                columns[place], shown = found
            if not self._is_sure and (found is None or kind == TEXT) and not known.settled:
                shown = examine(column)
            elif found is None:
                if self._is_sure:
                    raise VerificationError(
                        f"{self._names[place]} held other values when it was read again",
                        "Convert a file that nobody writes to",
                    )
                shown = Evidence(0, True)
            fits &= found is not None
            evidence[place].add(shown)
        return fits

    def _account(self, parsed: _Parsed) -> None:
        """Count a piece, the next in order; tell what in it could not be placed."""
        if parsed.piece.sheet is not self._sheet:
            self._sheet = parsed.piece.sheet
            self._line = self._sheet.header_lines + 1
        for record, line, flag, text in parsed.malformed:
            reason = FLAG_REASONS[flag]
            self._reasons[reason.code] += 1
            self._refused.add(self._records + record + 1, self._line + line, reason, text)
        self._misfit |= parsed.misfit
        for known, shown in zip(self._evidence, parsed.evidence, strict=False):
            known.add(shown)
        for flag, count in parsed.repairs.items():
            self._repaired[_code(flag)] += count
        self._records += parsed.records
        self._line += parsed.lines
        self._units += parsed.piece.units
        if self._records > self._options.limits.rows:
            raise InputError(
                f"the table has more than {self._options.limits.rows:,} rows",
                "Raise the limit of rows (--max-rows) if you trust the file",
            )

    def _report(self) -> None:
        self._context.report(
            "converting",
            self._units,
            max(self._total, self._units),
            self._reader.unit,
            bytes_done=self._bytes,
        )

    def result(self) -> ConversionResult:
        malformed = sum(self._reasons.values())
        return ConversionResult(
            "convert",
            self._records,
            0.0,
            dict(self._context.phases),
            dict(self._context.busy),
            len(self._names),
            malformed,
            sum(self._repaired.values()),
            dict(sorted((self._reasons + self._repaired).items())),
            "standard output" if str(self._destination) == STANDARD_OUTPUT else str(self._destination),
            _size(self._destination) or self._bytes,
            self._malformed_path if malformed else None,
            {} if self._to_csv else {field.name: str(field.type) for field in self._schema()},
            tuple(self._reader.decisions),
            self._warnings,
        )


def _code(flag: int) -> str:
    reason: Reason | None = FLAG_REASONS.get(flag)
    return reason.code if reason else f"repair_{flag}"


def _compact(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The rows in memory of Arrow's, so that the reader has its large and mostly empty buffers back.

    While four of those are held, two threads spend more time on pages of memory than on records.
    """
    return pa.concat_batches([batch, batch.slice(0, 0)])


def _as_one(batches: list[pa.RecordBatch], suffix: str) -> pa.Table | pa.RecordBatch:
    if suffix == ".parquet":
        return pa.Table.from_batches(batches)
    return pa.concat_batches(batches)


def _size(path: str | Path) -> int:
    return 0 if str(path) == STANDARD_OUTPUT else Path(path).stat().st_size
