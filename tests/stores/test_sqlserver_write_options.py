"""How rows are written to SQL Server, as settings say it."""

from __future__ import annotations

from pathlib import Path

import live
import pytest

from gidbench.errors import InputError
from gidbench.settings import load_settings
from gidbench.stores.opening import parse_url
from gidbench.stores.sqlserver.opening import open_sql_server, write_options
from gidbench.stores.sqlserver.writing.model import DEFAULTS, WriteOptions


def test_without_settings_they_are_the_defaults() -> None:
    assert write_options(load_settings()) == DEFAULTS


def test_every_option_has_a_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {
        "BATCH_ROWS": "17",
        "TABLE_LOCK": "no",
        "KEEP_NULLS": "0",
        "CHECK_CONSTRAINTS": "yes",
        "FIRE_TRIGGERS": "1",
        "ORDER": "id, no_ktp",
        "TIMEOUT": "90",
        "SHARED_FOLDER": str(tmp_path),
        "SERVER_FOLDER": r"\\files\load",
    }.items():
        monkeypatch.setenv(f"GIDBENCH_WRITE_{name}", value)
    expected = WriteOptions(17, False, False, True, True, ("id", "no_ktp"), 90, tmp_path, r"\\files\load")
    assert write_options(load_settings()) == expected
    assert all(
        getattr(expected, name) != getattr(DEFAULTS, name) for name in WriteOptions.__dataclass_fields__
    ), "an option without a setting"


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"SHARED_FOLDER": "."}, "on one side only"),
        ({"SERVER_FOLDER": "D:\\load"}, "on one side only"),
        ({"SHARED_FOLDER": "nowhere", "SERVER_FOLDER": "D:\\load"}, "'nowhere', which is no folder here"),
        ({"BATCH_ROWS": "0"}, "write_batch_rows is '0', but must be a whole number from 1 to 100,000"),
        ({"TABLE_LOCK": "perhaps"}, "GIDBENCH_WRITE_TABLE_LOCK is 'perhaps', but must be true or false"),
    ],
)
def test_what_can_not_be_is_told(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], problem: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"GIDBENCH_WRITE_{name}", value)
    with pytest.raises(InputError, match=problem):
        write_options(load_settings())


@pytest.mark.skipif(not live.LIVE, reason=live.WHY_NOT)
def test_a_store_loads_by_them(monkeypatch: pytest.MonkeyPatch, sql_server: str) -> None:
    monkeypatch.setenv("GIDBENCH_WRITE_BATCH_ROWS", "17")
    monkeypatch.setenv("GIDBENCH_WRITE_STRATEGY", "values")
    store = open_sql_server(parse_url(sql_server))
    try:
        assert store.options.write.batch_rows == 17
        assert store.options.strategy == "values"
    finally:
        store.close()
