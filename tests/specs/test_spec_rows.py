"""Rows of random specs: every value in its domain, nulls as often as said, unique where said, in any slices."""

from __future__ import annotations

import datetime as dt
import re
from math import sqrt
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from spec_strategies import specs

from gidbench.generation.plan import Plan
from gidbench.specs import model
from gidbench.specs.checks import check_spec
from gidbench.specs.parsing import parse_spec
from gidbench.specs.pools import name_pool
from gidbench.specs.rendering import to_toml

ROWS = 600
FIRST_NAMES = {name.decode() for sex in ("male", "female") for name in name_pool(f"first_names_{sex}.txt")[0]}
LAST_NAMES = {name.decode() for name in name_pool("last_names.txt")[0]}
DEFAULTS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def check_domain(table: model.Table, column: model.Column, rows: list[dict[str, Any]]) -> None:
    """Every value of a column that is there lies where its spec says."""
    values = [(row, row[column.name]) for row in rows if row[column.name] is not None]
    match column:
        case model.Sequence():
            assert [row[column.name] for row in rows] == [
                column.start + column.step * n for n in range(len(rows))
            ]
        case model.Integer():
            assert all(column.min <= value <= column.max for _, value in values)
        case model.DecimalNumber():
            assert all(column.min <= value <= column.max for _, value in values)
            assert all(-value.as_tuple().exponent == column.scale for _, value in values)
        case model.Boolean():
            if column.true_fraction in (0, 1):
                assert {value for _, value in values} <= {bool(column.true_fraction)}
        case model.Date(after=str()) | model.Timestamp(after=str()):
            check_after(column, values)
        case model.Date(correlated_with=str()):
            for row, value in values:
                if (number := row[column.correlated_with]) is not None:
                    assert int(number[6:8]) % 40 == value.day
                    assert number[8:12] == f"{value:%m%y}"
        case model.Date():
            assert all(column.bounds[0] <= value <= column.bounds[1] for _, value in values)
        case model.Timestamp():
            assert all(column.bounds[0] <= value <= column.bounds[1] for _, value in values)
            tick = {"s": 1_000_000, "ms": 1_000, "us": 1}[column.resolution]
            assert all(value.microsecond % tick == 0 for _, value in values)
        case model.Choice() if not column.values_by:
            allowed = {v for n, v in enumerate(column.values) if not column.weights or column.weights[n]}
            assert {value for _, value in values} <= allowed
        case model.Choice():
            assert all(value in column.values_by[row[column.correlated_with]] for row, value in values)
        case model.Pattern():
            check_pattern(column, values)
        case model.Name():
            for _, value in values:
                words = value.split(" ")
                pools = FIRST_NAMES if column.part == "first" else LAST_NAMES
                assert words[0] in FIRST_NAMES if column.part == "full" else value in pools
        case model.NationalId():
            assert all(re.fullmatch("[0-9]{16}", value) for _, value in values)
        case model.Uuid():
            form = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
            assert all(re.fullmatch(form, value) for _, value in values)
        case model.Text():
            assert all(column.min_length <= len(value) <= column.max_length for _, value in values)
            assert all(value == value.strip() and value.isprintable() for _, value in values)
        case model.ForeignKey():
            key = table.column(column.references.partition(".")[2])
            assert isinstance(key, model.Sequence)
            known = {key.start + key.step * n for n in range(table.records or 0)}
            assert {value for _, value in values} <= known


def check_after(column: Any, values: list[tuple[dict[str, Any], Any]]) -> None:
    for row, value in values:
        source = row[column.after]
        moment, start = (
            each if isinstance(each, dt.datetime) else dt.datetime.combine(each, dt.time())
            for each in (value, source)
        )
        assert moment - start >= dt.timedelta(days=column.gap_days)
        assert moment - start < dt.timedelta(days=column.gap_days + column.within_days + 1)


def check_pattern(column: model.Pattern, values: list[tuple[dict[str, Any], Any]]) -> None:
    if column.correlated_with and "{year}" in column.pattern:
        for row, value in values:
            source = row[column.correlated_with]
            assert value == f"{source.year:04d}/{source.month:02d}-{source.day:02d}"
        return
    form = re.escape(column.pattern).replace(r"\{\{", "{")
    for piece, found in (
        (r"\\\{digits:(\d+)\\\}", r"[0-9]{\1}"),
        (r"\\\{letters:(\d+)\\\}", r"[A-Z]{\1}"),
        (r"\\\{lower:(\d+)\\\}", r"[a-z]{\1}"),
        (r"\\\{hex:(\d+)\\\}", r"[0-9a-f]{\1}"),
        (r"\\\{seq:0?(\d+)\\\}", r"0*[0-9]{\1,}"),
        (r"\\\{seq\\\}", r"[1-9][0-9]*"),
        (r"\\\{value:slug\\\}", r"[a-z.]+"),
    ):
        form = re.sub(piece, found, form)
    assert all(re.fullmatch(form, value) for _, value in values), (form, values[:3])


