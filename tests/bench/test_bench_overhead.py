"""What measuring costs: how it is found, and that it is little."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gidbench import cli
from gidbench.bench.overhead import conclude, measure_harness
from gidbench.errors import InputError


def pairs_of(overhead: float, scatter: float, count: int = 100) -> list:
    draw = np.random.default_rng(2)
    bare = np.exp(draw.normal(0.0, scatter, count))
    measured = np.exp(draw.normal(0.0, scatter, count)) * (1 + overhead)
    return [((a, 2 * a), (b, 2 * b)) for a, b in zip(bare, measured, strict=True)]


@pytest.mark.parametrize(
    ("overhead", "scatter", "met"),
    [(0.0, 0.01, True), (0.005, 0.001, True), (0.05, 0.01, False), (0.02, 0.2, None)],
)
def test_an_overhead_is_missed_only_where_it_is_sure(
    overhead: float, scatter: float, met: bool | None
) -> None:
    found = conclude(pairs_of(overhead, scatter), 1_000_000)
    for finding in found.findings:
        assert finding.met is met
        assert finding.low <= finding.value <= finding.high  # type: ignore[operator]
        assert finding.value == pytest.approx(1 / (1 + overhead), abs=0.2 * scatter + 1e-3)
    assert found.rates["bare"][0] == pytest.approx(1_000_000 / pairs_of(overhead, scatter)[0][0][0])


def test_too_few_records_say_nothing() -> None:
    with pytest.raises(InputError, match="say nothing"):
        measure_harness(records=10)


def test_it_is_reached_by_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["bench", "harness", "--records", "5000", "--rounds", "1", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert {name: len(rates) for name, rates in found["rates"].items()} == {"bare": 50, "wall": 50}
    assert len(found["findings"]) == 2


@pytest.mark.slow
def test_the_harness_costs_a_generation_no_more_than_a_hundredth() -> None:
    """Unless it is proven to, of a million records; on a busy machine the interval is wide and proves nothing."""
    found = measure_harness(rounds=2)
    for finding in found.findings:
        assert finding.met is not False, finding
