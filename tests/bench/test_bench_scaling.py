"""How things grow: planted exponents are found, sizes are measured in processes of their own, failures are told."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gidbench.bench import scaling
from gidbench.bench.scaling import Scaling, parse_scale, scale, worker_counts
from gidbench.bench.scaling_fit import fit
from gidbench.bench.scaling_process import Finding, Job, measure
from gidbench.errors import InputError, VerificationError
from gidbench.scaling_table import print_scaling

SIZES = [10_000, 32_000, 100_000, 320_000, 1_000_000, 3_200_000, 10_000_000]


def made(
    exponent: float, constant: float, noise: float = 0.0, seed: int = 0, count: int = 5
) -> list[list[float]]:
    """Values with a constant that is so many times the growth at the least size."""
    rng, least = np.random.default_rng(seed), SIZES[0] ** exponent
    return [
        [(constant * least + size**exponent) * rng.lognormal(0, noise) for _ in range(count)]
        for size in SIZES
    ]


@hypothesis_settings(max_examples=40)
@given(st.floats(0.5, 2.5), st.floats(0, 5), st.floats(1e-9, 1e3))
def test_an_exponent_is_found_exactly_where_nothing_scatters(
    exponent: float, constant: float, unit: float
) -> None:
    found = fit(SIZES, [[value * unit for value in each] for each in made(exponent, constant)])
    assert found.exponent == pytest.approx(exponent, abs=0.011)  # a hundredth is the grid
    assert found.low is not None
    assert found.high is not None
    assert found.low - 0.011 <= exponent <= found.high + 0.011
    assert found.value(1e6) == pytest.approx(unit * (constant * 1e4**exponent + 1e6**exponent), rel=0.05)


@pytest.mark.parametrize(("exponent", "constant"), [(0.7, 2.0), (1.0, 0.0), (1.5, 2.0)])
def test_an_interval_holds_the_exponent_about_as_often_as_it_says(exponent: float, constant: float) -> None:
    held = 0
    for seed in range(40):
        found = fit(SIZES, made(exponent, constant, 0.05, seed), seed=seed)
        assert found.low is not None
        assert found.high is not None
        assert found.high - found.low < 0.25
        held += found.low <= exponent <= found.high
    assert held >= 35


def test_left_out_the_constant_would_make_the_exponent_too_small() -> None:
    values = made(1.0, 5.0)
    slope = np.polyfit(np.log(SIZES), np.log([each[0] for each in values]), 1)[0]
    assert slope < 0.8
    assert fit(SIZES, values).exponent == pytest.approx(1.0, abs=0.011)


def test_sizes_that_the_constant_dominates_are_told() -> None:
    found = fit(SIZES, made(1.0, 5.0))
    assert found.dominated == (10_000, 32_000)
    assert found.constant > 0


def test_what_does_not_grow_has_no_exponent() -> None:
    found = fit(SIZES, [[5.0, 5.1, 4.9]] * 7)
    assert (found.exponent, found.low, found.note) == (None, None, "does not grow")


def test_what_grows_only_at_first_is_told() -> None:
    assert fit(SIZES, [[float(min(size, 100_000))] for size in SIZES]).flat_from == 100_000
    assert fit(SIZES, made(1.0, 1.0)).flat_from == 0


def test_few_sizes_have_no_exponent_and_nonsense_is_refused() -> None:
    assert fit([1_000, 2_000, 4_000], [[1.0], [2.0], [4.0]]).exponent is None
    with pytest.raises(ValueError, match="above 0"):
        fit([1, 2, 3, 4], [[1.0], [0.0], [1.0], [1.0]])
    with pytest.raises(ValueError, match="occurs once"):
        fit([1, 2, 2, 4], [[1.0]] * 4)


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("1e4..1e6", [10_000, 32_000, 100_000, 320_000, 1_000_000]),
        ("10k..10M", SIZES),
        ("1_000..4000", [1_000, 1_600, 2_500, 4_000]),
    ],
)
def test_scales_as_people_write_them(text: str, sizes: list[int]) -> None:
    assert parse_scale(text) == sizes


@pytest.mark.parametrize("text", ["1e4", "1e4..", "1e6..1e4", "10..1e6", "1e4..2e4", "a..b"])
def test_scales_that_say_nothing_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_scale(text)


@pytest.mark.parametrize(
    ("cores", "counts"), [(1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (6, [1, 2, 4, 6]), (8, [1, 2, 4, 8])]
)
def test_numbers_of_workers(cores: int, counts: list[int]) -> None:
    assert worker_counts(cores) == counts


class Processes:
    """Processes that are only told of."""

    def __init__(self, breaks_at: int = 1 << 60, slow_s: float = 0.0) -> None:
        self.jobs: list[Job] = []
        self.breaks_at, self.slow_s = breaks_at, slow_s

    def __call__(self, job: Job, database: str) -> Finding:  # noqa: ARG002
        self.jobs.append(job)
        if job.what == "fill":
            job.taken_in.touch()
            return Finding([], 0)
        if job.records >= self.breaks_at:
            raise VerificationError("it was killed", "Take fewer records")
        scatter = 1 + 0.01 * (len(self.jobs) % 3)
        seconds = (0.01 + job.records / 1e6 + self.slow_s) * scatter / (0.5 + 0.5 * job.workers)
        return Finding([seconds, seconds, 9.0], 100_000_000 + 50 * job.records, 90_000_000)


def measured(
    monkeypatch: pytest.MonkeyPatch, operation: str = "process", **options: object
) -> tuple[Scaling, Processes]:
    monkeypatch.setattr(scaling, "usable_cores", lambda: 2)
    processes = options.pop("processes", Processes())
    assert isinstance(processes, Processes)
    sizes = [10_000, 100_000, 1_000_000, 2_000_000]
    found = scale(operation, sizes, rounds=6, workers=2, measure=processes, **options)  # type: ignore[arg-type]
    return found, processes


def test_time_memory_and_workers_are_measured_and_shown(monkeypatch, capsys) -> None:
    found, processes = measured(monkeypatch)
    [growth] = found.growths
    assert growth.time is not None
    assert growth.memory is not None
    assert growth.time.exponent == pytest.approx(1.0, abs=0.05)
    assert growth.memory.exponent == pytest.approx(1.0, abs=0.05)
    assert [len(size.seconds) for size in growth.sizes] == [6] * 4
    one, two = found.efficiencies
    assert (one.workers, one.speedup, two.workers) == (1, 1.0, 2)
    assert two.speedup == pytest.approx(1.5, rel=0.03)
    assert two.share == pytest.approx(0.75, rel=0.03)
    assert two.speedup_low <= two.speedup <= two.speedup_high
    # each file is made once, and each pass has another order
    assert [job.records for job in processes.jobs if job.what == "fill"].count(10_000) == 1
    passes = [job.records for job in processes.jobs if job.what == "process"][:12]
    assert sorted(passes[:4]) == [10_000, 100_000, 1_000_000, 2_000_000]
    assert passes[:4] != passes[4:8] or passes[4:8] != passes[8:12]
    json.dumps(found.to_dict())
    print_scaling(found)
    shown = capsys.readouterr().out
    for part in ("records ^ 1.0", "1,000,000", f"{two.speedup:.2f} x", f"{two.share:.0%}"):
        assert part in shown


def test_a_size_that_fails_is_told_and_the_others_count(monkeypatch, capsys) -> None:
    found, processes = measured(monkeypatch, processes=Processes(breaks_at=2_000_000))
    [growth] = found.growths
    assert growth.sizes[-1].note == "it was killed"
    assert len(growth.measured) == 3
    assert growth.time is not None
    assert growth.time.exponent is None  # three sizes
    assert [job.records for job in processes.jobs if job.what == "process"].count(2_000_000) == 1
    print_scaling(found)
    assert "it was killed" in capsys.readouterr().out


def test_where_all_fail_nothing_is_fitted(monkeypatch) -> None:
    found, _ = measured(monkeypatch, processes=Processes(breaks_at=0), operation="generate")
    assert [growth.time for growth in found.growths] == [None, None]
    assert found.efficiencies == []
    assert "it was killed" in found.workers_note


def test_what_takes_long_is_measured_three_times(monkeypatch) -> None:
    found, _ = measured(monkeypatch, processes=Processes(slow_s=60.0))
    assert [len(size.seconds) for size in found.growths[0].sizes] == [3] * 4


def test_a_synchronisation_has_no_workers_to_look_at(monkeypatch) -> None:
    found, _ = measured(monkeypatch, operation="sync")
    assert found.efficiencies == []
    assert "no workers" in found.workers_note


def test_what_cannot_be_scaled_is_refused() -> None:
    with pytest.raises(InputError, match="no operation 'fly'"):
        scale("fly", [1_000])
    with pytest.raises(InputError, match="0 rounds"):
        scale("sync", [1_000], rounds=0)


@pytest.mark.parametrize("what", ["memory", "csv", "process", "sync"])
def test_a_process_tells_its_times_and_its_memory(what: str, tmp_path: Path) -> None:
    if what in ("process", "sync"):
        measure(Job("fill", 2_000, 2, 7, str(tmp_path), 0, what))
    found = measure(Job(what, 2_000, 2, 7, str(tmp_path)))
    assert 1 <= len(found.seconds) <= 15
    assert all(seconds > 0 for seconds in found.seconds)
    assert found.peak_rss_bytes >= found.idle_rss_bytes > 50_000_000


def test_a_process_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(VerificationError, match="2,000 records failed"):
        measure(Job("process", 2_000, 2, 7, str(tmp_path)))  # there is no file


@pytest.mark.slow
def test_the_command_measures_draws_and_tells(tmp_path: Path) -> None:
    import subprocess
    import sys

    words = ["bench", "generate", "--scale", "1k..8k", "--rounds", "1", "--json", "--figure", "s.svg"]
    done = subprocess.run(
        [sys.executable, "-m", "gidbench", *words], cwd=tmp_path, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [growth["variant"] for growth in found["growth"]] == ["memory", "csv"]
    assert [size["records"] for size in found["growth"][0]["sizes"]] == [1_000, 2_000, 4_000, 8_000]
    root = ElementTree.parse(tmp_path / "s.svg").getroot()
    assert "own memory" in "".join(root.itertext())


def test_options_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    from gidbench import cli

    for words in (
        ["bench", "generate", "--figure", "x.svg"],
        ["bench", "generate", "--workers-scale", "--figure", "x.svg"],
        ["bench", "generate", "--scale", "5"],
    ):
        with pytest.raises(SystemExit) as stop:
            cli.main(words)
        assert stop.value.code == 2
    assert not Path("x.svg").exists()
