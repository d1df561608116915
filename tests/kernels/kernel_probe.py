"""Small inputs through every kernel; run as a script it prints what came out, as JSON.

The test compares this process's answers with those of one in which NUMBA_DISABLE_JIT=1 made the kernels
plain Python.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pyarrow as pa

from gidbench import gid, inference
from gidbench.digest import digest_of
from gidbench.files.csv_writer import CsvWriter
from gidbench.files.options import ReadOptions
from gidbench.files.workbooks.reader import WorkbookReader
from gidbench.files.xlsx_writer import XlsxWriter
from gidbench.generation.plan import Plan, employees
from gidbench.kernels import calibrating, fields, intake, mixing, pairing, scan, scan_dialect
from gidbench.kernels.registry import registered
from gidbench.keyset import KeySet
from gidbench.specs.parsing import parse_spec
from gidbench.synchronising.roster import Roster
from gidbench.synchronising.rows import Numbering, rows_of

CSV = (
    b'name,no_ktp\r\n"Sri ""Ani"" Putri",1\r\n\r\n"two\nlines",2\rAndr\xc3\xa9 Araujo,3\n,\nx,y,z\n"a"b,4\n'
    b'last,"open'
)
NAMES = [b"", b" Sri ", b"\tA", "Ren\u00e9".encode(), "\u738b\u4f1f".encode(), b"x" * 300, b"Al"]
IDS = [
    b"3174011505900001",
    b"31.74-01 1505900002",
    b"9" * 16,
    b"99999999999999991",
    b"",
    b"x",
    b"9999999999999998",
    b"3.2E+15",
]
DATES = [b"1990-05-15", b"29/02/2000", b"29/02/1900", b"33008", b"61", b"60", b"20251231", b"", b"0000-01-01"]
DATES += [b"9999-12-31", b"1990-05-15 00:00", b"1990-05-15T01:00", b"1899-12-31", b"\xff\xfe"]
PASSPORTS = [b"a1234567", b"", b"AB 12345678", b"123", b"\xc3\xa91234567", b"Z999999"] * 2
WORDS = [0, 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1, 0x9E3779B97F4A7C15]


def pack(texts: list[bytes]) -> tuple[Any, Any]:
    offsets = np.cumsum([0, *map(len, texts)]).astype(np.int32)
    return offsets, np.frombuffer(b"".join(texts), np.uint8)


def hexed(batch: pa.RecordBatch) -> str:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return sink.getvalue().to_pybytes().hex()


SPEC = """
[tables.thing]
records = 60
[tables.thing.columns]
key = { kind = "integer", min = -5, max = 500, unique = true }
skewed = { kind = "integer", min = 1, max = 1000000, distribution = "zipf", exponent = 1.3 }
bell = { kind = "decimal", min = -10, max = 99.99, distribution = "normal", mean = 20, sd = 9, null_fraction = 0.3 }
alike = { kind = "integer", max = 50, correlated_with = "skewed", correlation = -0.7 }
truth = { kind = "boolean", true_fraction = 0.25 }
day = { kind = "date" }
moment = { kind = "timestamp", resolution = "us", after = "day", within_days = 3, null_fraction = 0.5 }
city = { kind = "choice", values = ["Bandung", "Solo, Jawa", "Medan"], weights = [5, 0, 1] }
of = { kind = "choice", correlated_with = "city", values_by = { Bandung = ["a"], "Solo, Jawa" = ["b"], Medan = ["c"] } }
code = { kind = "pattern", pattern = "EMP-{year}/{hex:9}-{seq:03}{{}}", correlated_with = "day" }
mail = { kind = "pattern", pattern = "{value:slug}.{digits:3}@x.id", correlated_with = "who" }
who = { kind = "name", part = "full" }
id = { kind = "uuid" }
note = { kind = "text", min_length = 0, max_length = 70, distribution = "normal" }
boss = { kind = "foreign_key", references = "thing.key", null_fraction = 0.1 }
"""


def generated() -> dict[str, Any]:
    found = {}
    for seed, first, count in (
        (0, 0, 50),
        (2**64 - 1, 9_999_995, 20),
        (7, 6_760_000_000 - 20, 20),
        (1, 0, 0),
    ):
        batch = employees(seed).batch(first, count)
        batch.validate(full=True)
        found[f"employees {seed} {first}"] = hexed(batch)
        found[f"digest {seed} {first}"] = digest_of([batch])
    thing = Plan(parse_spec(SPEC), "thing", 5).batch(3, 57)
    thing.validate(full=True)
    found["thing"] = hexed(thing)
    found["digest of thing"] = digest_of([thing])
    return found


def written() -> dict[str, Any]:
    batch = Plan(parse_spec(SPEC), "thing", 5).batch(0, 40)
    sink = io.BytesIO()
    writer = CsvWriter(sink, batch.schema)
    writer.write(writer.prepare(batch.slice(3)))
    book = io.BytesIO()
    sheet = XlsxWriter(book, batch.schema)
    sheet.write(sheet.prepare(batch.slice(5)))
    sheet.close()
    return {"csv": sink.getvalue().decode(), "xlsx": book.getvalue().hex()}


def digested() -> dict[str, Any]:
    integers = pa.array([0, -1, None, 2**63 - 1, -(2**63)], pa.int64())
    texts = pa.array(["", "3201010101900001", None, "x" * 64, "1234567\x7f"])
    likes = pa.array(["2024-02-29 03:04:05.5", "-17.250", "true", "007", "9" * 25])
    batch = pa.RecordBatch.from_arrays([integers, texts, likes], ["number", "text", "likes"])
    return {
        "digest": digest_of([batch]),
        "digest of rows": [digest_of([batch.slice(n, 1)]) for n in range(5)],
    }


def mixed() -> dict[str, Any]:
    words = [np.uint64(word) for word in WORDS]
    bound = np.uint64(2**32 - 1)
    return {
        "mix64": [int(mixing.mix64(word)) for word in words],
        "draw": [int(mixing.draw(word, np.uint64(6_760_000_000))) for word in words],
        "below": [int(mixing.below(word, bound)) for word in words],
        "churn": int(calibrating.churn(np.array(WORDS, np.uint64), 3, np.uint64(5))),
        "permute": [
            [
                int(side)
                for side in mixing.permute_pair(np.uint64(5), bound - np.uint64(1), bound, bound, word)
            ]
            for word in words
        ],
    }


def coded() -> dict[str, Any]:
    ordinals = np.array([0, 99, 100, 67_599, 67_600, gid.FIRST_ORDINAL, gid.CAPACITY - 1], np.int64)
    texts = gid.encode_array(ordinals)
    return {
        "encode": texts.to_pylist(),
        "range": gid.encode_range(67_590, 20).to_pylist() + gid.encode_range(6_759_950, 120).to_pylist(),
        "decode": gid.decode_array(texts).tolist(),
        "decode odd": gid.decode_array(
            pa.array(["", None, "G025AA0", "G025aA00", "H025AA00", "G0é5A00"])
        ).tolist(),
    }


def place(texts: list[bytes]) -> tuple[Any, Any, Any]:
    """(memory that must be kept, addresses, lengths)."""
    offsets, data = pack(texts)
    lengths = np.diff(offsets).astype(np.int32)
    return data, offsets[:-1].astype(np.int64) + data.ctypes.data, lengths


def taken_in() -> dict[str, Any]:
    names, addresses, lengths = place(NAMES)
    codes, odd = np.zeros(len(NAMES), np.uint8), np.array([0, 3, 4], np.int32)
    trimmed, left = np.zeros(len(NAMES), np.int64), np.zeros(len(NAMES), np.int32)
    others = intake.check_lengths(addresses, lengths, odd, 2, 255, trimmed, left, codes)
    found: dict[str, Any] = {"others": int(others), "lengths": codes.tolist(), "left": left.tolist()}
    found["moved"] = (trimmed - names.ctypes.data).tolist()

    held, addresses, lengths = place(IDS)
    keys, codes, digits = (
        np.zeros(len(IDS), np.int64),
        np.zeros(len(IDS), np.uint8),
        np.zeros(16 * len(IDS), np.uint8),
    )
    numbers = np.array([0, 0, 1, 1, 1, 1, 1, 0], np.uint8)
    intake.national_ids(addresses, lengths, numbers, keys, digits, codes)
    found["national_ids"] = [keys.tolist(), codes.tolist(), digits.tobytes().decode()]

    held, addresses, lengths = place(DATES)
    days, codes = np.zeros(len(DATES), np.int32), np.zeros(len(DATES), np.uint8)
    intake.birth_dates(addresses, lengths, -25_567, 20_000, days, codes)
    found["birth_dates"] = [days.tolist(), codes.tolist()]

    held, addresses, lengths = place(PASSPORTS)
    count = len(PASSPORTS)
    offsets, out = np.zeros(count + 1, np.int32), np.zeros(120, np.uint8)
    valid, codes = np.full(2, 255, np.uint8), np.zeros(count, np.uint8)
    nulls = int(intake.passport_ids(addresses, lengths, offsets, out, valid, codes))
    found["passport_ids"] = [nulls, offsets.tolist(), out.tobytes().hex(), valid.tolist(), codes.tolist()]
    del held
    return found


def found_in_place() -> dict[str, Any]:
    texts = [
        CSV.replace(b'"last,"open', b"").replace(b'"a"b,4\n', b"").replace(b"2\r", b"2\r\n"),
        CSV,
        b"",
        b"\xff,1",
    ]
    found: dict[str, Any] = {}
    for number, text in enumerate(texts):
        data = np.frombuffer(text + b"\0" * 64, np.uint8)
        size = len(text)
        positions, ends, lines, blocks = (np.zeros(size + 20, np.int32) for _ in range(4))
        facts = np.zeros(fields.FACTS, np.int64)
        count = int(fields.find_separators(data, 0, size, 44, 34, positions, ends, lines, blocks, facts))
        found[f"separators {number}"] = [count, facts.tolist()]
        if count < 0:
            continue
        firsts, starts = np.zeros(count, np.int32), np.zeros(count, np.int64)
        at_lines, flags = np.zeros(count, np.int64), np.zeros(count, np.uint8)
        records = int(
            fields.find_records(data, 0, count, positions, ends, lines, 2, firsts, starts, at_lines, flags)
        )
        found[f"records {number}"] = [each[:records].tolist() for each in (firsts, starts, at_lines, flags)]
        odd = np.zeros(records, np.int32)
        odd = odd[: int(fields.find_odd(starts[:records], size, 0, blocks[: facts[fields.ODD]], odd))]
        addresses, lengths = np.zeros((2, records), np.int64), np.zeros((2, records), np.int32)
        extra = np.zeros(200, np.uint8)
        wanted = np.array([1, 0], np.int16)
        fields.locate(
            data, 0, 34, wanted, 2, positions, firsts[:records], flags[:records], extra, addresses, lengths
        )
        offsets, out = np.zeros(records + 1, np.int32), np.zeros(400, np.uint8)
        limit = data.ctypes.data + data.size
        empty = int(fields.gather(addresses[1], lengths[1], limit, offsets, out))
        undecodable = int(fields.flag_undecodable(addresses[1], lengths[1], odd, flags[:records]))
        found[f"fields {number}"] = [
            odd.tolist(),
            lengths.tolist(),
            empty,
            offsets.tolist(),
            out.tobytes().hex(),
        ]
        found[f"flags {number}"] = [undecodable, flags.tolist(), int(fields.total(lengths[0]))]
        found[f"byte {number}"] = [bool(fields.holds_byte(data, 0, size, byte)) for byte in (34, 35)]
    return found


def remembered() -> dict[str, Any]:
    keys = KeySet()
    steps = [np.arange(0, 300, dtype=np.int64) * 10**13, np.array([5, -1, 5, 2**63 - 1, 0], np.int64)]
    steps += [np.arange(100, 700, dtype=np.int64) * 10**13]
    fresh = [keys.add(step).astype(int).tolist() for step in steps]  # the last one makes the table grow
    held = keys.holds(np.array([5, -1, 6, 2**63 - 1, 699 * 10**13], np.int64)).tolist()
    return {"fresh": fresh, "held": held, "len": len(keys)}


def scanned_forgivingly() -> dict[str, Any]:
    """The same text by every mode of the kernel for all dialects."""
    data = np.frombuffer(CSV.replace(b",", b" , ") + b'\n5\\" disk  ,"x\\"y"  \n', np.uint8)
    found = {}
    for mode, delimiter in ((0, ","), (1, ","), (2, " "), (3, " ")):
        codes = (ord(delimiter), ord('"'), ord("\\"), mode)
        room = int(scan.most_records(data, 0, data.size))
        slots = np.array([0, -1, 1], np.int16)
        texts, offsets = np.zeros((2, data.size), np.uint8), np.zeros((2, room + 1), np.int32)
        starts, lines, widths = (np.zeros(room + 1, np.int64) for _ in range(3))
        marks = np.zeros(room, np.uint8)
        count = int(
            scan_dialect.split_any(
                data, 0, data.size, *codes, slots, texts, offsets, starts, lines, widths, marks
            )
        )
        ends = [int(scan_dialect.last_end_any(data, 0, end, *codes)) for end in range(data.size + 1)]
        arrays = (offsets, starts, lines, widths, marks)
        found[str(mode)] = {"arrays": [array.tolist() for array in arrays], "count": count, "ends": ends}
        found[str(mode)]["texts"] = [
            texts[slot, : offsets[slot, count]].tobytes().decode("latin-1") for slot in range(2)
        ]
    return found


def scanned() -> dict[str, Any]:
    data = np.frombuffer(CSV, np.uint8)
    comma, quote = 44, 34
    room = int(scan.most_records(data, 0, data.size))
    texts = np.zeros((2, data.size), np.uint8)
    offsets = np.zeros((2, room + 1), np.int32)
    starts, lines = np.zeros(room + 1, np.int64), np.zeros(room + 1, np.int64)
    flags = np.zeros(room, np.uint8)
    slots = np.array([0, 1], np.int16)
    count = int(scan.split(data, 0, data.size, comma, quote, slots, texts, offsets, starts, lines, flags))
    return {
        "room": room,
        "ends": [int(scan.last_record_end(data, 0, end, comma, quote)) for end in range(data.size + 1)],
        "records": count,
        "texts": [texts[slot, : offsets[slot, count]].tobytes().decode() for slot in (0, 1)],
        "offsets": offsets[:, : count + 1].tolist(),
        "starts": starts[: count + 1].tolist(),
        "lines": lines[: count + 1].tolist(),
        "flags": flags[:count].tolist(),
    }


TYPED = {
    "whole": [
        "1",
        "",
        "-25",
        "0",
        "12345678",
        "123456789",
        "3201010101900001",
        str(2**63 - 1),
        str(-(2**63)),
    ],
    "too large": ["9223372036854775808"],
    "codes": ["007", "1"],
    "numbers": ["1.10", "-.5", "", "1.5e3", "1e-5", "-0.0", "2", "1" + "0" * 22, "123456789012345"],
    "hard": ["0.30000000000000004", "1.7976931348623157e308", "9007199254740993", "1e-300"],
    "no numbers": ["1.5", "5.", "12e5", "1.5.2", "-", "."],
    "truths": ["true", "FALSE", "", "True"],
    "no truths": ["true", "t"],
    "days": ["2024-02-29", "", "0001-01-01", "9999-12-31"],
    "no days": ["2023-02-29", "1900-02-29", "2024-13-01", "0000-01-01"],
    "slashes": ["1/2/2024", "31/12/1999", "29/02/2000"],
    "moments": ["2024-02-29 01:02:03.000004", "", "2024-02-29T23:59:59", "2024-02-29 01:02", "2024-02-29"],
    "no moments": ["2024-02-29 24:00:00", "2024-02-30 00:00:00.000000"],
    "texts": ["a", "", "\u00e9"],
}


def typed_texts() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, texts in TYPED.items():
        column = pa.array(texts)
        shown = inference.examine(column)
        found[name] = [
            shown.kinds,
            shown.values,
            [inference.examine(column.slice(n, 1)).kinds for n in range(len(texts))],
        ]
        for bit in range(12):
            result = inference.read(column, 1 << bit, inference.Evidence())
            if result is not None:
                result[0].validate(full=True)
                found[f"{name} as {bit}"] = [repr(value) for value in result[0].to_pylist()], result[1].kinds
        found[f"{name} as text"] = inference.read(column, inference.TEXT, shown)[0].to_pylist()
    return found


def paired() -> dict[str, Any]:
    """Two tables of people, compared."""
    people = employees(3).batch(0, 90)
    odd = pa.array(["odd", None, *people["no_ktp"].to_pylist()[2:80], *people["no_ktp"].to_pylist()[:10]])
    changed = people.set_column(people.schema.get_field_index("no_ktp"), "no_ktp", odd)
    roster = Roster(Numbering())
    known = people.slice(0, 70)
    known = known.set_column(
        known.schema.get_field_index("g_id"), "g_id", gid.encode_range(gid.FIRST_ORDINAL, 70)
    )
    rows = rows_of(known, 9)
    roster.know(rows, np.full(70, pairing.KNOWN | pairing.ACTIVE, np.uint8))
    other = roster.numbering.complete(rows_of(changed, 9))
    deleted = (np.arange(90) % 7 == 0).astype(np.uint8)
    wanted = roster.meet(other, np.arange(90)[::-1].copy(), deleted)
    decisions = roster.decide()
    return {
        "hashes": [[int(value) for value in side.hashes] for side in (rows, other)],
        "keys": other.keys.tolist(),
        "wanted": wanted.tolist(),
        "counts": {name: int(count) for name, count in decisions.counts.items()},
        "lost": roster.conflicts().to_pylist(),
        "changed": decisions.changed.tolist(),
    }


SHEET = (
    '<worksheet xmlns="{0}"><sheetData>\n<row><c t="s"><v>0</v></c><c r="C1" t="inlineStr"><is><t>a&amp;&#233;_x000D_'
    "</t></is></c><c><v>1.50</v></c></row>"
    '<row r="4" spans="1:4"><c s="1"><v>45304.70303240741</v></c><c s="1"><v>59</v></c><c s="2"><v>1.25</v></c>'
    '<c t="b"><v>1</v></c><c t="e"><v>#N/A</v></c><c t="str"><f>A1&gt;2</f><v>\U0001f600</v></c></row>'
    '<row><c><v>3201010101900001</v></c><c><v>0.30000000000000004</v></c><c t="s"><v>1</v></c><c t="b"><v>0</v></c>'
    '<c t="inlineStr"><is><r><t>run</t></r></is></c></row><row r="9"/></sheetData></worksheet>'
)
STRINGS = '<sst xmlns="{0}"><si><t>first &lt;</t></si><si><r><t>se</t></r><r><t>cond</t></r></si></sst>'
STYLES = '<styleSheet xmlns="{0}"><cellXfs><xf/><xf numFmtId="22"/><xf numFmtId="46"/></cellXfs></styleSheet>'
BOOK = (
    '<workbook xmlns="{0}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<workbookPr date1904="{1}"/><sheets><sheet name="s" r:id="r"/></sheets></workbook>'
)
RELATIONS = '<Relationships><Relationship Id="r" Type="x/worksheet" Target="sheet.xml"/></Relationships>'


def read_back() -> dict[str, Any]:
    """A sheet with something of every kind, in pieces of several sizes."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for since_1904 in (0, 1):
            path = Path(folder) / f"{since_1904}.xlsx"
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("xl/workbook.xml", BOOK.format(main, since_1904))
                archive.writestr("xl/_rels/workbook.xml.rels", RELATIONS)
                archive.writestr("xl/sheet.xml", SHEET.format(main))
                archive.writestr("xl/sharedStrings.xml", STRINGS.format(main))
                archive.writestr("xl/styles.xml", STYLES.format(main))
            for piece_bytes in (1, 10_000):
                reader = WorkbookReader(path, ReadOptions(header=0), piece_bytes=piece_bytes)
                rows: list[list[str]] = []
                for _, chunk in reader.chunks():
                    columns = reader.parse(chunk, range(len(reader.header))).columns
                    rows += map(list, zip(*(column.to_pylist() for column in columns), strict=True))
                found[f"{since_1904} {piece_bytes}"] = rows
                found["read by"] = reader.decisions[0].value
                reader.close()
    return found


def probe() -> dict[str, Any]:
    parts = (
        generated,
        written,
        digested,
        mixed,
        coded,
        taken_in,
        remembered,
        scanned,
        found_in_place,
        scanned_forgivingly,
        typed_texts,
        paired,
        read_back,
    )
    with warnings.catch_warnings():
        # Arithmetic modulo 2^64 is meant; compiled code says nothing about it. Any other warning is a fault.
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "overflow encountered in scalar", RuntimeWarning)
        return {part.__name__: part() for part in parts}


if __name__ == "__main__":
    compiled = {"jit_disabled": bool(numba.config.DISABLE_JIT), "kernels": len(registered())}
    sys.stdout.write(json.dumps({"about": compiled, "found": probe()}))
