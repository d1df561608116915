"""The lab: copies that stay the user's, and a real server that answers and ends."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest

from gidbench import cli, lab, notebooks
from gidbench.errors import InputError

FIRST = "01_generate.ipynb"


def states(folder: Path, version: str = "1.0") -> dict[str, str]:
    return {each.path.name: each.state for each in lab.copy_notebooks(folder, version)}


@pytest.fixture
def newer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package whose first notebook can be changed."""
    package = tmp_path / "package"
    package.mkdir()
    for name in notebooks.ALL:
        (package / f"{name}.ipynb").write_bytes(notebooks.path_of(name).read_bytes())
    monkeypatch.setattr(notebooks, "folder", lambda: package)
    return package / FIRST


def edit(path: Path, words: str = "print('mine')") -> None:
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(words))
    nbformat.write(notebook, path)


def test_a_new_folder_gets_all_notebooks_and_a_second_time_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "mine"
    assert states(folder) == {f"{name}.ipynb": "new" for name in notebooks.ALL}
    assert (folder / FIRST).read_bytes() == notebooks.path_of("01_generate").read_bytes()
    assert states(folder) == {}


def test_an_unchanged_copy_is_replaced_by_a_newer_one(tmp_path: Path, newer: Path) -> None:
    folder = tmp_path / "mine"
    states(folder)
    edit(newer)
    assert states(folder) == {FIRST: "updated"}
    assert (folder / FIRST).read_bytes() == newer.read_bytes()


def test_an_edited_copy_stays_and_the_newer_one_goes_beside_it_once(tmp_path: Path, newer: Path) -> None:
    folder = tmp_path / "mine"
    states(folder)
    edit(folder / FIRST)
    mine = (folder / FIRST).read_bytes()
    assert states(folder) == {}  # nothing is newer
    edit(newer, "print('theirs')")
    assert states(folder, "2.0") == {"01_generate-2.0.ipynb": "beside"}
    assert (folder / FIRST).read_bytes() == mine
    assert (folder / "01_generate-2.0.ipynb").read_bytes() == newer.read_bytes()
    (folder / "01_generate-2.0.ipynb").unlink()
    assert states(folder, "2.0") == {}  # it was offered
    edit(folder / FIRST)
    (folder / "01_generate-2.0.ipynb").write_text("something of the user's")
    edit(newer)
    assert states(folder, "2.0") == {"01_generate-2.0-2.ipynb": "beside"}
    assert (folder / "01_generate-2.0.ipynb").read_text() == "something of the user's"


def test_a_copy_that_was_only_run_is_not_an_older_one(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    states(folder)
    (folder / lab.MANIFEST).unlink()  # even where nothing is known of it
    notebook = nbformat.read(folder / FIRST, as_version=4)
    notebook.cells[2].execution_count = 1
    notebook.cells[2].outputs = [nbformat.v4.new_output("stream", text="what I measured")]
    nbformat.write(notebook, folder / FIRST)
    assert states(folder) == {}
    assert "what I measured" in (folder / FIRST).read_text()


def test_a_damaged_list_of_copies_loses_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    states(folder)
    edit(folder / FIRST)
    (folder / lab.MANIFEST).write_text("{")
    assert states(folder) == {"01_generate-1.0.ipynb": "beside"}
    assert "mine" in (folder / FIRST).read_text()


def test_the_place_is_the_named_folder_or_the_clone_or_one_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = lab.place_for(Path("some"))
    assert named == lab.Place(tmp_path / "some", tmp_path / "some")
    assert lab.place_for(None) == lab.Place(tmp_path, tmp_path / "gidbench-notebooks")
    clone = notebooks.folder().parent
    monkeypatch.chdir(clone / "tests")
    assert lab.place_for(None) == lab.Place(clone, clone / "notebooks")
    assert lab.copy_notebooks(clone / "notebooks", "1.0") == []


def test_a_port_that_is_taken_or_an_address_of_others_is_a_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as stopped:
            cli.main(["lab", "--no-browser", "--port", str(port)])
    assert stopped.value.code == 2
    told = capsys.readouterr().err
    assert f"port {port} of 127.0.0.1 cannot be used" in told
    assert "--port" in told
    assert not Path("gidbench-notebooks").exists()
    for ip, number, match in (
        ("203.0.113.7", 0, "is no address of this machine"),
        ("no.such.invalid", 0, "is no address of this machine"),
        ("127.0.0.1", 70_000, "70000 is no port"),
    ):
        with pytest.raises(InputError, match=match):
            lab.check_port(ip, number)


def test_without_jupyterlab_there_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "jupyterlab.labapp", None)
    with pytest.raises(SystemExit) as stopped:
        cli.main(["lab", "--no-browser", "--port", "0"])
    assert stopped.value.code == 4
    assert "python -m pip install jupyterlab" in capsys.readouterr().err


