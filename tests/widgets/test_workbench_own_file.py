"""A file of the user's own in the workbench: it takes the place of the cases, the records and the other tools."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fake_measure import FakeMeasure, until

from gidbench.errors import InputError
from gidbench.files.readers import READERS
from gidbench.widgets import form
from gidbench.widgets.controls import Controls
from gidbench.widgets.panel import Workbench

Make = Callable[..., Workbench]


@pytest.fixture
def mine(tmp_path: Path) -> str:
    """The path of a file from the folder in which the panel is."""
    (tmp_path / "my people.csv").write_text("name,no_ktp,bod\nSomebody,3201010101900001,1990-01-01\n")
    return "my people.csv"


@pytest.fixture
def panel(make: Make) -> Workbench:
    made = make()
    made.controls.operation.value = "process"
    return made


def fixed(controls: Controls) -> set[bool]:
    """Whether what a file takes the place of is disabled."""
    return {
        each.disabled
        for each in (controls.slider, controls.records, controls.peers, *controls.sources.values())
    }


def note(panel: Workbench, name: str) -> str:
    return str(panel.controls._notes[name].value)


def test_the_label_names_what_can_be_read() -> None:
    kinds = [extension for extensions in form.FILE_KINDS.values() for extension in extensions]
    assert sorted(kinds) == sorted(READERS)
    assert form.OWN_FILE == ("A file of your own (path of a CSV, Excel, OpenDocument, Parquet or Arrow file)")


def test_it_is_there_for_processing_only_and_empty(make: Make) -> None:
    controls = make().controls
    assert controls.source_field.layout.display == "none"
    controls.operation.value = "process"
    assert controls.source_field.layout.display == ""
    assert (controls.source.value, controls.source.description) == ("", form.OWN_FILE)
    assert controls.source.continuous_update is False
    controls.operation.value = "sync"
    assert controls.source_field.layout.display == "none"


def test_a_file_is_what_is_asked_for_and_nothing_else_of_the_input(panel: Workbench, mine: str) -> None:
    controls = panel.controls
    controls.records.value = "5k"
    controls.sources["xlsx"].value = False
    controls.peers.value = True
    controls.source.value = f"  {mine} "
    request = panel.request()
    assert (request.source, request.cases, request.peers) == (mine, (), False)
    assert request.records == 1_000_000  # the usual number: what stands in the entry does not count
    assert panel.command.value == "gidbench run --operations process --source 'my people.csv'"
    assert not panel.run_button.disabled


def test_run_measures_the_file(make: Make, mine: str) -> None:
    measure = FakeMeasure(wait=True)
    panel = make(measure)
    panel.controls.operation.value = "process"
    panel.controls.source.value = mine
    panel.run()
    assert panel.controls.source.disabled
    measure.go.set()
    until(lambda: not panel.running)
    [seen] = measure.seen
    assert (seen["operation"], seen["source"], seen["cases"]) == ("process", mine, ())
    assert not panel.controls.source.disabled
    assert fixed(panel.controls) == {True}  # as before the run
    assert "The file has its own records." in note(panel, "records")
    [run] = panel.results.runs
    assert run.title.endswith(": process, my people.csv")
    assert "process my people.csv" in panel.results.table.value
    panel.controls.source.value = ""
    panel.run()
    until(lambda: not panel.running)
    assert measure.seen[-1]["source"] == ""
    assert panel.results.runs[-1].title.endswith(": process, 1,000,000 records")


def test_what_it_takes_the_place_of_is_disabled_with_a_hint_until_it_is_emptied(
    panel: Workbench, mine: str
) -> None:
    controls = panel.controls
    before = controls.entered()
    hints = {name: note(panel, name) for name in ("cases", "records", "peers")}
    assert fixed(controls) == {False}
    controls.source.value = mine
    assert fixed(controls) == {True}
    assert "The file has its own records." in note(panel, "records")
    assert "in the place of these" in note(panel, "cases")
    assert "take no part" in note(panel, "peers")
    assert all("gb-hint" in note(panel, name) for name in hints)
    controls.source.value = " "
    assert fixed(controls) == {False}
    assert {name: note(panel, name) for name in hints} == hints
    controls.source.value = ""
    assert controls.entered() == before
    assert "--source" not in panel.command.value


def test_another_operation_knows_nothing_of_the_file(panel: Workbench, mine: str) -> None:
    panel.controls.source.value = mine
    panel.controls.operation.value = "sync"
    assert fixed(panel.controls) == {False}
    assert panel.request().source == ""
    assert note(panel, "records") == ""
    panel.controls.source.value = "none.csv"
    assert not panel.run_button.disabled
    panel.controls.operation.value = "process"
    assert panel.run_button.disabled
    assert fixed(panel.controls) == {True}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("none.csv", "There is no file none.csv to process. Check its name and its folder."),
        ("folder", "There is no file folder to process."),
        ("~nobody-of-that-name/x.csv", "There is no file x.csv to process."),
        ("x" * 5_000 + ".csv", "to process. Check its name and its folder."),
        ("<script>.csv", "There is no file &lt;script&gt;.csv to process."),
        ("letter.pdf", "has the extension &#x27;.pdf&#x27;. Use one of .csv, "),
    ],
)
def test_a_wrong_path_is_a_sentence_beside_it(panel: Workbench, path: str, said: str) -> None:
    Path("folder").mkdir()
    Path("letter.pdf").write_bytes(b"%PDF")
    panel.controls.source.value = path
    assert said in note(panel, "source")
    assert 'role="alert"' in note(panel, "source")
    assert panel.run_button.disabled
    assert "cannot be run" in panel.command.value
    with pytest.raises(InputError):
        panel.run()
    panel.controls.source.value = ""
    assert note(panel, "source") == ""
    assert not panel.run_button.disabled


def test_what_stood_in_the_entry_of_records_does_not_count(panel: Workbench, mine: str) -> None:
    panel.controls.records.value = "many"
    for each in panel.controls.sources.values():
        each.value = False
    assert panel.run_button.disabled
    panel.controls.source.value = mine
    assert not panel.run_button.disabled
    assert "gb-problem" not in note(panel, "records") + note(panel, "cases")
    panel.controls.source.value = ""
    assert "is not a whole number" in note(panel, "records")
    assert "Nothing is chosen" in note(panel, "cases")


def test_the_home_folder_may_be_written_short(
    panel: Workbench, mine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    panel.controls.source.value = f"~/{mine}"
    assert note(panel, "source") == ""
    assert panel.request().source == f"~/{mine}"
