"""settings: defaults, .env, environment, arguments, in that order; all in bounds; no secret shown."""

from __future__ import annotations

import os
import pickle
import traceback
from pathlib import Path

import pytest
from pydantic import ValidationError

from gidbench import settings
from gidbench.errors import InputError
from gidbench.settings import load_settings

SECRET = "hunter2!"  # short, for pydantic cuts the middle out of long values
URL = f"mssql://sa:{SECRET}@dbhost/p"

BOUNDS = [
    ("batch_size", "ULTRA_BATCH_SIZE", 1_000, 1_000_000),
    ("workers", "ULTRA_PARALLEL_WORKERS", 1, 256),
    ("pool_size", "ULTRA_CONNECTION_POOL_SIZE", 1, 500),
    ("pool_timeout", "GIDBENCH_POOL_TIMEOUT", 1, 3_600),
]
each_number = pytest.mark.parametrize(("name", "variable", "low", "high"), BOUNDS)


def test_defaults_need_nothing():
    found = load_settings()
    assert found.database_url is None
    assert (found.batch_size, found.pool_size) == (50_000, 20)
    assert found.workers == min(settings.usable_cores(), 256)


def test_the_default_of_workers_stays_in_bounds_on_a_machine_with_more_cores(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(384)), raising=False)
    assert settings.usable_cores() == 384
    assert load_settings().workers == 256


def test_cores_are_those_the_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5, 7}, raising=False)
    assert settings.usable_cores() == 3
    assert load_settings().workers == 3


@pytest.mark.parametrize(("count", "cores"), [(6, 6), (None, 1)])
def test_cores_are_counted_where_there_is_no_affinity(monkeypatch, count, cores):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: count)
    assert settings.usable_cores() == cores


@each_number
def test_both_bounds_are_allowed(name, variable, low, high, monkeypatch):
    for value in (low, high):
        assert getattr(load_settings(**{name: value}), name) == value
        monkeypatch.setenv(variable, str(value))
        assert getattr(load_settings(), name) == value


@each_number
@pytest.mark.parametrize("side", ["below", "above"])
def test_an_argument_out_of_bounds_is_refused_by_name_value_and_bounds(name, variable, low, high, side):
    value = low - 1 if side == "below" else high + 1
    with pytest.raises(InputError) as caught:
        load_settings(**{name: value})
    text = str(caught.value)
    assert text == (
        f"{name} is {value}, but must be a whole number from {low:,} to {high:,}. Change the argument {name}."
    )


@each_number
@pytest.mark.parametrize("value", ["0", "2000000", "many", "1.5", ""])
def test_a_variable_out_of_bounds_is_refused_by_name_value_bounds_and_variable(
    name, variable, low, high, value, monkeypatch
):
    monkeypatch.setenv(variable, value)
    with pytest.raises(InputError) as caught:
        load_settings()
    text = str(caught.value)
    for part in (name, repr(value), f"{low:,}", f"{high:,}", f"the environment variable {variable}"):
        assert part in text


@each_number
def test_an_argument_goes_before_the_environment(name, variable, low, high, monkeypatch):
    monkeypatch.setenv(variable, str(low + 1))
    assert getattr(load_settings(), name) == low + 1
    assert getattr(load_settings(**{name: low + 2}), name) == low + 2


@each_number
def test_a_good_argument_covers_a_bad_variable(name, variable, low, high, monkeypatch):
    monkeypatch.setenv(variable, "-7")
    assert getattr(load_settings(**{name: low}), name) == low


@each_number
def test_an_argument_of_none_is_not_given(name, variable, low, high, monkeypatch):
    monkeypatch.setenv(variable, str(low + 1))
    assert getattr(load_settings(**{name: None}), name) == low + 1


@each_number
def test_a_variable_goes_before_the_file_and_the_file_before_the_default(
    name, variable, low, high, monkeypatch
):
    Path(".env").write_text(f"{variable}={low + 3}\n", "utf-8")
    assert getattr(load_settings(), name) == low + 3
    monkeypatch.setenv(variable, str(low + 4))
    assert getattr(load_settings(), name) == low + 4
    assert getattr(load_settings(**{name: low + 5}), name) == low + 5


def test_the_file_may_hold_settings_of_other_programs():
    Path(".env").write_text("# ours\nULTRA_BATCH_SIZE=2000\nOTHER_SECRET=x\nWORKERS=nonsense\n", "utf-8")
    assert load_settings().batch_size == 2_000


@pytest.mark.parametrize(("variable", "name"), [("WORKERS", "workers"), ("POOL_SIZE", "pool_size")])
def test_a_general_variable_of_another_program_is_not_ours(variable, name, monkeypatch):
    before = getattr(load_settings(), name)
    for spelling in (variable, variable.lower()):
        monkeypatch.setenv(spelling, "199")
        assert getattr(load_settings(), name) == before


def test_a_file_that_is_not_utf8_is_an_input_error_that_shows_nothing_of_it():
    Path(".env").write_bytes(f"DATABASE_URL={URL}\nX=\xe9\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"\.env is not UTF-8") as caught:
        load_settings()
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_an_unknown_setting_is_not_swallowed():
    with pytest.raises(KeyError, match="batchsize"):
        load_settings(batchsize=5_000)


def test_settings_are_frozen():
    found = load_settings(workers=2)
    with pytest.raises(ValidationError, match="frozen"):
        found.workers = 3
    assert found.workers == 2


@pytest.mark.parametrize("source", ["argument", "environment", "file"])
def test_the_database_url_is_read_whole_from_each_place(source, monkeypatch):
    given = {}
    if source == "argument":
        given["database_url"] = URL
        monkeypatch.setenv("DATABASE_URL", "duckdb:///other")
    elif source == "environment":
        monkeypatch.setenv("DATABASE_URL", URL)
    else:
        Path(".env").write_text(f"DATABASE_URL={URL}\n", "utf-8")
    found = load_settings(**given)
    assert found.database_url is not None
    assert found.database_url.get_secret_value() == URL


def test_the_database_url_is_in_no_text_of_the_settings(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", URL)
    found = load_settings()
    for text in (
        repr(found),
        str(found),
        f"{found.database_url}",
        repr(found.model_dump()),
        found.model_dump_json(),
    ):
        assert SECRET not in text
        assert "dbhost" not in text


@pytest.mark.parametrize(
    "given",
    [
        {"database_url": [URL]},
        {"database_url": {"url": URL}},
        {"database_url": URL.encode() + b"\xff"},
        {"database_url": URL, "workers": 0},
        {"database_url": URL, "batch_size": "x"},
    ],
)
def test_the_database_url_is_in_no_error(given, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", URL)
    with pytest.raises(InputError) as caught:
        load_settings(**given)
    text = "".join(traceback.format_exception(caught.value))
    assert SECRET not in text
    assert SECRET not in repr(caught.value)
    assert SECRET not in repr(pickle.loads(pickle.dumps(caught.value)))


def test_an_unusable_database_url_names_its_variable():
    with pytest.raises(InputError, match="DATABASE_URL is not usable"):
        load_settings(database_url=5)
