"""`gidbench run`, end to end on few records."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import nbformat
import psutil
import pytest

import gidbench
from gidbench import Cancellation, Progress, cli, notebooks, running
from gidbench.errors import GidbenchError, InputError, OperationCancelled
from gidbench.stores.opening import open_store

NAMES = ["00_overview.ipynb", "01_generate.ipynb", "02_process.ipynb", "03_sync.ipynb"]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, list[Progress]]:
    """One run of everything: its folder, what it printed, the progress it told."""
    folder = tmp_path_factory.mktemp("run") / "first"
    seen: list[Progress] = []
    outcome = gidbench.run(3000, processes=2, rounds=2, out=folder, progress=seen.append)
    with pytest.MonkeyPatch.context() as patch:
        import io
        from contextlib import redirect_stdout

        from gidbench.terminal import print_run

        patch.setenv("COLUMNS", "140")
        printed = io.StringIO()
        with redirect_stdout(printed):
            print_run(outcome)
    return outcome.folder, printed.getvalue(), seen


def test_it_leaves_notebooks_results_and_the_report_and_nothing_else(done) -> None:
    folder, _, _ = done
    assert sorted(path.name for path in folder.iterdir()) == [*NAMES, "report.html", "results.jsonl"]


def test_every_case_is_measured_verified_and_printed(done) -> None:
    folder, printed, _ = done
    results = gidbench.load_results(folder)
    assert [(result.operation, result.variant) for result in results.results] == [
        ("generate", "memory"),
        ("generate", "csv"),
        ("generate", "parquet"),
        ("generate", "database"),
        ("process", "csv"),
        ("process", "xlsx"),
        ("sync", "initial"),
        ("sync", "unchanged"),
    ]
    for result in results.results:
        assert (result.status, result.processes, result.rounds, result.records) == ("ok", 2, 4, 3000)
        assert [len(rounds) for rounds in result.replicates_s] == [2, 2]
        assert result.stopped_because == "asked"
        assert 0 < result.low_s <= result.median_s <= result.high_s
        assert result.records_per_second == pytest.approx(3000 / result.median_s)
        assert re.search(rf"{result.operation} +{result.variant} +3,000 ", printed)
    values = {result.value for result in results.results}
    assert (
        len(values) == 2
    )  # all columns of the generated people; the five that are taken in and synchronised
    assert f"report: {Path(folder / 'report.html')}" in printed or "report.html" in printed


def test_noise_is_read_at_the_start_in_the_middle_and_at_the_end_and_is_told(done) -> None:
    folder, printed, _ = done
    found = gidbench.load_results(folder)
    assert [(each.operation, each.moment) for each in found.noise] == [
        (operation, moment)
        for operation in ("generate", "process", "sync")
        for moment in ("start", "middle", "end")
    ]
    assert found.header.noise["verdict"] == found.noise[0].verdict
    assert isinstance(found.header.parameters["order_seed"], int)
    assert "noise generate: the machine was " in printed
    assert "rounds sync: 2 × 2, as asked" in printed


def test_the_executed_notebooks_have_outputs_no_errors_and_no_path_of_this_machine(done) -> None:
    folder, _, _ = done
    for name in NAMES:
        text = (folder / name).read_text()
        notebook = nbformat.reads(text, as_version=4)
        outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
        assert outputs
        assert not [output for output in outputs if output.output_type == "error"]
        assert str(folder) not in text
        assert str(Path.home()) + "/" not in text


def test_progress_names_every_notebook_and_the_kernels(done) -> None:
    _, _, seen = done
    phases = [step.phase for step in seen]
    for name in NAMES:
        assert f"{name.removesuffix('.ipynb')}: starting" in phases
    assert any("process 2 of 2, round 1 of 2" in phase for phase in phases)
    assert {"loading kernels", "compiling kernels, first run only"} & set(phases)


def test_the_report_is_one_file_that_asks_for_nothing(done) -> None:
    folder, _, _ = done
    page = (folder / "report.html").read_text()
    assert len(page.encode()) <= 2_000_000
    assert re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", page) == []
    assert "ULTRA" in page or "HIGH" in page or "STANDARD" in page


def test_a_folder_of_another_run_is_not_overwritten(done) -> None:
    folder, _, _ = done
    before = (folder / "results.jsonl").read_bytes()
    with pytest.raises(InputError, match="holds the results of another run"):
        gidbench.run(10, out=folder)
    assert (folder / "results.jsonl").read_bytes() == before


def test_one_operation_with_parameters_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    words = "run --operations generate -p records 1_000 -p rounds 2 -p processes 1 --out one"
    cli.main(words.split())
    results = gidbench.load_results("one").results
    assert {(result.operation, result.records, result.rounds) for result in results} == {
        ("generate", 1000, 2)
    }
    assert "report: one/report.html" in capsys.readouterr().out
    assert sorted(path.name for path in Path("one").glob("*.ipynb")) == NAMES[:2]


def test_a_database_of_ones_own_is_used_left_empty_and_its_g_ids_are_given_back(database: str) -> None:
    outcome = gidbench.run(500, processes=2, rounds=1, operations=["process"], database=database, out="own")
    assert not outcome.failed
    path = database.removeprefix("duckdb:///")
    with duckdb.connect(path) as connection:
        for table in ("employee", "global_id", "global_id_file"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
        assert connection.execute("SELECT next_ordinal FROM g_id_sequence").fetchone() == (1_690_000,)
    assert gidbench.load_results("own").header.database["name"] == database


def test_a_database_with_data_is_refused_and_kept(database: str) -> None:
    gidbench.generate(100, into=database)
    with pytest.raises(InputError, match=r"holds data \(employee 100 rows\)"):
        gidbench.run(500, rounds=1, operations=["sync"], database=database, out="kept")
    with duckdb.connect(database.removeprefix("duckdb:///")) as connection:
        assert connection.execute("SELECT count(*) FROM employee").fetchone() == (100,)
    assert not Path("kept").exists()


def test_one_that_is_filled_after_the_start_is_too_and_the_marked_notebook_is_saved(
    monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    monkeypatch.setattr(running, "require_empty", lambda _: gidbench.generate(100, into=database))
    with pytest.raises(InputError, match=r"holds data \(employee 100 rows\)"):
        gidbench.run(500, rounds=1, operations=["sync"], database=database, out="kept")
    with duckdb.connect(database.removeprefix("duckdb:///")) as connection:
        assert connection.execute("SELECT count(*) FROM employee").fetchone() == (100,)
    saved = nbformat.read("kept/03_sync.ipynb", as_version=4)
    assert any("An Exception was encountered" in cell.source for cell in saved.cells)
    assert [path.name for path in Path("kept").iterdir()] == ["03_sync.ipynb"]


def _run_of(database: str, operation: str) -> int | str | None:
    """The exit code of a small run into the folder `no`."""
    words = (
        f"run --records 100 --processes 1 --rounds 1 --operations {operation} --database {database} --out no"
    )
    with pytest.raises(SystemExit) as stopped:
        cli.main(words.split())
    return stopped.value.code


def test_cases_that_fail_are_told_and_end_with_exit_code_3_where_nothing_is_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], database: str
) -> None:
    with open_store(database) as store:
        store.create_tables()
    with duckdb.connect(database.removeprefix("duckdb:///")) as connection:
        (made,) = connection.execute(
            "SELECT sql FROM duckdb_tables() WHERE table_name = 'employee'"
        ).fetchone()
        connection.execute("DROP TABLE employee")
        connection.execute(made.rstrip("; )") + "), CHECK (length(name) > 900))")  # nobody's name
    assert _run_of(database, "sync") == 3
    assert "nothing was measured" in capsys.readouterr().err
    statuses = [json.loads(line) for line in Path("no/results.jsonl").read_text().splitlines()]
    assert [line["status"] for line in statuses if line["kind"] == "result"] == ["failed", "failed"]
    assert Path("no/report.html").exists()


def test_a_database_whose_tables_do_not_fit_is_told_before_anything_is_made(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], database: str
) -> None:
    with duckdb.connect(database.removeprefix("duckdb:///")) as connection:
        connection.execute("CREATE TABLE employee (id BIGINT)")
        connection.execute("INSERT INTO employee VALUES (1)")
    assert _run_of(database, "generate") == 2
    assert "the table employee has no column 'name'" in capsys.readouterr().err
    assert not Path("no").exists()
    with duckdb.connect(database.removeprefix("duckdb:///")) as connection:
        assert connection.execute("SELECT * FROM employee").fetchall() == [(1,)]


def test_a_run_can_be_cancelled_and_leaves_no_scratch(tmp_path: Path) -> None:
    cancellation = Cancellation()

    def stop_early(step: Progress) -> None:
        if "warming up" in step.phase or "round" in step.phase:
            cancellation.cancel()

    with pytest.raises(OperationCancelled):
        gidbench.run(
            20_000,
            rounds=50,
            operations=["generate"],
            out="gone",
            progress=stop_early,
            cancellation=cancellation,
        )
    left = sorted(path.name for path in Path("gone").iterdir())
    assert left == ["01_generate.ipynb", "results.jsonl"]


def test_the_asynchronous_twin_leaves_the_loop_free(database: str) -> None:
    async def both() -> tuple[int, int]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.005)
                ticks += 1

        ticking = asyncio.create_task(tick())
        seen: list[Progress] = []
        made = await gidbench.agenerate(300_000, progress=seen.append)
        ticking.cancel()
        filled = await gidbench.agenerate(100, into=database)
        synced = await gidbench.async_(database)
        assert (made.records, filled.records, synced.inserted) == (300_000, 100, 100)
        assert seen
        assert seen[-1].done == 300_000
        return ticks, len(made.batches)

    ticks, batches = asyncio.run(both())
    assert ticks >= 1
    assert batches == 6


def test_a_kernel_that_dies_is_told_and_the_notebook_is_saved(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("import os; os._exit(9)")])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "x", "language": "python"}
    nbformat.write(notebook, tmp_path / "in.ipynb")
    with pytest.raises(GidbenchError, match=r"the kernel of out.ipynb died"):
        notebooks.execute(tmp_path / "in.ipynb", tmp_path / "out.ipynb", {}, {})
    assert (tmp_path / "out.ipynb").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_an_interrupt_ends_the_run_its_kernel_and_its_scratch(tmp_path: Path) -> None:
    command = ["run", "--records", "300000", "--rounds", "50", "--operations", "generate", "--out", "first"]
    started = subprocess.Popen(
        [sys.executable, "-m", "gidbench", *command],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with started:
        assert started.stderr
        assert any("round 2 of 50" in line for line in started.stderr)
        kernels = [child.pid for child in psutil.Process(started.pid).children(recursive=True)]
        assert kernels
        os.kill(started.pid, signal.SIGINT)
        rest = started.stderr.read()
    assert started.returncode == 130
    assert rest.strip().splitlines()[-1] == "gidbench: interrupted; nothing half-done was kept."
    _, alive = psutil.wait_procs(
        [psutil.Process(pid) for pid in kernels if psutil.pid_exists(pid)], timeout=10
    )
    assert alive == []
    assert sorted(path.name for path in (tmp_path / "first").iterdir()) == [
        "01_generate.ipynb",
        "results.jsonl",
    ]
