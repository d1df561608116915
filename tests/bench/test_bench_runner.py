"""Rounds: in turn, verified, written as they land; a failure is a result."""

from __future__ import annotations

import contextlib
import gc
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gidbench.bench.case import Case, Verified
from gidbench.bench.results import SCHEMA_VERSION, Result, Round, RunHeader, append, load_results, newest
from gidbench.bench.runner import Here, ReplicateDied, Turn, here
from gidbench.bench.sampler import Reading, Sampler
from gidbench.bench.schedule import Plan, run_replicates
from gidbench.engine import Cancellation
from gidbench.errors import InputError, OperationCancelled, VerificationError
from gidbench.outcome import Outcome


class Clock:
    """Moves on only when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def still() -> Reading:
    return Reading(1.0, 1000, 10, 20)


class Bed:
    """Fake cases on a fake clock, and a record of what happened."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.calls: list[str] = []
        self.order_seed = 0
        self.lines: list[Round | Result] = []

    def case(
        self,
        variant: str,
        takes: Callable[[int], float] = lambda n: 1.0,
        value: Callable[[int], str] = lambda n: "same",
        call: Callable[[int], None] = lambda n: None,
        family: str = "f",
    ) -> Case:
        turns = itertools.count()
        current = 0

        def prepare(cancellation: Cancellation) -> Callable[[], Outcome]:
            nonlocal current
            current = next(turns)
            self.clock.now += 50  # set-up must not count

            def timed() -> Outcome:
                self.calls.append(variant)
                self.clock.now += takes(current)
                call(current)
                return Outcome("op", 1000, takes(current), {"work": takes(current)})

            return timed

        def verify(outcome: Outcome) -> Verified:
            self.clock.now += 70  # nor verification
            return Verified(value(current), 5000, 80_000, {"n": 1})

        return Case("op", variant, "a case", variant == "a", 1000, family, prepare, verify)

    def run(
        self,
        *cases: Case,
        processes: int = 1,
        rounds: int = 4,
        budget_s: float = 1e9,
        cancellation: Cancellation | None = None,
        **options: object,
    ) -> list[Result]:
        start = here(
            cases,
            cancellation=cancellation,
            clock=self.clock,
            make_sampler=lambda: Sampler(still, self.clock, 0),
        )
        plan = Plan(processes, rounds, budget_s, order_seed=self.order_seed)
        return run_replicates(start, plan, emit=self.lines.append, clock=self.clock, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module", autouse=True)
def little_garbage() -> Iterator[None]:
    """Each turn collects it, which is quick only without the objects of all that tests have loaded."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def bed() -> Bed:
    return Bed()


def test_in_each_round_every_case_has_its_turn_in_an_order_drawn_anew(bed: Bed) -> None:
    bed.run(bed.case("a"), bed.case("b"), bed.case("c"), processes=3, rounds=3)
    rounds = ["".join(bed.calls[at : at + 3]) for at in range(0, len(bed.calls), 3)]
    assert len(rounds) == 3 * (1 + 3)
    assert {"".join(sorted(each)) for each in rounds} == {"abc"}
    assert len(set(rounds)) > 2


def test_the_order_is_that_of_the_recorded_seed(bed: Bed) -> None:
    again, other = Bed(), Bed()
    other.order_seed = 1
    for each in (bed, again, other):
        each.run(each.case("a"), each.case("b"), each.case("c"), processes=2)
    assert bed.calls == again.calls
    assert bed.calls != other.calls


def test_rounds_belong_to_their_processes_each_with_its_warm_up(bed: Bed) -> None:
    takes = [9.0, 1.0, 2.0, 9.0, 3.0, 4.0, 9.0, 5.0, 6.0]
    [result] = bed.run(bed.case("a", takes=lambda n: takes[n]), processes=3, rounds=2)
    assert result.replicates_s == [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    assert result.walls_s == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert (result.processes, result.rounds, result.median_s) == (3, 6, 3.5)
    assert result.mad_s == 1.5
    assert result.stopped_because == "asked"
    rounds = [line for line in bed.lines if isinstance(line, Round)]
    assert [(line.process, line.index, line.warmup) for line in rounds] == [
        (process, index, index == 0) for process in range(3) for index in range(3)
    ]


def test_only_the_call_is_timed_and_the_warm_up_does_not_count(bed: Bed) -> None:
    [result] = bed.run(bed.case("a", takes=lambda n: [99.0, 2.0, 4.0, 3.0, 1.0][n]))
    assert result.walls_s == [2.0, 4.0, 3.0, 1.0]
    assert result.median_s == 2.5
    assert result.records_per_second == 400.0
    assert result.cells_per_second == 2000.0
    assert result.bytes_per_second == 32_000.0
    assert result.phases_s in ({"work": 2.0}, {"work": 3.0})
    assert [line.warmup for line in bed.lines if isinstance(line, Round)] == [True] + [False] * 4


def test_a_case_that_raises_fails_and_the_others_go_on(bed: Bed) -> None:
    def fall(turn: int) -> None:
        if turn == 2:
            raise VerificationError("two and two are five", "Count again")

    broken, good = bed.run(bed.case("a", call=fall), bed.case("b"))
    assert (broken.status, broken.tier, broken.rounds) == ("failed", None, 1)
    assert broken.error == "two and two are five. Count again."
    assert (good.status, good.rounds) == ("ok", 4)
    assert bed.calls.count("a") == 3


def test_what_a_library_says_in_an_unforeseen_error_is_not_kept(bed: Bed) -> None:
    def fall(turn: int) -> None:
        raise KeyError("3201010101900001")

    [broken] = bed.run(bed.case("a", call=fall))
    assert broken.error == "KeyError in op a"


def test_a_round_with_another_value_fails(bed: Bed) -> None:
    [broken] = bed.run(bed.case("a", value=lambda n: "same" if n < 3 else "other"))
    assert broken.status == "failed"
    assert "gave other, but op a gave same" in str(broken.error)


def test_cases_of_a_family_must_agree_and_other_families_need_not(bed: Bed) -> None:
    first, second, third = bed.run(
        bed.case("a", value=lambda n: "x"),
        bed.case("b", value=lambda n: "y"),
        bed.case("c", value=lambda n: "z", family="g"),
    )
    assert (first.status, second.status, third.status) == ("ok", "failed", "ok")


def test_values_must_agree_across_processes_too(bed: Bed) -> None:
    [broken] = bed.run(bed.case("a", value=lambda n: "same" if n < 6 else "other"), processes=3, rounds=2)
    assert broken.status == "failed"
    assert "gave other, but op a gave same" in str(broken.error)
    assert (broken.rounds, broken.processes) == (4, 2)


def test_three_processes_have_a_round_each_however_small_the_budget(bed: Bed) -> None:
    [slow] = bed.run(bed.case("a", takes=lambda n: 10.0 + n), processes=3, rounds=0, budget_s=1.0)
    assert [len(rounds) for rounds in slow.replicates_s] == [1, 1, 1]
    assert slow.stopped_because == "budget"
    other = Bed()
    [alone] = other.run(other.case("a"), processes=1, rounds=0, budget_s=1.0)
    assert alone.rounds == 3


def test_a_round_begins_only_if_it_would_end_in_its_processs_share_of_the_budget(bed: Bed) -> None:
    """A turn takes 121 s with what is around it: of 3 x 400 s, each process has room for a warm-up and 2 rounds."""
    [result] = bed.run(bed.case("a", takes=lambda n: 1.0 + n % 2), processes=3, rounds=0, budget_s=1200.0)
    assert [len(rounds) for rounds in result.replicates_s] == [2, 2, 2]
    assert bed.clock.now - 100.0 <= 1200.0


def test_a_quick_case_beside_a_slow_one_has_a_second_round_in_each_process(bed: Bed) -> None:
    slow, quick = bed.run(
        bed.case("a", takes=lambda n: 9_000.0), bed.case("b"), processes=3, rounds=0, budget_s=12_000.0
    )
    assert [len(rounds) for rounds in slow.replicates_s] == [1, 1, 1]
    assert [len(rounds) for rounds in quick.replicates_s] == [2, 2, 2]


def test_precise_intervals_end_it_after_the_processes_asked_for(bed: Bed) -> None:
    [result] = bed.run(bed.case("a"), processes=3, rounds=0)
    assert [len(rounds) for rounds in result.replicates_s] == [5, 5, 5]
    assert result.stopped_because == "precise"


def test_further_processes_go_on_with_the_cases_that_are_not_precise(bed: Bed) -> None:
    turns = 3 * 6
    wide, narrow = bed.run(
        bed.case("a", takes=lambda n: 1.0 + 0.2 * (n % 3) if n < turns else 1.2),
        bed.case("b"),
        processes=3,
        rounds=0,
        budget_s=1e9,
    )
    assert (narrow.processes, narrow.stopped_because) == (3, "precise")
    assert wide.processes > 3
    assert wide.stopped_because == "precise"
    assert (wide.high_s - wide.low_s) / wide.median_s < 0.05


def test_a_case_that_stays_wide_ends_with_the_budget(bed: Bed) -> None:
    [wide] = bed.run(
        bed.case("a", takes=lambda n: [1.0, 2.0, 1.5][n % 3]), processes=3, rounds=0, budget_s=5000.0
    )
    assert wide.processes > 3
    assert wide.stopped_because == "budget"
    assert bed.clock.now - 100.0 <= 5000.0


def test_the_middle_is_told_once_between_two_turns(bed: Bed) -> None:
    for processes, rounds in ((1, 4), (3, 1), (2, 3)):
        each = Bed()
        seen: list[int] = []
        each.run(
            each.case("a"),
            processes=processes,
            rounds=rounds,
            at_middle=lambda calls=each.calls, seen=seen: seen.append(len(calls)),
        )
        total = processes * (rounds + 1)
        assert len(seen) == 1
        assert total / 3 <= seen[0] <= total * 2 / 3


def test_a_process_that_dies_fails_the_case_whose_turn_it_was(bed: Bed) -> None:
    class Mortal(Here):
        def turn(self, place: int, index: int) -> Turn:
            if self.cases[place].variant == "a" and index == 1:
                raise ReplicateDied("the process died (signal 9)", "Use fewer records")
            return super().turn(place, index)

    @contextlib.contextmanager
    def start(process: int) -> Iterator[Here]:
        yield Mortal(cases, process, clock=bed.clock, make_sampler=lambda: Sampler(still, bed.clock, 0))

    cases = [bed.case("a"), bed.case("b")]
    broken, good = run_replicates(start, Plan(3, 2), emit=bed.lines.append, clock=bed.clock)
    assert (broken.status, broken.error) == ("failed", "the process died (signal 9). Use fewer records.")
    assert good.status == "ok"
    assert [len(rounds) for rounds in good.replicates_s][-2:] == [2, 2]


def test_cancelling_ends_the_run(bed: Bed) -> None:
    cancellation = Cancellation()
    with pytest.raises(OperationCancelled):
        bed.run(bed.case("a", call=lambda n: cancellation.cancel()), cancellation=cancellation)
    assert bed.calls == ["a"]


def test_progress_names_the_case_and_the_round(bed: Bed) -> None:
    seen: list[str] = []
    bed.run(bed.case("a"), rounds=2, progress=lambda step: seen.append(step.phase))
    assert seen == [
        "op a: process 1 of 1, warming up",
        "op a: process 1 of 1, round 1 of 2",
        "op a: process 1 of 1, round 2 of 2",
    ]


def header() -> RunHeader:
    return RunHeader(
        "id", "2026-01-02T03:04:05+00:00", {"records": 1}, {"cpu": "x"}, {}, {"name": "n", "version": "v"}
    )


def test_results_come_back_as_they_were_written(bed: Bed, tmp_path: Path) -> None:
    results = bed.run(bed.case("a"), bed.case("b", call=lambda n: 1 / 0))
    path = tmp_path / "results.jsonl"
    for line in [header(), *bed.lines]:
        append(path, line)
    loaded = load_results(tmp_path)
    assert loaded.header == header()
    assert loaded.results == results
    assert loaded.rounds == [line for line in bed.lines if isinstance(line, Round)]
    assert [result.variant for result in loaded.measured] == ["a"]


def test_a_file_that_a_crash_cut_short_loads_without_its_last_line(bed: Bed, tmp_path: Path) -> None:
    bed.run(bed.case("a"))
    path = tmp_path / "results.jsonl"
    for line in [header(), *bed.lines]:
        append(path, line)
    whole = path.read_text()
    path.write_text(whole[:-20])
    assert load_results(path).results == []
    assert len(load_results(path).rounds) == 5


def test_fields_of_a_later_gidbench_are_passed_over_but_a_later_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    line = {**header().__dict__, "weather": "fine"}
    path.write_text(json.dumps(line) + "\n")
    assert load_results(path).header == header()
    path.write_text(json.dumps({**line, "schema": 999}) + "\n")
    with pytest.raises(InputError, match=f"has version 999, but this gidbench knows up to {SCHEMA_VERSION}"):
        load_results(path)


@pytest.mark.parametrize("text", ["", "{}\n", "[]\n", "no json\nat all\n", '{"kind": "run"}\n'])
def test_a_file_of_something_else_is_an_input_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text(text)
    with pytest.raises(InputError):
        load_results(path)


def test_results_of_version_1_keep_loading() -> None:
    loaded = load_results(Path(__file__).parent / "results_version_1.jsonl")
    assert loaded.header.schema == 1
    assert [(result.operation, result.status) for result in loaded.results] == [
        ("generate", "ok"),
        ("sync", "failed"),
    ]


def test_the_last_result_of_a_case_counts() -> None:
    first = Result("op", "a", "t", True, 1, "failed")
    second = Result("op", "a", "t", True, 1, "ok")
    assert newest([first, second]) == [second]
