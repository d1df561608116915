"""What the report says: numbers, words, and which result stands for what."""

from __future__ import annotations

import pytest
from report_runs import Maker

from gidbench.bench.results import RunResults
from gidbench.report import wording
from gidbench.report.cases import OUTSIDE
from gidbench.report.view import build_view


def test_numbers_are_formatted_and_kept(result: Maker, run: Maker) -> None:
    view = build_view(run(result(headline=True)), "gidbench run")
    (operation,) = view.operations
    case = operation.headline
    assert (case.median, case.rate, case.interval) == ("2.00 s", "500 K/s", "[476 K, 526 K]")
    assert (case.rate_amount, case.rate_unit) == ("500", "K records/s")
    assert (case.cells_rate, case.bytes_rate) == ("5.00 M/s", "47.7 MiB/s")
    assert case.badge is not None
    assert (case.badge.tier, case.badge.level) == ("HIGH", 2)
    assert case.rates == pytest.approx((1e6 / 1.9, 5e5, 1e6 / 2.1))
    assert case.resources == ("3.00 s", "1.5", "512 MiB", "1.00 MiB", "3.00 MiB")
    assert case.walls == "1.90 s, 2.00 s, 2.10 s"


def test_header(result: Maker, run: Maker) -> None:
    view = build_view(run(result()), "gidbench run --records 1e6")
    assert view.when == "4 March 2026, 05:06 UTC"
    assert view.host_short == "Test CPU, 2 cores, 8.00 GiB"
    assert (view.database, view.database_name, view.records) == (
        "DuckDB 2",
        "duckdb:///x.duckdb",
        "1,000,000",
    )
    host = {pair.label: pair.value for pair in view.host}
    assert host["numpy"] == "2.0"
    assert host["memory"] == "8.00 GiB"
    assert "numba" not in host, "what is not known is not shown"
    assert {pair.label: pair.value for pair in view.parameters}["seed"] == "1234567"
    assert view.command == "gidbench run --records 1e6"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2026-03-04T05:06:07+02:00", "4 March 2026, 03:06 UTC"),
        ("2026-03-04T05:06:07", "4 March 2026, 05:06"),
        ("yesterday", "yesterday"),
    ],
)
def test_when(given: str, shown: str) -> None:
    assert wording.when(given) == shown


def test_operations_are_in_order_and_headlines_first(full_run: RunResults) -> None:
    view = build_view(full_run, "")
    assert [operation.name for operation in view.operations] == ["generate", "process", "sync"]
    assert [case.variant for case in view.operations[0].cases] == ["memory", "csv"]


def test_the_newest_result_of_a_case_counts(result: Maker, run: Maker) -> None:
    view = build_view(run(result(walls_s=[9.0, 9.0, 9.0]), result(walls_s=[1.0, 1.0, 1.0])), "")
    assert [case.median for case in view.operations[0].cases] == ["1.00 s"]


def test_a_failed_case_has_an_error_and_no_tier(full_run: RunResults) -> None:
    view = build_view(full_run, "")
    case = view.operations[2].headline
    assert case.failed
    assert case.error == "the law broke"
    assert case.badge is None
    assert {case.median, case.rate, case.target_met, case.cells_rate} == {"–"}
    assert case not in view.operations[2].measured
    assert "Data synchronisation failed" in view.verdict


def test_a_failed_result_never_has_a_tier(failed: Maker, run: Maker) -> None:
    view = build_view(run(failed(tier="ULTRA", tier_reached="ULTRA", borderline=True, target_met=True)), "")
    case = view.operations[0].headline
    assert case.badge is None
    assert case.borderline == ""
    assert case.target_met == "–"


def test_borderline_is_said_in_words(result: Maker, run: Maker) -> None:
    case = build_view(run(result(walls_s=[0.9, 0.95, 1.05])), "").operations[0].headline
    assert case.borderline == (
        "Borderline: the median is in ULTRA, but the interval's lower end is not, so the tier is VERY HIGH."
    )
    assert case.badge is not None
    assert case.badge.tier == "VERY HIGH"