def has_nulls_of_another(table: model.Table, column: model.Column) -> bool:
    """Whether a column is null where the one is that it follows."""
    other = getattr(column, "after", None)
    if isinstance(column, model.Pattern) or (isinstance(column, model.Choice) and column.values_by):
        other = column.correlated_with
    return other is not None and (
        table.column(other).null_fraction > 0 or has_nulls_of_another(table, table.column(other))
    )


def check_spec_rows(spec: model.Spec, seed: int, cut: int) -> None:
    check_spec(spec)
    table = spec.tables["made"]
    plan = Plan(spec, "made", seed)
    plan.check(0, ROWS)
    whole = plan.batch(0, ROWS)
    whole.validate(full=True)
    rows = whole.to_pylist()
    for field in plan.schema:
        if not field.nullable:
            assert whole[field.name].null_count == 0
    for column in table.columns:
        check_domain(table, column, rows)
        found = [row[column.name] for row in rows if row[column.name] is not None]
        if not has_nulls_of_another(table, column):
            expected, chance = ROWS * column.null_fraction, column.null_fraction
            assert abs(ROWS - len(found) - expected) <= 4 * sqrt(ROWS * chance * (1 - chance)), column
        if column.unique or isinstance(column, model.NationalId | model.Uuid):
            assert len(set(found)) == len(found), column
    parts = [Plan(spec, "made", seed).batch(0, cut), plan.batch(cut, ROWS - cut)]
    assert pa.Table.from_batches(parts).equals(pa.Table.from_batches([whole]))
    assert parse_spec(to_toml(spec)) == spec


@settings(DEFAULTS, max_examples=40)
@given(specs(ROWS), st.integers(0, 2**64 - 1), st.integers(0, ROWS))
def test_rows_of_any_spec_keep_it(spec, seed, cut):
    check_spec_rows(spec, seed, cut)


@pytest.mark.slow
@settings(DEFAULTS, max_examples=1_000, derandomize=True)
@given(specs(ROWS), st.integers(0, 2**64 - 1), st.integers(0, ROWS))
def test_rows_of_a_thousand_specs_keep_them(spec, seed, cut):
    check_spec_rows(spec, seed, cut)


# --- what distributions and correlations are ------------------------------------------------------


def made(text: str, rows: int = 200_000, seed: int = 3) -> pa.RecordBatch:
    spec = parse_spec(f"[tables.made]\nrecords = 50\n[tables.made.columns]\n{text}")
    return Plan(spec, "made", seed).batch(0, rows)


def chi_square_is_fair(counts: np.ndarray, shares: np.ndarray) -> bool:
    expected = shares / shares.sum() * counts.sum()
    kept = expected > 5
    value = float(((counts - expected)[kept] ** 2 / expected[kept]).sum())
    freedom = int(kept.sum()) - 1
    return abs(value - freedom) <= 6 * sqrt(2 * max(freedom, 1))


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0])
def test_zipf_gives_rank_k_a_share_of_one_over_k_to_the_exponent(exponent):
    drawn = made(
        f'z = {{ kind = "integer", min = 10, max = 509, distribution = "zipf", exponent = {exponent} }}'
    )
    counts = np.bincount(drawn["z"].to_numpy() - 10, minlength=500)
    assert chi_square_is_fair(counts, np.arange(1, 501) ** -exponent)


def test_zipf_of_more_ranks_than_bins_keeps_the_shares_of_its_octaves():
    drawn = made('z = { kind = "integer", min = 1, max = 1000000000, distribution = "zipf", exponent = 1.1 }')
    octaves = np.floor(np.log2(drawn["z"].to_numpy())).astype(int)
    ranks = np.arange(1, 1 << 20, dtype=np.float64)
    exact = np.add.reduceat(ranks**-1.1, [(1 << k) - 1 for k in range(20)])
    further = [((2.0**k) ** -0.1 - min(2.0 ** (k + 1), 1e9) ** -0.1) / 0.1 for k in range(20, 30)]
    assert chi_square_is_fair(np.bincount(octaves, minlength=30), np.concatenate([exact, further]))


