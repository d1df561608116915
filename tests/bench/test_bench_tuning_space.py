"""Which settings are searched, which an operation does not look at, and the advice about what was chosen."""

from __future__ import annotations

import pytest

from gidbench import settings
from gidbench.bench import tuning_advice
from gidbench.bench.tuning_advice import OtherLoad, advise_on_files, advise_on_machine
from gidbench.bench.tuning_gain import Gain, expanded_tail, judge, ratio_interval
from gidbench.bench.tuning_space import EMBEDDED, MEMORY, SERVER, Point, default_point, make_space
from gidbench.errors import InputError
from gidbench.settings import assuming, load_settings

WAYS = ("bulkcopy_arrow", "bulkcopy", "values")


@pytest.mark.parametrize(
    ("operation", "kind", "mode", "searched", "ignored"),
    [
        ("generate", MEMORY, "auto", ("workers", "batch_size"), {"pool_size", "strategy", "mode"}),
        ("generate", EMBEDDED, "auto", ("workers", "batch_size"), {"pool_size", "strategy", "mode"}),
        ("generate", SERVER, "auto", ("strategy", "workers", "batch_size", "pool_size"), {"mode"}),
        ("process", EMBEDDED, "auto", ("workers",), {"batch_size", "pool_size", "strategy", "mode"}),
        ("process", SERVER, "auto", ("strategy", "workers", "pool_size"), {"batch_size", "mode"}),
        ("sync", EMBEDDED, "auto", ("mode", "workers"), {"batch_size", "pool_size", "strategy"}),
        ("sync", EMBEDDED, "server", (), {"batch_size", "pool_size", "strategy", "workers"}),
        ("sync", EMBEDDED, "stream", ("workers",), {"batch_size", "pool_size", "strategy"}),
        ("sync", SERVER, "stream", ("strategy", "workers", "pool_size"), {"batch_size"}),
    ],
)
def test_what_is_searched(operation, kind, mode, searched, ignored) -> None:
    space = make_space(operation, kind, records=1_000_000, strategies=WAYS, mode=mode)
    assert space.searched == searched
    assert set(space.ignored) == ignored
    assert all(space.ignored.values())


def test_every_point_does_something_else_and_the_default_is_first() -> None:
    space = make_space("generate", SERVER, records=1_000_000, strategies=WAYS)
    points = space.points()
    assert points[0] == space.default
    assert len({space.key(point) for point in points}) == len(points)
    # a pool matters by how many connections it lets load
    assert {point.connections for point in points if point.workers == 4} == {1, 2, 4}
    # `auto` is the first of the ways: that one is not tried again under its name
    assert {point.strategy for point in points} == {"auto", "bulkcopy", "values"}


def test_modes_of_a_synchronisation_share_what_they_ignore() -> None:
    points = make_space("sync", EMBEDDED, records=1_000_000).points()
    assert [point.workers for point in points if point.mode == "server"] == [load_settings().workers]
    assert len([point for point in points if point.mode == "stream"]) >= 2


def test_values_that_are_asked_for_are_those_that_are_searched() -> None:
    fixed = {"batch_size": [10_000], "workers": [1, 3]}
    space = make_space("generate", MEMORY, records=1_000_000, fixed=fixed)
    assert (space.values["batch_size"], space.values["workers"]) == ((10_000,), (1, 3))
    assert space.searched == ("workers",)


def test_present_settings_are_searched_too_and_the_default_is_that_of_nobody(monkeypatch) -> None:
    monkeypatch.setenv("ULTRA_BATCH_SIZE", "77000")
    space = make_space("generate", MEMORY, records=1_000_000)
    assert 77_000 in space.values["batch_size"]
    assert space.default.batch_size == 50_000


def test_batches_of_more_than_half_of_the_records_are_not_tried() -> None:
    assert max(make_space("generate", MEMORY, records=100_000).values["batch_size"]) == 50_000


@pytest.mark.parametrize(
    ("operation", "kind", "fixed", "says"),
    [
        ("process", EMBEDDED, {"batch_size": [5_000]}, "pieces of its own"),
        ("generate", MEMORY, {"pool_size": [5]}, "no connections"),
        ("generate", MEMORY, {"batch_size": [5]}, "1,000 to 1,000,000"),
        ("generate", MEMORY, {"workers": [0]}, "1 to 256"),
        ("generate", SERVER, {"pool_size": [2]}, "too small for SQL Server"),
        ("generate", SERVER, {"strategy": ["tvp"]}, "not on this server"),
        ("generate", SERVER, {"strategy": ["magic"]}, "none of that name"),
    ],
)
def test_values_that_cannot_be_are_told(operation, kind, fixed, says) -> None:
    with pytest.raises(InputError, match=says):
        make_space(
            operation,
            kind,
            records=1_000_000,
            strategies=WAYS,
            unusable={"tvp": "not on this server"},
            fixed=fixed,
        )


