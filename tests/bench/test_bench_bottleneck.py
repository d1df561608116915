"""What holds a case back: planted cases, each with the one answer that its numbers allow."""

from __future__ import annotations

from typing import Any

import pytest

from gidbench.bench.bottleneck import name_bottleneck
from gidbench.bench.results import Result


def planted(cores: float, *limits: tuple[str, float], **given: Any) -> Result:
    """A round of two seconds that kept so many cores busy and reached these shares of bounds."""
    told = [{"name": name, "title": f"the {name}", "unit": "x/s", "value": 1e9, "share": share}
            for name, share in limits]  # fmt: skip
    values = {"cpu_s": 2.0 * cores, "median_s": 2.0, "walls_s": [1.9, 2.0, 2.2], "limits": told, **given}
    return Result("generate", "csv", "t", True, 1_000_000, "ok", **values)


def found(result: Result, workers: int = 4, usable: int = 4) -> str:
    return name_bottleneck(result, workers, usable).get("name", "")


def on_server(result: Result) -> bool:
    """Of the planted ones, those that have to do with a network."""
    return any(limit["name"] == "loopback" for limit in result.limits)


ONE_CORE = {"t_s": [0.5, 1.0, 1.5, 2.0], "cpu_cores": [1.0, 1.02, 0.98, 1.1]}
TWO_PHASES = {"t_s": [0.5, 1.0, 1.5, 2.0], "cpu_cores": [3.0, 0.4, 2.8, 1.0]}
CASES = {
    "locks": (planted(0.3, ("loopback", 0.1), facts={"waits_ms": {"LCK_M_X": 900, "WRITELOG": 50}}), "locks"),
    "few waits for locks": (planted(0.3, ("loopback", 0.1), facts={"waits_ms": {"LCK_M_X": 90}}), "server"),
    "other waits": (planted(0.3, ("loopback", 0.1), facts={"waits_ms": {"WRITELOG": 1900}}), "server"),
    "memory": (planted(3.9, ("memory write", 0.7)), "memory"),
    "memory that is read": (planted(1.0, ("memory read", 0.65)), "memory"),
    "not yet memory": (planted(3.9, ("memory write", 0.59)), "cpu"),
    "network": (planted(2.0, ("loopback", 0.7)), "network"),
    "cpu": (planted(3.7, ("memory write", 0.2), ("disk write", 0.9)), "cpu"),
    "inflating": (planted(2.0, ("inflate", 0.8), ("own insert", 0.9)), "cpu"),
    "disk": (planted(1.5, ("disk write", 0.8), ("memory write", 0.1)), "disk"),
    "a disk that the page cache stands in for": (planted(0.5, ("disk write", 1.6)), "none"),
    "a file that the page cache had": (planted(0.5, ("disk read", 0.95)), "none"),
    "server": (planted(0.4, ("loopback", 0.02), ("own insert", 0.9)), "server"),
    "no server, idle": (planted(0.4, ("own insert", 0.9)), "none"),
    "one thread": (planted(1.03, ("disk write", 0.1), timeline=ONE_CORE), "cpu"),
    "one thread, too short to be sampled": (planted(0.97), "cpu"),
    "now this, now that": (planted(1.8, ("disk write", 0.4), timeline=TWO_PHASES), "none"),
    "nothing known": (planted(1.8), "none"),
}


@pytest.mark.parametrize("name", CASES)
def test_each_planted_case_has_its_bottleneck(name: str) -> None:
    result, expected = CASES[name]
    answer = name_bottleneck(result, 4, 4, is_server=on_server(result))
    assert answer["name"] == expected
    assert answer["words"].endswith(".")


def test_words_have_the_numbers() -> None:
    words = name_bottleneck(planted(3.8, busy_s={"make": 5.0, "join": 2.0}), 4, 4)["words"]
    assert words == (
        "The CPU: 3.8 of 4 cores that its workers can use were busy on average; most of it goes to “make”"
        " (5.00 s of threads)."
    )
    nearest = name_bottleneck(planted(1.8, ("disk write", 0.4), ("own insert", 0.2)), 4, 4)["words"]
    assert nearest.startswith("No single one: 1.8 of 4 cores")
    assert nearest.endswith("the nearest bound, the disk write, is reached to 40 %.")
    idle = name_bottleneck(planted(0.7), 4, 4)["words"]
    assert idle.endswith("on average (the others waited, or other programs had them).")
    server = name_bottleneck(planted(0.4, ("loopback", 0.02), phases_s={"load": 1.6}), 4, 4, is_server=True)[
        "words"
    ]
    assert "most of the time in “load” (1.60 s)" in server


def test_a_server_has_no_part_in_what_stays_here() -> None:
    idle = planted(0.4, facts={"destination": "csv"})
    assert name_bottleneck(idle, 4, 4, is_server=True)["name"] == "none"
    there = planted(0.4, facts={"destination": "database"})
    assert name_bottleneck(there, 4, 4, is_server=True)["name"] == "server"


def test_cores_that_the_workers_can_use_are_what_counts() -> None:
    assert found(planted(1.9), workers=2, usable=8) == "cpu"
    assert found(planted(1.9), workers=8, usable=2) == "cpu"
    assert found(planted(1.9), workers=8, usable=8) == "none"
    assert found(planted(1.9, peer="polars"), workers=2, usable=8) == "none"  # its threads are its own


def test_what_was_not_measured_has_none() -> None:
    assert name_bottleneck(Result("sync", "initial", "t", True, 1, "failed", "broken"), 2, 2) == {}
    assert name_bottleneck(Result("sync", "peer merge", "t", True, 1, "skipped", "no MERGE"), 2, 2) == {}
