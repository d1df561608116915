"""Batches of notebooks from start to end: what goes on, what is left, what it is called."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import made_runs
import nbformat
import psutil
import pytest

from gidbench import cli
from gidbench.batch import run_batch
from gidbench.batch_outcome import BatchOutcome, Ran
from gidbench.batch_plan import Given
from gidbench.batch_summary import as_markdown
from gidbench.bench.results import RunResults

PARAMETERS = 'n: int = 1  # how many\nout: str = ""  # where it goes'
GOOD = (
    "# Is it good?",
    "import os, pathlib\npathlib.Path(out, f'made-{n}.txt').write_text('x')\nprint(os.environ['GIDBENCH_HEADLESS'])",
    "## The answer",
    "from IPython.display import Markdown\nMarkdown(f'It is **{n}**, and <tag> is text.')",
    "import ipywidgets\nipywidgets.IntSlider(5)",
)
BAD = ("# Is it bad?", "secret = 'duckdb'\nraise ValueError(f'no <b>luck</b> with {n} of sa:secret@x')")


class _Done:
    """A batch of two notebooks with a sweep, the first of which fails."""

    def __init__(self, folder: Path, outcome: BatchOutcome, told: list[tuple[int, int, Ran]]) -> None:
        self.folder, self.outcome, self.told = folder, outcome, told


@pytest.fixture
def done(make_notebook, tmp_path: Path) -> _Done:
    bad, good = make_notebook("bad", PARAMETERS, *BAD), make_notebook("good", PARAMETERS, *GOOD)
    told: list[tuple[int, int, Ran]] = []
    outcome = run_batch(
        [str(bad), str(good)],
        Given({}, {}, {"n": ["1", "2"]}),
        out=tmp_path / "made",
        html=True,
        command="gidbench batch <it>",
        told=lambda *each: told.append(each),
    )
    return _Done(tmp_path / "made", outcome, told)


def test_a_notebook_that_fails_is_marked_and_the_others_go_on(done: _Done) -> None:
    assert [(number, total) for number, total, _ in done.told] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert [ran.state for ran in done.outcome.ran] == ["failed", "ok", "failed", "ok"]
    assert done.outcome.exit_code == 4
    bad = done.outcome.ran[0]
    assert "bad.ipynb failed with ValueError (no <b>luck</b> with 1" in bad.error
    saved = nbformat.read(done.folder / "n-1" / "bad.ipynb", as_version=4)
    assert (
        "<strong>An Exception was encountered:</strong> no &lt;b&gt;luck&lt;/b&gt; with 1"
        in saved.cells[0].source
    )
    [at] = [index for index, cell in enumerate(saved.cells) if 'id="papermill-error-cell"' in cell.source]
    assert saved.cells[at + 1].outputs[-1].output_type == "error"
    # each ran with its own parameter, where it lies, and found the folder for its results from there
    assert sorted(path.name for path in done.folder.glob("n-*/made-*.txt")) == ["made-1.txt", "made-2.txt"]
    assert done.outcome.ran[3].answer == "It is 2, and <tag> is text."
    notebook = nbformat.read(done.folder / "n-2" / "good.ipynb", as_version=4)
    assert "widgets" not in notebook.metadata
    text = (done.folder / "n-2" / "good.ipynb").read_text()
    assert str(done.folder.parent) not in text
    assert "n = 2" in text

    # the index: self-contained, every link leads somewhere, strings are text
    page = (done.folder / "index.html").read_text()
    assert "<script" not in page
    assert "no <b>luck" not in page
    assert "no &lt;b&gt;luck&lt;/b&gt;" in page
    assert "gidbench batch &lt;it&gt;" in page
    links = _links(page)
    assert {"n-1/good.ipynb", "n-1/good.html", "n-2/bad.ipynb", "n-2/bad.html"} <= set(links)
    assert [link for link in links if not link.startswith("#") and not (done.folder / link).is_file()] == []
    assert [link for link in links if link.startswith("#") and f'id="{link[1:]}"' not in page] == []
    assert "Two of four notebooks ran without an error" in page
    assert re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page) == []

    # pages of the notebooks
    shown = (done.folder / "n-2" / "good.html").read_text()
    assert "<title>Is it good?</title>" in shown
    assert 'href="../index.html"' in shown
    assert "An interactive control stood here" in shown
    assert "widget-view" not in shown
    assert "<script" not in shown
    assert re.findall(r"""(?:src|href)=["'](?:https?:)?//""", shown) == []

    # for machines
    told = json.loads((done.folder / "batch.json").read_text())
    assert (told["schema"], told["exit_code"]) == (1, 4)
    assert [run["state"] for run in told["runs"]] == ["failed", "ok", "failed", "ok"]
    assert told["runs"][1]["parameters"] == {"n": "1"}
    assert told["runs"][1]["executed"] == "n-1/good.ipynb"

    # for GitHub
    summary = (done.folder / "summary.md").read_text()
    assert "| ✅ | good | n 2 | ok |" in summary
    assert "| ❌ | bad | n 1 | failed |" in summary
    assert "no &lt;b>luck&lt;/b>" in summary


