"""The tree of an earlier commit, to be measured beside the present one."""

from __future__ import annotations

import os
import subprocess
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

import gidbench
from gidbench.errors import InputError


def present_tree() -> Path:
    """The folder that this package is imported from."""
    return Path(gidbench.__file__).resolve().parents[1]


def commit_of(name: str, repository: Path | None = None) -> str:
    """The full commit of a commit, branch or tag. Raises InputError where the clone does not have it."""
    root = repository or present_tree()
    done = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    found = done.decode().strip() if done is not None else ""
    if not found:
        raise InputError(
            f"there is no commit {name!r} in {root}",
            "Name one of a clone that gidbench is imported from",
        )
    return found


def tree_of(name: str, repository: Path | None = None, cache: Path | None = None) -> Path:
    """A folder with the package as of a commit; it is kept, since its kernels are compiled at the first use."""
    root = repository or present_tree()
    commit = commit_of(name, root)
    folder = (cache or _cache()) / commit
    if (folder / "gidbench").is_dir():
        return folder
    packed = _git(root, "archive", "--format=tar", commit, "gidbench")
    if packed is None:
        raise InputError(f"commit {name!r} has no gidbench", "Name a later one")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        with tarfile.open(fileobj=BytesIO(packed)) as archive:
            archive.extractall(made, filter="data")
        try:
            (Path(made) / "gidbench").rename(_ready(folder) / "gidbench")
        except OSError:  # another process was faster
            if not (folder / "gidbench").is_dir():
                raise
    return folder


def _ready(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "gidbench" / "trees"


def _git(folder: Path, *words: str) -> bytes | None:
    try:
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None
