"""`gidbench convert`: what it prints and where, what it leaves, how it ends."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import pytest

CSV = "id,name\n1,Sri\n2,Budi\n"


@pytest.fixture
def convert(gidbench) -> object:
    """Run `gidbench convert …` in this process."""
    return partial(gidbench, "convert")


def test_the_result_is_on_standard_output_and_what_was_found_out_on_the_other(convert) -> None:
    Path("s.csv").write_text(CSV)
    convert("s.csv", "s.parquet")
    done = convert("s.parquet", "d.csv")
    assert done.code == 0
    assert Path("d.csv").read_text() == CSV
    assert re.search(r"^records +2 *$", done.out, re.MULTILINE)
    assert re.search(r"^destination +d\.csv *$", done.out, re.MULTILINE)
    assert re.search(r"^read by +pyarrow \(Parquet\) +100% +the file says what it is", done.err, re.MULTILINE)
    quiet = convert("s.parquet", "d.csv", "--quiet")
    assert (quiet.code, quiet.err) == (0, "")


def test_json_is_all_there_is_on_standard_output(convert) -> None:
    Path("s.csv").write_text(CSV)
    done = convert("s.csv", "d.parquet", "--types", "infer", "--json")
    found = json.loads(done.out)
    assert found["types"] == {"id": "int64", "name": "string"}
    assert (found["records"], found["columns"], found["malformed"], found["repaired"]) == (2, 2, 0, 0)
    assert (found["destination"], found["warnings"]) == ("d.parquet", [])
    assert found["bytes_written"] == Path("d.parquet").stat().st_size
    assert pq.read_table("d.parquet").to_pylist() == [{"id": 1, "name": "Sri"}, {"id": 2, "name": "Budi"}]
    again = json.loads(convert("d.parquet", "e.csv", "--json").out)
    assert again["decisions"][0] == {
        "what": "read by",
        "value": "pyarrow (Parquet)",
        "sure": 1.0,
        "why": "the file says what it is",
    }


def test_an_empty_file_is_a_warning_and_no_failure(convert) -> None:
    Path("s.csv").write_text("")
    done = convert("s.csv", "d.csv")
    assert done.code == 0
    assert "gidbench: warning: s.csv is empty" in done.err
    assert Path("d.csv").read_bytes() == b""


def test_from_standard_input_to_standard_output() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gidbench", "convert", "-", "-", "--quiet"],
        input=b'a;b\r\n1;"x,y"\r\n',
        capture_output=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, b'a,b\n1,"x,y"\n')
    assert b"records" in done.stderr
    assert [path.name for path in Path().iterdir() if path.name != "gid_system.log"] == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("none.csv", "d.csv"), "there is no file none.csv"),
        (("s.csv", "d.docx"), "Use one of .arrow, .csv, .csv.gz"),
        (("s.csv", "s.csv"), "s.csv is the file to convert"),
        (("s.csv", "d.csv", "--header", "many"), "'many' is neither a number of rows, none nor auto"),
        (("s.csv", "d.csv", "--types", "guess"), "'guess' is not one of 'text', 'infer'"),
        (("s.csv", "d.csv", "--encoding", "klingon"), "there is no encoding 'klingon'"),
        (("s.csv", "d.csv", "--delimiter", "::"), "the delimiter is '::'"),
        (("s.csv", "d.csv", "--max-rows", "1"), "more than 1 rows"),
        (("s.csv", "d.csv", "--max-columns", "1"), "2 columns; the limit is 1"),
        (("s.csv", "d.csv", "--max-rows", "0"), "max_rows is 0, but must be a whole number from 1 to"),
        (("link.csv", "d.csv"), "link.csv is a symbolic link"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(convert, words: tuple[str, ...], says: str) -> None:
    Path("s.csv").write_text(CSV)
    Path("link.csv").symlink_to("s.csv")
    done = convert(*words)
    assert done.code == 2
    assert says in done.err
    assert len([line for line in done.err.splitlines() if line.startswith("gidbench:")]) == 1
    assert sorted(path.name for path in Path().iterdir()) == ["gid_system.log", "link.csv", "s.csv"]


def test_limits_come_from_the_environment_and_the_command_line_goes_before(
    convert, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("s.csv").write_text(CSV)
    monkeypatch.setenv("GIDBENCH_MAX_ROWS", "1")
    assert "more than 1 rows" in convert("s.csv", "d.csv").err
    assert convert("s.csv", "d.csv", "--max-rows", "2").code == 0
    monkeypatch.setenv("GIDBENCH_MAX_ROWS", "some")
    assert "Change the environment variable GIDBENCH_MAX_ROWS" in convert("s.csv", "d.csv").err


def test_links_are_followed_where_that_is_asked_for(convert, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("s.csv").write_text(CSV)
    Path("link.csv").symlink_to("s.csv")
    assert convert("link.csv", "d.csv", "--links").code == 0
    monkeypatch.setenv("GIDBENCH_LINKS", "yes")
    assert convert("link.csv", "d.csv").code == 0
    monkeypatch.setenv("GIDBENCH_LINKS", "perhaps")
    assert "GIDBENCH_LINKS is 'perhaps', but must be true or false" in convert("link.csv", "d.csv").err


def test_what_is_said_reaches_the_reader(monkeypatch: pytest.MonkeyPatch, convert) -> None:
    given = []

    def stop(source: Path, destination: Path, **options: object) -> None:
        given.append(options)
        raise KeyboardInterrupt

    monkeypatch.setattr("gidbench.converting.convert", stop)
    words = [
        "--delimiter",
        "tab",
        "--quote",
        "none",
        "--escape",
        "\\",
        "--encoding",
        "cp1252",
        "--header",
        "none",
    ]
    assert convert("s.csv", "d.csv", *words, "--sheet", "2", "--max-field-bytes", "1M").code == 130
    assert convert("s.csv", "d.csv", "--header", "auto", "--sheet", "Data", "--delimiter", "^").code == 130
    first, second = given
    assert [first[name] for name in ("delimiter", "quote", "escape", "encoding", "header", "sheet")] == [
        "\t", "", "\\", "cp1252", 0, "2",
    ]  # fmt: skip
    assert (first["max_field_bytes"], first["links"]) == (1_000_000, None)
    assert (second["header"], second["sheet"], second["delimiter"], second["quote"]) == (
        None,
        "Data",
        "^",
        None,
    )


@pytest.mark.parametrize("columns", [60, 80, 140])
def test_the_table_of_decisions_is_whole_on_a_terminal_of_any_width(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    from rich.console import Console

    from gidbench import terminal
    from gidbench.files.text import Decision

    screen = io.StringIO()
    monkeypatch.setattr(
        terminal, "Console", lambda **_: Console(file=screen, width=columns, force_terminal=True)
    )
    decisions = [
        Decision(
            "encoding", "cp1252", 0.62, "bytes above 127 that are no UTF-8, and few of them are controls"
        ),
        Decision("delimiter", "[;]", 0.4, "the number of fields is the same in 98 of 100 records"),
        Decision("preamble", "3 lines", 1.0, "said by the caller"),
    ]
    terminal.print_decisions(decisions, Path("people.csv"))
    text = re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue())
    assert "…" not in text
    assert max(len(line.rstrip()) for line in text.splitlines()) <= columns
    for words in ("people.csv", "cp1252", "62%", "[;]", "100%"):
        assert words in text


def test_the_asynchronous_twin_does_the_same() -> None:
    import asyncio

    import gidbench

    Path("s.csv").write_text(CSV)
    result = asyncio.run(gidbench.aconvert("s.csv", "d.csv"))
    assert result.records == gidbench.convert("s.csv", "e.csv").records == 2
    assert Path("d.csv").read_text() == Path("e.csv").read_text() == CSV
