"""A Chromium of this machine for the tests in a browser: found, never downloaded."""

from __future__ import annotations

import os
import shutil

VARIABLE = "GIDBENCH_TEST_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"]


def find() -> str | None:
    """The browser that the variable names, else the first on the PATH; None where there is none.

    A name that leads nowhere is an error, not a reason to skip: someone relies on it.
    """
    named = os.environ.get(VARIABLE)
    if not named:
        return next(filter(None, map(shutil.which, NAMES)), None)
    found = shutil.which(named)
    if found is None:
        raise FileNotFoundError(f"{VARIABLE} names {named!r}, which is no program that can be run")
    return found


CHROMIUM = find()
WHY_NOT = f"there is no Chromium on the PATH ({', '.join(NAMES)}), and {VARIABLE} names none"
