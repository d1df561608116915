"""Workbooks made by hand, part by part, and what they say by an independent, plain reading."""

from __future__ import annotations

import re
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from gidbench.files.options import ReadOptions
from gidbench.files.text import TableReader
from gidbench.files.workbooks.opening import open_workbook

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
DAY, MOMENT, CLOCK, ELAPSED = 1, 2, 3, 4  # styles of `STYLES`
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts><numFmt numFmtId="164" formatCode="yyyy-mm-dd hh:mm:ss"/></numFmts>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="21"/><xf numFmtId="46"/>'
    "</cellXfs></styleSheet>"
)

Table = list[list[str]]


def sheet(rows: str, *, namespace: str = MAIN, before: str = "", after: str = "") -> str:
    return f'<worksheet xmlns="{namespace}">{before}<sheetData>{rows}</sheetData>{after}</worksheet>'


def relations(*entries: tuple[str, str, str]) -> str:
    """(id, kind, target) each."""
    found = "".join(
        f'<Relationship Id="{number}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for number, kind, target in entries
    )
    return f'<Relationships xmlns="{PACKAGE}">{found}</Relationships>'


def parts(content: str | bytes, **more: str | bytes | None) -> dict[str, str | bytes]:
    """The parts of a workbook of one sheet; `strings`, `styles`, `properties` (in workbook.xml) as given."""
    strings = more.pop("strings", None)
    properties = more.pop("properties", "")
    found: dict[str, str | bytes] = {
        "_rels/.rels": relations(("r", "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{properties}'
        '<sheets><sheet name="One" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": relations(
            ("rId1", "worksheet", "worksheets/sheet1.xml"),
            ("rId2", "styles", "styles.xml"),
            ("rId3", "sharedStrings", "sharedStrings.xml"),
        ),
        "xl/styles.xml": more.pop("styles", STYLES) or "",
        "xl/worksheets/sheet1.xml": content,
    }
    if strings is not None:
        found["xl/sharedStrings.xml"] = (
            strings
            if isinstance(strings, bytes) or "sst " in strings
            else f'<sst xmlns="{MAIN}">{strings}</sst>'
        )
    assert not more
    return found


def packed(path: Path, content: dict[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, part in content.items():
            archive.writestr(name, part)
    return path


def workbook(path: Path, rows: str, **more: Any) -> Path:
    return packed(path, parts(sheet(rows), **more))


def table_of(reader: TableReader) -> Table:
    """All records of a reader, with blank ones where no row is."""
    found: Table = []
    for units, chunk in reader.chunks():
        assert units >= 0
        batch = reader.parse(chunk, range(len(reader.header)))
        base = len(found)
        found += [[""] * len(reader.header) for _ in range(batch.line_count)]
        columns = [column.to_pylist() for column in batch.columns]
        for column in batch.columns:
            column.validate(full=True)
        assert not batch.flags.any()
        assert (batch.lines[1:] > batch.lines[:-1]).all()
        for place, line in enumerate(batch.lines.tolist()):
            found[base + line] = [column[place] for column in columns]
    return found


def read(path: Path, **options: Any) -> Table:
    """All rows of a sheet, in place."""
    reader = open_workbook(path, ReadOptions(**{"header": 0, **options}))
    try:
        return table_of(reader)
    finally:
        reader.close()


def way(path: Path) -> str:
    """Which way a sheet is read."""
    reader = open_workbook(path, ReadOptions(header=0))
    try:
        table_of(reader)
        return next(decision.value for decision in reader.decisions if decision.what == "read by")
    finally:
        reader.close()


def cell(path: Path, content: str, **more: Any) -> str:
    """The text of one cell, written into `path`: once as it stands, once as an XML parser reads it."""
    texts = []
    for before in ("", "<!--c-->"):
        [[text, end]] = read(
            workbook(path, f'<row r="1">{before}{content}<c t="str"><v>end</v></c></row>', **more)
        )
        assert end == "end"
        texts.append(text)
    assert texts[0] == texts[1]
    return texts[0]


# --- the plain reading ----------------------------------------------------------------------------------


def plain_table(content: str, strings: list[str], since_1904: bool = False) -> Table:
    """What a sheet says under `STYLES`: the whole tree in memory, one cell after the other."""
    found: dict[tuple[int, int], str] = {}
    row = 0
    for element in ElementTree.fromstring(content).find(f"{{{MAIN}}}sheetData") or ():
        row = int(element.get("r") or row + 1)
        column = 0
        for item in element.findall(f"{{{MAIN}}}c"):
            column += 1
            at = row
            if reference := item.get("r"):
                letters, digits = re.fullmatch(r"([A-Z]+)(\d+)", reference).groups()  # type: ignore[union-attr]
                column, at = 0, int(digits)
                for letter in letters:
                    column = column * 26 + ord(letter) - 64
            found[at, column] = plain_text(item, strings, since_1904)
    found = {place: text for place, text in found.items() if text}
    width = max((place[1] for place in found), default=0)
    height = max((place[0] for place in found), default=0)
    return [[found.get((r, c), "") for c in range(1, width + 1)] for r in range(1, height + 1)]


def plain_text(item: ElementTree.Element, strings: list[str], since_1904: bool) -> str:
    kind, style = item.get("t", "n"), int(item.get("s") or 0)
    if kind == "inlineStr":
        inline = item.find(f"{{{MAIN}}}is")
        return "" if inline is None else plain_string(inline)
    value = item.findtext(f"{{{MAIN}}}v") or ""
    if not value:
        return ""
    if kind == "s":
        return strings[int(value)]
    if kind == "b":
        return {"0": "FALSE", "1": "TRUE"}[value]
    if kind == "str":
        return plain_unescaped(value)
    return plain_number(value, style, since_1904) if kind == "n" else value


def plain_string(element: ElementTree.Element) -> str:
    runs = element.findall(f"{{{MAIN}}}t") + element.findall(f"{{{MAIN}}}r/{{{MAIN}}}t")
    return plain_unescaped("".join(run.text or "" for run in runs))


def plain_unescaped(text: str) -> str:
    units = re.sub("_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text)
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def plain_number(raw: str, style: int, since_1904: bool) -> str:
    value = float(raw)
    if style == 0 or not 0 <= value < 16_000_000:
        if re.fullmatch(r"-?\d{1,17}", raw):
            return str(int(raw))
        return str(int(value)) if value.is_integer() and abs(value) < 1e17 else repr(value)
    ms = round(value % 1 * 86400 * 1000)
    if style == ELAPSED:
        seconds, rest = divmod(int(value // 1) * 86_400_000 + ms, 1000)
        text = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        return (text + f".{rest:03}").rstrip("0") if rest else text
    epoch = datetime(1904, 1, 1) if since_1904 else datetime(1899, 12, 30)
    if not since_1904 and 0 < value < 60 and not (value < 1 and ms < 86_400_000):
        epoch += timedelta(days=1)
    elif value < 1 and ms < 86_400_000 and (style == CLOCK or not since_1904):
        return (epoch + timedelta(milliseconds=ms)).strftime("%H:%M:%S.%f").rstrip("0").rstrip(".")
    try:
        moment = epoch + timedelta(days=int(value // 1), milliseconds=ms)
    except OverflowError:
        return plain_number(raw, 0, since_1904)
    text = moment.isoformat(" ")
    if "." in text:
        text = text.rstrip("0")
    return text.removesuffix(" 00:00:00")