@pytest.mark.parametrize(
    ("walls", "met", "words"),
    [
        (
            [1.9, 2.0, 2.1],
            "yes",
            "Yes: even the interval's lower end is 2.4 times the target of 200 K records/s.",
        ),
        (
            [4.0, 4.5, 5.5],
            "no",
            "No: the median is above the target of 200 K records/s, but the interval's lower end is not.",
        ),
        ([9.0, 10.0, 11.0], "no", "No: the median is 50 % of the target of 200 K records/s."),
    ],
)
def test_target(result: Maker, run: Maker, walls: list[float], met: str, words: str) -> None:
    case = build_view(run(result(walls_s=walls)), "").operations[0].headline
    assert (case.target_met, case.target_words) == (met, words)


def test_verdict_counts_the_operations(result: Maker, failed: Maker, run: Maker) -> None:
    fast, slow = [0.1, 0.1, 0.1], [9.0, 9.0, 9.0]
    good, bad = result(walls_s=fast), result("process", "csv", walls_s=slow)
    assert build_view(run(good), "").verdict == "The operation measured meets the target of 200 K records/s."
    assert build_view(run(good, bad), "").verdict == (
        "One of two operations met the target of 200 K records/s; "
        "the slowest is CSV and Excel processing at 111 K/s."
    )
    assert build_view(run(good, failed("process", "csv")), "").verdict == (
        "One of two operations met the target of 200 K records/s. CSV and Excel processing failed."
    )
    assert build_view(run(failed()), "").verdict.startswith("Nothing was measured")
    assert build_view(run(), "").verdict.startswith("Nothing was measured")


def test_phases_and_what_is_in_none(result: Maker, run: Maker) -> None:
    operation = build_view(run(result(phases_s={"load": 0.5, "commit": 0.3})), "").operations[0]
    phases = operation.headline.phases
    assert [phase.name for phase in phases] == ["load", "commit", OUTSIDE]
    assert [phase.start_s for phase in phases] == pytest.approx([0.0, 0.5, 0.8])
    assert phases[-1].seconds == pytest.approx(1.2)
    assert [phase.share for phase in phases] == ["25 %", "15 %", "60 %"]
    assert "“load” took the largest part, 500 ms of 2.00 s (25 %)" in operation.phases_words
    assert "60 % passed outside any named phase" in operation.phases_words


def test_phases_are_those_of_the_round_nearest_to_the_median(result: Maker, run: Maker) -> None:
    case = build_view(run(result(walls_s=[1.0, 1.4, 2.0, 5.0], median_s=1.7)), "").operations[0].headline
    assert case.wall_s == 1.4


def test_the_rounds_are_compared(result: Maker, run: Maker) -> None:
    quick = result("generate", "quick", walls_s=[0.9, 1.0, 1.1])
    words = build_view(run(quick, result("generate", "slow")), "").operations[0].rounds_words
    assert words == (
        "Fastest is quick at 1.00 M/s, 2 times the rate of slow (500 K/s); their intervals do not overlap."
    )
    near = result("generate", "near", walls_s=[0.95, 1.05, 1.2])
    assert "the order is not sure" in build_view(run(quick, near), "").operations[0].rounds_words


def test_resources_in_words(result: Maker, run: Maker) -> None:
    words = build_view(run(result()), "").operations[0].resources_words
    assert words == (
        "The median round of memory kept 1.5 of 2 cores busy on average, so 25 % of their time was idle; "
        "memory peaked at 512 MiB over all rounds, and 4.00 MiB were read and written."
    )
    unknown = build_view(run(result(read_bytes=None, written_bytes=None), host={}), "").operations[0]
    assert unknown.headline.resources[-2:] == ("–", "–")
    assert "1.5 cores busy" in unknown.resources_words
    assert "read" not in unknown.resources_words


def test_laws(full_run: RunResults, result: Maker, run: Maker) -> None:
    operations = build_view(full_run, "").operations
    assert operations[0].headline.law == "1,000,000 rows = 1,000,000 records: holds"
    assert operations[1].headline.law == (
        "999,000 accepted + 600 duplicate + 400 rejected = 1,000,000 records: holds"
    )
    assert operations[1].headline.facts == "accepted 999,000, duplicate 600, rejected 400, file size 2.00 MiB"
    lost = result("process", "csv", facts={"accepted": 999_999, "duplicate": 0, "rejected": 0})
    assert (
        build_view(run(lost), "")
        .operations[0]
        .headline.law.endswith("= 999,999 records: broken: there were 1,000,000")
    )


