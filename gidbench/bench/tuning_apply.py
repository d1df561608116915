"""Settings written into `.env` or a TOML file; every other line stays as it is, and the file is whole at any time."""

from __future__ import annotations

import io
import os
import re
import shutil
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from gidbench.errors import InputError
from gidbench.files.atomic import replacing

_ENV_LINE = (
    r"^(?P<before>[ \t]*(?:export[ \t]+)?{name}[ \t]*=[ \t]*)(?P<value>'[^'\n]*'|\"[^\"\n]*\"|[^\s#]*)"
)
_TOML_LINE = (
    r"^(?P<before>[ \t]*(?:{name}|\"{name}\"|'{name}')[ \t]*=[ \t]*)(?P<value>'[^'\n]*'|\"[^\"\n]*\"|[^\s#]*)"
)
_TABLE = re.compile(r"^[ \t]*\[", re.MULTILINE)


def write_settings(path: Path, values: Mapping[str, str | int]) -> None:
    """Set some variables in a file, which is made where it does not exist.

    `.toml`: on its top level; any other name: as `.env`. A line that sets a variable already gets the new value, its
    comment stays; others are added. Permissions stay, since such a file may hold a password.
    Raises InputError where the file can't be read or written, or is so unusual that a value would be lost.
    """
    target = path.resolve()  # a link stays one
    text = ""
    if target.exists():
        try:
            text = target.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            raise InputError(f"{path} is not UTF-8 text", "Save it as UTF-8, or name another file") from None
        except OSError as error:
            raise InputError(f"{path} cannot be read ({error.strerror})", "Name another file") from error
    is_toml = target.suffix.lower() == ".toml"
    new = _with_toml(text, values) if is_toml else _with_env(text, values)
    before, after = (_parsed(path, each, is_toml=is_toml) for each in (text, new))
    expected = {**before, **({k: v if is_toml else str(v) for k, v in values.items()})}
    if after != expected:
        raise InputError(
            f"{path} sets {', '.join(values)} in a way that is not understood",
            "Set them by hand: " + ", ".join(f"{name}={value}" for name, value in values.items()),
        )
    with replacing(target, durable=True) as beside:
        # closed to others before anything is in it
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(new.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, beside)
            with suppress(OSError, AttributeError):  # of somebody else: only root may
                known = target.stat()
                os.chown(beside, known.st_uid, known.st_gid)


def _with_env(text: str, values: Mapping[str, str | int]) -> str:
    for name, value in values.items():
        pattern = re.compile(_ENV_LINE.format(name=re.escape(name)), re.MULTILINE)
        found = list(pattern.finditer(text))
        if found:  # the last one counts
            last = found[-1]
            text = text[: last.start("value")] + str(value) + text[last.end("value") :]
        else:
            text = _ended(text) + f"{name}={value}{_line_end(text)}"
    return text


def _with_toml(text: str, values: Mapping[str, str | int]) -> str:
    for name, value in values.items():
        told = str(value) if isinstance(value, int) else f'"{value}"'
        table = _TABLE.search(text)
        top = text[: table.start()] if table else text
        rest = text[len(top) :]
        found = re.search(_TOML_LINE.format(name=re.escape(name)), top, re.MULTILINE)
        if found:
            top = top[: found.start("value")] + told + top[found.end("value") :]
        else:
            top = _ended(top) + f"{name} = {told}{_line_end(text)}"
        text = top + rest
    return text


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + _line_end(text)


def _parsed(path: Path, text: str, *, is_toml: bool) -> dict[str, Any]:
    """All that a file sets."""
    if not is_toml:
        return dict(dotenv_values(stream=io.StringIO(text), interpolate=False))
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is not TOML ({error})", "Mend it, or name another file") from None
