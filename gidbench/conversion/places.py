"""Where a conversion writes to, and what its columns are called there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gidbench.errors import InputError
from gidbench.files.writers import STANDARD_OUTPUT, check_destination


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


def size_of(path: str | Path) -> int:
    """Bytes of a file that was written."""
    return 0 if str(path) == STANDARD_OUTPUT else Path(path).stat().st_size


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