def test_agreement(result: Maker, run: Maker) -> None:
    same = build_view(run(result(), result("generate", "csv")), "").operations[0]
    assert same.agreement == "Both cases produced the same rows."
    other = build_view(run(result(), result("generate", "csv", value="1:0", records=1)), "").operations[0]
    assert "their numbers of records differ" in other.agreement
    assert build_view(run(result()), "").operations[0].agreement == ""


def test_noise(result: Maker, run: Maker) -> None:
    noise = {"load_per_core": 0.9, "steal_share": 0.05, "memory_used_share": 0.5, "swap_used_bytes": 1 << 20}
    said = " ".join(build_view(run(result(noisy=True, cv=0.2), noise=noise), "").noise)
    assert "busy with other work: its load was 0.90 per core" in said
    assert "5.00 %" in said
    assert "1.00 MiB of swap" in said
    assert "The only case is noisy" in said
    quiet = " ".join(build_view(run(result()), "").noise)
    assert "otherwise idle" in quiet
    assert "No case is noisy" in quiet
    nothing = {"load_per_core": None, "steal_share": None, "memory_used_share": None, "swap_used_bytes": None}
    assert "load" not in " ".join(build_view(run(result(), noise=nothing), "").noise)


def test_one_round_says_nothing_of_noise(result: Maker, run: Maker) -> None:
    view = build_view(run(result(walls_s=[2.0], cv=0.0)), "")
    assert view.operations[0].headline.scatter == "–"
    assert any("single round" in sentence for sentence in view.noise)


@pytest.mark.parametrize(
    ("seconds", "compiled", "words"),
    [
        ({"kernels": 0.25}, 0, "kernels 250 ms (none compiled, all loaded from the cache)"),
        ({"imports": 1.5, "kernels": 12.0}, 31, "imports 1.50 s, kernels 12.0 s (31 compiled)"),
        ({}, 0, ""),
    ],
)
def test_warmup(result: Maker, run: Maker, seconds: dict[str, float], compiled: int, words: str) -> None:
    view = build_view(run(result(warmup_s=seconds, kernels_compiled=compiled)), "")
    assert view.operations[0].warmup == words


def test_a_long_timeline_is_thinned_without_losing_its_peak(result: Maker, run: Maker) -> None:
    count = 4_000
    line = {
        "t_s": [0.05 * (n + 1) for n in range(count)],
        "cpu_cores": [float(n % 2) for n in range(count)],
        "rss_bytes": [9e9 if n == 1_234 else 1e9 for n in range(count)],
        "io_bytes_per_s": [100.0] * count,
    }
    timeline = build_view(run(result(timeline=line)), "").operations[0].headline.timeline
    assert len(timeline.t_s) <= 400
    assert timeline.t_s[-1] == pytest.approx(200.0)
    assert max(timeline.rss_bytes) == 9e9
    assert timeline.cpu_cores == pytest.approx([0.5] * len(timeline.t_s))
    assert timeline.io_bytes_per_s == pytest.approx([100.0] * len(timeline.t_s))


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("mssql+pyodbc://sa:p:w@x@host/db", "mssql+pyodbc://sa:***@host/db"),
        ("run --database 'mssql+pyodbc:///?odbc_connect=PWD%3Dx'", "run --database 'mssql+pyodbc:///?***'"),
        ("Driver=x;UID=sa;PWD={a;b};Encrypt=yes", "Driver=x;UID=sa;PWD=***;Encrypt=yes"),
        ("duckdb:///people.duckdb", "duckdb:///people.duckdb"),
    ],
)
def test_secrets_are_masked(given: str, shown: str) -> None:
    assert wording.masked(given) == shown


@pytest.mark.parametrize(
    ("ratio", "words"),
    [(1.456, "1.46 times"), (2.94, "2.9 times"), (20.2, "20 times"), (1234.5, "1,234 times")],
)
def test_times(ratio: float, words: str) -> None:
    assert wording.times(ratio) == words
