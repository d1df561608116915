"""generate and verify from the shell: specs, slices, every form, and what is left when something fails."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

SPEC = """
[tables.customer]
records = 1_000
[tables.customer.columns]
code = { kind = "pattern", pattern = "C-{letters:3}{digits:4}", unique = true }
name = { kind = "name" }
email = { kind = "pattern", pattern = "{value:slug}@example.com", correlated_with = "name" }

[tables.orders.columns]
id = { kind = "sequence" }
customer = { kind = "foreign_key", references = "customer.code", distribution = "zipf" }
amount = { kind = "decimal", max = 99.99 }
ordered = { kind = "timestamp" }
shipped = { kind = "date", after = "ordered", within_days = 9, null_fraction = 0.2 }
paid = { kind = "boolean", true_fraction = 0.9 }
note = { kind = "choice", values = ["=1+1", "a, b", "plain"], weights = [1, 1, 8] }
"""
FORMS = ["people.csv", "people.csv.gz", "people.csv.zst", "people.parquet", "people.arrow", "people.xlsx"]


def gidbench(*words: str, code: int = 0, **options: object) -> subprocess.CompletedProcess[str]:
    run = subprocess.run(
        [sys.executable, "-m", "gidbench", *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **options,
    )
    assert run.returncode == code, (words, run.stdout, run.stderr)
    return run


def digest(text: str) -> str:
    return re.search(r"digest\s+([0-9a-f]{32})", text)[1]


def left() -> list[str]:
    return sorted(path.name for path in Path().iterdir() if path.name != "gid_system.log")


def test_every_form_of_the_same_people_has_the_same_digest():
    found = set()
    for name in FORMS:
        made = digest(gidbench("generate", "--records", "3000", "--seed", "7", "--out", name).stdout)
        told = gidbench("verify", name, "--expect", made).stdout
        assert re.search(r"records\s+3,000", told)
        found |= {made, digest(told)}
    gidbench("generate", "--records", "3000", "--seed", "7", "--into", "duckdb:///people.duckdb")
    found.add(digest(gidbench("verify", "duckdb:///people.duckdb/employee").stdout))
    found.add(digest(gidbench("verify", "duckdb:///people.duckdb/main.employee").stdout))
    assert len(found) == 1
    other = digest(gidbench("generate", "--records", "3000", "--seed", "8", "--out", "people.csv").stdout)
    assert other not in found
    gidbench("verify", "people.csv", "--expect", found.pop(), code=4)


def test_a_changed_a_lost_and_a_doubled_record_are_found():
    made = digest(gidbench("generate", "--records", "50", "--out", "people.csv").stdout)
    lines = Path("people.csv").read_text().splitlines(keepends=True)
    for changed in (lines[:-1], [*lines, lines[-1]], [*lines[:-1], lines[-1].replace("EMP", "EMQ")]):
        Path("people.csv").write_text("".join(changed))
        told = gidbench("verify", "people.csv", "--expect", made, code=4).stderr
        assert "not " + made in told
    Path("people.csv").write_text("".join([lines[0], *reversed(lines[1:])]))
    gidbench("verify", "people.csv", "--expect", made)


def test_verify_tells_what_it_cannot_read():
    Path("cut.parquet").write_bytes(b"PAR1")
    Path("bad.csv").write_text('a,b\n1,2\n"open\n')
    Path("two.csv").write_text("a,A\n1,2\n")
    for source, told in (
        ("no.csv", "there is no file no.csv"),
        ("cut.parquet", "cannot be read"),
        ("bad.csv", "line 3 of bad.csv is malformed"),
        ("two.csv", "has the column 'a' twice"),
        ("duckdb:///x.duckdb", "names no table"),
        ("people.docx", "there is no file"),
    ):
        error = gidbench("verify", source, code=2).stderr
        assert told in error
        assert error.count("\n") == 1
    assert "people.duckdb" not in left()


def test_slices_of_many_processes_are_the_bytes_of_the_whole():
    gidbench("generate", "--records", "70000", "--seed", "3", "--out", "whole.csv")
    pieces = [(0, 1), (1, 20_000), (20_001, 45_536), (65_537, 4_463)]
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "gidbench", "generate", "--first-row", str(first), "--records", str(count)]
            + ["--seed", "3", "--out", f"part{first}.csv", "--workers", "2"]
            + (["--no-header"] if first else []),
            stdout=subprocess.DEVNULL,
        )
        for first, count in pieces
    ]
    assert [process.wait(100) for process in running] == [0] * len(pieces)
    put_together = b"".join(Path(f"part{first}.csv").read_bytes() for first, _ in pieces)
    whole = Path("whole.csv").read_bytes()
    assert hashlib.sha256(put_together).hexdigest() == hashlib.sha256(whole).hexdigest()


def test_standard_output_has_the_records_and_nothing_else():
    run = gidbench("generate", "--records", "3", "--seed", "5", "--out", "-")
    gidbench("generate", "--records", "3", "--seed", "5", "--out", "file.csv")
    assert run.stdout == Path("file.csv").read_text()
    assert "digest" in run.stderr
    run = gidbench("generate", "--records", "3", "--seed", "5", "--out", "-", "--json")
    assert run.stdout == Path("file.csv").read_text()
    assert json.loads(run.stderr)["records"] == 3


def test_a_reader_that_has_enough_ends_it_quietly():
    command = f"{sys.executable} -m gidbench generate --records 3e6 --out - | head -n 2"
    run = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=100, check=False)
    assert run.stdout.count("\n") == 2
    assert "Traceback" not in run.stderr
    assert "Exception" not in run.stderr


def test_a_spec_makes_tables_that_belong_together():
    Path("shop.toml").write_text(SPEC)
    gidbench("generate", "--spec", "shop.toml", "--into", "duckdb:///shop.duckdb")
    gidbench(
        "generate",
        "--spec",
        "shop.toml",
        "--table",
        "orders",
        "--records",
        "5000",
        "--into",
        "duckdb:///shop.duckdb",
    )
    with duckdb.connect("shop.duckdb", read_only=True) as base:

        def one(statement: str) -> int:
            return base.execute(statement).fetchall()[0][0]

        assert one("SELECT count(DISTINCT code) FROM customer") == 1_000
        assert one("SELECT count(*) FROM orders SEMI JOIN customer ON customer = code") == 5_000
        assert one("SELECT count(*) FROM orders WHERE shipped < ordered::DATE") == 0
        assert one("SELECT count(*) FROM customer WHERE email NOT LIKE '%@example.com'") == 0
    made = gidbench(
        "generate", "--spec", "shop.toml", "--table", "orders", "--records", "5000", "--out", "o.xlsx"
    )
    assert digest(made.stdout) == digest(gidbench("verify", "duckdb:///shop.duckdb/orders").stdout)
    assert digest(gidbench("verify", "o.xlsx").stdout) == digest(made.stdout)
    error = gidbench("generate", "--spec", "shop.toml", "--into", "duckdb:///shop.duckdb", code=2).stderr
    assert "holds 1,000 rows already" in error
    gidbench("generate", "--spec", "shop.toml", "--into", "duckdb:///shop.duckdb", "--replace")


def test_formulas_are_guarded_where_that_is_asked_for():
    Path("shop.toml").write_text(SPEC)
    common = ("generate", "--spec", "shop.toml", "--table", "orders", "--records", "300", "--out", "o.csv")
    plain = digest(gidbench(*common).stdout)
    assert ",=1+1\n" in Path("o.csv").read_text()
    guarded = digest(gidbench(*common, "--guard-formulas").stdout)
    text = Path("o.csv").read_text()
    assert ",'=1+1\n" in text
    assert ",=1+1" not in text
    assert guarded != plain
    gidbench("verify", "o.csv", "--expect", guarded)


def test_columns_can_be_given_on_the_command_line():
    run = gidbench(
        "generate", "--records", "200", "--out", "-",
        "--column", "id: sequence start=5",
        "--column", "age: integer min=18 max=65 distribution=normal",
        "--column", "city: choice values=[Bandung,Solo] weights=3,1",
        "--column", "code: pattern pattern='X-{seq:04}'",
    )  # fmt: skip
    header, *rows = run.stdout.splitlines()
    assert header == "id,age,city,code"
    assert len(rows) == 200
    assert all(re.fullmatch(r"\d+,(1[89]|[2-5]\d|6[0-5]),(Bandung|Solo),X-\d{4}", row) for row in rows)


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_a_spec_is_read_off_a_table_and_makes_rows_like_it(kind):
    statements = [
        "CREATE TABLE customer (id INTEGER PRIMARY KEY, name VARCHAR(80) NOT NULL, code VARCHAR(12) UNIQUE)",
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customer(id),"
        " amount DECIMAL(10, 2) NOT NULL, ordered_at TIMESTAMP NOT NULL, paid BOOLEAN, note VARCHAR(30), photo BLOB)",
    ]
    if kind == "duckdb":
        with duckdb.connect("shop.db") as base:
            for statement in statements:
                base.execute(statement).fetchall()
    else:
        with sqlite3.connect("shop.db") as base:
            for statement in statements:
                base.execute(statement)
    url = f"{kind}:///shop.db"
    gidbench("generate", "--like", f"{url}/orders", "--out", "orders.toml")
    text = Path("orders.toml").read_text()
    assert text == gidbench("generate", "--like", f"{url}/main.orders").stdout
    assert 'customer_id = { kind = "foreign_key", references = "customer.id" }' in text
    assert "# may be null: the fraction is a guess\npaid" in text
    assert "# BLOB has no kind of column here: left empty\nphoto" in text
    assert "note = " in text
    assert ("max_length = 30" in text) == (kind == "sqlite")  # DuckDB does not keep lengths
    gidbench("generate", "--spec", "orders.toml", "--records", "100", "--out", "orders.parquet")
    rows = duckdb.sql("SELECT * FROM 'orders.parquet'").fetchall()
    assert len(rows) == 100
    gidbench("generate", "--like", f"{url}/customer", "--out", "customer.toml")
    assert 'name = { kind = "name" }' in Path("customer.toml").read_text()
    assert "CUS-{seq:07}" in Path("customer.toml").read_text()
    error = gidbench("generate", "--like", f"{url}/nobody", code=2).stderr
    assert "there is no table 'nobody'" in error
    assert "orders" in error
    gidbench("generate", "--like", f"{kind}:///absent.db/orders", code=2)
    assert not Path("absent.db").exists()


@pytest.mark.parametrize(
    ("column", "told"),
    [
        ("a: integer min=5 max=4", "runs from 5 to 4"),
        ("a: integer max=9 unique=true", "100 rows of table.a are asked for, but only 10"),
        ("a: boolean distribution=zipf", "which a boolean does not know"),
        ("a: integer unique=true distribution=zipf", "unique values cannot follow zipf"),
        ("a: integre", "did you mean integer"),
        ("a: integer mim=3", "did you mean min"),
        ("a: name unique=true", "cannot be unique"),
        ("a: text min_length=9 max_length=3", "min_length is 9"),
        ("a: pattern pattern='{digts:3}'", "{digts:3} is unknown"),
        ("a: pattern pattern='{year}'", "Name it with correlated_with"),
        ("a: date after=b", "refers to 'b'"),
        ("a: uuid null_fraction=1.5", "null_fraction is 1.5, but must be 0 to 1"),
        ("a: foreign_key references=x.y", "references 'x.y', which this spec does not have"),
        ("a: decimal scale=2 max=0.001", "must be a multiple of 0.01"),
        ("a", "cannot be read"),
    ],
)
def test_what_cannot_be_made_is_told_in_one_line_before_anything_is_written(column, told):
    code = 4 if "asked for" in told else 2
    error = gidbench("generate", "--records", "100", "--column", column, "--out", "x.csv", code=code).stderr
    assert told in error
    assert error.count("\n") == 1
    assert left() == []


# --- nothing half-written stays ------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="the system has no limit on the size of files")
@pytest.mark.parametrize("name", FORMS)
def test_a_full_disk_leaves_nothing_but_one_line(name):
    """A file that may not grow any more stands for it: the system refuses to write in the middle."""
    limited = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000));"
        "from gidbench.cli import main; main(sys.argv[1:])"
    )
    run = subprocess.run(
        [sys.executable, "-c", limited, "generate", "--records", "200000", "--out", name],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert run.returncode == 2, run.stderr
    assert "cannot be written" in run.stderr
    assert run.stderr.count("\n") == 1
    assert left() == []


@pytest.mark.parametrize("name", ["people.csv", "people.xlsx", "people.csv.gz"])
def test_an_interrupt_leaves_nothing_but_one_line(name):
    process = subprocess.Popen(
        [sys.executable, "-m", "gidbench", "generate", "--records", "3e8", "--out", name],
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not any(path.name.endswith(".part") and path.stat().st_size for path in Path().iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert len(told.splitlines()) <= 2  # the first may be empty, below the terminal's ^C
    assert told.strip() == "gidbench: interrupted; nothing half-done was kept."
    assert left() == []


@pytest.mark.skipif(os.geteuid() == 0 if hasattr(os, "geteuid") else False, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_told():
    Path("locked").mkdir(mode=0o500)
    error = gidbench("generate", "--records", "10", "--out", "locked/people.csv", code=2).stderr
    assert "cannot be written" in error


def test_gzip_is_what_gzip_reads():
    gidbench("generate", "--records", "70000", "--out", "a.csv.gz")
    gidbench("generate", "--records", "70000", "--out", "a.csv")
    assert gzip.decompress(Path("a.csv.gz").read_bytes()) == Path("a.csv").read_bytes()
