"""Rounds: in turn, verified, written as they land; a failure is a result."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gidbench.bench.case import Case, Verified
from gidbench.bench.results import Result, Round, RunHeader, append, load_results, newest
from gidbench.bench.runner import run_cases
from gidbench.bench.sampler import Reading, Sampler
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
        self, *cases: Case, rounds: int = 4, budget_s: float | None = None, **options: object
    ) -> list[Result]:
        return run_cases(
            cases,
            rounds=rounds,
            budget_s=budget_s,
            emit=self.lines.append,
            clock=self.clock,
            make_sampler=lambda: Sampler(still, self.clock, 0),
            **options,  # type: ignore[arg-type]
        )


@pytest.fixture
def bed() -> Bed:
    return Bed()


def test_cases_take_turns_and_the_first_moves_on(bed: Bed) -> None:
    bed.run(bed.case("a"), bed.case("b"), bed.case("c"), rounds=3)
    assert "".join(bed.calls) == "abc" + "bca" + "cab" + "abc"


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


def test_a_budget_ends_the_rounds_but_not_before_three(bed: Bed) -> None:
    [slow] = bed.run(bed.case("a"), rounds=10, budget_s=1.0)
    assert slow.rounds == 3
    other = Bed()
    [quick] = other.run(other.case("a"), rounds=5, budget_s=1e9)
    assert quick.rounds == 5


def test_cancelling_ends_the_run(bed: Bed) -> None:
    cancellation = Cancellation()
    with pytest.raises(OperationCancelled):
        bed.run(bed.case("a", call=lambda n: cancellation.cancel()), cancellation=cancellation)
    assert bed.calls == ["a"]


def test_progress_names_the_case_and_the_round(bed: Bed) -> None:
    seen: list[str] = []
    bed.run(bed.case("a"), rounds=2, progress=lambda step: seen.append(step.phase))
    assert seen == ["op a: warming up", "op a: round 1 of 2", "op a: round 2 of 2"]


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
    with pytest.raises(InputError, match="has version 999, but this gidbench knows up to 2"):
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