def _links(page: str) -> list[str]:
    found: list[str] = []

    class _Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag == "a":
                found.append(str(dict(attrs)["href"]))

    _Reader().feed(page)
    return found


def test_one_line_a_notebook_and_the_first_failure_may_end_it(
    make_notebook, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, good = make_notebook("bad", PARAMETERS, *BAD), make_notebook("good", PARAMETERS, *GOOD)
    words = ["batch", str(good), str(bad), str(good), "-p", "n", "3", "--out", "one", "--fail-fast"]
    with pytest.raises(SystemExit) as stopped:
        cli.main([*words, "--sweep", "out=a"])
    assert stopped.value.code == 2
    assert not Path("one").exists()
    capsys.readouterr()
    with pytest.raises(SystemExit) as stopped:
        cli.main(
            [str(bad) if word == str(good) else str(good) if word == str(bad) else word for word in words]
        )
    assert stopped.value.code == 4
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert len(lines) == 2
    assert re.fullmatch(r"\[1/2\] \d\d:\d\d:\d\dZ bad \(n=3\) failed in [\d.]+ m?s: .*ValueError.*", lines[0])
    assert lines[1] == "index: one/index.html"
    assert [ran["state"] for ran in json.loads(Path("one/batch.json").read_text())["runs"]] == [
        "failed",
        "not run",
    ]


def test_a_folder_that_is_not_empty_is_refused(make_notebook, tmp_path: Path) -> None:
    good = make_notebook("good", PARAMETERS, *GOOD)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("x")
    with pytest.raises(SystemExit) as stopped:
        cli.main(["batch", str(good), "--out", "full"])
    assert stopped.value.code == 2
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("generate", "-p", "colour", "blue"), "no notebook has a parameter 'colour'"),
        (("generate", "--sweep", "records=1e3,few"), "'few' is not a whole number"),
        (("generate", "--sweep", "records=1e3", "workers=none"), "'none' is not a whole number"),
        (("generation",), "there is no notebook 'generation'"),
        (("generate", "-f", "not.yml"), "not.yml cannot be read as YAML"),
        ((), "Missing argument"),
    ],
)
def test_bad_usage_is_a_sentence_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["batch", *words, "--out", "none"])
    assert stopped.value.code == 2
    assert told in capsys.readouterr().err
    assert not Path("none").exists()


def test_markdown_of_a_password_and_of_marks_is_text(make_notebook, tmp_path: Path) -> None:
    url = "mssql+pyodbc://sa:secret@db.example/people"
    own = make_notebook(
        "own", 'database: str = ""', "import os\nprint(os.environ['DATABASE_URL'][-6:] + '|*`')"
    )
    outcome = run_batch([str(own)], Given({"database": url}), out=tmp_path / "made", html=True)
    assert outcome.exit_code == 0
    assert outcome.ran[0].answer == "people|*`"  # it reached the notebook
    for path in (tmp_path / "made").rglob("*"):
        assert path.is_dir() or "secret" not in path.read_text()
    assert r"people\|\*\`" in as_markdown(outcome)


