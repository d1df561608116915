"""Looking on: what a sample says at each moment, by fake clocks and by a real measurement; that it disturbs nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import live
import psutil
import pytest

import gidbench
from gidbench.bench import monitor_machine, session
from gidbench.bench.bounds import Bounds
from gidbench.bench.case import Verified
from gidbench.bench.conclusion import Record
from gidbench.bench.monitor_board import IDLE, PREPARING, TIMED, VERIFYING, Board
from gidbench.bench.monitor_machine import Cores, resident_bytes
from gidbench.bench.monitor_server import (
    BLOCKING,
    QUERIES,
    Question,
    ServerMonitor,
    _connect,
    choose_question,
)
from gidbench.bench.outlook import Rest, rest_of
from gidbench.bench.results import Round
from gidbench.bench.runner import Described, Turn
from gidbench.bench.watching import Sample, Watch
from gidbench.engine import Progress
from gidbench.stores.sqlserver.connections import lent_and_allowed


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def a_case(name: str = "csv", records: int = 1_000) -> Described:
    return Described("generate", name, "title", False, records, "family")


def a_turn(
    case: Described, wall_s: float = 0.5, spent_s: float = 1.0, warmup: bool = False, error: str | None = None
) -> Turn:
    done = Round(case.operation, case.variant, 1, warmup, wall_s, 0.1, 1, None, None, {}, error)
    return Turn(done, spent_s, None if error else Verified("v", case.records * 10, case.records * 50, {}))


# The board


def test_what_is_written_on_a_board_is_read_at_the_other_end() -> None:
    board = Board.create()
    try:
        seen = board.read()
        assert (seen.stage, seen.done, seen.total, seen.pool_in_use, seen.pool_size) == (
            IDLE,
            0,
            0,
            None,
            None,
        )
        board.progress(Progress("generating", 500, 1_000, bytes_done=7))
        board.follow_pool(lambda: (2, 20))
        deadline = time.monotonic() + 10
        while (seen := board.read()).pool_size is None:
            assert time.monotonic() < deadline
        assert (seen.done, seen.total, seen.bytes_done, seen.pool_in_use, seen.pool_size) == (
            500,
            1_000,
            7,
            2,
            20,
        )
        board.stage(TIMED)
        seen = board.read()
        assert (seen.stage, seen.done, seen.total) == (TIMED, 0, 0)
        assert abs(time.perf_counter_ns() - seen.began_ns) < 10e9
        board.progress(Progress("merge", 3, 5, "steps"))  # of which nobody knows how many records they are
        assert board.read().total == 0
    finally:
        board.close()
    with pytest.raises(ValueError, match="released"):
        board.read()


# What is left


def records(*spent: float | None) -> list[Record]:
    found = []
    for place, seconds in enumerate(spent):
        record = Record(a_case(str(place)))
        if seconds is not None:
            record.add(a_turn(record.case, spent_s=seconds), {})
        found.append(record)
    return found


def left(cases: list[Record], **options: Any) -> Rest:
    usual: dict[str, Any] = {
        "this_process": [(0, 1, 1), (1, 2, 2)],
        "later": 2,
        "rounds": (3, 3),
        "start_s": 0.5,
        "budget_left_s": float("inf"),
    }
    return rest_of(cases, **{**usual, **options})


def test_rounds_that_are_given_take_as_long_as_those_before() -> None:
    cases = records(1.0, 10.0)
    # of this process 1 and 2 turns, of each later one 3 and 3, and two starts
    assert left(cases) == Rest(15, pytest.approx(1 + 20 + 2 * (3 + 30) + 2 * 0.5))
    cases[1].error = "broken"
    assert left(cases, this_process=[(0, 1, 1)]) == Rest(7, pytest.approx(1 + 2 * 3 + 2 * 0.5))


def test_a_case_that_had_no_turn_yet_takes_what_is_usual_and_nothing_is_known_before_the_first() -> None:
    assert left(records(1.0, None), later=0) == Rest(3, pytest.approx(3.0))
    assert left(records(None, None)) == Rest(15, None)


def test_a_budget_decides_between_the_least_and_the_most() -> None:
    def of(budget: float) -> Rest:
        return left(
            records(1.0, 1.0),
            this_process=[(0, 1, 5), (1, 1, 5)],
            later=0,
            budget_left_s=budget,
        )

    assert of(0.0) == Rest(2, 2.0)  # the least is done in any case
    assert of(6.0) == Rest(6, 6.0)
    assert of(100.0) == Rest(10, 10.0)  # more than the most is not done


# The watch


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch(clock: Clock) -> Watch:
    return Watch(clock)


def begin(watch: Watch, case: Described, *, index: int = 1, expected_s: float | None = 2.0) -> None:
    watch.turn_begins(case, 1, index, "words", expected_s=expected_s, rest=Rest(3, 6.0))


def test_before_and_after_a_measurement_there_is_a_sample_too(watch: Watch, clock: Clock) -> None:
    assert replace(watch.sample(), cpu_percent=()) == Sample()
    assert watch.why == {}
    watch.begin()
    watch.say("setting up")
    clock.now += 3
    sample = watch.sample()
    assert (sample.phase, sample.t_s, sample.total, sample.eta_s, sample.share) == (
        "setting up",
        3,
        0,
        None,
        0,
    )
    watch.end("done", is_whole=True)
    clock.now += 100
    watch.end("ended with an error", is_whole=False)  # the first end counts
    watch.say("too late")
    sample = watch.sample()
    assert (sample.phase, sample.t_s, sample.share, sample.eta_s) == ("done", 3, 1.0, 0.0)
    watch.begin()
    assert watch.sample().phase == ""


def test_a_turn_counts_as_far_as_those_before_took(watch: Watch, clock: Clock) -> None:
    watch.begin()
    begin(watch, a_case())
    clock.now += 0.5
    sample = watch.sample()
    assert (sample.case, sample.process, sample.round, sample.phase) == ("generate csv", 2, 1, "words")
    assert (sample.done, sample.total, sample.eta_s) == (0.25, 4, 7.5)
    assert sample.share == pytest.approx(0.5 / 8)
    clock.now += 99
    sample = watch.sample()
    assert (sample.done, sample.eta_s) == (0.99, 6.0)
    before = sample.share
    watch.turn_ends(a_turn(a_case()))
    sample = watch.sample()
    assert (sample.done, sample.total, sample.eta_s) == (1.0, 4, 6.0)
    watch.turn_begins(a_case(), 0, 2, "", expected_s=500.0, rest=Rest(2, 4.0))
    assert watch.sample().eta_s == 504.0
    assert watch.sample().share >= before  # however long it takes after all


def test_the_first_turn_tells_no_time(watch: Watch) -> None:
    watch.begin()
    begin(watch, a_case(), index=0, expected_s=None)
    assert (watch.sample().done, watch.sample().eta_s, watch.sample().records_per_s) == (0.0, None, None)


def test_rates_are_those_of_the_call_under_way_then_of_the_turn(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1_000_000_000]
    monkeypatch.setattr(time, "perf_counter_ns", lambda: now[0])
    board, case = Board.create(), a_case(records=1_000)

    def sample_at(seconds: float, done: int) -> Sample:
        now[0] = 1_000_000_000 + round(seconds * 1e9)
        board.progress(Progress("generating", done, 2_000, "bytes", bytes_done=done * 4))
        return watch.sample()

    try:
        watch.begin()
        watch.follow(0, board)
        begin(watch, case)
        board.stage(PREPARING)
        assert watch.sample().phase == "words, setting up"
        assert watch.sample().records_per_s is None
        board.stage(TIMED)
        first = sample_at(0.5, 200)  # a tenth of the records
        assert first.phase == "words"
        assert first.records_per_s == pytest.approx(200)
        assert (
            first.cells_per_s is None
        )  # nobody knows how many cells a record has before the first is verified
        assert first.bytes_per_s == pytest.approx(1_600)
        assert sample_at(1.0, 400).records_per_s == pytest.approx(200)
        assert sample_at(2.0, 1_200).records_per_s == pytest.approx(400)  # of the last second only
        now[0] += 3_000_000_000
        assert watch.sample().records_per_s == pytest.approx(400 / 3)  # it waits for something
        assert sample_at(8.0, 2_000).records_per_s == pytest.approx(125)  # all are made; not all are written
        board.stage(VERIFYING)
        assert watch.sample().phase == "words, verifying"
        assert watch.sample().records_per_s == pytest.approx(125)
        watch.turn_ends(a_turn(case, wall_s=10.0))
        board.stage(IDLE)
        last = watch.sample()
        assert (last.records_per_s, last.cells_per_s, last.bytes_per_s) == (100, 1_000, 5_000)

        begin(watch, a_case("parquet"))
        assert watch.sample().records_per_s is None
        begin(watch, case, index=2)
        assert watch.sample().records_per_s == 100  # of its last turn, until it tells
        board.stage(TIMED)
        assert sample_at(9.0, 1_000).cells_per_s == pytest.approx(10 * 500)
        watch.leave(board)
        assert watch.sample().rss_bytes == 0
    finally:
        board.close()


def test_a_turn_that_failed_tells_no_rate(watch: Watch) -> None:
    watch.begin()
    begin(watch, a_case())
    watch.turn_ends(a_turn(a_case(), error="broken"))
    assert (watch.sample().records_per_s, watch.sample().done) == (None, 1.0)


def test_cores_are_read_five_times_a_second_at_most(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    class Times:
        _fields = ("user", "system", "idle", "iowait", "guest")

        def __init__(self, user: float, idle: float) -> None:
            self.user, self.system, self.idle, self.iowait, self.guest = user, 1.0, idle, 2.0, user

    states = iter([[Times(0, 0), Times(5, 0)], [Times(1, 3), Times(9, 0)]])
    monkeypatch.setattr(monitor_machine.psutil, "cpu_times", lambda percpu: next(states))
    cores = Cores(clock)
    assert cores() == ()
    clock.now += 0.1
    assert cores() == ()
    clock.now += 0.2
    assert cores() == (25.0, 100.0)
    assert cores() == (25.0, 100.0)
    assert resident_bytes(2**22 + 1) == 0  # there is no such process


def wait_until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# The server


class Connection:
    """Answers with one row after another; an exception among them is raised."""

    def __init__(self, *answers: object) -> None:
        self.answers, self.closed, self.row = list(answers), False, None

    def cursor(self) -> Connection:
        return self

    def execute(self, _: str) -> Connection:
        self.row = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(self.row, Exception):
            raise self.row
        return self

    def fetchall(self) -> list[Any]:
        return [self.row]

    def close(self) -> None:
        self.closed = True


def monitor(connection: Connection, question: Question) -> ServerMonitor:
    return ServerMonitor("mssql://", connect=lambda _: connection, choose=lambda _: question, interval_s=0.01)


def test_a_server_is_asked_until_it_is_stopped() -> None:
    connection = Connection((1, 0), (3, 2))
    asked = monitor(connection, Question("SELECT", {}))
    assert asked.latest.queries is None
    assert set(asked.latest.why) == {QUERIES, BLOCKING}
    asked.start()
    wait_until(lambda: asked.latest.blocking_sessions == 2)
    assert (asked.latest.queries, asked.latest.why) == (3, {})
    asked.stop()
    wait_until(lambda: connection.closed)


def test_what_a_server_does_not_tell_is_none_with_the_reason() -> None:
    asked = monitor(Connection((4, None)), Question("SELECT", {BLOCKING: "it keeps that"}))
    asked.start()
    wait_until(lambda: asked.latest.queries == 4)
    assert (asked.latest.blocking_sessions, asked.latest.why) == (None, {BLOCKING: "it keeps that"})
    asked.stop()
    refused = Connection((0, 0))
    asked = monitor(refused, Question("", {QUERIES: "no right", BLOCKING: "no right"}))
    asked.start()
    wait_until(lambda: refused.closed)
    assert (asked.latest.queries, asked.latest.why[QUERIES]) == (None, "no right")


def test_an_error_of_the_server_is_a_reason_without_its_words() -> None:
    broken = Connection((1, 1), RuntimeError("password=secret"))
    asked = monitor(broken, Question("SELECT", {}))
    asked.start()
    wait_until(lambda: broken.closed)
    wait_until(lambda: asked.latest.queries is None)
    assert asked.latest.why[QUERIES] == "the server could not be asked (RuntimeError)"
    asked.stop()


@pytest.mark.parametrize(
    ("babelfish", "state", "version", "statement", "why"),
    [
        (
            1,
            0,
            "16.0",
            "dm_exec_sessions",
            {BLOCKING: "Babelfish does not tell which sessions wait for which"},
        ),
        (0, 1, "16.0", "dm_exec_requests", {}),
        (
            0,
            0,
            "15.0",
            "",
            dict.fromkeys(
                (QUERIES, BLOCKING),
                "the login lacks VIEW SERVER STATE, so the server shows it its own sessions only",
            ),
        ),
    ],
)
def test_the_question_is_what_the_rights_allow(
    babelfish: int, state: int, version: str, statement: str, why: dict[str, str]
) -> None:
    class Facts(Connection):
        def fetchone(self) -> object:
            return self.row

    granted = (1, 1, 1, 1, 1, 1, 0, state, 0, 0)
    facts = Facts(("Server", version, 3, babelfish, "people", "x"), ("SIMPLE", 0), granted)
    question = choose_question(facts)
    assert statement in question.statement
    assert bool(statement) == bool(question.statement)
    assert question.why == why


def test_a_live_server_is_asked(sql_server_database: str) -> None:
    with_it = _connect(sql_server_database)
    try:
        question = choose_question(with_it)
        if question.statement:
            [(queries, blocking)] = with_it.cursor().execute(question.statement).fetchall()
            assert queries >= 0
            assert (blocking is None) == (BLOCKING in question.why)
    finally:
        with_it.close()
    assert live.query(sql_server_database, "SELECT 1") == [(1,)]


# A real measurement


@pytest.fixture
def no_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "measure_bounds", lambda *_: Bounds({}))


def looked_on(**options: Any) -> tuple[list[Sample], gidbench.bench.session.Measurement, Watch]:  # type: ignore[name-defined]
    """The samples, ten times a second, of a measurement."""
    watch, samples, over = Watch(), [], threading.Event()

    def look() -> None:
        while not over.wait(0.05):
            samples.append(watch.sample())

    onlooker = threading.Thread(target=look)
    onlooker.start()
    try:
        measured = gidbench.measure(watch=watch, out="run", **options)
    finally:
        over.set()
        onlooker.join()
    return samples, measured, watch


@pytest.mark.usefixtures("no_bounds")
def test_a_measurement_is_looked_on_from_its_beginning_to_its_end() -> None:
    samples, measured, watch = looked_on(
        operation="generate", records=400_000, processes=1, rounds=2, cases="csv,database"
    )
    assert [result.status for result in measured.results] == ["ok", "ok"]
    phases = [sample.phase for sample in samples]
    for expected in ("looking at the machine", "1 of 1: starting", "warming up", "round 2 of 2"):
        assert any(expected in phase for phase in phases), expected
    shares = [sample.share for sample in samples]
    assert shares == sorted(shares)
    assert {sample.total for sample in samples} == {0, 6}
    assert {sample.case for sample in samples} == {"", "generate csv", "generate database"}
    assert max(sample.rss_bytes for sample in samples) > 50e6
    told = [sample for sample in samples if sample.records_per_s and sample.cells_per_s]
    assert told
    assert all(sample.cells_per_s == pytest.approx(10 * (sample.records_per_s or 0)) for sample in told)
    end = watch.sample()
    assert (end.phase, end.done, end.total, end.eta_s, end.share) == ("done", 6.0, 6, 0.0, 1.0)
    for name in ("queries", "pool_in_use", "pool_size", "blocking_sessions"):
        assert getattr(end, name) is None
        assert "DuckDB" in watch.why[name]
    assert set(watch.why) <= {field.name for field in fields(Sample)}


@pytest.mark.usefixtures("no_bounds")
@pytest.mark.parametrize("operation", ["process", "sync"])
def test_the_other_operations_tell_rates_too(operation: str) -> None:
    samples, measured, _ = looked_on(operation=operation, records=30_000, processes=1, rounds=1)
    assert {result.status for result in measured.results} == {"ok"}
    assert any(sample.records_per_s for sample in samples)


@pytest.mark.usefixtures("no_bounds")
def test_a_watch_that_fails_does_not_fail_the_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = SimpleNamespace(cpu_times=_refuse, Process=_refuse, Error=psutil.Error)
    monkeypatch.setattr(monitor_machine, "psutil", hidden)
    samples, measured, _ = looked_on(
        operation="generate", records=2_000, processes=1, rounds=1, cases="memory"
    )
    assert [result.status for result in measured.results] == ["ok"]
    assert {sample.cpu_percent for sample in samples} == {()}


def _refuse(*_: object, **__: object) -> object:
    raise OSError("not in this container")


@pytest.mark.usefixtures("no_bounds")
def test_an_error_ends_the_watch_too(tmp_path: Path) -> None:
    watch = Watch()
    with pytest.raises(gidbench.GidbenchError):
        gidbench.measure("generate", database=f"duckdb:///{tmp_path}/none/x.duckdb", watch=watch, out="run")
    assert watch.sample().phase == "ended with an error"


@pytest.mark.usefixtures("no_bounds")
def test_sql_server_is_looked_on(sql_server_database: str) -> None:
    samples, measured, watch = looked_on(
        operation="generate",
        records=5_000,
        processes=1,
        rounds=1,
        cases="database",
        pool_size=6,
        database=sql_server_database,
    )
    assert [result.status for result in measured.results] == ["ok"]
    assert {sample.pool_size for sample in samples} == {None, 6}
    assert max(sample.pool_in_use or 0 for sample in samples) >= 1
    for name in ("queries", "blocking_sessions"):
        seen = [value for sample in samples if (value := getattr(sample, name)) is not None]
        assert seen or name in watch.why


def test_the_fullest_pool_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from gidbench.stores.sqlserver import connections

    class Status:
        def __init__(self, in_use: int, opened: int) -> None:
            self.in_use, self.size, self.overflow, self.opened = in_use, 20, 0, opened

    class Known:
        def __init__(self, one: Status, other: Status) -> None:
            self.status, self.arrow_status = (lambda: one), (lambda: other)

    monkeypatch.setattr(connections, "_known", [Known(Status(0, 0), Status(0, 0))])
    assert lent_and_allowed() is None
    monkeypatch.setattr(
        connections, "_known", [Known(Status(2, 3), Status(5, 5)), Known(Status(1, 1), Status(9, 0))]
    )
    assert lent_and_allowed() == (5, 20)
