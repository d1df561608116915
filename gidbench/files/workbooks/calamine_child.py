"""Run as a program: one sheet of a workbook by calamine, to standard output, for `fallback`.

It loads all of a sheet, and a hostile file can make it fill the memory or abort; so it does that in a process
of its own, with a bound on its memory. It imports nothing of ours, to be quick.

What it writes, by `marshal`: the worksheets' names; then, for the sheet that the second argument numbers from
0, lists of rows, and None at the end. A date or time is a pair of its kind and its numbers.
"""

from __future__ import annotations

import marshal
import sys
from datetime import date, datetime, time, timedelta
from typing import Any

ROWS = 512  # at once
MOST_MEMORY = 1_500 << 20


def plain(value: Any) -> Any:
    """A cell as something that `marshal` writes."""
    if isinstance(value, datetime):
        return (
            "datetime",
            value.year,
            value.month,
            value.day,
            value.hour,
            value.minute,
            value.second,
            value.microsecond,
        )
    if isinstance(value, date):
        return "date", value.year, value.month, value.day
    if isinstance(value, time):
        return "time", value.hour, value.minute, value.second, value.microsecond
    if isinstance(value, timedelta):
        return "timedelta", value.days, value.seconds, value.microseconds
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def bound_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows has no such bound
        return
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))


def main(path: str, number: int) -> None:
    bound_memory()
    from python_calamine import CalamineWorkbook, SheetTypeEnum

    out = sys.stdout.buffer
    book = CalamineWorkbook.from_path(path)
    names = [sheet.name for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    marshal.dump(names, out)
    if 0 <= number < len(names):
        sheet = book.get_sheet_by_name(names[number])
        left = [""] * (sheet.start[1] if sheet.start else 0)
        rows: list[list[Any]] = []
        for row in sheet.iter_rows():
            rows.append(left + [plain(value) for value in row])
            if len(rows) == ROWS:
                marshal.dump(rows, out)
                rows = []
        marshal.dump(rows, out)
    marshal.dump(None, out)
    out.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
