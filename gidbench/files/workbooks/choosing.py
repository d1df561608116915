"""Which sheet is meant, and how large a table may be."""

from __future__ import annotations

from gidbench.errors import InputError
from gidbench.files.options import Limits, ReadOptions
from gidbench.files.text import Decision


class NoTable(InputError):
    """The sheet has no cell."""


def chosen_sheet(name: str, titles: list[str], sheet: str | int | None) -> int:
    """Which of a workbook's worksheets is meant, from 0: by its title, its number from 1, or the first.

    Raises InputError where there is no such sheet.
    """
    if not titles:
        raise InputError(f"{name} has no worksheet", "Give a workbook with a table")
    if sheet is None:
        return 0
    if isinstance(sheet, str):
        if sheet in titles:
            return titles.index(sheet)
        folded = [title.casefold() for title in titles]
        if sheet.casefold() in folded:
            return folded.index(sheet.casefold())
    number = int(sheet) if not isinstance(sheet, str) or (sheet.isascii() and sheet.isdecimal()) else 0
    if 1 <= number <= len(titles):
        return number - 1
    shown = ", ".join(repr(title) for title in titles[:12])
    raise InputError(f"{name} has no sheet {sheet!r}", f"Its sheets are {shown}")


def check_columns(name: str, columns: int, limits: Limits) -> None:
    if columns > limits.columns:
        raise InputError(
            f"{name} has {columns:,} columns; {limits.columns:,} are the most", "Raise the limit columns"
        )


def check_rows(name: str, rows: int, limit: int) -> None:
    if rows > limit:
        raise InputError(f"{name} has {rows:,} rows or more; {limit:,} are the most", "Raise the limit rows")


def check_blanks(name: str, rows: int, columns: int, cells: int, limits: Limits) -> None:
    """Refuse a table of very few cells that stand far apart: it would be made of blanks."""
    blank = rows * columns - cells
    if blank > limits.blank_cells:
        raise InputError(
            f"the last cell of {name} is in row {rows:,} and column {columns:,}, which makes {blank:,} cells "
            f"that are not in the file; {limits.blank_cells:,} are the most",
            "Remove what stands far out, or raise the limit blank_cells",
        )


def told(options: ReadOptions, sheet: str, header_rows: int, columns: int) -> list[Decision]:
    """What was decided about a sheet, and how sure that is."""
    named, said = options.sheet is not None, options.header is not None
    return [
        Decision("sheet", sheet, 1.0 if named else 0.9, "asked for" if named else "the first worksheet"),
        Decision(
            "header",
            str(header_rows),
            1.0 if said else 0.8,
            "asked for" if said else "the first row with a cell in it",
        ),
        Decision("columns", str(columns), 1.0, "the last column with a cell in it"),
    ]
