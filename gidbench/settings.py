"""Settings: defaults <- `gidbench.toml` <- `.env` <- environment <- arguments, checked against bounds, frozen."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from gidbench.errors import InputError

EMBEDDED_DATABASE = "gidbench.duckdb"
AUTO = "auto"  # the write strategy that a store chooses by itself
ENV_FILE, TOML_FILE = ".env", "gidbench.toml"  # of the working folder
_MOST_WORKERS = 256


def usable_cores() -> int:
    """Cores this process may use (an affinity mask or a container may allow fewer than there are)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def _default_workers() -> int:
    return min(usable_cores(), _MOST_WORKERS)


class _Toml(TomlConfigSettingsSource):
    """Names as in the environment, on the top level of a TOML file."""

    def _read_file(self, file_path: Any) -> dict[str, Any]:
        try:
            return super()._read_file(file_path)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            where = str(error).rpartition("(")[2].rstrip(")") if "(at " in str(error) else "not UTF-8"
            raise InputError(
                f"the file {file_path.name} is not TOML ({where})", "Mend it, or remove it"
            ) from None


class Settings(BaseSettings):
    """What a run needs to know and no caller has to say.

    Attributes
    ----------
    database_url:
        `DATABASE_URL`; secret, since it may hold a password. None: the embedded database.
    batch_size:
        `ULTRA_BATCH_SIZE`, records per Arrow batch, 1,000 to 1,000,000.
    workers:
        `ULTRA_PARALLEL_WORKERS`, threads that run kernels, 1 to 256; default: the cores.
    pool_size:
        `ULTRA_CONNECTION_POOL_SIZE`, database connections, 1 to 500.
    max_rows, max_columns, max_field_bytes, max_inflated_bytes, max_inflate_ratio, max_shared_strings, max_blank_cells:
        `GIDBENCH_MAX_ROWS` …: bounds of files that are read, see `gidbench.files.options.Limits`.
    links:
        `GIDBENCH_LINKS`: whether symbolic links, devices and pipes are read.
    write_strategy:
        `GIDBENCH_WRITE_STRATEGY`: how rows are written to SQL Server, see `gidbench.stores.sqlserver.writing`.
    write_batch_rows, write_table_lock, write_keep_nulls, write_check_constraints, write_fire_triggers, write_order, \
write_timeout, write_shared_folder, write_server_folder:
        `GIDBENCH_WRITE_BATCH_ROWS` …: see `gidbench.stores.sqlserver.writing.model.WriteOptions`; the order is a list
        of columns with commas between.
    statement_timeout, pool_timeout:
        `GIDBENCH_STATEMENT_TIMEOUT`, `GIDBENCH_POOL_TIMEOUT`: seconds that a statement of SQL Server may take (0:
        any time), and that a thread waits for a connection to become free.
    """

    # Not populated by field name: a variable `WORKERS` or `POOL_SIZE` of another program would count as ours.
    model_config = SettingsConfigDict(
        env_file=ENV_FILE, env_file_encoding="utf-8", toml_file=TOML_FILE, extra="ignore", frozen=True
    )

    database_url: SecretStr | None = Field(default=None, alias="DATABASE_URL")
    batch_size: int = Field(default=50_000, ge=1_000, le=1_000_000, alias="ULTRA_BATCH_SIZE")
    workers: int = Field(
        default_factory=_default_workers, ge=1, le=_MOST_WORKERS, alias="ULTRA_PARALLEL_WORKERS"
    )
    pool_size: int = Field(default=20, ge=1, le=500, alias="ULTRA_CONNECTION_POOL_SIZE")
    max_rows: int = Field(default=1 << 40, ge=1, le=1 << 40, alias="GIDBENCH_MAX_ROWS")
    max_columns: int = Field(default=16_384, ge=1, le=1 << 20, alias="GIDBENCH_MAX_COLUMNS")
    max_field_bytes: int = Field(default=1 << 20, ge=1, le=1 << 30, alias="GIDBENCH_MAX_FIELD_BYTES")
    max_inflated_bytes: int = Field(default=64 << 30, ge=1, le=1 << 50, alias="GIDBENCH_MAX_INFLATED_BYTES")
    max_inflate_ratio: int = Field(default=1_000, ge=1, le=1 << 40, alias="GIDBENCH_MAX_INFLATE_RATIO")
    max_shared_strings: int = Field(default=1 << 26, ge=0, le=1 << 31, alias="GIDBENCH_MAX_SHARED_STRINGS")
    max_blank_cells: int = Field(default=1_000_000_000, ge=0, le=1 << 40, alias="GIDBENCH_MAX_BLANK_CELLS")
    links: bool = Field(default=False, alias="GIDBENCH_LINKS")
    write_strategy: str = Field(default=AUTO, alias="GIDBENCH_WRITE_STRATEGY")
    write_batch_rows: int = Field(default=5_000, ge=1, le=100_000, alias="GIDBENCH_WRITE_BATCH_ROWS")
    write_table_lock: bool = Field(default=True, alias="GIDBENCH_WRITE_TABLE_LOCK")
    write_keep_nulls: bool = Field(default=True, alias="GIDBENCH_WRITE_KEEP_NULLS")
    write_check_constraints: bool = Field(default=False, alias="GIDBENCH_WRITE_CHECK_CONSTRAINTS")
    write_fire_triggers: bool = Field(default=False, alias="GIDBENCH_WRITE_FIRE_TRIGGERS")
    write_order: str = Field(default="", alias="GIDBENCH_WRITE_ORDER")
    write_timeout: int = Field(default=0, ge=0, le=604_800, alias="GIDBENCH_WRITE_TIMEOUT")
    write_shared_folder: str = Field(default="", alias="GIDBENCH_WRITE_SHARED_FOLDER")
    write_server_folder: str = Field(default="", alias="GIDBENCH_WRITE_SERVER_FOLDER")
    statement_timeout: int = Field(default=0, ge=0, le=604_800, alias="GIDBENCH_STATEMENT_TIMEOUT")
    pool_timeout: int = Field(default=30, ge=1, le=3_600, alias="GIDBENCH_POOL_TIMEOUT")

    @property
    def url(self) -> str:
        """DATABASE_URL with its password; empty where there is none."""
        return self.database_url.get_secret_value() if self.database_url else ""

    def environment(self) -> dict[str, str]:
        """All of it as variables for a process that works in another folder, where other files hold other settings."""
        values = {str(field.alias): getattr(self, name) for name, field in type(self).model_fields.items()}
        values[str(type(self).model_fields["database_url"].alias)] = self.url or None
        return {
            name: str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in values.items()
            if value is not None
        }

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, dotenv_settings, _Toml(settings_cls)


