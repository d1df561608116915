"""The command line: what it prints, what it leaves, how it ends."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import psutil
import pytest

from gidbench.log import log_to_file, redact


def test_help_names_every_command(gidbench) -> None:
    done = gidbench("--help")
    assert done.code == 0
    for command in ("run", "generate", "process", "sync", "doctor"):
        assert f"  {command} " in done.out


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys; from gidbench import cli\n"
        "try: cli.main(['run', '--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numba', 'numpy', 'pyarrow', 'duckdb', 'papermill', 'matplotlib', 'rich', 'sqlalchemy'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stderr.strip() == "[]"


def test_importing_the_package_loads_nothing_heavy() -> None:
    script = "import sys, gidbench; print(sorted({'numba', 'numpy', 'pyarrow'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_generate_process_and_sync_work_together(gidbench, database: str) -> None:
    made = gidbench("generate", "--records", "2_000", "--seed", "7", "--out", "people.csv")
    assert (made.code, made.err) == (0, made.err)
    assert "2,000" in made.out
    filled = gidbench("generate", "--records", "2k", "--seed", 7, "--into", database, "--json")
    assert json.loads(filled.out)["records"] == 2000
    taken = json.loads(gidbench("process", "people.csv", "--into", database, "--json").out)
    assert (taken["accepted"], taken["duplicate"], taken["rejected"]) == (2000, 0, 0)
    again = json.loads(gidbench("process", "people.csv", "--into", database, "--json").out)
    assert (again["accepted"], again["duplicate"]) == (0, 2000)
    first = json.loads(gidbench("sync", "--source", database, "--json").out)
    assert (first["inserted"], first["written_back"]) == (2000, 2000)
    second = json.loads(gidbench("sync", "--source", database, "--target", database, "--json").out)
    assert second["unchanged"] == 2000


def test_conflicts_of_a_sync_can_be_written_to_a_file(gidbench, database: str) -> None:
    gidbench("generate", "--records", 10, "--into", database)
    with duckdb.connect(database.removeprefix("duckdb:///")) as connection:
        connection.execute(
            "INSERT INTO employee SELECT 99, * EXCLUDE (id) FROM employee"
            " WHERE id = (SELECT min(id) FROM employee WHERE deleted_at IS NULL)"
        )
    done = gidbench("sync", "--source", database, "--conflicts", "conflicts.csv")
    assert done.code == 0
    assert Path("conflicts.csv").read_text() == "id,kept_id\n99,1\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("generate", "--records", "many"), "'many' is not a whole number of records"),
        (("generate", "--records", "-5"), "'-5' is not a whole number"),
        (
            ("generate", "--records", "10", "--out", "people.docx"),
            "Use one of .arrow, .csv, .csv.gz, .csv.zst, .parquet, .xlsx",
        ),
        (("generate", "--records", "10", "--out", "no/such/people.csv"), "does not exist"),
        (
            ("generate", "--records", "10", "--batch-size", "7"),
            "batch_size is 7, but must be a whole number from 1,000 to",
        ),
        (("generate", "--records", "10", "--workers", "9999"), "workers is 9999, but must be"),
        (
            ("generate", "--records", "10", "--out", "a.csv", "--into", "duckdb:///b.duckdb"),
            "Choose one of out and into",
        ),
        (("generate", "--records", "10", "--seed", "1" + "0" * 30), "outside 0 .. 2^64 - 1"),
        (("generate",), "nothing says how many records of employee to make"),
        (("process", "people.csv"), "Missing option '--into'"),
        (("process", "people.csv", "--into", "duckdb:///x.duckdb"), "there is no file people.csv"),
        (("sync", "--source", "what?"), "the database URL cannot be understood"),
        (("sync", "--source", "mysql://u:Geheim1@h/d"), "there is no store for mysql"),
        (("run", "--operations", "fly"), "fly cannot be measured"),
        (("run", "-p", "colour", "blue"), "no notebook has a parameter 'colour'"),
        (("run", "-p", "rounds", "blue"), "'blue' is not a whole number"),
        (("run", "--records", "0"), "0 records cannot be measured"),
        (("fly",), "No such command 'fly'"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(gidbench, words: tuple[str, ...], says: str) -> None:
    before = sorted(path.name for path in Path.cwd().iterdir())
    done = gidbench(*words)
    lines = done.err.strip().splitlines()
    assert done.code == 2
    assert says in lines[-1]
    assert "Traceback" not in done.err
    assert "Geheim1" not in done.err
    assert len([line for line in lines if line.startswith("gidbench:")]) == 1
    left = sorted(
        path.name for path in Path.cwd().iterdir() if path.name not in ("gid_system.log", "reports")
    )
    assert left == [name for name in before if name not in ("gid_system.log", "reports")]


def test_no_command_shows_the_help_and_ends_with_2(gidbench) -> None:
    done = gidbench()
    assert done.code == 2
    assert "Commands:" in done.err


def test_settings_come_from_the_environment_and_a_dot_env(gidbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ULTRA_BATCH_SIZE", "999")
    assert "the environment variable ULTRA_BATCH_SIZE" in gidbench("generate", "--records", 10).err
    monkeypatch.delenv("ULTRA_BATCH_SIZE")
    Path(".env").write_text("ULTRA_PARALLEL_WORKERS=0\n")
    assert (
        "workers is '0', but must be a whole number from 1 to 256"
        in gidbench("generate", "--records", 10).err
    )


def test_what_went_wrong_in_a_store_is_exit_code_4(gidbench, database: str) -> None:
    gidbench("generate", "--records", 10, "--into", database)
    with duckdb.connect(database.removeprefix("duckdb:///")) as connection:
        connection.execute("UPDATE g_id_sequence SET next_ordinal = 67600000")
    done = gidbench("sync", "--source", database)
    assert done.code == 4
    assert done.err.strip() == (
        "gidbench: 10 G_IDs are asked for, but only 0 of 67,600,000 are left. "
        "Use fewer records, or a database whose g_id_sequence stands lower."
    )


def test_an_unforeseen_error_is_a_sentence_and_its_traceback_is_in_the_log(
    gidbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall(*args: object, **options: object) -> None:
        raise ZeroDivisionError("mssql://sa:Geheim1@host/db")

    monkeypatch.setattr("gidbench.operations.generate", fall)
    done = gidbench("generate", "--records", 1)
    assert done.code == 4
    assert (
        done.err.strip()
        == "gidbench: unforeseen ZeroDivisionError; gid_system.log has the details. Please report it."
    )
    log = Path("gid_system.log").read_text()
    assert "Traceback" in log
    assert "Geheim1" not in log


def test_the_log_tells_counts_but_neither_people_nor_passwords(gidbench, database: str) -> None:
    gidbench("generate", "--records", 50, "--seed", 3, "--out", "people.csv")
    gidbench("process", "people.csv", "--into", database)
    gidbench("sync", "--source", "mssql+pyodbc://sa:Geheim1@host/db?PWD=Geheim2")
    Path("broken.csv").write_text("name,no_ktp,bod\nSiti Rahayu,12,1990-01-01\n")
    gidbench("process", "broken.csv", "--into", database)
    log = Path("gid_system.log").read_text()
    assert "generate: 50 records" in log
    assert "accepted 50" in log
    assert "rejected 1" in log
    people = [line.split(",") for line in Path("people.csv").read_text().splitlines()[1:]]
    for row in people:
        assert row[1] not in log
        assert row[3] not in log
    for secret in ("Geheim1", "Geheim2", "Siti"):
        assert secret not in log


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("mssql+pyodbc://sa:p%40ss@host/db", "mssql+pyodbc://sa:***@host/db"),
        ("mssql+pyodbc://sa:p@ss@host/db", "mssql+pyodbc://sa:***@host/db"),
        ("DRIVER={x};UID=sa;PWD=secret;Encrypt=no", "DRIVER={x};UID=sa;PWD=***;Encrypt=no"),
        ("Pwd={se;cret};x=1", "Pwd=***;x=1"),
        ("password: 'hush hush' here", "password: *** here"),
        ("nothing to hide: 12:30", "nothing to hide: 12:30"),
    ],
)
def test_passwords_are_taken_out_of_texts(text: str, safe: str) -> None:
    assert redact(text) == safe


def test_the_log_rotates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gidbench.log._MOST_BYTES", 2000)
    handler = log_to_file(Path.cwd())
    assert handler is not None
    for number in range(100):
        logging.getLogger("gidbench").info("line %d of a log that grows", number)
    logging.getLogger("gidbench").removeHandler(handler)
    handler.close()
    logs = sorted(path.name for path in Path.cwd().glob("gid_system.log*"))
    assert logs == ["gid_system.log", "gid_system.log.1", "gid_system.log.2", "gid_system.log.3"]
    assert Path("gid_system.log").stat().st_size <= 2000


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminate"])
@pytest.mark.parametrize("target", ["big.csv", "big.parquet", "database"])
def test_an_interrupt_leaves_nothing_behind(tmp_path: Path, number: int, target: str) -> None:
    to = ["--into", "duckdb:///big.duckdb"] if target == "database" else ["--out", target]
    command = [sys.executable, "-m", "gidbench", "generate", "--records", "200M", *to]
    with subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as started:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not any(
            path.stat().st_size > 2_000_000 for path in tmp_path.iterdir() if path.is_file()
        ):
            time.sleep(0.05)
        assert started.poll() is None
        os.kill(started.pid, number)
        _, err = started.communicate(timeout=60)
    assert started.returncode == 130
    assert err.strip().splitlines()[-1] == "gidbench: interrupted; nothing half-done was kept."
    left = {path.name for path in tmp_path.iterdir()} - {"gid_system.log", "gid_system.log.1"}
    if target == "database":
        with duckdb.connect(str(tmp_path / "big.duckdb")) as connection:
            assert connection.execute("SELECT count(*) FROM employee").fetchone() == (0,)
        left -= {"big.duckdb", "big.duckdb.wal"}
    assert left == set()


@pytest.mark.parametrize("columns", [80, 100, 140])
def test_the_table_of_a_run_is_whole_on_a_terminal_of_any_width(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    from rich.console import Console

    from gidbench import terminal
    from gidbench.bench.results import load_results
    from gidbench.running import RunOutcome

    sample = Path(__file__).parents[2] / "reports" / "sample"
    screen = io.StringIO()
    monkeypatch.setattr(terminal, "Console", lambda: Console(file=screen, width=columns, force_terminal=True))
    terminal.print_run(RunOutcome(sample, load_results(sample).results))
    text = re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue())
    assert "…" not in text
    assert max(len(line.rstrip()) for line in text.splitlines() if not line.startswith("report:")) <= columns
    for words in ("1,000,000", "ULTRA", "unchanged"):
        assert words in text


@pytest.mark.parametrize(
    "url",
    [
        "mssql+pyodbc://sa:Geheim1@127.0.0.1:{port}/people?Encrypt=no",
        "mssql+pyodbc:///?odbc_connect=Server%3D127.0.0.1%2C{port}%3BUID%3Dsa%3BPWD%3DGeheim1%3BEncrypt%3Dno",
    ],
)
def test_a_password_given_as_an_argument_leaves_the_command_line_that_everybody_may_list(url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # who connects waits for its answer
        given = url.format(port=silent.getsockname()[1])
        command = [sys.executable, "-m", "gidbench", "sync", "--source", given]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                silent.settimeout(60)
                silent.accept()[0].close()
                shown = " ".join(psutil.Process(process.pid).cmdline())
            finally:
                process.kill()
    assert "Geheim1" not in shown
    assert shown.startswith("gidbench sync --source mssql+pyodbc://")
    assert "***" in shown
