"""The parts of a workbook around its sheets: relationships, the list of sheets, styles, the calendar."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gidbench.errors import InputError
from gidbench.files.workbooks import formats
from gidbench.files.workbooks.container import Entry, Package
from gidbench.files.workbooks.xml import COMPATIBILITY, MAIN, RELATIONS, SEPARATOR, NotWellFormed, Parser

_MOST_BYTES = 256 << 20  # of one of these parts
_USUAL_BOOK = "xl/workbook.xml"
_MOST_STYLES = 1 << 20


@dataclass(frozen=True)
class SheetPart:
    """A worksheet as the workbook lists it; `entry` is None where the package has no such part."""

    name: str
    entry: Entry | None


@dataclass(frozen=True)
class Book:
    """What is known about all sheets.

    Attributes
    ----------
    sheets:
        The worksheets in the workbook's order; charts and dialogs are none.
    classes:
        uint8: the kind of number under each cell style.
    since_1904:
        Whether days count from 1904-01-01.
    strings:
        The part of shared strings.
    """

    sheets: list[SheetPart]
    classes: npt.NDArray[np.uint8]
    since_1904: bool
    strings: Entry | None


@dataclass(frozen=True)
class _Relation:
    kind: str
    target: str


@dataclass
class _Content:
    """What workbook.xml says."""

    sheets: list[tuple[str, str]] = field(default_factory=list)  # name, id of the relationship
    since_1904: bool = False
    is_workbook: bool = False


def read_book(package: Package) -> Book:
    """Raises InputError where the package is no workbook with a worksheet."""
    name = _main_part(package)
    entry = package.find(name)
    if entry is None:
        raise InputError(
            f"{package.name} cannot be read as a workbook: it is a zip archive without one",
            "Give a workbook that Excel opens",
        )
    content = _read_content(package, entry)
    relations = _relations(package, name)
    sheets = []
    for title, number in content.sheets:
        relation = relations.get(number)
        if relation is not None and relation.kind == "worksheet":
            sheets.append(SheetPart(title, package.find(relation.target)))
        elif relation is None and number:
            sheets.append(SheetPart(title, None))
    by_kind = {relation.kind: relation.target for relation in reversed(relations.values())}
    folder = posixpath.dirname(name)
    styles = package.find(by_kind.get("styles", f"{folder}/styles.xml"))
    strings = package.find(by_kind.get("sharedStrings", f"{folder}/sharedStrings.xml"))
    return Book(sheets, _read_styles(package, styles), content.since_1904, strings)


def _main_part(package: Package) -> str:
    """The name of the workbook's part. What the package says of it may be broken: its usual place is known."""
    try:
        relations = _relations(package, "")
    except NotWellFormed:
        return _USUAL_BOOK
    for relation in relations.values():
        if relation.kind == "officeDocument" and package.find(relation.target) is not None:
            return relation.target
    return _USUAL_BOOK


def _relations(package: Package, name: str) -> dict[str, _Relation]:
    """The relationships of a part by their id; targets are names from the root on."""
    folder, base = posixpath.split(name)
    entry = package.find(posixpath.join(folder, "_rels", f"{base}.rels"))
    found: dict[str, _Relation] = {}
    if entry is None:
        return found

    def start(_: str, local: str, attributes: dict[str, str]) -> None:
        if local == "Relationship" and attributes.get("TargetMode", "").lower() != "external":
            target = attributes.get("Target", "").replace("\\", "/")
            if not target.startswith("/"):
                target = posixpath.join("/", folder, target)
            kind = attributes.get("Type", "").rstrip("/").rpartition("/")[2]
            found[attributes.get("Id", "")] = _Relation(kind, posixpath.normpath(target))

    _parse(package, entry, start)
    return found


def _read_content(package: Package, entry: Entry) -> _Content:
    content = _Content()
    depth_of_choice: list[str] = []

    def start(space: str, local: str, attributes: dict[str, str]) -> None:
        if space == COMPATIBILITY and local == "Choice":
            depth_of_choice.append(local)
        if space not in MAIN or depth_of_choice:
            return
        if local == "workbook":
            content.is_workbook = True
        elif local == "workbookPr":
            content.since_1904 = attributes.get("date1904", "").strip().lower() in ("1", "true", "on")
        elif local == "sheet":
            keys = (f"{space}{SEPARATOR}id" for space in RELATIONS)
            number = next((attributes[key] for key in keys if key in attributes), "")
            content.sheets.append((attributes.get("name", ""), number))

    def end(space: str, local: str) -> None:
        if space == COMPATIBILITY and local == "Choice":
            depth_of_choice.pop()

    parser = Parser(package.name, entry.name)
    parser.listen(start, end)
    parser.feed(package.read(entry, _MOST_BYTES), True)
    if not content.is_workbook:
        raise InputError(
            f"{package.name} cannot be read as a workbook: its part {entry.name!r} describes something else",
            "Give a workbook that Excel opens",
        )
    return content


def _read_styles(package: Package, entry: Entry | None) -> npt.NDArray[np.uint8]:
    """The kind of number under each cell style; at least one."""
    codes: dict[int, int] = {}
    numbers: list[int] = []
    path: list[str] = []

    def start(space: str, local: str, attributes: dict[str, str]) -> None:
        path.append(local if space in MAIN else "")
        if space not in MAIN:
            return
        if local == "numFmt" and path[-2:-1] == ["numFmts"]:
            number = _integer(attributes.get("numFmtId"))
            codes[number] = formats.custom(attributes.get("formatCode", ""))
        elif local == "xf" and path[-2:-1] == ["cellXfs"]:
            numbers.append(_integer(attributes.get("numFmtId")))
            if len(numbers) > _MOST_STYLES:
                raise InputError(
                    f"{package.name} has more than {_MOST_STYLES:,} cell styles", "Save it anew from Excel"
                )

    def end(_: str, __: str) -> None:
        path.pop()

    if entry is not None:
        parser = Parser(package.name, entry.name)
        parser.listen(start, end)
        parser.feed(package.read(entry, _MOST_BYTES), True)
    kinds = [codes[number] if number in codes else formats.built_in(number) for number in numbers]
    return np.array(kinds or [formats.built_in(0)], np.uint8)


def _integer(text: str | None) -> int:
    try:
        return int(text or 0)
    except ValueError:
        return 0


def _parse(package: Package, entry: Entry, start: object) -> None:
    parser = Parser(package.name, entry.name)
    parser.listen(start)  # type: ignore[arg-type]
    parser.feed(package.read(entry, _MOST_BYTES), True)
