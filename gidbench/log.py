"""The log of commands: `gid_system.log`, rotating, without credentials."""

from __future__ import annotations

import logging
import logging.handlers
import re
from pathlib import Path

LOG_FILE = "gid_system.log"
_MOST_BYTES, _KEPT = 5_000_000, 3

# A program or a notebook that asks for no log gets none; without this, Python prints warnings on standard error.
logging.getLogger("gidbench").addHandler(logging.NullHandler())

_KEYS = r"(pwd|password|accesstoken|\w*secret)"
_SECRETS = (
    # user:password@ of a URL; a password may hold an @ that nobody escaped
    re.compile(r"([a-z][a-z0-9+.-]*://[^\s/@:'\"]*):\S*@", re.IGNORECASE),
    # a value in braces may hold a closing one, doubled
    re.compile(r"(?i)\b" + _KEYS + r"(\s*[=:]\s*)(\{(?:[^}]|\}\})*\}|'[^']*'|[^\s;&,]+)"),
    # a connection string that is quoted for a URL
    re.compile(r"(?i)(?:\b|(?<=%3B))" + _KEYS + r"(%3D)([^\s;&,'\"]+)"),
)


def redact(text: str) -> str:
    """The text with every password of a URL or a connection string replaced by three asterisks."""
    text = _SECRETS[0].sub(r"\1:***@", text)
    for written in _SECRETS[1:]:
        text = written.sub(r"\1\2***", text)
    return text


class RedactingFormatter(logging.Formatter):
    """Whatever a message or a traceback says, no password of it is written."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def log_to_file(folder: Path) -> logging.Handler | None:
    """Let the logger `gidbench` write to LOG_FILE in `folder`; None where that cannot be written."""
    logger = logging.getLogger("gidbench")
    try:
        handler = logging.handlers.RotatingFileHandler(
            folder / LOG_FILE, maxBytes=_MOST_BYTES, backupCount=_KEPT, encoding="utf-8", delay=False
        )
    except OSError:
        return None
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)s %(process)d %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    return handler
