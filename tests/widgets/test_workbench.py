"""The workbench without a browser: controls are set, buttons are clicked, and what it shows is read."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import made_runs
import pytest
from fake_measure import FakeMeasure, FakeWatch, until

import gidbench
from gidbench.bench.request import Request
from gidbench.errors import InputError, StoreError
from gidbench.widgets import controls as controls_module
from gidbench.widgets import live_run, presence
from gidbench.widgets.panel import Workbench
from gidbench.widgets.workbench import Sentence

SERVER = "mssql+pyodbc://sa@db.example:1433/people"
Make = Callable[..., Workbench]


def state() -> str:
    return json.dumps(ipywidgets.Widget.get_manager_state(), default=str)


def click(panel: Workbench) -> None:
    panel.run_button.click()


def done(panel: Workbench) -> None:
    live = panel._live
    if live is not None:
        live.ended.result(5)
    assert not panel.running


def test_a_run_shows_a_card_a_row_and_leaves_the_buttons_ready(make: Make) -> None:
    panel = make()
    click(panel)
    done(panel)
    shown = panel.results
    assert "gb-tier" in shown.card.value
    assert "generate csv" in shown.others.value
    assert "M records/s</small>" in shown.card.value
    assert "Runs of this session" in shown.table.value
    assert shown.box.layout.display == ""
    assert (panel.run_button.disabled, panel.stop_button.disabled) == (False, True)
    assert "Done in" in panel.summary.value
    assert panel.live.value == ""
    assert shown.session.layout.display == ""


def test_what_stands_in_the_controls_is_what_is_measured(make: Make) -> None:
    measure = FakeMeasure()
    panel = make(measure)
    panel.controls.operation.value = "process"
    panel.controls.sources["xlsx"].value = False
    panel.controls.records.value = "2e5"
    panel.controls.workers.value = "3"
    panel.controls.rounds.value = "4"
    click(panel)
    done(panel)
    [seen] = measure.seen
    assert seen["operation"] == "process"
    assert seen["cases"] == ("csv",)
    assert (seen["records"], seen["workers"], seen["rounds"], seen["batch_size"]) == (200_000, 3, 4, 0)
    assert seen["database"] == ""
    assert seen["out"].parent == Path("reports")


def test_the_command_follows_the_controls(make: Make) -> None:
    panel = make()
    panel.controls.records.value = "12,345"
    assert panel.command.value == Request(("generate",), 12_345).command()
    assert "12345" in panel.command.value
    panel.command.value = "rm -rf /"  # what is typed into it does not stay
    assert panel.command.value == Request(("generate",), 12_345).command()


def test_the_slider_and_the_entry_follow_each_other(make: Make) -> None:
    controls = make().controls
    controls.slider.value = 1e4
    assert controls.records.value == "10,000"
    controls.records.value = "1,234,567"
    assert controls.slider.value == pytest.approx(1_234_567)
    controls.slider.value = 10**6.1  # the browser moves it to a step; the entry stays exact
    assert controls.records.value == "1,234,567"


def test_invalid_input_is_told_beside_the_control_and_nothing_runs(make: Make) -> None:
    measure = FakeMeasure()
    panel = make(measure)
    panel.controls.records.value = "many"
    assert "is not a whole number" in panel.controls._notes["records"].value
    assert panel.run_button.disabled
    assert "cannot be run" in panel.command.value
    with pytest.raises(InputError, match="whole number"):
        panel.run()
    assert measure.seen == []
    panel.controls.records.value = "1M"
    assert panel.controls._notes["records"].value == ""
    assert not panel.run_button.disabled


def test_frames_come_four_times_a_second_and_words_seldom(make: Make) -> None:
    measure = FakeMeasure(wait=True)
    panel = make(measure)
    frames: list[str] = []
    words: list[str] = []
    panel.live.observe(lambda change: frames.append(change["new"]), "value")
    panel.summary.observe(lambda change: words.append(change["new"]), "value")
    click(panel)
    time.sleep(1.6)
    measure.go.set()
    done(panel)
    assert 3 <= len(frames) <= 9
    assert "gb-strip" in frames[1]
    assert "1.23 M" in frames[1]
    assert frames[-1] == ""
    assert len(words) <= 4
    assert 'aria-live="polite"' in words[0]


def test_stop_is_over_within_half_a_second_and_says_what_is_kept(make: Make) -> None:
    took_s = []
    for _ in range(3):  # the best of three: other tests may have the cores
        measure = FakeMeasure(wait=True, rounds=3)
        panel = make(measure)
        click(panel)
        assert measure.began.wait(5)
        panel.stop_button.click()
        took_s.append(until(lambda: not panel.running))  # noqa: B023  (called at once)
    assert min(took_s) < 0.5
    assert "Stopped. 3 verified rounds (3 of memory) are kept in reports" in panel.message.value
    assert len(list(Path("reports").glob("*/results.jsonl"))) == 3
    assert panel.results.runs == []
    assert not panel.run_button.disabled


def test_a_run_stopped_before_a_round_leaves_nothing(make: Make) -> None:
    measure = FakeMeasure(wait=True)
    panel = make(measure)
    click(panel)
    assert measure.began.wait(5)
    panel.stop()
    done(panel)
    assert "No round was over yet" in panel.message.value
    assert list(Path("reports").iterdir()) == []


def test_two_runs_at_once_are_impossible(make: Make) -> None:
    measure = FakeMeasure(wait=True)
    first, second = make(measure), make(FakeMeasure())
    click(first)
    assert measure.began.wait(5)
    first.run()  # again: nothing begins
    click(second)
    assert "Another measurement is under way" in second.message.value
    assert not second.running
    measure.go.set()
    done(first)
    assert len(measure.seen) == 1
    click(second)
    done(second)
    assert len(second.results.runs) == 1


def test_the_loop_stays_free_while_it_measures(make: Make) -> None:
    measure = FakeMeasure(wait=True)
    panel = make(measure)

    async def other_cells() -> int:
        click(panel)
        turns = 0
        for _ in range(20):
            await asyncio.sleep(0.01)
            turns += 1
        measure.go.set()
        await panel.finished()
        return turns

    assert asyncio.run(other_cells()) == 20
    assert len(panel.results.runs) == 1


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (StoreError("the server does not answer", "Start it"), "The server does not answer. Start it."),
        (InputError("<script> is no table", "Name one"), "&lt;script&gt; is no table. Name one."),
    ],
)
def test_an_error_is_a_sentence(make: Make, error: Exception, said: str) -> None:
    panel = make(FakeMeasure(error=error))
    click(panel)
    done(panel)
    assert said in panel.message.value
    assert "Traceback" not in panel.message.value
    assert 'role="alert"' in panel.message.value
    assert list(Path("reports").iterdir()) == []
    assert not panel.run_button.disabled


def test_an_unforeseen_error_is_a_sentence_and_the_log_has_the_rest(make: Make) -> None:
    panel = make(FakeMeasure(error=ZeroDivisionError("at mssql+pyodbc://sa:s3cret@h/d")))
    click(panel)
    done(panel)
    assert "nobody foresaw (ZeroDivisionError)" in panel.message.value
    log = Path("gid_system.log").read_text()
    assert "Traceback" in log
    assert "s3cret" not in log
    assert not [each for each in logging.getLogger("gidbench").handlers if "gid_system" in str(each)]


def test_a_frame_that_cannot_be_drawn_does_not_end_the_run(make: Make) -> None:
    panel = make()

    def broken() -> Any:
        raise RuntimeError("no sample")

    panel._make_watch = lambda: type("Broken", (FakeWatch,), {"sample": lambda self: broken()})()
    click(panel)
    done(panel)
    assert len(panel.results.runs) == 1


def test_runs_are_compared_and_a_report_is_written(make: Make) -> None:
    made_runs.write(Path("reports/20200101T000000Z"), made_runs.run())
    panel = make()
    for _ in range(2):
        click(panel)
        done(panel)
    offered = [label for label, _ in panel.results.compare_with.options]
    assert offered[1].startswith("Run 1, ")
    assert "reports/20200101T000000Z" in offered
    panel.results.compare_with.value = panel.results.compare_with.options[1][1]
    assert "gb-verdict" in panel.results.comparison.value
    panel.results.compare_with.value = ""
    assert panel.results.comparison.value == ""
    panel.results.sort_by.value = "records/s"
    assert "aria-sort" in panel.results.table.value
    panel.results.export.click()
    assert "report.html" in panel.results.exported.value
    assert (panel.results.runs[-1].folder / "report.html").stat().st_size > 10_000


def test_a_result_file_that_cannot_be_read_is_a_sentence(make: Make) -> None:
    broken = Path("reports/20200101T000000Z")
    broken.mkdir(parents=True)
    (broken / "results.jsonl").write_text("nothing\nof use\n")
    panel = make()
    click(panel)
    done(panel)
    panel.results.compare_with.value = str(broken)
    assert "is not JSON" in panel.message.value


def test_a_password_is_in_no_state_and_no_message(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    real = ipywidgets.Widget._send
    monkeypatch.setattr(
        ipywidgets.Widget,
        "_send",
        lambda self, msg, buffers=None: (sent.append(str(msg)), real(self, msg, buffers)),
    )
    measure = FakeMeasure(error=StoreError("no way to mssql+pyodbc://sa:s3cret@h/d", "Try again"))
    panel = make(measure)
    controls = panel.controls
    # as the browser sends them
    controls.database.set_state({"value": "mssql+pyodbc://sa:first-s3cret@db.example:1433/people"})
    assert controls.database.value == SERVER
    controls.password.set_state({"value": "s3cret"})
    assert controls.password.value == ""
    assert "held in this kernel" in controls._notes["password"].value
    click(panel)
    done(panel)
    assert measure.seen[0]["database"] == SERVER.replace("sa@", "sa:s3cret@")
    assert "s3cret" not in state() + "".join(sent) + repr(panel) + panel.command.value
    assert any("'value': ''" in each for each in sent)  # the browser's field is emptied, too
    assert all("s3cret" not in path.read_text() for path in Path().rglob("*") if path.is_file())
    controls.forget.click()
    assert "s3cret" not in controls.connection.url()


def test_pool_and_strategy_wait_for_a_sql_server(make: Make) -> None:
    controls = make().controls
    assert controls.strategy.disabled
    assert controls.pool_size.disabled
    assert "SQL Server" in controls._notes["server"].value
    controls.database.value = SERVER
    assert not controls.strategy.disabled
    assert "values" in [value for _, value in controls.strategy.options]
    assert controls._notes["server"].value == ""


def test_a_hostile_database_name_is_text(make: Make) -> None:
    panel = make()
    panel.controls.database.value = "duckdb:///<script>alert(1)</script>.duckdb"
    click(panel)
    done(panel)
    pages = [
        each.value for each in (panel.results.table, panel.results.card, panel.results.others, panel.message)
    ]
    assert all("<script" not in page for page in pages)
    assert "&lt;script&gt;" in panel.results.table.value


def test_other_tools_bring_their_cases_along(make: Make) -> None:
    controls = make().controls
    controls.operation.value = "process"
    assert controls.entered().cases == ("csv", "xlsx")
    controls.peers.value = True
    assert controls.entered().cases == ("csv", "xlsx", "csv memory", "xlsx memory")
    controls.sources["xlsx"].value = False
    controls.peers.value = False
    assert controls.entered().cases == ("csv", "csv memory", "xlsx memory")  # what was chosen stays


def test_without_peers_the_box_is_disabled_with_the_remedy(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controls_module.importlib.util, "find_spec", lambda name: None)
    controls = make().controls
    assert controls.peers.disabled
    assert "gidbench[peers]" in controls._notes["peers"].value


def test_every_control_has_a_label(make: Make) -> None:
    def controls_of(widget: Any) -> Iterator[Any]:
        if isinstance(widget, ipywidgets.Box):
            for child in widget.children:
                yield from controls_of(child)
        elif not isinstance(widget, ipywidgets.HTML):
            yield widget

    found = list(controls_of(make().box))
    assert len(found) > 15
    # the slider's handle can't have a name; it is hidden from those who would need it, who have the entry
    assert [type(each).__name__ for each in found if not each.description] == ["FloatLogSlider"]


def test_while_it_runs_nothing_can_be_changed(make: Make) -> None:
    measure = FakeMeasure(wait=True)
    panel = make(measure)
    click(panel)
    assert panel.controls.records.disabled
    assert panel.controls.operation.disabled
    measure.go.set()
    done(panel)
    assert not panel.controls.records.disabled
    assert panel.controls.pool_size.disabled


def test_a_deleted_cell_ends_its_run(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gidbench.widgets.panel._GONE_S", 0.05)
    measure = FakeMeasure(wait=True)
    panel = make(measure)

    async def page() -> None:
        panel.box.set_state({"_view_count": 1})
        click(panel)
        panel.box.set_state({"_view_count": 0})
        panel.box.set_state({"_view_count": 1})  # moved, not deleted
        await asyncio.sleep(0.2)
        assert panel.running
        panel.box.set_state({"_view_count": 0})
        await asyncio.wait_for(panel.finished(), 2)

    asyncio.run(page())
    assert "Stopped" in panel.message.value


def test_the_cell_run_again_stops_and_closes_the_panel_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(presence, "cell", lambda: "cell 1")
    first = gidbench.workbench()
    assert isinstance(first, Workbench)
    measure = FakeMeasure(wait=True)
    first._measure = measure
    first.run()
    live = first._live
    assert live is not None
    assert measure.began.wait(5)
    second = gidbench.workbench()
    live.ended.result(2)
    assert first.box.comm is None
    assert isinstance(second, Workbench)
    second.close()
    assert not live_run.RUNNING.locked()


def test_the_arguments_are_what_the_controls_begin_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", "duckdb:///people.duckdb")
    panel = gidbench.workbench("process", records=5_000, cases="xlsx", batch_size=10_000, rounds=2)
    assert isinstance(panel, Workbench)
    request = panel.request()
    assert request.operations == ("process",)
    assert (request.records, request.cases, request.batch_size, request.rounds) == (
        5_000,
        ("xlsx",),
        10_000,
        2,
    )
    assert request.database == "duckdb:///people.duckdb"
    panel.close()
    with pytest.raises(InputError, match="no operation"):
        gidbench.workbench("fly")
    with pytest.raises(InputError, match="no case 'pdf'"):
        gidbench.workbench("process", cases="pdf")


@pytest.mark.parametrize("name", ["GIDBENCH_HEADLESS", "GIDBENCH_PROGRESS_FILE"])
def test_in_a_batch_there_is_a_sentence_and_no_widget(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "1")
    before = len(ipywidgets.Widget.get_manager_state()["state"])
    shown = gidbench.workbench()
    assert isinstance(shown, Sentence)
    assert "gidbench lab" in shown._repr_html_()
    assert len(ipywidgets.Widget.get_manager_state()["state"]) == before


def test_an_exported_page_shows_a_sentence(make: Make) -> None:
    bundle = make()._repr_mimebundle_()
    assert "gidbench lab" in bundle["text/html"]
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"]


@pytest.mark.slow
def test_a_real_run_from_the_button_to_the_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    panel = Workbench()
    panel.begin_with("generate", "20k", ["memory"], "", {"rounds": "1", "processes": "1"})
    samples: list[str] = []
    panel.live.observe(lambda change: samples.append(change["new"]), "value")
    panel.run()
    until(lambda: not panel.running, 90)
    assert panel.message.value == ""
    assert "generate memory" in panel.results.card.value
    assert "csv" not in panel.results.card.value
    assert any("gb-strip" in each for each in samples)
    panel.run()
    until(lambda: "gb-strip" in panel.live.value)
    time.sleep(1.0)
    panel.stop()
    assert until(lambda: not panel.running) < 2.0  # of which most is what other tests have of the cores
    assert threading.active_count() < 20
    panel.close()
