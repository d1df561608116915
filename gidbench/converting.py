"""Conversion from end to end: any table that can be read, to a file of text or of typed columns."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from gidbench.conversion.pieces import Parsed, Parser, Piece
from gidbench.conversion.places import check_places, size_of, unique_titles
from gidbench.conversion.result import ConversionResult
from gidbench.engine import Cancellation, Context, ProgressCallback, ending, map_ordered, work_ordered
from gidbench.errors import EmptyFileError, InputError
from gidbench.files.atomic import replacing
from gidbench.files.csv_reader import FLAG_REASONS
from gidbench.files.options import LIMITS, ReadOptions, limits_of
from gidbench.files.readers import WORKBOOKS, open_reader, source_kind
from gidbench.files.rejects import Reject, RejectsFile
from gidbench.files.text import TableReader
from gidbench.files.writers import STANDARD_OUTPUT, CsvOptions, Writer, check_destination, open_writer, recut
from gidbench.kernels.warmup import compile_all
from gidbench.outcome import finished
from gidbench.records import Reason
from gidbench.settings import load_settings

GROUP_UNITS = {"bytes": 16 << 20, "rows": 131_072}  # of a source, that make a row group


def convert(
    source: str | Path,
    destination: str | Path,
    *,
    types: str = "text",
    malformed: str | Path | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    quote: str | None = None,
    escape: str | None = None,
    header: int | None = None,
    sheet: str | int | None = None,
    workers: int | None = None,
    progress: ProgressCallback | None = None,
    cancellation: Cancellation | None = None,
    **limits: int | bool | None,
) -> ConversionResult:
    """Write any table as CSV, Parquet, Arrow or a workbook; nothing of it is lost.

    Parameters
    ----------
    source:
        .csv, .tsv, .txt (also .gz and .zst), a workbook, .parquet or .arrow; `-` is text on standard input.
    destination:
        .csv (RFC 4180, UTF-8, LF, quotes only where a value needs them), .csv.gz, .csv.zst, .parquet, .arrow or
        .xlsx, there whole or not at all; `-` is CSV to standard output.
    types:
        `text` leaves values as they are; `infer` finds whole and decimal numbers, truth values, dates and moments
        where all values of a column are some (`gidbench.inference`), and takes empty fields for nulls. CSV holds
        text either way.
    malformed:
        CSV file for the records that cannot be placed; default: beside `destination`, as NAME.malformed.csv.
        It is only written if there are any.
    encoding, delimiter, quote, escape, header, sheet:
        What is known of the source (`gidbench.files.options.ReadOptions`); the rest is found out.
    workers:
        Threads; default: the settings.
    progress:
        Called with each `gidbench.Progress`, from whichever thread did the work.
    cancellation:
        A `gidbench.Cancellation`; once it is set, the operation stops at its next part, and nothing half-done is kept.
    limits:
        Settings max_rows, max_columns, max_field_bytes, max_inflated_bytes, max_inflate_ratio,
        max_shared_strings, max_blank_cells and links.

    Returns
    -------
    ConversionResult: records, columns and their types by name, malformed and repaired records with reasons, decisions
    on the source and how sure they are (0 to 1), warnings.

    Raises
    ------
    InputError, OperationCancelled
    """
    unknown = sorted(set(limits) - set(LIMITS))
    if unknown:
        raise TypeError(f"convert() got an unexpected keyword argument {unknown[0]!r}")
    if types not in ("text", "infer"):
        raise InputError(f"types is {types!r}", "Choose one of text and infer")
    settings = load_settings(workers=workers, **limits)
    options = ReadOptions(
        encoding, delimiter, quote, escape, header, sheet, forgiving=True, limits=limits_of(settings)
    )
    options.check()
    origin = Path(source)
    listed = check_places(origin, destination, None if malformed is None else Path(malformed))
    compile_all()
    context = Context(progress, cancellation or Cancellation())
    started = time.perf_counter_ns()
    result = convert_file(
        origin,
        destination,
        options=options,
        infer=types == "infer",
        malformed=listed,
        workers=settings.workers,
        context=context,
    )
    return finished(result, started)


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
            return _empty(destination, error.problem, malformed, context)
        if not reader.header:
            return _empty(destination, f"{source.name} holds no table", malformed, context)
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
        bytes_written=size_of(destination),
        warnings=(told,),
    )


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
        self._reader, self._destination, self._limits = reader, destination, options.limits
        self._malformed_path, self._workers, self._context = malformed, workers, context
        self._suffix = check_destination(destination)
        self._to_csv = self._suffix.startswith(".csv")
        titles = list(reader.header)
        self._parser = Parser(titles if self._to_csv else unique_titles(titles), context)
        self._warnings: tuple[str, ...] = ()
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
        parser = self._parser
        parser.sample(self._reader)
        try:
            self._convert()
        except _AgainError:
            parser.kinds, parser.is_sure = parser.found_kinds, True
            self._begin()
            self._convert()

    def _convert(self) -> None:
        header = None
        if self._to_csv and not self._reader.header_rows:
            header = CsvOptions(header=False)
        with (
            RejectsFile(self._malformed_path) as refused,
            open_writer(self._destination, self._parser.schema, header) as writer,
        ):
            self._refused = refused
            if self._suffix == ".xlsx":
                self._write_exactly(writer)
            else:
                self._write(writer)
            parser = self._parser
            if parser.kinds is not None and not parser.is_sure:
                self._misfit |= parser.kinds != parser.found_kinds
            if self._misfit:
                raise _AgainError
            refused.seal()

    def _write(self, writer: Writer) -> None:
        """Pieces as they come are parts; all of the work on one is done by one thread."""
        groups = not self._to_csv

        def make(piece: Piece) -> tuple[Parsed, list[Any]]:
            parsed = self._parse(piece)
            with self._context.stage("encode"):
                parts: list[Any] = [] if self._misfit or parsed.misfit else parsed.batches
                if groups and parts:
                    parts = [_as_one(parts, self._suffix)]
                return parsed, [writer.prepare(part) for part in parts]

        def take(made: tuple[Parsed, list[Any]]) -> None:
            self._account(made[0])
            if not self._misfit:
                for part in made[1]:
                    self._bytes += writer.write(part)

        pieces = self._pieces(GROUP_UNITS[self._reader.unit] if groups else 1)
        work_ordered(make, take, pieces, workers=self._workers, tick=self._report)

    def _write_exactly(self, writer: Writer) -> None:
        """Parts of exactly as many rows as the writer wants."""

        def take(part: Any) -> None:
            self._bytes += writer.write(part)

        with ending(self._rows_in_order()) as batches:
            parts = recut(batches, writer.part_rows)
            work_ordered(writer.prepare, take, parts, workers=self._workers, tick=self._report)

    def _rows_in_order(self) -> Generator[pa.RecordBatch, None, None]:
        parsed = map_ordered(self._parse, self._pieces(1), workers=self._workers)
        with ending(parsed):
            for each in parsed:
                self._account(each)
                if not self._misfit:
                    yield from each.batches

    def _parse(self, piece: Piece) -> Parsed:
        return self._parser.parse(piece, decide_only=self._misfit)

    def _pieces(self, units: int) -> Iterator[Piece]:
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
                    yield Piece(sheet, size, held)
                    held, size = [], 0
            if held:
                yield Piece(sheet, size, held)

    def _account(self, parsed: Parsed) -> None:
        """Count a piece, the next in order; tell what in it could not be placed."""
        if parsed.piece.sheet is not self._sheet:
            self._sheet = parsed.piece.sheet
            self._line = self._sheet.header_lines + 1
        for record, line, flag, text in parsed.malformed:
            reason = FLAG_REASONS[flag]
            self._reasons[reason.code] += 1
            number, place = self._records + record + 1, self._line + line
            self._refused.add(Reject(number, place, "", "", reason, "", "", text))
        self._misfit |= parsed.misfit
        for known, shown in zip(self._parser.evidence, parsed.evidence, strict=False):
            known.add(shown)
        for flag, count in parsed.repairs.items():
            self._repaired[_code(flag)] += count
        self._records += parsed.records
        self._line += parsed.lines
        self._units += parsed.piece.units
        if self._records > self._limits.rows:
            raise InputError(
                f"the table has more than {self._limits.rows:,} rows",
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
            len(self._parser.names),
            malformed,
            sum(self._repaired.values()),
            dict(sorted((self._reasons + self._repaired).items())),
            "standard output" if str(self._destination) == STANDARD_OUTPUT else str(self._destination),
            size_of(self._destination) or self._bytes,
            self._malformed_path if malformed else None,
            {} if self._to_csv else {field.name: str(field.type) for field in self._parser.schema},
            tuple(self._reader.decisions),
            self._warnings,
        )


def _code(flag: int) -> str:
    reason: Reason | None = FLAG_REASONS.get(flag)
    return reason.code if reason else f"repair_{flag}"


def _as_one(batches: list[pa.RecordBatch], suffix: str) -> pa.Table | pa.RecordBatch:
    if suffix == ".parquet":
        return pa.Table.from_batches(batches)
    return pa.concat_batches(batches)