def test_a_notebook_that_is_none_of_ours_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["lab", "mine", "--no-browser"])
    assert stopped.value.code == 2
    assert "there is no notebook 'mine'" in capsys.readouterr().err


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _ask(url: str, token: str, data: dict[str, Any] | None = None) -> Any:
    request = urllib.request.Request(
        url,
        headers={"Authorization": f"token {token}", "Content-Type": "application/json"},
        data=json.dumps(data).encode() if data is not None else None,
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read())


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_real_lab_answers_and_ends_with_all_that_runs_in_it(
    tmp_path: Path, signum: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # another kernel of that name, as old installations leave them: it must not be taken
    spec = tmp_path / "jupyter" / "kernels" / "python3"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text(
        json.dumps(
            {
                "argv": ["/nowhere/python", "-f", "{connection_file}"],
                "display_name": "Old",
                "language": "python",
            }
        )
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("DATABASE_URL", "duckdb:///of-the-environment.duckdb")
    port = _free_port()
    started = subprocess.Popen(
        [sys.executable, "-m", "gidbench", "lab", "generate", "--no-browser", "--port", str(port)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with started:
        assert started.stdout
        lines = [started.stdout.readline() for _ in range(len(notebooks.ALL) + 2)]
        assert lines[0] == "00_overview.ipynb: copied\n"
        assert lines[-2] == "JupyterLab on gidbench-notebooks (Ctrl-C ends it):\n"
        found = re.fullmatch(
            rf"  (http://(?:127\.0\.0\.1|localhost):{port})/lab/tree/gidbench-notebooks/01_generate\.ipynb\?token=(\w+)\n",
            lines[-1],
        )
        assert found, lines[-1]
        address, token = found.groups()
        with urllib.request.urlopen(
            f"{address}/lab/tree/gidbench-notebooks/{FIRST}?token={token}", timeout=20
        ) as page:
            html = page.read().decode()
        assert '"news": {"disabled": true}' in html
        assert "@jupyterlab/apputils-extension:announcements" in html
        assert (
            _ask(f"{address}/api/contents/gidbench-notebooks/{FIRST}?content=0", token)["type"] == "notebook"
        )
        kernel = _ask(f"{address}/api/kernelspecs", token)["kernelspecs"]["python3"]["spec"]
        assert kernel["argv"][0] == sys.executable
        _ask(
            f"{address}/api/sessions",
            token,
            {
                "path": f"gidbench-notebooks/{FIRST}",
                "name": FIRST,
                "type": "notebook",
                "kernel": {"name": "python3"},
            },
        )
        server = psutil.Process(started.pid)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            kernels = server.children(recursive=True)
            if any(kernel.net_connections("tcp") for kernel in kernels):  # it listens, so it has started
                break
            time.sleep(0.1)
        assert kernels
        assert Path(kernels[0].cwd()) == tmp_path
        assert kernels[0].environ()["DATABASE_URL"] == "duckdb:///of-the-environment.duckdb"
        started.send_signal(signum)
        _, err = started.communicate(timeout=30)
    assert started.returncode == 0
    assert err.splitlines()[-1] == "gidbench: the lab has ended."
    # a kernel that is stopped as it starts says so on its own
    ours = [line for line in err.splitlines() if "IPythonKernel" not in line and "tracemalloc" not in line]
    assert "Warning" not in "\n".join(ours)
    _, alive = psutil.wait_procs(kernels, timeout=10)
    assert alive == []
