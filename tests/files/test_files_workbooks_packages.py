"""The package around the sheets: zip of every kind, relationships, sheets, and files that are something else."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from pathlib import Path

import openpyxl
import pytest
from workbook_parts import MAIN, OFFICE, packed, parts, read, relations, sheet, table_of

from gidbench.errors import InputError
from gidbench.files.options import ReadOptions
from gidbench.files.text import TableReader
from gidbench.files.workbooks.opening import open_workbook, sheet_names
from gidbench.files.workbooks.reader import WorkbookReader

ROWS = '<row><c t="inlineStr"><is><t>a</t></is></c><c><v>1</v></c></row>'
TABLE = [["a", "1"]]


def zipped(content: dict[str, str | bytes] | None = None, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, part in (content or parts(sheet(ROWS))).items():
            archive.writestr(name, part)
    return target.getvalue()


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_ways_to_compress(tmp_path: Path, method: int) -> None:
    assert read(written(tmp_path / "t.xlsx", zipped(method=method))) == TABLE


def test_a_method_that_is_not_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="method 14"):
        read(written(tmp_path / "t.xlsx", zipped(method=zipfile.ZIP_LZMA)))


@pytest.mark.parametrize("before", [b"", b"junk", b"MZ" + bytes(5000)])
@pytest.mark.parametrize("behind", [b"", b"\r\n", b"comment" * 100])
def test_bytes_around_the_archive(tmp_path: Path, before: bytes, behind: bytes) -> None:
    if behind:
        content = zipped()
        content = content[:-2] + struct.pack("<H", len(behind)) + behind
    else:
        content = zipped()
    assert read(written(tmp_path / "t.xlsx", before + content)) == TABLE


def test_data_descriptors_and_zip64(tmp_path: Path) -> None:
    class Unseekable(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: object) -> int:
            raise OSError

        def tell(self) -> int:
            raise OSError

    target = Unseekable()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts(sheet(ROWS)).items():
            with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as file:
                file.write(part.encode() if isinstance(part, str) else part)
    assert read(written(tmp_path / "t.xlsx", target.getvalue())) == TABLE


def test_the_end_record_of_zip64(tmp_path: Path) -> None:
    content = zipped()
    end = content.rindex(b"PK\x05\x06")
    count, size, place = struct.unpack_from("<HII", content, end + 10)
    large = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, place)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    small = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    for junk in (b"", b"x" * 77):
        assert read(written(tmp_path / "t.xlsx", junk + content[:end] + large + locator + small)) == TABLE


def test_the_central_directory_counts_not_the_local_header(tmp_path: Path) -> None:
    content = bytearray(zipped())
    at = content.index(b"xl/worksheets/sheet1.xml") - 30
    content[at + 14 : at + 26] = bytes(12)  # CRC and both sizes
    content[at + 30 : at + 32] = b"zz"  # the name, too
    assert read(written(tmp_path / "t.xlsx", bytes(content))) == TABLE


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/styles.xml", "xl/workbook.xml"])
def test_a_wrong_checksum_is_refused(tmp_path: Path, part: str) -> None:
    content = bytearray(zipped())
    at = content.rindex(part.encode()) - 46
    content[at + 16] ^= 1
    with pytest.raises(InputError, match=r"does not match its checksum.*Copy it anew"):
        read(written(tmp_path / "t.xlsx", bytes(content)))


def test_an_encrypted_part_is_named(tmp_path: Path) -> None:
    content = bytearray(zipped())
    at = content.rindex(b"xl/worksheets/sheet1.xml") - 46
    content[at + 8] |= 1
    with pytest.raises(InputError, match=r"is encrypted.*Remove the password"):
        read(written(tmp_path / "t.xlsx", bytes(content)))


def test_an_archive_cut_anywhere_is_refused_or_whole(tmp_path: Path) -> None:
    content = zipped()
    for end in range(0, len(content), 7):
        with pytest.raises(InputError):
            read(written(tmp_path / "t.xlsx", content[:end]))


def test_two_parts_of_one_name_are_refused(tmp_path: Path) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, part in parts(sheet(ROWS)).items():
            archive.writestr(name, part)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("xl/worksheets/sheet1.xml", sheet(""))
    with pytest.raises(InputError, match="2 parts of the name"):
        read(written(tmp_path / "t.xlsx", target.getvalue()))


def test_of_two_parts_that_differ_by_case_the_one_that_is_named_counts(tmp_path: Path) -> None:
    content = parts(sheet(ROWS)) | {"xl/worksheets/SHEET1.xml": sheet("")}
    assert read(packed(tmp_path / "t.xlsx", content)) == TABLE


def test_names_that_climb_out_of_the_archive_write_nothing(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    content = parts(sheet(ROWS)) | {"../../evil.txt": "x", "/etc/evil": "x", "C:\\evil": "x"}
    assert read(packed(tmp_path / "in" / "t.xlsx", content)) == TABLE
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["in", "t.xlsx"]
    content["xl/_rels/workbook.xml.rels"] = relations(("rId1", "worksheet", "../../../etc/passwd"))
    with pytest.raises(InputError, match="sheet 'One' is missing"):
        read(packed(tmp_path / "in" / "t.xlsx", content))


# --- relationships and sheets ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        "worksheets/sheet1.xml",
        "/xl/worksheets/sheet1.xml",
        "Worksheets/Sheet1.XML",
        "worksheets\\sheet1.xml",
        "\\xl\\worksheets\\sheet1.xml",
        "./worksheets/./sheet1.xml",
        "../xl/worksheets/../worksheets/sheet1.xml",
        "/XL/worksheets/sheet1.xml",
    ],
)
def test_targets_however_they_are_written(tmp_path: Path, target: str) -> None:
    content = parts(sheet(ROWS)) | {"xl/_rels/workbook.xml.rels": relations(("rId1", "worksheet", target))}
    assert read(packed(tmp_path / "t.xlsx", content)) == TABLE


@pytest.mark.parametrize(
    "change",
    [str.upper, lambda name: name.replace("/", "\\"), lambda name: "/" + name, lambda name: "./" + name],
)
def test_part_names_however_they_are_written(tmp_path: Path, change: object) -> None:
    content = {change(name): part for name, part in parts(sheet(ROWS)).items()}  # type: ignore[operator]
    assert read(packed(tmp_path / "t.xlsx", content)) == TABLE


def test_a_workbook_in_an_unusual_place(tmp_path: Path) -> None:
    content = parts(sheet(ROWS))
    content["_rels/.rels"] = relations(("r", "officeDocument", "/book.xml"))
    content["book.xml"] = content.pop("xl/workbook.xml")
    content["_rels/book.xml.rels"] = relations(("rId1", "worksheet", "s.xml"))
    content["s.xml"] = content.pop("xl/worksheets/sheet1.xml")
    del content["xl/_rels/workbook.xml.rels"]
    assert read(packed(tmp_path / "t.xlsx", content)) == TABLE


@pytest.mark.parametrize("broken", ["", "<a><b></a>", None])
def test_without_relationships_of_the_package_the_usual_place_counts(
    tmp_path: Path, broken: str | None
) -> None:
    content = parts(sheet(ROWS))
    del content["_rels/.rels"]
    if broken is not None:
        content["_rels/.rels"] = broken
    assert read(packed(tmp_path / "t.xlsx", content)) == TABLE


def test_without_styles_and_strings(tmp_path: Path) -> None:
    content = parts(sheet(ROWS))
    del content["xl/styles.xml"]
    assert read(packed(tmp_path / "t.xlsx", content)) == TABLE


def several(path: Path) -> Path:
    """Charts first, then sheets in another order than their parts; one whose part is missing."""
    entries = "".join(
        f'<sheet name="{name}" sheetId="{n}" r:id="{number}"/>'
        for n, (name, number) in enumerate(
            [("Chart", "c"), ("Second", "two"), ("First", "one"), ("Gone", "gone"), ("None", "")], 1
        )
    )
    content = parts(sheet(ROWS))
    content["xl/workbook.xml"] = (
        f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{entries}</sheets></workbook>'
    )
    content["xl/_rels/workbook.xml.rels"] = relations(
        ("c", "chartsheet", "chartsheets/sheet1.xml"),
        ("one", "worksheet", "worksheets/sheet1.xml"),
        ("two", "worksheet", "worksheets/sheet2.xml"),
        ("gone", "worksheet", "worksheets/sheet9.xml"),
    )
    content["xl/worksheets/sheet2.xml"] = sheet("<row><c><v>2</v></c></row>")
    return packed(path, content)


def test_sheets_stand_in_the_order_of_the_workbook_and_charts_are_none(tmp_path: Path) -> None:
    path = several(tmp_path / "t.xlsx")
    assert sheet_names(path) == ["Second", "First", "Gone"]
    assert read(path) == [["2"]]
    for chosen in ("First", "first", 2, "2"):
        assert read(path, sheet=chosen) == TABLE
    for chosen in (0, 4, -1, "Chart", "x", "0"):
        with pytest.raises(InputError, match=f"has no sheet {chosen!r}.*'Second', 'First', 'Gone'"):
            read(path, sheet=chosen)
    with pytest.raises(InputError, match="sheet 'Gone' is missing"):
        read(path, sheet=3)


def test_alternate_content_in_the_list_of_sheets(tmp_path: Path) -> None:
    content = parts(sheet(ROWS))
    book = str(content["xl/workbook.xml"])
    compatible = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    fallback = '<sheet name="One" sheetId="1" r:id="rId1"/>'
    content["xl/workbook.xml"] = book.replace(
        fallback,
        f'<mc:AlternateContent {compatible}><mc:Choice Requires="q"><sheet name="Q" r:id="q"/></mc:Choice>'
        f"<mc:Fallback>{fallback}</mc:Fallback></mc:AlternateContent>",
    )
    assert sheet_names(packed(tmp_path / "t.xlsx", content)) == ["One"]


def test_strict_open_xml(tmp_path: Path) -> None:
    strict, office = (
        "http://purl.oclc.org/ooxml/spreadsheetml/main",
        "http://purl.oclc.org/ooxml/officeDocument",
    )
    content = {
        name: str(part).replace(MAIN, strict).replace(OFFICE, f"{office}/relationships")
        for name, part in parts(
            sheet('<row><c t="d"><v>2020-01-02T00:00:00</v></c><c s="1"><v>45304</v></c></row>'),
            properties='<workbookPr date1904="true"/>',
        ).items()
    }
    assert read(packed(tmp_path / "t.xlsx", content)) == [["2020-01-02", "2028-01-14"]]


def test_further_sheets_go_on_with_the_table_if_they_have_its_header(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.active.append([1, 2])
    for name, rows in {
        "empty": [],
        "other": [["x"]],
        "more": [[], ["a", "b"], [3, 4, 5]],
        "last": [["a", "b"]],
    }.items():
        further = book.create_sheet(name)
        for row in rows:
            further.append(row)
    book.save(tmp_path / "t.xlsx")
    reader = WorkbookReader(tmp_path / "t.xlsx")
    assert [table_of(each) for each in reader.sheets()] == [[["1", "2"]], [["3", "4", "5"]], []]
    reader.close()
    for options in (ReadOptions(header=0), ReadOptions(sheet=1)):
        reader = WorkbookReader(tmp_path / "t.xlsx", options)
        assert len(list(reader.sheets())) == 1
        reader.close()


def opened(path: Path, **options: object) -> TableReader:
    return open_workbook(path, ReadOptions(**options))  # type: ignore[arg-type]


def test_header_rows_that_are_asked_for(tmp_path: Path) -> None:
    rows = (
        '<row r="2"><c t="str"><v> A </v></c><c/><c t="str"><v>B</v></c></row>'
        '<row r="4"><c t="str"><v>x</v></c><c t="str"><v>y</v></c></row><row r="6"><c><v>1</v></c></row>'
    )
    path = packed(tmp_path / "t.xlsx", parts(sheet(rows)))
    for header, titles, lines, table in (
        (None, ["A", "", "B"], 2, [["", "", ""], ["x", "y", ""], ["", "", ""], ["1", "", ""]]),
        (1, ["A", "", "B"], 2, [["", "", ""], ["x", "y", ""], ["", "", ""], ["1", "", ""]]),
        (2, ["A", "", "B"], 3, [["x", "y", ""], ["", "", ""], ["1", "", ""]]),
        (3, ["A x", "y", "B"], 4, [["", "", ""], ["1", "", ""]]),
        (0, ["column_1", "column_2", "column_3"], 0, None),
    ):
        reader = opened(path, header=header)
        assert (reader.header, reader.header_lines, reader.header_rows) == (
            titles,
            lines,
            1 if header is None else header,
        )
        found = table_of(reader)
        assert table is None or found == table
        reader.close()
    assert read(path)[1] == [" A ", "", "B"]
    assert len(read(path)) == 6


def test_every_decision_says_why(tmp_path: Path) -> None:
    reader = opened(packed(tmp_path / "t.xlsx", parts(sheet(ROWS))))
    assert {decision.what: decision.value for decision in reader.decisions} == {
        "read by": "gidbench xlsx",
        "sheet": "One",
        "header": "1",
        "columns": "2",
    }
    assert all(decision.why and 0 <= decision.sure <= 1 for decision in reader.decisions)
    reader.close()


# --- what is no workbook --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "pattern"),
    [
        (b"", "it is empty"),
        (bytes(10_000), "nothing but zero bytes"),
        (b"%PDF-1.7\n", "a PDF document"),
        (gzip.compress(b"a,b\n", mtime=0), "a gzip file"),
        (b"\x28\xb5\x2f\xfdxyz", "a zstd file"),
        (b"{\\rtf1", "an RTF document"),
        (b"<html><body><table><tr><td>1", "an HTML page"),
        (b"\xef\xbb\xbf\r\n <!DOCTYPE html>\n<HTML>", "an HTML page"),
        (b"<table border=1>", "an HTML page"),
        ("<html>".encode("utf-16"), "an HTML page"),
        (b'<?xml version="1.0"?>\n<?mso?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">', "2003"),
        (b'<?xml version="1.0"?><a/>', "an XML document"),
        (b"MIME-Version: 1.0\r\n", "a web archive"),
        (b"a,b\n1,2\n", "it is text"),
        ("né;à\n".encode("latin-1"), "it is text"),
        ("a\tb\n".encode("utf-16"), "it is text"),
        (bytes(range(1, 256)) * 10, "of no kind"),
        (b"\x09\x04\x06\x00\x00\x00", "Excel 4 or older"),
        (b"PAR1xxxx", "a Parquet file"),
        (b"\x89PNG\r\n", "a picture"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "an OLE document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le"), "a Word document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"), "is encrypted"),
        (b"PK\x03\x04", "without its end"),
        (zipped({"hello.txt": "hello"}), "a zip archive without one"),
        (zipped({"xl/workbook.xml": "<workbook/>"}), "describes something else"),
        (zipped({"xl/workbook.xml": f'<workbook xmlns="{MAIN}"/>'}), "has no worksheet"),
        (zipped({"xl/workbook.xml": "<a>"}), "no well-formed XML"),
        (zipped({"xl/workbook.xml": b"\xff\xfe\x00"}), "no well-formed XML"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["t.xlsx", "t.xls", "t.ods"])
def test_what_is_no_workbook_is_named(tmp_path: Path, content: bytes, pattern: str, name: str) -> None:
    path = written(tmp_path / name, content)
    with pytest.raises(InputError, match=pattern):
        read(path)