def test_settings_hold_inside_a_block_and_arguments_go_before_them(monkeypatch) -> None:
    monkeypatch.setenv("ULTRA_CONNECTION_POOL_SIZE", "9")
    with assuming(pool_size=5, workers=3):
        with assuming(workers=4):
            assert (load_settings().pool_size, load_settings().workers) == (5, 4)
        assert (load_settings().workers, load_settings(workers=7).workers) == (3, 7)
    assert load_settings().pool_size == 9
    with pytest.raises(InputError, match="workers is 0"), assuming(workers=0):
        load_settings()
    assert load_settings().workers == default_point().workers


# the interval of a gain


def test_an_interval_holds_its_median_and_grows_with_the_scatter() -> None:
    near = ratio_interval([1.10, 1.11, 1.12, 1.10, 1.13, 1.11, 1.12, 1.11])
    far = ratio_interval([0.8, 1.5, 1.1, 0.9, 1.4, 1.11, 1.2, 1.0])
    for middle, low, high in (near, far):
        assert low <= middle <= high
    assert near[1] > 1.09
    assert far[1] < 1 < far[2]
    assert ratio_interval([1.5]) == (1.5, 1.5, 1.5)


@pytest.mark.parametrize(("count", "t"), [(5, 2.776), (9, 2.306), (31, 2.042)])
def test_intervals_of_few_values_reach_as_far_as_students_t(count: int, t: float) -> None:
    from statistics import NormalDist

    assert expanded_tail(count) == pytest.approx(
        NormalDist().cdf(-t * (count / (count - 1)) ** 0.5), rel=0.05
    )


@pytest.mark.parametrize(
    ("default_s", "best_s", "verdict"),
    [
        ([2.0] * 8, [1.0] * 8, "better"),
        ([1.0] * 8, [2.0] * 8, "worse"),
        ([2.0] * 5, [1.0] * 5, "unproven"),
        ([1.0, 1.2, 0.8, 1.0, 1.1, 0.9], [1.1, 0.9, 1.0, 1.0, 0.8, 1.2], "equal"),
    ],
)
def test_verdicts(default_s, best_s, verdict) -> None:
    assert judge(1_000, default_s, best_s, "budget").verdict == verdict


# advice


def _gain(verdict: str) -> Gain:
    return Gain(1_000_000, 10, 1.3, 1.2, 1.4, verdict, 1.3, 1.0, "budget")


def _states(chosen: Point, gain: Gain | None = None, kind: str = MEMORY) -> dict[str, str]:
    space = make_space("generate", kind, records=1_000_000, strategies=WAYS)
    return {check.name: check.state for check in advise_on_machine(chosen, space, gain)}


@pytest.mark.parametrize(
    ("size", "gain", "state"),
    [
        (25_000, None, "good"),
        (100_000, None, "good"),
        (10_000, None, "note"),
        (200_000, _gain("better"), "note"),
    ],
)
def test_batches_are_held_against_the_guide(size: int, gain: Gain | None, state: str) -> None:
    assert _states(Point(size, 2, 20, "auto"), gain)["batch size"] == state


def test_memory_and_cores_are_held_against_the_guide(monkeypatch) -> None:
    class Memory:
        total, available = 3 << 30, 2 << 30

    monkeypatch.setattr(tuning_advice.psutil, "virtual_memory", lambda: Memory)
    monkeypatch.setattr(tuning_advice, "usable_cores", lambda: 1)
    found = _states(Point(50_000, 1, 20, "auto"))
    assert (found["memory"], found["cores"]) == ("bad", "bad")
    Memory.total = 8 << 30
    assert _states(Point(50_000, 1, 20, "auto"))["memory"] == "note"
    Memory.available = 6 << 30
    monkeypatch.setattr(tuning_advice, "usable_cores", lambda: 2)
    found = _states(Point(50_000, 5, 20, "auto"))
    assert (found["memory"], found["cores"]) == ("good", "note")


@pytest.mark.parametrize(
    ("pool", "most", "state"), [(20, 32_767, "good"), (20, 30, "note"), (50, 30, "bad"), (9, None, "good")]
)
def test_pools_are_held_against_the_server(pool: int, most: int | None, state: str) -> None:
    [check] = tuning_advice._pool(Point(50_000, 2, pool, "auto"), most)
    assert check.state == state


def test_a_variable_that_hides_what_a_file_says_is_told() -> None:
    [check] = advise_on_files(
        {"ULTRA_BATCH_SIZE": "9000"}, {"ULTRA_BATCH_SIZE": 25_000}, ["ULTRA_BATCH_SIZE"]
    )
    assert "ULTRA_BATCH_SIZE=9000" in check.found
    assert (
        advise_on_files({"ULTRA_BATCH_SIZE": "25000"}, {"ULTRA_BATCH_SIZE": 25_000}, ["ULTRA_BATCH_SIZE"])
        == []
    )


def test_the_load_of_others_leaves_out_our_own(monkeypatch) -> None:
    readings = iter([(0.0, 100.0, 10.0), (10.0, 112.0, 20.0)])
    monkeypatch.setattr(OtherLoad, "_read", staticmethod(lambda: next(readings)))
    monkeypatch.setattr(tuning_advice.psutil, "cpu_count", lambda: 4)
    load = OtherLoad()
    check = load.check()
    assert check.state == "good"
    assert "0.2 of 4 cores" in check.found
    assert settings.usable_cores() >= 1
