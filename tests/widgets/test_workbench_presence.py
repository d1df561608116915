"""Who looks on: a batch, Voila, a person; where a file can be opened."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gidbench.widgets import presence


def shell(*, allows_input: bool, metadata: dict[str, Any] | None = None) -> Any:
    return SimpleNamespace(
        kernel=SimpleNamespace(_allow_stdin=allows_input), get_parent=lambda: {"metadata": metadata or {}}
    )


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (presence.HEADLESS, presence.VARIABLE, "SERVER_SOFTWARE", "JPY_PARENT_PID", "VSCODE_PID"):
        monkeypatch.delenv(name, raising=False)


def test_a_notebook_that_may_ask_its_reader_is_a_persons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "_shell", lambda: shell(allows_input=True))
    assert not presence.is_headless()
    monkeypatch.setattr(presence, "_shell", lambda: None)
    assert not presence.is_headless()


def test_nbconvert_and_papermill_are_batches_and_voila_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "_shell", lambda: shell(allows_input=False))
    assert presence.is_headless()
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    assert not presence.is_headless()
    monkeypatch.setenv(presence.HEADLESS, "1")
    assert presence.is_headless()


def test_a_cell_is_known_by_what_its_front_end_calls_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "_shell", lambda: shell(allows_input=True, metadata={"cellId": "a1"}))
    assert presence.cell() == "a1"
    monkeypatch.setattr(presence, "_shell", lambda: None)
    assert presence.cell() == ""


def test_views_are_not_counted_in_vs_code(monkeypatch: pytest.MonkeyPatch) -> None:
    assert presence.tells_of_views()
    monkeypatch.setenv("VSCODE_PID", "1")
    assert not presence.tells_of_views()


def test_only_what_the_server_serves_is_linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "root"
    root.mkdir()
    assert presence.link_to(root / "report.html") == ""
    monkeypatch.setenv("JPY_PARENT_PID", "77")
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    about = tmp_path / "jpserver-77.json"
    about.write_text(f'{{"root_dir": "{root}", "base_url": "/"}}')
    assert presence.link_to(root / "a b" / "report.html") == "/files/a%20b/report.html"
    assert presence.link_to(tmp_path / "report.html") == ""
    assert presence.link_to(root / ".hidden" / "report.html") == ""
    about.write_text("no JSON")
    assert presence.link_to(root / "report.html") == ""