@pytest.fixture
def measuring(make_notebook, tmp_path: Path) -> Callable[[RunResults], str]:
    """A notebook that leaves what a harness would have left."""

    def make(run: RunResults) -> str:
        prepared = made_runs.write(tmp_path / "prepared", run) / "results.jsonl"
        copy = f"import shutil\nshutil.copy({str(prepared)!r}, out + '/results.jsonl')\n'It is measured.'"
        return str(make_notebook("measuring", PARAMETERS, copy))

    return make


def test_what_was_measured_is_the_headline_and_held_against_gates(
    measuring, capsys: pytest.CaptureFixture[str]
) -> None:
    name = measuring(made_runs.run(made_runs.result(made_runs.times(5.0))))  # 200 K/s
    words = ["batch", name, "--sweep", "n=1,2", "--out", "made", "--fail-below", "ULTRA"]
    with pytest.raises(SystemExit) as stopped:
        cli.main(words)
    assert stopped.value.code == 1
    printed = capsys.readouterr().out
    assert len(re.findall(r"^\[\d/2\].* ok in .*: 200 K/s, HIGH$", printed, re.MULTILINE)) == 2
    assert printed.count("generate memory: at least ULTRA: failed") == 2
    assert "\ngates of n-2:\n" in printed
    page = Path("made/index.html").read_text()
    assert "What the sweep shows" in page
    assert 'href="n-1/report.html"' in page
    assert 'style="width: 100.0%"' in page
    assert Path("made/n-2/report.html").stat().st_size > 10_000
    told = json.loads(Path("made/batch.json").read_text())
    assert [run["report"] for run in told["runs"]] == ["n-1/report.html", "n-2/report.html"]
    assert told["runs"][0]["results"][0]["variant"] == "memory"
    assert "n 2 | ok |" in Path("made/summary.md").read_text()


def test_where_no_case_could_be_measured_the_exit_code_is_3_and_a_failed_one_beside_others_4(
    measuring,
) -> None:
    failed, good = made_runs.result(None), made_runs.result(variant="csv")
    outcome = run_batch([measuring(made_runs.run(failed))], Given())
    assert outcome.exit_code == 3
    assert outcome.folder.parent == Path("reports").resolve()
    assert "Failed case: generate memory." in outcome.index.read_text()
    shutil.rmtree("prepared")
    outcome = run_batch([measuring(made_runs.run(failed, good, run_id="b"))], Given())
    assert outcome.exit_code == 4


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_kernel_and_leaves_what_is_done(make_notebook, tmp_path: Path, signum: int) -> None:
    good = make_notebook("good", PARAMETERS, *GOOD)
    slow = make_notebook("slow", "", "import pathlib, time\npathlib.Path('began').touch()\ntime.sleep(60)")
    last = make_notebook("last", "", "1")
    started = subprocess.Popen(
        [sys.executable, "-m", "gidbench", "batch", good, slow, last, "--out", "made"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with started:
        assert started.stdout
        assert "good" in started.stdout.readline()
        process = psutil.Process(started.pid)
        while not (tmp_path / "began").exists():
            assert process.is_running()
            psutil.wait_procs([process], timeout=0.05)
        kernels = process.children(recursive=True)
        assert kernels
        os.kill(started.pid, signum)
        _, err = started.communicate(timeout=30)
    assert started.returncode == 130
    assert err.strip().splitlines()[-1] == "gidbench: interrupted; nothing half-done was kept."
    _, alive = psutil.wait_procs(kernels, timeout=10)
    assert alive == []
    told = json.loads((tmp_path / "made" / "batch.json").read_text())
    assert [run["state"] for run in told["runs"]] == ["ok", "interrupted", "not run"]
    assert told["exit_code"] == 130
    assert [path.name for path in (tmp_path / "made").glob(".*")] == []
    assert "Interrupted: slow. Not run: last." in (tmp_path / "made" / "summary.md").read_text()
