"""comparison: turns, ratios within rounds, verdicts, and contenders that fail."""

from __future__ import annotations

import os
import signal
import sys
import threading

import duckdb
import pyarrow as pa
import pytest

from gidbench.bench import limits
from gidbench.bench.comparison import Bar, Contender, compare
from gidbench.bench.generation_bars import compare_generation
from gidbench.bench.peers import files
from gidbench.bench.peers.checks import check_people
from gidbench.bench.peers.registry import MAKERS
from gidbench.comparison_table import print_comparison
from gidbench.errors import InputError, VerificationError
from gidbench.generation.plan import employees
from gidbench.operations import generate

COUNT = 4_000


class Script:
    """Contenders that give scripted rates and write down their turns."""

    def __init__(self, **rates: list[float]) -> None:
        self.turns: list[str] = []
        self.left = {name: list(values) for name, values in rates.items()}

    def contenders(self) -> list[Contender]:
        def turn(name: str) -> float:
            self.turns.append(name)
            return self.left[name].pop(0)

        return [
            Contender(name, f"the {name}", "records/s", lambda name=name: turn(name)) for name in self.left
        ]


def test_contenders_take_turns_and_the_first_round_is_not_counted():
    script = Script(a=[0, 10, 20, 30], b=[0, 1, 2, 3], c=[0, 5, 5, 5])
    result = compare(script.contenders(), [], rounds=3)
    assert "".join(script.turns) == "abc" + "bca" + "cab" + "abc"
    assert result.rates == {"a": [10, 20, 30], "b": [1, 2, 3], "c": [5, 5, 5]}


def test_ratios_are_of_each_round_and_the_median_is_held_against_the_bar():
    script = Script(a=[0, 10, 100, 30], b=[0, 1, 20, 1])
    bars = [Bar("ratio", "a", 10, "b"), Bar("high", "a", 31), Bar("rate", "a", 30)]
    ratio, high, rate = compare(script.contenders(), bars, rounds=3).findings
    assert (ratio.value, ratio.met, ratio.is_ratio) == (10, True, True)  # 10, 5, 30; not 30 / 1
    assert ratio.low == 5
    assert ratio.high == 30
    assert (high.value, high.met) == (30, False)
    assert (rate.value, rate.met, rate.is_ratio) == (30, True, False)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminate"])
