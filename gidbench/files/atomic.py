"""Files that are either whole or not there: written beside their place, moved in at the end."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from gidbench.errors import GidbenchError, InputError


@contextlib.contextmanager
def replacing(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """A path beside `path` to write to; moved to `path` on success, removed on any error or interrupt.

    With `durable` the new name is on the disk, too, at the end; that the content is, the writer sees to.
    Raises InputError where the folder does not exist or cannot be written.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder", "Name a file")
    if not path.parent.is_dir():
        raise InputError(f"the folder {path.parent} does not exist", "Create it, or name another one")
    if not os.access(path.parent, os.W_OK):
        raise InputError(
            f"the folder {path.parent} cannot be written", "Choose another, or change its rights"
        )
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield beside
        beside.replace(path)
        if durable:
            _sync_folder(path.parent)
    except GidbenchError:  # some of them are OSErrors, too, and have nothing to do with this file
        raise
    except OSError as error:
        if error.filename is None or Path(str(error.filename)) == beside:
            raise InputError(
                f"{path} cannot be written ({error.strerror})", "Free space, or choose another place"
            ) from error
        raise
    finally:
        with contextlib.suppress(OSError):  # what went wrong before matters more
            beside.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where the system lets a folder be opened for that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write a whole text file, UTF-8 with LF line ends."""
    with replacing(path) as beside, beside.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