_assumed: ContextVar[dict[str, Any]] = ContextVar("assumed", default={})  # noqa: B039  (never changed in place)


@contextmanager
def assuming(**values: Any) -> Iterator[None]:
    """Settings (field names) that hold inside the block, on this thread, before the environment's.

    What is opened deep inside an operation, like the pool of a store, takes its settings from no argument.
    """
    token = _assumed.set({**_assumed.get(), **values})
    try:
        yield
    finally:
        _assumed.reset(token)


def load_settings(**overrides: Any) -> Settings:
    """Settings with `overrides` (field names; None means not given) on top of the environment.

    Raises InputError that names the setting, its value, its bounds and the remedy.
    """
    given = {**_assumed.get(), **{name: value for name, value in overrides.items() if value is not None}}
    try:
        return Settings(**{str(Settings.model_fields[name].alias): value for name, value in given.items()})
    except ValidationError as error:
        first = error.errors()[0]
        raise _explain(str(first["loc"][0]), first.get("input"), given) from None
    except UnicodeDecodeError:
        raise InputError("the file .env is not UTF-8 text", "Save it as UTF-8, or remove it") from None


def _explain(place: str, value: object, given: dict[str, Any]) -> InputError:
    for name, field in Settings.model_fields.items():
        if place not in (name, field.alias):
            continue
        low = next((m.ge for m in field.metadata if hasattr(m, "ge")), None)
        high = next((m.le for m in field.metadata if hasattr(m, "le")), None)
        if field.annotation is bool:
            return InputError(
                f"{field.alias} is {value!r}, but must be true or false", "Change it, or remove it"
            )
        if low is None:  # a URL: its value stays out of messages
            return InputError(f"{field.alias} is not usable", "Give a database URL as text")
        where = f"the argument {name}" if name in given else f"the environment variable {field.alias}"
        return InputError(
            f"{name} is {value!r}, but must be a whole number from {low:,} to {high:,}",
            f"Change {where}",
        )
    return InputError(f"the setting {place} is not usable", "See the table of settings in the README")
