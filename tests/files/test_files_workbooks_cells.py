"""Every way to write a cell, by hand-made workbooks: what the kernels and the XML parser make of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from workbook_parts import CLOCK, DAY, ELAPSED, MAIN, MOMENT, cell, packed, parts, read, sheet, way, workbook

from gidbench.errors import InputError
from gidbench.files.workbooks import formats
from gidbench.kernels.sheet_cells import DATE, NUMBER
from gidbench.kernels.sheet_cells import ELAPSED as SPAN
from gidbench.kernels.sheet_cells import TIME as TIME_OF_DAY

NUMBERS = [
    ("5", "5"),
    ("5.0", "5"),
    ("-7", "-7"),
    ("-0", "0"),
    ("007", "7"),
    ("+3", "3"),
    ("0", "0"),
    ("0.5", "0.5"),
    (".5", "0.5"),
    ("5.", "5"),
    ("1.50", "1.5"),
    (" 5 ", "5"),
    ("\n5\n", "5"),
    ("0.1", "0.1"),
    ("0.30000000000000004", "0.30000000000000004"),
    ("45304.703032407408", "45304.70303240741"),
    ("1.1000000000000001", "1.1"),
    ("3201010101900001", "3201010101900001"),
    ("3.201010101900001E15", "3201010101900001"),
    ("3.201010101900001E+15", "3201010101900001"),
    ("99999999999999999", "99999999999999999"),
    ("1e16", "10000000000000000"),
    ("1E+20", "1e+20"),
    ("123456789012345678", "1.2345678901234568e+17"),
    ("0.0001", "0.0001"),
    ("0.00001", "1e-05"),
    ("1E-7", "1e-07"),
    ("123456789.12345678", "123456789.12345678"),
    ("-1.5E3", "-1500"),
    ("0.000123456789012345", "0.000123456789012345"),
    ("1.7976931348623157E+308", "1.7976931348623157e+308"),
    ("4.9406564584124654E-324", "5e-324"),
    ("NaN", "NaN"),
    ("1_000", "1_000"),
    ("0x10", "0x10"),
    ("1 2", "1 2"),
    ("x", "x"),
    ("--1", "--1"),
    ("1.2.3", "1.2.3"),
    ("-", "-"),
    (".", "."),
    ("٣", "٣"),
]


@pytest.mark.parametrize(("raw", "text"), NUMBERS)
@pytest.mark.parametrize("kind", ["", ' t="n"', ' s="0"', ' s="99"', ' s="0" t="n"'])
def test_a_number_is_written_shortest(tmp_path: Path, raw: str, text: str, kind: str) -> None:
    assert cell(tmp_path / "t.xlsx", f"<c{kind}><v>{raw}</v></c>") == text


def test_only_what_is_a_number_is_marked_as_one(tmp_path: Path) -> None:
    from gidbench.files.options import ReadOptions
    from gidbench.files.workbooks.reader import WorkbookReader

    rows = "".join(
        f"<row><c><v>{raw}</v></c><c t='str'><v>{raw}</v></c><c s='1'><v>{raw}</v></c><c><v>5</v></c></row>"
        for raw in ("5", "1e30", "x", "-1.50")
    )
    for before in ("", "<!--c-->"):
        reader = WorkbookReader(workbook(tmp_path / "t.xlsx", before + rows), ReadOptions(header=0))
        [(_, chunk)] = reader.chunks()
        plain, text, dates, whole = reader.parse(chunk, [0, 1, 2, 3]).numbers
        reader.close()
        assert plain is not None
        assert plain.tolist() == [True, True, False, True]
        assert text is None
        assert dates is not None
        assert dates.tolist() == [False, True, False, True]
        assert whole is not None
        assert whole.all()


@pytest.mark.parametrize(
    ("raw", "style", "text"),
    [
        ("45304", DAY, "2024-01-13"),
        ("45304.0", DAY, "2024-01-13"),
        ("45304.5", DAY, "2024-01-13 12:00:00"),
        ("45304.70303240741", MOMENT, "2024-01-13 16:52:22"),
        ("45304.703032407408", MOMENT, "2024-01-13 16:52:22"),
        ("45304.00000578704", MOMENT, "2024-01-13 00:00:00.5"),
        ("45304.999999999", MOMENT, "2024-01-14"),
        ("61", DAY, "1900-03-01"),
        ("60", DAY, "1900-02-28"),
        ("59", DAY, "1900-02-28"),
        ("1", DAY, "1900-01-01"),
        ("0", DAY, "00:00:00"),
        ("0.25", MOMENT, "06:00:00"),
        ("0.25", CLOCK, "06:00:00"),
        ("0.9999999999", CLOCK, "1900-01-01"),
        ("1.25", CLOCK, "1900-01-01 06:00:00"),
        ("2958465", DAY, "9999-12-31"),
        ("2958466", DAY, "2958466"),
        ("2958465.9999999999", DAY, "2958466"),
        ("-1", DAY, "-1"),
        ("-0.5", CLOCK, "-0.5"),
        ("1E3", DAY, "1902-09-26"),
        ("1.25", ELAPSED, "30:00:00"),
        ("0.000011574", ELAPSED, "0:00:01"),
        ("1000.5", ELAPSED, "24012:00:00"),
        ("1e300", ELAPSED, "1e+300"),
        ("-1.5", ELAPSED, "-1.5"),
        ("3201010101900001", DAY, "3201010101900001"),
        ("x", DAY, "x"),
    ],
)
def test_a_serial_number_is_a_date_by_its_format(tmp_path: Path, raw: str, style: int, text: str) -> None:
    assert cell(tmp_path / "t.xlsx", f'<c s="{style}"><v>{raw}</v></c>') == text
    assert cell(tmp_path / "t.xlsx", f'<c t="n" s="{style}"><v>{raw}</v></c>') == text


@pytest.mark.parametrize(
    ("raw", "style", "text"),
    [
        ("0", DAY, "1904-01-01"),
        ("0.5", MOMENT, "1904-01-01 12:00:00"),
        ("0.5", CLOCK, "12:00:00"),
        ("1", DAY, "1904-01-02"),
        ("60", DAY, "1904-03-01"),
        ("43842", DAY, "2024-01-13"),
        ("2957003", DAY, "9999-12-31"),
        ("2957004", DAY, "2957004"),
    ],
)
@pytest.mark.parametrize("truth", ["1", "true", "on"])
def test_days_since_1904(tmp_path: Path, raw: str, style: int, text: str, truth: str) -> None:
    foreign = '<x:workbookPr xmlns:x="urn:mac" date1904="0"/>'
    for properties in (f'<workbookPr date1904="{truth}"/>', f'<workbookPr date1904="{truth}"/>{foreign}'):
        found = cell(tmp_path / "t.xlsx", f'<c s="{style}"><v>{raw}</v></c>', properties=properties)
        assert found == text


def test_days_since_1900_where_only_a_foreign_element_says_1904(tmp_path: Path) -> None:
    foreign = '<x:workbookPr xmlns:x="urn:mac" date1904="1"/>'
    for properties in (foreign, f'<workbookPr date1904="0"/>{foreign}', '<workbookPr date1904="false"/>'):
        assert cell(tmp_path / "t.xlsx", '<c s="1"><v>45304</v></c>', properties=properties) == "2024-01-13"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ('<c t="str"><v>a</v></c>', "a"),
        ('<c t="str"><f>A1&amp;"x"</f><v>a</v></c>', "a"),
        ("<c><f>1+1</f><v>2</v></c>", "2"),
        ('<c><f t="shared" si="0"/><v>2</v></c>', "2"),
        ("<c><f>NA()</f></c>", ""),
        ("<c><f>1&gt;0</f><v></v></c>", ""),
        ('<c t="e"><v>#N/A</v></c>', "#N/A"),
        ('<c t="e"><v>#DIV/0!</v></c>', "#DIV/0!"),
        ('<c t="b"><v>1</v></c>', "TRUE"),
        ('<c t="b"><v>0</v></c>', "FALSE"),
        ('<c t="b"><v>true</v></c>', "TRUE"),
        ('<c t="b"><v>FALSE</v></c>', "FALSE"),
        ('<c t="b"><v>2</v></c>', "2"),
        ('<c t="d"><v>2011-10-09</v></c>', "2011-10-09"),
        ('<c t="d"><v>2011-10-09T00:00:00</v></c>', "2011-10-09"),
        ('<c t="d"><v>2011-10-09T12:30:00.500Z</v></c>', "2011-10-09 12:30:00.5"),
        ('<c t="d"><v>2011-10-09 12:30</v></c>', "2011-10-09 12:30:00"),
        ('<c t="d"><v>12:30:05</v></c>', "12:30:05"),
        ('<c t="d"><v>PT25H1M2.50S</v></c>', "25:01:02.5"),
        ('<c t="d"><v>2011-02-30</v></c>', "2011-02-30"),
        ('<c t="d"><v>soon</v></c>', "soon"),
        ('<c t="inlineStr"><is><t>a</t></is></c>', "a"),
        ("<c t='inlineStr'><is><t>a</t></is></c>", "a"),
        ('<c t="inlineStr"><is><t xml:space="preserve"> a </t></is></c>', " a "),
        ('<c t="inlineStr"><is><t> a </t></is></c>', " a "),
        ('<c t="inlineStr"><is><t/></is></c>', ""),
        ('<c t="inlineStr"><is/></c>', ""),
        ('<c t="inlineStr"/>', ""),
        ('<c t="inlineStr"><is><t></t></is></c>', ""),
        (
            '<c t="inlineStr"><is><r><t>a</t></r><r><rPr><b/></rPr><t xml:space="preserve"> b</t></r></is></c>',
            "a b",
        ),
        (
            '<c t="inlineStr"><is><t>a</t><rPh sb="0" eb="1"><t>hint</t></rPh><phoneticPr fontId="1"/></is></c>',
            "a",
        ),
        ('<c t="inlineStr"><is> <t>a</t> </is></c>', "a"),
        (
            '<c t="inlineStr"><is><t>a<x:b xmlns:x="urn:y">no</x:b></t><x:t xmlns:x="urn:y">no</x:t></is></c>',
            "a",
        ),
        (
            '<c t="inlineStr"><is><t>a&amp;b&lt;&gt;&quot;&apos;&#65;&#x1F600;&#xe9;</t></is></c>',
            "a&b<>\"'A\U0001f600é",
        ),
        ('<c t="inlineStr"><is><t>a\r\nb\rc\nd&#13;&#10;</t></is></c>', "a\nb\nc\nd\r\n"),
        ('<c t="inlineStr"><is><t>a_x000D_b_x005F_x000D_c_x0041__x12_</t></is></c>', "a\rb_x000D_cA_x12_"),
        ('<c t="inlineStr"><is><t>_xD83D__xDE00_ _xD83D_ _xDE00_</t></is></c>', "\U0001f600 _xD83D_ _xDE00_"),
        ('<c t="inlineStr"><is><t>_x00e9__X0041_ _x004_</t></is></c>', "é_X0041_ _x004_"),
        ('<c t="inlineStr"><is><t>&#95;x0041_ _x00&#52;1_ _x0041&#95;</t></is></c>', "A A A"),
        ('<c t="str"><v>a_x000A_b</v></c>', "a\nb"),
        ('<c t="str"><v>a&amp;b</v></c>', "a&b"),
        ('<c t="str"><v xml:space="preserve"> a </v></c>', " a "),
        ('<c t="str"><v> a </v></c>', " a "),
        ("<c><v>1</v><extLst><ext uri='x'><y/></ext></extLst></c>", "1"),
        ("<c><v/></c>", ""),
        ("<c></c>", ""),
        ("<c/>", ""),
        ("<c />", ""),
        ("<c\n>\n<v\n>1</v\n></c\n>", "1"),
        ('<c t = "str" ><v>a</v></c>', "a"),
        ("<c><v><![CDATA[12]]></v></c>", "12"),
        ('<c t="str"><v>a<![CDATA[<b>&amp;]]>c</v></c>', "a<b>&amp;c"),
        ("<c><v>1<!-- 9 -->2</v></c>", "12"),
        ("<c><v>1<?p 9?>2</v></c>", "12"),
        ('<c><v>12<x:y xmlns:x="urn:z">9</x:y></v></c>', "12"),
        ('<c><x:v xmlns:x="urn:z">9</x:v><v>12</v></c>', "12"),
        ('<c><v xmlns="urn:z">9</v></c>', ""),
        ("<c><v>&#49;2</v></c>", "12"),
        ('<c t="str"><v>&#x20;</v></c>', " "),
        ('<c t="inlineStr"><v>a</v></c>', "a"),
        ('<c cm="1" vm="2" ph="1"><v>1</v></c>', "1"),
        ('<c foo="a > b"><v>1</v></c>', "1"),
        ("<c t='e'><v>x</v></c>", "x"),
        ('<c t="unheard of"><v>x</v></c>', "x"),
        ('<c t="s"><v>0</v></c>', "zero"),
        ('<c t="s"><v> 1 </v></c>', "rich text"),
        ('<c t="s"><v>2</v></c>', ""),
        ('<c t="s"><v></v></c>', ""),
        ('<c t="s" s="1"><v>0</v></c>', "zero"),
    ],
)
def test_a_cell_as_text(tmp_path: Path, content: str, text: str) -> None:
    strings = "<si><t>zero</t></si><si><r><t>rich</t></r><r><t xml:space='preserve'> text</t></r></si><si/>"
    assert cell(tmp_path / "t.xlsx", content, strings=strings) == text


@pytest.mark.parametrize("number", ["7", "-1", "x", "1.0", "99999999999999999999"])
def test_a_shared_string_that_is_not_there_is_refused(tmp_path: Path, number: str) -> None:
    for before in ("", "<!---->"):
        rows = f'{before}<row><c t="s"><v>{number}</v></c></row>'
        with pytest.raises(InputError, match=r"shared string 7|where a number belongs"):
            read(workbook(tmp_path / "t.xlsx", rows, strings="<si><t>a</t></si>"))


STRINGS = [
    ("<si><t>a</t></si>", "a"),
    ("<si><t/></si>", ""),
    ("<si></si>", ""),
    ("<si/>", ""),
    ('<si><t xml:space="preserve"> a\n</t></si>', " a\n"),
    ("<si>\n <t>a</t>\n</si>", "a"),
    ("<si><r><t>a</t></r><r><rPr><t>no</t></rPr><t>b</t></r></si>", "ab"),
    ("<si><t>課</t><rPh sb='0' eb='1'><t>カ</t></rPh><phoneticPr fontId='1'/></si>", "課"),
    ("<si><r><t>a</t></r><rPh sb='0' eb='1'><t>x</t></rPh></si>", "a"),
    ("<si><t>a&amp;b_x000D_</t></si>", "a&b\r"),
    ("<si><t>é🙂</t></si>", "é🙂"),
    ("<si><t>_x005F_x0041_</t></si>", "_x0041_"),
    ("<si><t>&#95;x0041_</t></si>", "A"),
]


@pytest.mark.parametrize("before", ["", "<!--c-->", "\n", "<?p?>"])
@pytest.mark.parametrize("prefix", ["", "x:"])
def test_shared_strings_of_every_kind(tmp_path: Path, before: str, prefix: str) -> None:
    content = "".join(before + item for item, _ in STRINGS)
    if prefix:
        content = content.replace("</", "\0").replace("<", "<x:").replace("\0", "</x:")
        content = content.replace("<x:!", "<!").replace("<x:?", "<?")
    declared = f'xmlns:x="{MAIN}"' if prefix else f'xmlns="{MAIN}"'
    sst = f"<{prefix}sst {declared}>{content}</{prefix}sst>"
    rows = "".join(f'<row><c t="s"><v>{n}</v></c><c><v>1</v></c></row>' for n in range(len(STRINGS)))
    found = read(workbook(tmp_path / "t.xlsx", rows, strings=sst))
    assert [row[0] for row in found] == [text for _, text in STRINGS]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("General", NUMBER),
        ("0.00", NUMBER),
        ("#,##0.00 [$€-407]", NUMBER),
        ("[Red]0.00", NUMBER),
        ('0" days"', NUMBER),
        ("0\\d", NUMBER),
        ("0_d", NUMBER),
        ("0*d", NUMBER),
        ("[>=100]0;0.0", NUMBER),
        ("[$USD] 0", NUMBER),
        ("@", NUMBER),
        ("0.00E+00", NUMBER),
        ("0;yyyy", NUMBER),
        ('"y', NUMBER),
        ("", NUMBER),
        ("yyyy\\-mm\\-dd", DATE),
        ("[$-409]d-mmm-yy;@", DATE),
        ("mmm", DATE),
        ("[Blue]D/M/YYYY", DATE),
        ('yyyy"年"m"月"d"日"', DATE),
        ("d h", DATE),
        ("h:mm", TIME_OF_DAY),
        ("[$-F400]h:mm:ss\\ AM/PM", TIME_OF_DAY),
        ("mm:ss.0", TIME_OF_DAY),
        ("HH:MM", TIME_OF_DAY),
        ("h AM/PM", TIME_OF_DAY),
        ("[h]:mm:ss", SPAN),
        ("[hh]:mm", SPAN),
        ("[mm]:ss", SPAN),
        ("[SS].00", SPAN),
        ("[h]", SPAN),
    ],
)
def test_the_kind_of_a_number_format(code: str, kind: int) -> None:
    assert formats.custom(code) == kind


def test_built_in_number_formats() -> None:
    dates = {number for number in range(164) if formats.built_in(number) != NUMBER}
    assert dates == {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
    assert formats.built_in(46) == SPAN
    assert formats.built_in(21) == TIME_OF_DAY


# --- rows and columns -----------------------------------------------------------------------------------


@pytest.mark.parametrize("before", ["", "<!---->"])
@pytest.mark.parametrize(
    ("rows", "table"),
    [
        ("", []),
        ("<row/>", []),
        ('<row r="5"/>', []),
        ("<row><c/></row>", []),
        ('<row r="2"><c r="B2"><v>1</v></c></row>', [["", ""], ["", "1"]]),
        ('<row r="2"><c><v>1</v></c></row><row><c><v>2</v></c></row>', [[""], ["1"], ["2"]]),
        ('<row><c><v>1</v></c></row><row r="3"><c><v>2</v></c></row><row/>', [["1"], [""], ["2"]]),
        ('<row><c r="C1"><v>1</v></c><c><v>2</v></c></row>', [["", "", "1", "2"]]),
        ('<row><c r="B1"><v>1</v></c><c r="A1"><v>2</v></c></row>', [["2", "1"]]),
        ('<row r="1"><c r="a1"><v>1</v></c></row>', [["1"]]),
        ('<row><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row>', [["2"]]),
        ('<row r="2"><c><v>1</v></c></row><row r="1"><c><v>2</v></c></row>', [["2"], ["1"]]),
        ('<row r="1"><c r="A3"><v>1</v></c><c r="B1"><v>2</v></c></row>', [["", "2"], ["", ""], ["1", ""]]),
        ('<row><c r="A5"><v>1</v></c></row>', [[""]] * 4 + [["1"]]),
        (
            '<row r="2"><c r="A2"><v>1</v></c></row><row r="1"/><row r="2"><c r="B2"><v>2</v></c></row>',
            [["", ""], ["1", "2"]],
        ),
        ('<row><c r="0"><v>1</v></c><c r="1"><v>2</v></c></row>', [["1", "2"]]),
        ('<row r="1" spans="1:2" ht="15.0" x:d="1" xmlns:x="urn:y"><c><v>1</v></c></row>', [["1"]]),
        ("<row>\n  <c><v>1</v></c>\n</row >\n", [["1"]]),
        ('<y:row xmlns:y="urn:y"><c><v>9</v></c></y:row><row><c><v>1</v></c></row>', [["1"]]),
        ('<row><y:c xmlns:y="urn:y"><v>9</v></y:c><c><v>1</v></c></row>', [["1"]]),
        (
            f'<z:row xmlns:z="{MAIN}"><z:c><z:v>1</z:v></z:c></z:row><row><c><v>2</v></c></row>',
            [["1"], ["2"]],
        ),
        (
            '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
            '<mc:Choice Requires="q"><row><c><v>9</v></c></row></mc:Choice>'
            "<mc:Fallback><row><c><v>1</v></c></row></mc:Fallback></mc:AlternateContent>",
            [["1"]],
        ),
        ('<row><c><v>1</v></c><c s="1"/></row><row r="9"><c s="1"/></row>', [["1"]]),
    ],
)
def test_rows_and_columns_in_place(tmp_path: Path, before: str, rows: str, table: list[list[str]]) -> None:
    assert read(workbook(tmp_path / "t.xlsx", before + rows)) == table


@pytest.mark.parametrize(
    "content",
    [
        sheet("{}", before="<dimension ref='A1'/>"),
        sheet("{}", before="<dimension ref='A1:XFD1048576'/><!-- <sheetData> --><cols><col/></cols>"),
        sheet(
            "{}", after="<mergeCells/><!-- </sheetData> --><extLst><x:sheetData xmlns:x='urn:y'/></extLst>"
        ),
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n' + sheet("{}"),
        '<?xml version="1.0" encoding="utf-8"?><!--c--><?p?>' + sheet("{}"),
        "\ufeff" + sheet("{}"),
        f'<worksheet xmlns="urn:other" xmlns:x="{MAIN}">{{}}</worksheet>',
        sheet("{}", namespace="http://purl.oclc.org/ooxml/spreadsheetml/main"),
    ],
)
def test_what_stands_around_the_rows(tmp_path: Path, content: str) -> None:
    if "urn:other" in content:
        content = (
            content.format(
                '<sheetData><row><c><v>9</v></c></row></sheetData><x:sheetData><x:row><x:c t="inlineStr"><x:is>'
                "<x:t>a</x:t></x:is></x:c><x:c><x:v>1</x:v></x:c></x:row></x:sheetData>"
            )
            .replace('<worksheet xmlns="urn:other"', '<x:worksheet xmlns="urn:other"')
            .replace("</work", "</x:work")
        )
    else:
        content = content.replace("{}", '<row><c t="inlineStr"><is><t>a</t></is></c><c><v>1</v></c></row>')
    assert read(packed(tmp_path / "t.xlsx", parts(content))) == [["a", "1"]]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_other_encodings(tmp_path: Path, encoding: str) -> None:
    name = "ISO-8859-1" if encoding == "latin-1" else "UTF-16"
    content = f'<?xml version="1.0" encoding="{name}"?>' + sheet('<row><c t="str"><v>é</v></c></row>')
    mark = {"utf-16-le": "\ufeff", "utf-16-be": "\ufeff"}.get(encoding, "")
    strings = f'<?xml version="1.0" encoding="{name}"?><sst xmlns="{MAIN}"><si><t>é</t></si></sst>'
    encoded = parts((mark + content).encode(encoding), strings=(mark + strings).encode(encoding))
    assert read(packed(tmp_path / "t.xlsx", encoded)) == [["é"]]
    assert way(tmp_path / "t.xlsx") == "gidbench xml"


@pytest.mark.parametrize("prefix", ["x", "ss-1.b", "r"])
def test_a_prefix_in_front_of_every_tag(tmp_path: Path, prefix: str) -> None:
    content = sheet(
        '<row r="1"><c r="A1" t="inlineStr"><is><t>a:b &lt;x:c</t></is></c><c><f>x:y</f><v>1</v></c></row>'
    )
    content = content.replace("</", "\0").replace("<", f"<{prefix}:").replace("\0", f"</{prefix}:")
    content = content.replace("xmlns=", f"xmlns:{prefix}=")
    path = packed(tmp_path / "t.xlsx", parts(content))
    assert read(path) == [["a:b <x:c", "1"]]
    assert way(path) == "gidbench xlsx"


@pytest.mark.parametrize(
    ("rows", "value", "why"),
    [
        ("<row><c><v>1</v></c></row>", "gidbench xlsx", "plain"),
        ("<!---->", "gidbench xml", "comments"),
        ("<row><c><v>1</v></c></row>x<row/>", "gidbench xml", "not known"),
        ('<row r="2"/><row r="1"><c><v>1</v></c></row>', "gidbench xml, sorted", "out of order"),
    ],
)
def test_the_result_says_which_way_it_was_read(tmp_path: Path, rows: str, value: str, why: str) -> None:
    from gidbench.files.workbooks.reader import WorkbookReader

    reader = WorkbookReader(
        workbook(tmp_path / "t.xlsx", "<row><c><v>0</v></c></row>" * (value[-1] != "d") + rows)
    )
    list(reader.chunks())
    [decision] = [decision for decision in reader.decisions if decision.what == "read by"]
    reader.close()
    assert decision.value == value
    assert why in decision.why
