"""A streaming xlsx writer: rows become sheet XML by column, and are deflated as they come.

Office Open XML, ECMA-376 part 1, 18.3 (worksheets). Text is written as inline strings, dates as serial
numbers with a date style. Cells carry no references: they are optional, and leaving them out saves a
quarter of the bytes.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.compute as pc

from gidbench.errors import InputError

MAX_ROWS = 1_048_576  # of a sheet, the header row included
_EPOCH_DAY = 25_569  # Excel's serial number of 1970-01-01
_EXCEL_MARCH_1900 = 61
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
# What XML 1.0 cannot hold or (CR) would change is written as _xHHHH_; text like that is escaped itself.
_FORBIDDEN_CODES = (*range(9), *range(11, 32), 0xFFFE, 0xFFFF)
_FORBIDDEN = f"[{''.join(map(chr, _FORBIDDEN_CODES))}]"
_ESCAPE_LIKE = "_(x[0-9A-Fa-f]{4}_)"
_OPENING, _OPENING_SPACED = '<c t="inlineStr"><is><t>', '<c t="inlineStr"><is><t xml:space="preserve">'

_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument'
    '.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-office'
    'document.spreadsheetml.worksheet+xml"/>'
    '<Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument'
    '.spreadsheetml.styles+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
    '<sheet name="records" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><numFmts count="2">'
    '<numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
    '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>'
    '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}


class XlsxWriter:
    """One sheet, header row first. Same face as the other writers."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._rows = 1
        # Level 1: the XML is so repetitive that higher levels cost three times the time for a tenth less.
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        for name, content in _PARTS.items():
            self._zip.writestr(zipfile.ZipInfo(name), _XML + content, zipfile.ZIP_DEFLATED)
        info = zipfile.ZipInfo("xl/worksheets/sheet1.xml")  # without a time of writing: same rows, same bytes
        info.compress_type = zipfile.ZIP_DEFLATED
        info._compresslevel = 1  # type: ignore[attr-defined]
        self._sheet = self._zip.open(info, "w", force_zip64=True)
        header = "".join(f'<c t="inlineStr"><is><t>{escape(name)}</t></is></c>' for name in schema.names)
        self._sheet.write(
            f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
            '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView>'
            f'</sheetViews><cols><col min="1" max="{len(schema)}" width="20" customWidth="1"/></cols>'
            f"<sheetData><row>{header}</row>".encode()
        )

    def prepare(self, batch: pa.RecordBatch) -> tuple[int, pa.Buffer]:
        cells = [_cells(column) for column in batch.columns]
        rows = pc.binary_join_element_wise("<row>", *cells, "</row>", "")
        _, offsets, data = rows.cast(pa.large_string()).buffers()
        del offsets
        return batch.num_rows, data

    def write(self, prepared: tuple[int, pa.Buffer]) -> None:
        rows, data = prepared
        self._rows += rows
        if self._rows > MAX_ROWS:
            raise InputError(
                f"an xlsx sheet holds {MAX_ROWS - 1:,} records, but there are more",
                "Write .csv or .parquet, or fewer records",
            )
        if rows:
            self._sheet.write(data)

    def close(self) -> None:
        self._sheet.write(b"</sheetData></worksheet>")
        self._sheet.close()
        self._zip.close()


def _cells(column: pa.Array) -> pa.Array:
    """The XML of one cell for each value; a null is an empty cell."""
    kind = column.type
    if pa.types.is_date32(kind):
        return _numbers(_serials(pc.add(column.cast(pa.int32()), _EPOCH_DAY)), "1")
    if pa.types.is_timestamp(kind):
        days = pc.divide(
            column.cast(pa.timestamp("us")).cast(pa.int64()).cast(pa.float64()), 86_400_000_000.0
        )
        return _numbers(_serials(pc.add(days, float(_EPOCH_DAY))), "2")
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _numbers(column, "0")
    return _texts(column.cast(pa.string()))


def _serials(days: pa.Array) -> pa.Array:
    """Excel's numbers of days since 1899-12-30: its calendar has a 29 February 1900, which is number 60."""
    early = pc.less(days, _EXCEL_MARCH_1900)
    if pc.any(early).as_py():
        return pc.if_else(early, pc.subtract(days, pa.scalar(1, days.type)), days)
    return days


def _numbers(values: pa.Array, style: str) -> pa.Array:
    cells = pc.binary_join_element_wise(f'<c s="{style}"><v>', values.cast(pa.string()), "</v></c>", "")
    return pc.fill_null(cells, "<c/>")


def _texts(values: pa.Array) -> pa.Array:
    if unsafe := pc.any(pc.match_substring_regex(values, f"_x|{_FORBIDDEN}")).as_py():  # one look for both
        values = pc.replace_substring_regex(values, _ESCAPE_LIKE, r"_x005F_\1")
    for raw, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        if pc.any(pc.match_substring(values, raw)).as_py():
            values = pc.replace_substring(values, raw, entity)
    if unsafe:
        for code in _FORBIDDEN_CODES:
            values = pc.replace_substring(values, chr(code), f"_x{code:04X}_")
    spaced = pc.match_substring_regex(values, r"^\s|\s$|\n")
    opening = _OPENING
    if pc.any(spaced).as_py():
        opening = pc.if_else(spaced, _OPENING_SPACED, _OPENING)
    return pc.fill_null(pc.binary_join_element_wise(opening, values, "</t></is></c>", ""), "<c/>")
