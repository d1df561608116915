"""A workbench that measures nothing, in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_measure import FakeMeasure, FakeWatch

from gidbench.widgets.panel import Workbench


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Workbench]]:
    monkeypatch.chdir(tmp_path)
    made: list[Workbench] = []

    def make_one(measure: Any = None, **options: Any) -> Workbench:
        made.append(Workbench(measure=measure or FakeMeasure(), make_watch=FakeWatch, **options))
        return made[-1]

    yield make_one
    for panel in made:
        panel.close()
        if panel._live is not None:
            panel._live.ended.result(5)
