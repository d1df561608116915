"""Runs to report on, as fixtures."""

from __future__ import annotations

import pytest
from report_runs import Maker, make_failed, make_full_run, make_hostile_run, make_result, make_run

from gidbench.bench.results import RunResults


@pytest.fixture
def result() -> Maker:
    """Makes a measured Result; keyword arguments replace its fields."""
    return make_result


@pytest.fixture
def failed() -> Maker:
    """Makes a failed Result."""
    return make_failed


@pytest.fixture
def run() -> Maker:
    """Makes RunResults of results; keyword arguments replace fields of the header."""
    return make_run


@pytest.fixture
def full_run() -> RunResults:
    return make_full_run()


@pytest.fixture
def hostile_run() -> RunResults:
    return make_hostile_run()