def test_normal_has_its_mean_and_deviation_and_the_right_tails():
    drawn = made(
        'n = { kind = "integer", min = -1000, max = 1000, distribution = "normal", mean = 7, sd = 40 }'
    )
    values = drawn["n"].to_numpy()
    assert abs(values.mean() - 7) < 4 * 40 / sqrt(values.size)
    assert abs(values.std() - 40) < 0.4
    for sigmas, share in ((1, 0.6827), (2, 0.9545), (3, 0.9973)):
        inside = np.abs(values - 7) <= sigmas * 40
        assert abs(inside.mean() - share) < 0.012


def test_a_normal_distribution_of_a_wide_range_is_cut_into_bins_without_a_seam():
    drawn = made(
        'n = { kind = "integer", min = -4000000000000000000, max = 4000000000000000000, distribution = "normal" }'
    )
    values = drawn["n"].to_numpy() / (8e18 / 6)
    assert abs(values.mean()) < 4 / sqrt(values.size)
    assert abs(values.std() - 0.9866) < 0.01  # cut off at three deviations


def test_weights_are_kept():
    drawn = made('c = { kind = "choice", values = ["a", "b", "c", "d"], weights = [1, 0, 5, 2.5] }')
    counts = np.array([drawn["c"].to_pylist().count(value) for value in "abcd"])
    assert counts[1] == 0
    assert chi_square_is_fair(counts[[0, 2, 3]], np.array([1, 5, 2.5]))


@pytest.mark.parametrize("rho", [-1.0, -0.6, 0.0, 0.35, 1.0])
def test_a_correlation_is_spearmans_and_leaves_the_distribution_as_it_is(rho):
    text = f"""a = {{ kind = "integer", max = 1000000 }}
b = {{ kind = "decimal", max = 1000, correlated_with = "a", correlation = {rho} }}"""
    drawn = made(text, 40_000)
    ranks = [np.argsort(np.argsort(drawn[name].cast(pa.float64()).to_numpy())) for name in "ab"]
    assert abs(np.corrcoef(*ranks)[0, 1] - rho) < 0.02
    cells = np.bincount((drawn["b"].cast(pa.float64()).to_numpy() / 100.001).astype(int), minlength=10)
    assert chi_square_is_fair(cells, np.ones(10))


def test_keys_of_another_table_follow_their_distribution():
    text = """id = { kind = "sequence", start = 100, step = 10 }
boss = { kind = "foreign_key", references = "made.id", distribution = "zipf" }"""
    drawn = made(text)
    counts = np.bincount((drawn["boss"].to_numpy() - 100) // 10, minlength=50)
    assert chi_square_is_fair(counts, np.arange(1, 51) ** -1.0)


@example("integer", "min = 0, max = 99")
@example("date", "min = 2024-01-01, max = 2024-04-09")
@example("pattern", 'pattern = "{digits:2}"')
@example("foreign_key", 'references = "made.id"')
@given(st.just("integer"), st.just("min = 5, max = 104"))
def test_a_unique_column_that_is_full_has_every_value(kind, options):
    rows = 50 if kind == "foreign_key" else 100
    drawn = made(f'id = {{ kind = "sequence" }}\nu = {{ kind = "{kind}", unique = true, {options} }}', rows)
    assert len(set(drawn["u"].to_pylist())) == rows
    assert drawn["u"].to_pylist() != sorted(drawn["u"].to_pylist())


def test_a_column_does_not_depend_on_its_neighbours():
    alone = made('a = { kind = "integer" }', 100)
    beside = made('b = { kind = "uuid" }\na = { kind = "integer" }', 100)
    assert alone["a"].equals(beside["a"])
    assert not alone["a"].equals(made('c = { kind = "integer" }', 100)["c"])


def test_a_wide_text_column_is_cut_into_batches_that_arrow_can_hold():
    spec = parse_spec('[tables.t.columns]\nt = { kind = "text", min_length = 4000, max_length = 4000 }')
    plan = Plan(spec, "t", 1)
    assert max(count for _, count in plan.parts(0, 2_000_000, 1_000_000)) * 4_000 < 2**31
    assert sum(count for _, count in plan.parts(0, 2_000_000, 1_000_000)) == 2_000_000
