"""Gates: what fails, what is not proven, and keys that are not known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from made_runs import result, run, times

from gidbench.bench.comparing import compare_runs
from gidbench.bench.gates import Gate, Gates, check_gates, check_live, load_gates
from gidbench.bench.verdict import judge
from gidbench.errors import InputError


def states(gates: Gates, *results, before=None) -> dict[str, str]:
    compared = None if before is None else compare_runs(before, run(*results, run_id="b")).cases
    report = check_gates(gates, list(results), compared)
    return {f"{check.case}: {check.gate}": check.state for check in report.checks}


@pytest.mark.parametrize(
    ("seconds", "state", "code"), [(0.5, "passed", 0), (3.0, "failed", 1), (0.999, "unproven", 0)]
)
def test_below_a_tier_fails_only_where_the_whole_interval_is_below(
    seconds: float, state: str, code: int
) -> None:
    gates = Gates(Gate(fail_below="ULTRA"))
    made = result(times(seconds))  # a million records: the bound is one second
    assert states(gates, made) == {"generate memory: at least ULTRA": state}
    assert check_gates(gates, [made]).exit_code == code
    strict = Gates(Gate(fail_below="ULTRA"), strict=True)
    assert check_gates(strict, [made]).exit_code == (0 if state == "passed" else 1)


def test_gates_are_for_our_own_cases_and_no_peer_fails_them() -> None:
    slow = replace(result(times(30.0), variant="peer Faker"), peer="Faker", against="memory")
    skipped = replace(slow, variant="peer mimesis", status="skipped", error="mimesis is not installed")
    gates = Gates(Gate(fail_below="ULTRA", require_target=True), strict=True)
    assert set(states(gates, result(times(0.5)), slow, skipped).values()) == {"passed"}


def test_a_single_round_proves_nothing_near_the_bound() -> None:
    gates = Gates(Gate(fail_below="ULTRA"))
    assert states(gates, result([[1.1]])) == {"generate memory: at least ULTRA": "unproven"}
    assert states(gates, result([[2.0]])) == {"generate memory: at least ULTRA": "failed"}


@pytest.mark.parametrize(("seconds", "state"), [(1.0, "passed"), (9.0, "failed"), (5.0, "unproven")])
def test_the_target_is_asked_for(seconds: float, state: str) -> None:
    assert states(Gates(Gate(require_target=True)), result(times(seconds))) == {
        "generate memory: the target": state
    }
    assert states(Gates(Gate(require_target=False)), result(times(9.0))) == {}


@pytest.mark.parametrize(
    ("factor", "per_cent", "state"),
    [
        (1.5, 10, "failed"),
        (1.0, 10, "passed"),
        (1.1, 10, "unproven"),
        (0.5, 0, "passed"),
        (1.5, 100, "passed"),
    ],
)
def test_worse_fails_only_where_the_whole_interval_is_worse(
    factor: float, per_cent: float, state: str
) -> None:
    gates = Gates(Gate(fail_if_worse=per_cent))
    assert states(gates, result(times(factor)), before=run()) == {
        f"generate memory: at most {per_cent} % longer": state
    }
    live = check_live(gates, "generate memory", judge(result().replicates_s, times(factor)), True)
    assert [check.state for check in live.checks] == [state]


def test_what_cannot_be_compared_is_not_proven() -> None:
    gates = Gates(Gate(fail_if_worse=10))
    slow = result(times(2.0))
    report = check_gates(gates, [slow], None, "the history is empty")
    assert (report.checks[0].state, report.checks[0].why) == ("unproven", "the history is empty")
    other = compare_runs(run(host={"cpu": "another"}), run(slow, run_id="b")).cases
    assert check_gates(gates, [slow], other).checks[0].state == "unproven"
    failed = compare_runs(run(result(None)), run(slow, run_id="b")).cases
    assert check_gates(gates, [slow], failed).checks[0].why == "failed in A: it broke"
    live = check_live(gates, "generate memory", judge(result().replicates_s, times(2.0)), False)
    assert live.checks[0].state == "unproven"
    assert check_live(Gates(), "generate memory", judge([[1.0]], [[1.0]]), True).checks == ()


def test_nothing_measured_is_three_and_a_proven_failure_comes_first() -> None:
    gates = Gates(Gate(fail_below="ULTRA"), {"sync initial": Gate(require_target=True)})
    nothing = check_gates(gates, [result(None)])
    assert {check.state for check in nothing.checks} == {"not measured"}
    assert nothing.exit_code == 3
    assert check_gates(gates, []).exit_code == 3
    assert check_gates(gates, [result(times(0.5)), result(None, variant="csv")]).exit_code == 0
    assert check_gates(gates, [result(times(9.0)), result(None, variant="csv")]).exit_code == 1


def test_a_case_comes_before_options_and_options_before_the_file(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(
        "[tool.gidbench]\nfail-below = 'HIGH'\nrequire-target = true\nagainst = 'main'\nthreshold = 5\n"
        "[tool.gidbench.cases.'generate csv']\nfail-below = 'very-high'\n"
        "[tool.gidbench.cases.'sync/initial']\nignore = true\n"
    )
    gates = load_gates(path).with_options(fail_below="ULTRA", fail_if_worse=7.5)
    assert gates.of("generate memory") == Gate("ULTRA", 7.5, True, None)
    assert gates.of("generate csv") == Gate("VERY HIGH", 7.5, True, None)
    assert gates.of("sync initial").ignore
    assert (gates.against, gates.threshold, gates.strict) == ("main", 0.05, False)
    assert gates.with_options(against="v1", strict=True).against == "v1"
    assert gates.any
    assert gates.compares
    assert states(gates, result(None, operation="sync", variant="initial"))[
        "generate csv: at least VERY HIGH"
    ]


def test_gates_are_found_from_a_folder_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not load_gates().any
    (tmp_path / "pyproject.toml").write_text("[tool.gidbench]\nrequire-target = true\n")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep" / "er")
    assert load_gates().general.require_target
    (tmp_path / "pyproject.toml").write_text("[tool.other]\n")
    assert load_gates() == Gates()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("fail-bellow = 'HIGH'", "the unknown key 'fail-bellow'"),
        ("fast = 1\nloose = 2", "the unknown keys 'fast', 'loose'"),
        ("fail-below = 'QUICK'", "fail-below in .* is 'QUICK'. Write a tier: ULTRA"),
        ("fail-if-worse = -1", "fail-if-worse"),
        ("fail-if-worse = true", "fail-if-worse"),
        ("fail-if-worse = nan", "fail-if-worse"),
        ("require-target = 1", "require-target"),
        ("threshold = 100", "threshold"),
        ("strict = 'yes'", "strict"),
        ("against = 3", "against"),
        ("ignore = true", "unknown key 'ignore'"),
        ("cases = 3", "cases"),
        (
            "[tool.gidbench.cases.'generate csv']\nstrict = true",
            r"cases.\"generate csv\"\] .* unknown key 'strict'",
        ),
        ("[tool.gidbench.cases]\nx = 3", "Make it a table"),
        ("= 3", "cannot be read as TOML"),
    ],
)
def test_keys_and_values_that_are_not_known_are_named(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(f"[tool.gidbench]\n{text}\n")
    with pytest.raises(InputError, match=says):
        load_gates(path)
