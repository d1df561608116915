"""Live comparisons: turns, budget and verdicts with a fake clock, on noise that was recorded."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from gidbench.bench import live
from gidbench.bench.live import LEAST_ROUNDS, Side, Turn, compare_live, processes
from gidbench.bench.trees import commit_of, present_tree, tree_of
from gidbench.errors import InputError, VerificationError

# Seconds * 1e5 of generating 200,000 employees in pairs of processes that took turns, 100 rounds each, on two cores on
# which seven other processes ran.
NOISE = json.loads((Path(__file__).parent / "noise_of_pairs.json").read_text())
START_S, EXTRA_S = (
    1.8,
    0.012,
)  # of a process on that machine when sixteen start together; of a turn beside its round


class Machine:
    """Workers that replay pairs, and the time that all of this takes."""

    def __init__(self, pairs: list, slower: float = 0.0, values: tuple[str, str] = ("x", "x")):
        self.now, self.turns, self.closed, self.started = 0.0, [], 0, 0
        self.pairs, self.factor, self.values = pairs, {"A": 1.0, "B": 1.0 + slower}, values

    def clock(self) -> float:
        return self.now

    def start(self, name: str) -> Replay:
        pair = self.started // 2
        self.started += 1
        return Replay(self, name, pair)


class Replay:
    def __init__(self, machine: Machine, name: str, pair: int) -> None:
        self.machine, self.name, self.pair, self.done = machine, name, pair, 0

    def wait(self) -> str:
        self.machine.now += START_S
        return "made"

    def turn(self, check: bool) -> Turn:
        machine = self.machine
        rounds = machine.pairs[self.pair % len(machine.pairs)][0 if self.name == "A" else 1]
        wall = rounds[self.done % len(rounds)] / 1e5 * machine.factor[self.name]
        self.done += not check
        machine.now += wall + EXTRA_S
        machine.turns.append((self.pair, self.name, check))
        return Turn(wall, wall, machine.values["AB".index(self.name)] if check else None)

    def close(self) -> None:
        self.machine.closed += 1


def test_rounds_take_turns_in_drawn_order_and_first_and_last_are_verified() -> None:
    machine = Machine(NOISE[:2])
    found = compare_live(machine.start, pairs=2, seconds=12, clock=machine.clock, seed=3)
    for pair in (0, 1):
        turns = [(name, check) for number, name, check in machine.turns if number == pair]
        assert turns[:2] == turns[-2:] == [("A", True), ("B", True)]
        rounds = [name for name, check in turns if not check]
        twos = {"".join(rounds[at : at + 2]) for at in range(0, len(rounds), 2)}
        assert twos == {"AB", "BA"}
        assert len(rounds) == 2 * len(found.pairs[pair][0])
    assert machine.closed == machine.started == 4
    again = Machine(NOISE[:2])
    assert (
        compare_live(again.start, pairs=2, seconds=12, clock=again.clock, seed=3).judgement == found.judgement
    )
    assert again.turns == machine.turns


def test_the_time_is_kept_and_pairs_share_it() -> None:
    machine = Machine(NOISE)
    found = compare_live(machine.start, seconds=60, clock=machine.clock)
    assert found.wall_s == machine.now < 62
    counts = [len(a) for a, _ in found.pairs]
    assert len(counts) == 8
    assert min(counts) > 20
    assert json.loads(json.dumps(found.to_dict()))["judgement"]["processes"] == [8, 8]


def test_slow_rounds_are_still_enough_and_no_more_pairs_begin() -> None:
    machine = Machine([([1e6] * 9, [1e6] * 9)])  # ten seconds each
    found = compare_live(machine.start, seconds=30, wave=1, clock=machine.clock)
    assert [len(a) for a, _ in found.pairs] == [LEAST_ROUNDS]
    assert "one process a side" in found.judgement.why


def test_outputs_that_differ_are_told_and_those_that_change_are_an_error() -> None:
    machine = Machine(NOISE[:1], values=("x", "y"))
    assert not compare_live(machine.start, pairs=1, seconds=5, clock=machine.clock).same_output
    changing = Machine(NOISE[:1])
    real = Replay.turn

    class Changing(Replay):
        def turn(self, check: bool) -> Turn:
            found = real(self, check)
            return Turn(found.wall_s, found.cpu_s, f"{found.value} {self.done > 0}" if check else None)

    with pytest.raises(VerificationError, match="A gave x False first, and x True later"):
        compare_live(lambda name: Changing(changing, name, 0), pairs=1, seconds=5, clock=changing.clock)


def test_nothing_is_measured_in_no_time() -> None:
    with pytest.raises(InputError, match="measure nothing"):
        compare_live(Machine(NOISE).start, seconds=0)


def verdicts(slower: float, tries: int) -> dict[str, int]:
    """What becomes of a slowdown that is planted in recorded noise, sides swapped at random, within 60 s."""
    stream = random.Random(str(slower))
    counts = {"better": 0, "worse": 0, "inconclusive": 0}
    for number in range(tries):
        pairs = []
        for a, b in stream.sample(NOISE, 8):
            begin = stream.randrange(len(a))
            both = [*a[begin:], *a[:begin]], [*b[begin:], *b[:begin]]
            pairs.append(both if stream.random() < 0.5 else both[::-1])
        machine = Machine(pairs, slower)
        found = compare_live(machine.start, seconds=50, clock=machine.clock, seed=number)
        assert machine.now < 60
        counts[found.judgement.verdict] += 1
    return counts


@pytest.mark.slow
def test_a_case_against_itself_and_planted_slowdowns_in_recorded_noise() -> None:
    itself = verdicts(0.0, 200)
    assert itself["better"] + itself["worse"] <= 10, itself
    ten = verdicts(0.10, 100)
    assert ten["worse"] >= 85, (
        ten
    )  # with some 45 rounds a pair; with 135, as 50 s gave on that machine, it is 99
    assert ten["better"] == 0
    five = verdicts(0.05, 100)
    assert five["better"] == 0, five
    assert five["worse"] >= 30, five


@pytest.mark.slow
def test_real_processes_take_turns_and_agree(tmp_path: Path) -> None:
    side = Side("this tree", present_tree(), "generate", "memory", 2_000, 7, 50_000, 1)
    with processes(side, side) as start:
        found = compare_live(start, pairs=2, seconds=1)
    assert found.same_output
    assert [len(a) for a, _ in found.pairs] == [len(b) for _, b in found.pairs]
    assert found.title == "employees to Arrow batches in memory"


@pytest.mark.slow
def test_a_process_that_fails_says_why() -> None:
    side = Side("this tree", present_tree(), "generate", "paper", 2_000, 7, 50_000, 1)
    with pytest.raises(VerificationError, match="there is no case generate paper"), processes(side, side):
        pass


def test_memory_decides_how_many_start_at_once() -> None:
    assert 1 <= live.wave_for(10**9) == 1
    assert live.wave_for(1_000) >= 1


def repository(folder: Path) -> Path:
    import subprocess

    (folder / "gidbench").mkdir(parents=True)
    (folder / "gidbench" / "__init__.py").write_text("__version__ = '0'\n")
    for words in (
        ["init", "-q", "-b", "main"],
        ["add", "."],
        ["-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-qm", "first"],
    ):
        subprocess.run(["git", *words], cwd=folder, check=True, timeout=30)
    return folder


def test_the_tree_of_a_commit_is_taken_out_once(tmp_path: Path) -> None:
    clone = repository(tmp_path / "clone")
    commit = commit_of("main", clone)
    assert len(commit) == 40
    tree = tree_of("main", clone, tmp_path / "cache")
    assert (tree / "gidbench" / "__init__.py").read_text() == "__version__ = '0'\n"
    (tree / "gidbench" / "kept").touch()
    assert tree_of(commit[:10], clone, tmp_path / "cache") == tree
    assert (tree / "gidbench" / "kept").exists()
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [commit]
    with pytest.raises(InputError, match="there is no commit 'nowhere'"):
        tree_of("nowhere", clone)
    with pytest.raises(InputError, match="there is no commit '--all'"):
        commit_of("--all", clone)
