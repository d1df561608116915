"""Fuzzing by hand: `python tests/fuzz.py TARGET SECONDS [SEED]`, TARGET one of those at the end.

Seeds are well-formed files; each turn damages one in a few places and reads it. A turn fails where anything
but a GidbenchError is raised, or where it takes longer than LONGEST_S; the input is kept then.
"""

from __future__ import annotations

import io
import random
import signal
import sys
import tempfile
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from gidbench.errors import GidbenchError
from gidbench.files.csv_reader import CsvReader
from gidbench.files.options import ReadOptions
from gidbench.files.workbooks.reader import WorkbookReader
from gidbench.kernels.warmup import compile_all

LONGEST_S = 20

TEXT = (
    'id;name;born;remark\r\n1;Siti;1990-01-02;"a; b"\r\n2;"Budi ""Jo""";1991-02-03;\r\n3;Zoë;1992-03-04;x\r\n'
    * 3
)
TOKENS = [
    b'"',
    b"'",
    b",",
    b";",
    b"\t",
    b"|",
    b"\r",
    b"\n",
    b"\r\n",
    b"\\",
    b"\0",
    b"\xff",
    b"\xc3",
    b" ",
    b"  ",
    b'""',
    b"1",
    b"9" * 30,
]


def text_seeds() -> list[bytes]:
    plain = TEXT.encode()
    return [
        plain,
        plain.replace(b";", b","),
        plain.replace(b";", b"\t").replace(b"\r\n", b"\n"),
        plain.replace(b"\r\n", b"\r"),
        TEXT.encode("utf-16"),
        TEXT.encode("cp1252"),
        b"Report\r\n\r\n" + plain + b"\r\nTotal;3\r\n",
        plain * 2,
        plain.replace(b'""', b'\\"'),
        plain.replace(b";", b"   "),
    ]


def damaged(data: bytes, dice: random.Random, tokens: list[bytes]) -> bytes:
    content = bytearray(data)
    for _ in range(dice.choice([1, 1, 1, 2, 3, 5, 10])):
        at = dice.randrange(len(content) + 1)
        match dice.randrange(6):
            case 0:
                content[at:at] = dice.choice(tokens)
            case 1:
                del content[at : at + dice.choice([1, 1, 2, 5, 20])]
            case 2 if content:
                content[min(at, len(content) - 1)] = dice.randrange(256)
            case 3:
                content[at:at] = content[dice.randrange(len(content) + 1) :][: dice.randrange(60)]
            case 4 if dice.random() < 0.2:
                del content[at:]
            case _:
                content[at : at + 1] = dice.choice(tokens)
    return bytes(content)


def read_text(path: Path, dice: random.Random) -> str:
    options = ReadOptions(forgiving=dice.random() < 0.7)
    found = []
    for chunk_bytes in (1 << 20, dice.choice([16, 40, 100])):
        reader = CsvReader(path, options, chunk_bytes=chunk_bytes)
        rows: list[object] = []
        for _, chunk in reader.chunks():
            batch = reader.parse(chunk, range(len(reader.header)))
            for column in batch.columns:
                column.validate(full=True)
            rows += zip(
                batch.flags.tolist(),
                map(batch.raw, range(batch.flags.size)),
                *(column.to_pylist() for column in batch.columns),
                strict=True,
            )
        found.append(rows)
        reader.close()
    assert found[0] == found[1], "a file reads differently in pieces"
    return f"{len(found[0])} records" if len(found[0]) < 3 else "records"


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
BOOK = f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets><sheet name="s" r:id="r"/></sheets></workbook>'
RELATIONS = '<Relationships><Relationship Id="r" Type="x/worksheet" Target="sheet.xml"/></Relationships>'
STRINGS = f'<sst xmlns="{MAIN}"><si><t>name</t></si><si><r><t>a</t></r><r><t>&amp;b</t></r></si></sst>'
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><cellXfs><xf/><xf numFmtId="14"/><xf numFmtId="46"/></cellXfs></styleSheet>'
)
ROWS = (
    '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>'
    '<row><c><v>0.1</v></c><c s="1"><v>45000.5</v></c><c t="b"><v>1</v></c><c t="e"><v>#N/A</v></c></row>'
    '<row r="5" spans="1:3"><c t="inlineStr"><is><t xml:space="preserve"> x </t></is></c><c r="D5"><f>A1</f>'
    '<v>3201010101900001</v></c></row><row/><row><c t="str"><v>a&#10;b_x0041_</v></c></row>'
)
XML_TOKENS = [
    b"<", b">", b"/", b'"', b"'", b"&", b";", b"<c>", b"</c>", b"<v>", b"</v>", b"<row>", b"</row>", b"<row/>",
    b' r="B2"', b' r="2"', b' t="s"', b' t="d"', b' s="2"', b"<![CDATA[x]]>", b"<!-- -->", b"<?x?>", b"&lt;",
    b"&#65;", b"_x0041_", b"1e308", b"-", b"\0", b"\xff", b"<x:y/>", b"<is><t>i</t></is>", b"<rPh><t>p</t></rPh>",
]  # fmt: skip


def sheet_seeds() -> list[bytes]:
    plain = f'<worksheet xmlns="{MAIN}"><dimension ref="A1:D9"/><sheetData>{ROWS}</sheetData></worksheet>'
    many = plain.replace(
        ROWS, "<row>" + "<c><v>12</v></c>" * 300 + "</row>" + "<row><c><v>7</v></c></row>" * 300
    )
    named = plain.replace("xmlns=", "xmlns:p=").replace("</", "\0").replace("<", "<p:").replace("\0", "</p:")
    return [plain.encode(), many.encode(), named.encode(), plain.encode("utf-16")]


