"""The notebook 06 on a live SQL Server: every way of writing measured, and no password in what is left."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from gidbench.batch import run_batch
from gidbench.batch_plan import Given


@pytest.mark.slow
def test_the_ways_of_writing_to_a_live_server_are_compared(sql_server: str, tmp_path: Path) -> None:
    given = Given({"database": sql_server, "records": "5000", "rounds": "1"})
    outcome = run_batch(["your_server"], given, out=tmp_path / "made", html=True)
    [ran] = outcome.ran
    assert ran.error == ""
    assert ran.answer.startswith("The fastest single way of writing here is ")
    assert "(auto) reaches" in ran.answer
    page = (tmp_path / "made" / "06_your_server.html").read_text()
    assert "bulkcopy_arrow" in page
    assert "minimally logged" in page
    password = str(make_url(sql_server).password)
    for path in (tmp_path / "made").rglob("*"):
        assert path.is_dir() or password not in path.read_text("utf-8", "replace"), path.name
