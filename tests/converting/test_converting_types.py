"""Types that are found over all values: the rules, a naive twin, and no value lost."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import naive_types
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gidbench.converting import convert
from gidbench.files.table_texts import as_texts
from gidbench.inference import Evidence, arrow_type, examine, read


def found(texts: list[str]) -> tuple[str, list[object]]:
    column = pa.array(texts, pa.string())
    shown = examine(column)
    result = read(column, shown.kind, Evidence())
    assert result is not None
    typed, again = result
    typed.validate(full=True)
    assert again.kinds & shown.kinds == shown.kinds or not shown.values or shown.kind == 0
    return str(typed.type), typed.to_pylist()


NO, TEXT = None, "string"


@pytest.mark.parametrize(
    ("texts", "kind", "values"),
    [
        (["1", "", "-25"], "int64", [1, NO, -25]),
        (["0"], "int64", [0]),
        (["007", "1"], TEXT, ["007", "1"]),
        (["-07"], TEXT, ["-07"]),
        (["+1"], TEXT, ["+1"]),
        ([" 1"], TEXT, [" 1"]),
        (["1,000"], TEXT, ["1,000"]),
        (["3201010101900001", "9999999999999999"], "int64", [3201010101900001, 9999999999999999]),
        (["9223372036854775807", "-9223372036854775808"], "int64", [2**63 - 1, -(2**63)]),
        (["9223372036854775808"], TEXT, ["9223372036854775808"]),
        (["-9223372036854775809"], TEXT, ["-9223372036854775809"]),
        (["99999999999999999999"], TEXT, ["99999999999999999999"]),
        (["1.10", "2", ""], "double", [1.1, 2.0, NO]),
        ([".5", "-.25"], "double", [0.5, -0.25]),
        (["5."], TEXT, ["5."]),
        (["0.30000000000000004"], "double", [0.1 + 0.2]),
        (["0.1234567890123456789"], TEXT, ["0.1234567890123456789"]),
        (["0.1000000000000000000000"], "double", [0.1]),
        (["9007199254740993", "0.5"], TEXT, ["9007199254740993", "0.5"]),
        (["9007199254740992", "0.5"], "double", [2.0**53, 0.5]),
        (["1.7976931348623157e308", "5e-324"], "double", [1.7976931348623157e308, 5e-324]),
        (["1e+400"], TEXT, ["1e+400"]),
        (["1.5e3", "1e-5", "2E+3"], "double", [1500.0, 1e-5, 2000.0]),
        (["12e5"], TEXT, ["12e5"]),
        (["0.0", "-0.0"], "double", [0.0, -0.0]),
        (["1.5", "nan"], TEXT, ["1.5", "nan"]),
        (["1.5.2"], TEXT, ["1.5.2"]),
        (["-"], TEXT, ["-"]),
        (["."], TEXT, ["."]),
        (["e+5"], TEXT, ["e+5"]),
        (["true", "FALSE", "", "True"], "bool", [True, False, NO, True]),
        (["true", "1"], TEXT, ["true", "1"]),
        (["yes", "no"], TEXT, ["yes", "no"]),
        (["2024-02-29", ""], "date32[day]", [dt.date(2024, 2, 29), NO]),
        (["0001-01-01", "9999-12-31"], "date32[day]", [dt.date(1, 1, 1), dt.date(9999, 12, 31)]),
        (["2023-02-29"], TEXT, ["2023-02-29"]),
        (["1900-02-29"], TEXT, ["1900-02-29"]),
        (["0000-01-01"], TEXT, ["0000-01-01"]),
        (["2024-1-5"], TEXT, ["2024-1-5"]),
        (["2024/01/05"], "date32[day]", [dt.date(2024, 1, 5)]),
        (["2024/01/05", "2024-01-05"], TEXT, ["2024/01/05", "2024-01-05"]),
        (["01/02/2024"], TEXT, ["01/02/2024"]),
        (["01/02/2024", "13/02/2024"], "date32[day]", [dt.date(2024, 2, 1), dt.date(2024, 2, 13)]),
        (["1/2/2024", "2/13/2024"], "date32[day]", [dt.date(2024, 1, 2), dt.date(2024, 2, 13)]),
        (["13/1/2024", "1/13/2024"], TEXT, ["13/1/2024", "1/13/2024"]),
        (["31.12.2024"], "date32[day]", [dt.date(2024, 12, 31)]),
        (["31-12-2024", "31.12.2024"], TEXT, ["31-12-2024", "31.12.2024"]),
        (["31/12/24"], TEXT, ["31/12/24"]),
        (
            ["2024-01-05 06:07", "2024-01-05T06:07:08.5"],
            "timestamp[us]",
            [dt.datetime(2024, 1, 5, 6, 7), dt.datetime(2024, 1, 5, 6, 7, 8, 500000)],
        ),
        (
            ["2024-01-05", "2024-01-05 06:07:08.000001"],
            "timestamp[us]",
            [dt.datetime(2024, 1, 5), dt.datetime(2024, 1, 5, 6, 7, 8, 1)],
        ),
        (["2024-01-05 24:00:00"], TEXT, ["2024-01-05 24:00:00"]),
        (["2024-01-05 10:00:00Z"], TEXT, ["2024-01-05 10:00:00Z"]),
        (["2024-01-05 10:00:00.1234567"], TEXT, ["2024-01-05 10:00:00.1234567"]),
        (["", ""], TEXT, [NO, NO]),
        ([], TEXT, []),
        (["１２"], TEXT, ["１２"]),
    ],
    ids=lambda value: (
        "|".join(value) if isinstance(value, list) and all(isinstance(v, str) for v in value) else None
    ),
)
def test_a_type_is_what_all_values_are(texts: list[str], kind: str, values: list[object]) -> None:
    assert found(texts) == (kind, values)
    assert [str(value) for value in found(texts)[1]] == [str(value) for value in values]  # -0.0 is not 0.0
    assert naive_types.infer(texts) == (kind, values)


digits = st.text("0123456789", min_size=1, max_size=20)
number_like = st.from_regex(r"-?[0-9]{0,19}(\.[0-9]{0,18})?([eE][+-]?[0-9]{0,3})?", fullmatch=True)
date_like = st.builds(
    lambda a, b, c, s, t: f"{a}{s}{b}{t}{c}",
    st.integers(0, 32) | st.integers(1899, 2101),
    st.integers(0, 13).map(lambda n: f"{n:02}") | st.integers(0, 32),
    st.integers(1, 31).map(lambda n: f"{n:02}") | st.integers(1899, 2101),
    st.sampled_from("-/."),
    st.sampled_from("-/."),
)
values = st.one_of(
    st.just(""),
    digits,
    number_like,
    st.integers(-(2**64), 2**64).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.decimals(allow_nan=False, allow_infinity=False, places=2).map(str),
    date_like,
    st.dates().map(str),
    st.datetimes().map(str),
    st.datetimes(timezones=st.just(dt.UTC)).map(str),
    st.times().map(lambda time: f"2024-02-29T{time}"),
    st.sampled_from(
        ["true", "false", "True", "FALSE", "tru", "falsee", "null", "-", "+", ".", "e", "-0", "-.5", "0x1"]
    ),
    st.text(max_size=5),
)


@settings(max_examples=400)
@given(st.lists(values, min_size=1, max_size=4))
def test_the_kernels_agree_with_the_naive_twin(texts: list[str]) -> None:
    name, expected = naive_types.infer(texts)
    kind, typed = found(texts)
    assert (kind, [repr(value) for value in typed]) == (name, [repr(value) for value in expected])


alike = st.one_of(
    st.lists(st.integers(-(2**63), 2**63 - 1).map(str) | st.just("")),
    st.lists(st.floats(allow_nan=False, allow_infinity=False).map(repr) | st.integers(-999, 999).map(str)),
    st.lists(st.floats(-1e6, 1e6).map(lambda x: f"{x:.3f}") | st.just("")),
    st.lists(st.dates().map(lambda day: f"{day.day}/{day.month}/{day.year:04}")),
    st.lists(st.dates().map(lambda day: f"{day.month:02}.{day.day:02}.{day.year:04}")),
    st.lists(st.dates().map(str) | st.datetimes().map(str) | st.just("")),
    st.lists(st.booleans().map(str) | st.just("")),
)


@settings(max_examples=300)
@given(alike)
@example(["1"] * 20)
def test_columns_of_one_kind_are_read_as_the_naive_twin_does(texts: list[str]) -> None:
    name, expected = naive_types.infer(texts)
    kind, typed = found(texts)
    assert (kind, [repr(value) for value in typed]) == (name, [repr(value) for value in expected])


@settings(max_examples=200)
@given(st.lists(values, min_size=1, max_size=6), st.data())
def test_what_is_found_does_not_depend_on_how_a_column_is_cut(texts: list[str], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(texts)))
    column = pa.array(texts)
    whole, parts = examine(column), Evidence()
    for part in (column.slice(cut), column.slice(0, cut)):
        shown = examine(part)
        if (fitting := read(part, shown.kind, parts)) is not None and shown.kind and shown.values:
            # what reading shows and what examining shows leave the same kinds, given all that is known
            assert fitting[1].kinds & parts.kinds & ~0b100 == shown.kinds & parts.kinds & ~0b100
        parts.add(shown)
    assert (parts.kind, parts.values) == (whole.kind, whole.values)


@settings(max_examples=200)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_a_column_of_doubles_comes_back_from_its_texts(numbers: list[float]) -> None:
    texts = as_texts(pa.array(numbers, pa.float64()))
    shown = examine(texts)
    assert str(arrow_type(shown.kind)) in ("double", "int64")
    typed = read(texts, shown.kind, Evidence())
    assert typed is not None
    assert typed[0].cast(pa.float64(), safe=False).to_pylist() == numbers


LONG = 300_000  # rows are five chunks of an Arrow file, and three pieces


def table_of(path: Path, texts: list[str], **options: object) -> pa.ChunkedArray:
    source = path / "t.arrow"
    table = pa.table({"id": pa.array(range(len(texts))).cast(pa.string()), "v": texts})
    with pa.ipc.new_file(source, table.schema) as writer:
        writer.write_table(table)
    result = convert(source, path / "t.parquet", types="infer", workers=2, **options)
    table = pq.read_table(path / "t.parquet")
    assert result.records == table.num_rows == len(texts)
    assert result.types["v"] == str(table.column("v").type)
    assert table.column("id").to_numpy().tolist() == list(range(len(texts)))
    return table.column("v")


@pytest.mark.parametrize("place", [0, LONG // 2, LONG - 1])
@pytest.mark.parametrize(
    ("usual", "odd", "kind"),
    [
        ("12", "1.5", "double"),
        ("12", "x", "string"),
        ("12", "007", "string"),
        ("9007199254740993", "0.5", "string"),
        ("9007199254740992", "0.5", "double"),
        ("2024-01-05", "2024-01-05 06:00", "timestamp[us]"),
        ("2024-01-05", "soon", "string"),
        ("01/02/2024", "13/02/2024", "date32[day]"),
        ("13/02/2024", "01/13/2024", "string"),
        ("", "7", "int64"),
        ("", "x", "string"),
        ("true", "maybe", "string"),
        ("1.5", "0.12345678901234567890", "string"),
    ],
)
def test_a_value_that_comes_late_decides_as_well(
    tmp_path: Path, usual: str, odd: str, kind: str, place: int
) -> None:
    texts = [usual] * LONG
    texts[place] = odd
    column = table_of(tmp_path, texts)
    assert str(column.type) == kind
    assert column.null_count == (LONG - 1 if usual == "" else 0)
    expected = naive_types.infer(sorted(set(texts)))
    assert expected[0] == kind
    by_text = dict(zip(sorted(set(texts)), expected[1], strict=True))
    assert column[place].as_py() == by_text[odd]
    others = [column[row].as_py() for row in (1, LONG // 3, LONG - 2)]
    assert others == [by_text[usual]] * 3


def test_a_column_without_values_is_text_and_null(tmp_path: Path) -> None:
    column = table_of(tmp_path, [""] * 1000)
    assert (str(column.type), column.null_count) == ("string", 1000)


def test_types_of_every_kind_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "i,x,b,d,m,t,e\n"
        "1,1.5,true,2024-02-29,2024-02-29 10:00,007,\n"
        ",,,,,,\n"
        "-3,2,False,0001-01-01,2024-02-29T10:00:00.25,8,\n"
    )
    convert(tmp_path / "t.csv", tmp_path / "t.arrow", types="infer")
    with pa.memory_map(str(tmp_path / "t.arrow")) as source:
        table = pa.ipc.open_file(source).read_all()
    assert [str(kind) for kind in table.schema.types] == [
        "int64", "double", "bool", "date32[day]", "timestamp[us]", "string", "string",
    ]  # fmt: skip
    assert table.to_pylist()[1] == dict.fromkeys("ixbdmte")
    assert table.column("m").to_pylist()[2] == dt.datetime(2024, 2, 29, 10, 0, 0, 250000)
    assert np.isclose(table.column("x").to_pylist()[0], 1.5)