WELL_FORMED = [
    b"<c><v>5</v></c>", b'<c r="C2"><v>1e-7</v></c>', b"<row/>", b"<!-- c -->", b"<?p i?>", b"<![CDATA[7]]>", b"text",
    b'<x:y xmlns:x="u"><v>1</v></x:y>', b"<v>3</v>", b"<is><t>i</t></is>", b"<is><rPh><t>p</t></rPh></is>", b"&amp;",
    b"<row><c t='s'><v>1</v></c></row>", b"_x0041_", b"\n", b"<f>A1</f>", b"<t>t</t>", b"<v></v>", b"<v/>",
]  # fmt: skip
ATTRIBUTES = [
    b' t="s"',
    b' t="str"',
    b' t="b"',
    b' s="1"',
    b" s='2'",
    b' r="D7"',
    b' r="1"',
    b' r="A1"',
    b' x="&lt;"',
]


def odd_sheet(dice: random.Random) -> bytes:
    """A sheet that is well-formed, with things in places where they are not expected."""
    content = dice.choice(sheet_seeds()[:3])
    for _ in range(dice.choice([1, 1, 2, 4])):
        ends = [at for at, byte in enumerate(content) if byte == ord(">")]
        at = dice.choice(ends[1:-1])
        if dice.random() < 0.7:
            content = content[: at + 1] + dice.choice(WELL_FORMED) + content[at + 1 :]
        elif content[content.rfind(b"<", 0, at) + 1] not in b"/!?" and content[at - 1] != ord("/"):
            content = content[:at] + dice.choice(ATTRIBUTES) + content[at:]
    return content


def packed(damaged_sheet: bytes, dice: random.Random) -> bytes:
    """A workbook of a sheet, damaged or odd; now and then it is the archive that is damaged."""
    sheet = damaged_sheet if dice.random() < 0.3 else odd_sheet(dice)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", dice.choice([zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])) as archive:
        for name, content in (
            ("xl/workbook.xml", BOOK),
            ("xl/_rels/workbook.xml.rels", RELATIONS),
            ("xl/sharedStrings.xml", STRINGS),
            ("xl/styles.xml", STYLES),
        ):
            archive.writestr(name, content)
        archive.writestr("xl/sheet.xml", sheet)
    content = target.getvalue()
    return damaged(content, dice, [b"\0", b"\xff", b"PK\1\2", b"PK\3\4"]) if dice.random() < 0.2 else content


def table(path: Path, options: ReadOptions, piece_bytes: int) -> tuple[list[str], list[object], str]:
    reader = WorkbookReader(path, options, piece_bytes=piece_bytes)
    rows: list[object] = []
    try:
        for _, chunk in reader.chunks():
            batch = reader.parse(chunk, range(len(reader.header)))
            for column in batch.columns:
                column.validate(full=True)
            rows += zip(*(column.to_pylist() for column in batch.columns), strict=True)
        return reader.header, rows, reader.decisions[0].value
    finally:
        reader.close()


def read_book(path: Path, dice: random.Random) -> str:
    options = ReadOptions(header=dice.choice([0, 0, None]))
    whole = table(path, options, 1 << 20)
    pieces = table(path, options, dice.choice([1, 50, 300]))
    assert whole[:2] == pieces[:2], "a sheet reads differently in pieces"
    by_parser = path.with_name("parser.xlsx")  # a comment makes the kernels hand a sheet to the XML parser
    try:
        with zipfile.ZipFile(path) as source, zipfile.ZipFile(by_parser, "w") as target:
            for name in source.namelist():
                target.writestr(name, source.read(name).replace(b"<sheetData>", b"<sheetData><!-- -->", 1))
        parsed = table(by_parser, options, 1 << 20)
    except (GidbenchError, zipfile.BadZipFile, NotImplementedError, ValueError, OSError, zlib.error):
        return f"{whole[2]} only"
    assert whole[:2] == parsed[:2], "the kernels and the XML parser disagree"
    return whole[2]


Target = tuple[
    Callable[[], list[bytes]],
    list[bytes],
    Callable[[bytes, random.Random], bytes],
    Callable[[Path, random.Random], str],
    str,
]
TARGETS: dict[str, Target] = {
    "csv": (text_seeds, TOKENS, lambda content, _: content, read_text, ".csv"),
    "xlsx": (sheet_seeds, XML_TOKENS, packed, read_book, ".xlsx"),
}


def turns(target: Target, seconds: float, dice: random.Random) -> Iterator[bytes]:
    make, tokens, pack, *_ = target
    seeds = make()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        yield pack(damaged(dice.choice(seeds), dice, tokens), dice)


def main(arguments: list[str]) -> int:
    if not 2 <= len(arguments) <= 3 or arguments[0] not in TARGETS:
        print(f"usage: python tests/fuzz.py {'|'.join(TARGETS)} SECONDS [SEED]", file=sys.stderr)
        return 2
    target, dice = TARGETS[arguments[0]], random.Random(int(arguments[2]) if len(arguments) == 3 else 1)
    compile_all()
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="gidbench-") as folder:
        path = Path(folder) / f"t{target[4]}"
        for content in turns(target, float(arguments[1]), dice):
            path.write_bytes(content)
            signal.alarm(LONGEST_S)
            try:
                outcomes[target[3](path, dice)] += 1
            except GidbenchError as error:
                outcomes[type(error).__name__] += 1
            except BaseException:
                kept = Path(f"fuzz-{arguments[0]}{target[4]}").resolve()
                kept.write_bytes(content)
                print(f"failed on {kept}", file=sys.stderr)
                raise
            finally:
                signal.alarm(0)
    print(f"{outcomes.total():,} files: {dict(outcomes.most_common())}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
