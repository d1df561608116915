"""The main job on a live SQL Server, and no password in anything that is kept (CI measures every operation)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from gidbench.bench.session import results_in


@pytest.mark.slow
def test_the_main_job_runs_on_sql_server_and_keeps_no_password(sql_server: str, tmp_path: Path) -> None:
    words = ["run", "--operations", "generate", "--out", "run", "--records", "2000", "--rounds", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "gidbench", *words],
        cwd=tmp_path,
        env={**os.environ, "DATABASE_URL": sql_server},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    results = results_in(tmp_path / "run")
    assert len(results) == 4
    assert {result.status for result in results} == {"ok"}
    [into] = [result for result in results if result.variant == "database"]
    assert into.facts["strategy"] == "bulkcopy_arrow"
    url = make_url(sql_server)
    shown = f"{url.username}:***@{url.host}:{url.port}/{url.database}"
    kept = {path: path.read_text("utf-8", "replace") for path in tmp_path.rglob("*") if path.is_file()}
    assert any(path.name == "report.html" and shown in text for path, text in kept.items())
    for path, text in [*kept.items(), (Path("output"), done.stdout + done.stderr)]:
        for secret in (str(url.password), sql_server):
            assert secret not in text, path.name
