"""The kernels say the same whether numba compiles them or not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import kernel_probe
import pytest

import gidbench


@pytest.fixture(scope="module")
def plain() -> dict:
    environment = {
        **os.environ,
        "NUMBA_DISABLE_JIT": "1",
        "PYTHONPATH": str(Path(gidbench.__file__).parent.parent),
    }
    run = subprocess.run(
        [sys.executable, kernel_probe.__file__],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.fixture(scope="module")
def compiled() -> dict:
    return json.loads(json.dumps(kernel_probe.probe()))


def test_nothing_is_compiled_in_the_other_process(plain):
    assert plain["about"] == {"jit_disabled": True, "kernels": 0}


@pytest.mark.parametrize(
    "part",
    [
        "generated",
        "written",
        "digested",
        "mixed",
        "coded",
        "taken_in",
        "remembered",
        "scanned",
        "scanned_forgivingly",
        "found_in_place",
        "typed_texts",
        "paired",
        "read_back",
    ],
)
def test_plain_python_agrees_with_compiled_code(part, plain, compiled):
    assert plain["found"][part] == compiled[part]


def test_no_part_of_the_probe_is_left_uncompared(plain, compiled):
    assert plain["found"].keys() == compiled.keys()
    assert len(compiled) == 13