def test_an_interrupt_that_duckdb_makes_an_error_of_ends_all_of_it(number: signal.Signals) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    def long() -> float:
        timer = threading.Timer(0.1, os.kill, (os.getpid(), number))
        timer.start()
        with duckdb.connect() as connection:
            connection.execute(
                "SELECT count(*) FROM range(150000000) WHERE range % 7 = 3 GROUP BY range % 11"
            ).fetchall()
        return 1.0

    before = signal.signal(number, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            compare([Contender("a", "a", "x", long), Contender("b", "b", "x", pytest.fail)], [], rounds=1)
        assert signal.getsignal(number) is interrupt
    finally:
        signal.signal(number, before)


def test_one_that_fails_in_a_later_round_has_no_ratio():
    script = Script(a=[0, 10, 20, 30], b=[0, 1])  # b has nothing to say in its second round
    bars = [Bar("ratio", "a", 10, "b"), Bar("other way", "b", None, "a"), Bar("rate", "a", 15)]
    result = compare(script.contenders(), bars, rounds=3)
    ratio, other, rate = result.findings
    assert (ratio.value, ratio.met, other.value) == (None, None, None)
    assert "IndexError" in ratio.note
    assert (rate.value, rate.met) == (20, True)


def test_one_that_fails_is_told_and_the_others_go_on():
    def fail() -> float:
        raise VerificationError("it is wrong", "mend it")

    def absent() -> float:
        raise ModuleNotFoundError("no", name="nowhere")

    def odd() -> float:
        raise ZeroDivisionError("of its own")

    contenders = [
        Contender("bad", "bad", "records/s", fail),
        Contender("absent", "absent", "records/s", absent),
        Contender("odd", "odd", "records/s", odd),
        Contender("good", "good", "records/s", lambda: 5.0),
        Contender("unproven", "unproven", "records/s", lambda: 5.0, fail),
    ]
    bars = [Bar("one", "good", 1, "bad"), Bar("two", "good", 1, "absent"), Bar("three", "good", 1)]
    result = compare(contenders, bars, rounds=2)
    assert result.rates == {"good": [5.0, 5.0]}
    assert result.failures["bad"] == "it is wrong. mend it."
    assert 'pip install "gidbench[peers]"' in result.failures["absent"]
    assert "ZeroDivisionError" in result.failures["odd"]
    assert "unproven" in result.failures
    one, two, three = result.findings
    assert (one.met, one.note) == (None, "it is wrong. mend it.")
    assert two.met is None
    assert three.met is True


# --- peers ----------------------------------------------------------------------------------------

PEERS = {peer.name: peer.make for peer in MAKERS} | {
    "ourselves": lambda records, seed: generate(records, seed=seed).to_arrow(),
}


@pytest.mark.parametrize("name", PEERS)
def test_every_peer_makes_the_same_table(name):
    table = PEERS[name](COUNT, 3)
    check_people(table, COUNT, name)
    other = PEERS[name](COUNT, 4)
    assert not other["no_ktp"].equals(table["no_ktp"])


def spoiled(column: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    table = pa.Table.from_batches([employees(1).batch(0, COUNT)])
    return table.set_column(table.schema.get_field_index(column), column, values)


def test_checks_find_what_is_wrong():
    good = pa.Table.from_batches([employees(1).batch(0, COUNT)])
    numbers = good["no_ktp"].to_pylist()
    twice = [numbers[0], numbers[0], *numbers[2:]]
    other_day = [numbers[0][:6] + "310199" + numbers[0][12:], *numbers[1:]]
    cases = {
        "comes twice": spoiled("no_ktp", pa.array(twice)),
        "another (day|month|year) than bod": spoiled("no_ktp", pa.array(other_day)),
        "not 16 digits": spoiled("no_ktp", pa.array(["x" + number[1:] for number in numbers])),
        "another type": spoiled("id", pa.array(range(1, COUNT + 1), pa.int32())),
        "rows have a passport_id": spoiled("passport_id", good["no_ktp"]),
        "created": spoiled("updated_at", pa.array([0] * COUNT, pa.timestamp("us"))),
        "its columns are": good.drop_columns(["g_id"]),
        "rows, not": good.slice(1),
    }
    for what, table in cases.items():
        with pytest.raises(VerificationError, match=what):
            check_people(table, COUNT, "somebody")


def test_workbooks_of_both_have_equal_cells(tmp_path):
    ours, theirs = tmp_path / "ours.xlsx", tmp_path / "theirs.xlsx"
    generate(500, seed=2, out=ours)
    assert files.xlsx_by_xlsxwriter(theirs, 500, 2) > 0
    files.check_same_cells(ours, theirs)
    generate(500, seed=3, out=ours)
    with pytest.raises(VerificationError, match="different cells"):
        files.check_same_cells(ours, theirs)


def test_children_are_measured_whole_and_failures_told():
    program = files.our_csv(2_000, 1)
    program.prove()
    assert 200_000 < program.size < 300_000
    child = program.run()
    assert child.cpu_s > 0.1
    assert child.wall_s > 0.1
    assert 10e6 < child.peak_rss_bytes < 1e9
    assert program.bytes_per_cpu_s() > 0
    with pytest.raises(VerificationError, match="ended with 3"):
        files.run_child([sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(VerificationError, match="writes nothing"):
        files.Program([sys.executable, "-c", "pass"]).prove()


# --- limits ---------------------------------------------------------------------------------------


def test_memory_and_files_have_a_bandwidth(tmp_path):
    assert limits.MemoryWrite(2, 1 << 20).fill() == 2 << 20
    content = memoryview(b"x" * 3_000_000)
    for durable in (False, True):
        assert limits.file_write_bytes_per_second(tmp_path / "x", content, durable=durable) > 0
        assert (tmp_path / "x").read_bytes() == content


# --- all together ---------------------------------------------------------------------------------


def test_too_few_records_are_refused():
    with pytest.raises(InputError, match="1,000 records in 5 rounds"):
        compare_generation(1_000)


@pytest.mark.slow
def test_the_bars_are_measured_with_every_peer_and_nothing_stays(tmp_path, capsys):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    result = compare_generation(20_000, rounds=1, scratch=scratch)
    assert result.failures == {}
    assert all(finding.value is not None for finding in result.findings)
    assert len(result.findings) == 14
    assert list(scratch.iterdir()) == []
    print_comparison(result)
    shown = capsys.readouterr().out
    assert "against polars expressions" in shown
    assert "reached" in shown
