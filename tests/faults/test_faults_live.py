"""Faults at moments that chance seldom meets, against a live server behind the proxy."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import live
import pyarrow as pa
import pytest
from jobs import Server
from proxy import Link, Proxy
from sqlalchemy.engine import make_url

import gidbench
from gidbench.errors import StoreError
from gidbench.generation.plan import employees
from gidbench.stores.base import AuditEntry
from gidbench.stores.opening import open_store
from gidbench.stores.sqlserver.connections import PoolOptions
from gidbench.stores.sqlserver.opening import open_sql_server
from gidbench.stores.sqlserver.store import SqlServerStore
from gidbench.units import utc_now

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not live.LIVE, reason=live.WHY_NOT)]

PEOPLE = employees(1).batch(0, 300)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    url = make_url(live.LIVE)
    with Proxy(url.host or "127.0.0.1", url.port or 1433) as made:
        yield made


@pytest.fixture
def server(sql_server: str) -> Server:
    made = Server(sql_server)
    made.create()
    return made


@pytest.fixture
def store(server: Server, proxy: Proxy) -> Iterator[SqlServerStore]:
    with open_store(server.through(proxy.port)) as opened:
        assert isinstance(opened, SqlServerStore)
        yield opened


def cut(link: Link) -> None:
    link.cut()


def test_a_commit_whose_answer_is_lost_counts_as_what_it_is(
    server: Server, store: SqlServerStore, proxy: Proxy
) -> None:
    with store.transaction():
        store.append("employee", [PEOPLE])
        store.record(AuditEntry("generate", utc_now(), "done", {}, {}))
        proxy.at_piece(2, cut)  # the first is the request
    assert server.query("SELECT COUNT(*) FROM employee") == [(300,)]
    assert store.count("employee") == 300


def test_a_commit_that_does_not_arrive_is_an_error_and_nothing_is_kept(
    server: Server, store: SqlServerStore, proxy: Proxy
) -> None:
    with pytest.raises(StoreError, match="connection to the server was cut") as caught, store.transaction():
        store.append("employee", [PEOPLE])
        store.record(AuditEntry("generate", utc_now(), "done", {}, {}))
        proxy.at_piece(1, cut)
    assert caught.value.transient
    assert server.query("SELECT COUNT(*) FROM employee") == [(0,)]
    assert store.append("employee", [PEOPLE]) == 300


@pytest.mark.parametrize("arrives", [True, False])
def test_an_append_by_itself_knows_whether_its_commit_arrived(
    server: Server, store: SqlServerStore, proxy: Proxy, arrives: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = store.session._commit

    def commit(was_kept: Callable[[object], bool]) -> None:
        proxy.at_piece(2 if arrives else 1, cut)
        real(was_kept)

    monkeypatch.setattr(store.session, "_commit", commit)
    if arrives:
        assert store.append("employee", [PEOPLE]) == 300
    else:
        with pytest.raises(StoreError, match="connection to the server was cut"):
            store.append("employee", [PEOPLE])
    assert server.query("SELECT COUNT(*) FROM employee") == [(300 if arrives else 0,)]
    store.close()
    assert server.staged() == []


def test_a_run_whose_session_is_killed_stops_under_its_lost_lock(
    server: Server, store: SqlServerStore
) -> None:
    with store.lock("global_id", 5):
        [(spid,)] = store.rows("SELECT @@SPID")
        server.kill(spid)
        with pytest.raises(StoreError):
            store.append("employee", [PEOPLE])
        with pytest.raises(StoreError, match="its locks and transaction are gone"):
            store.count("employee")
        with open_store(server.url) as other, other.lock("global_id", 5):  # it is free for others
            pass
    assert server.query("SELECT COUNT(*) FROM employee") == [(0,)]
    assert store.count("employee") == 0


def test_a_server_that_falls_silent_is_an_error_after_the_statement_timeout(
    server: Server, proxy: Proxy
) -> None:
    url = make_url(server.through(proxy.port))
    store = open_sql_server(url, pool=PoolOptions(statement_timeout_s=1))
    try:
        with pytest.raises(StoreError, match=r"longer than it may|cut"), store.lock("global_id", 1):
            proxy.stall(600)
            started = time.monotonic()
            store.count("employee")
        assert time.monotonic() - started < 60
        proxy.forget()
        assert store.count("employee") == 0
    finally:
        store.close()


def test_a_server_that_comes_back_is_used_again(server: Server, store: SqlServerStore, proxy: Proxy) -> None:
    assert store.count("employee") == 0
    proxy.refuse(0.5)
    proxy.cut_all()
    assert store.append("employee", [PEOPLE]) == 300
    found = pa.Table.from_batches(store.read("employee", PEOPLE.schema.names)).sort_by("id")
    assert found.equals(pa.Table.from_batches([PEOPLE]))
    assert store.connections.status().discarded >= 1


def test_the_command_line_ends_with_a_sentence_and_exit_code_4(server: Server, proxy: Proxy) -> None:
    gidbench.generate(1500, into=server.url)

    def cut_for_good(_: Link) -> None:
        proxy.refuse(600)
        proxy.cut_all()

    proxy.at_piece(60, cut_for_good)
    command = [sys.executable, "-m", "gidbench", "sync", "--source", server.through(proxy.port)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=Path.cwd())
    assert done.returncode == 4, done.stderr
    [line] = [text for text in done.stderr.splitlines() if text.startswith("gidbench: ")]
    assert "Traceback" not in done.stderr
    assert "Pass" not in done.stdout + done.stderr
    assert line.endswith(".")
    assert server.query("SELECT COUNT(*) FROM global_id") == [(0,)]
    proxy.forget()
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=Path.cwd())
    assert done.returncode == 0, done.stderr
    assert server.query("SELECT COUNT(DISTINCT g_id) FROM global_id") == [(1500,)]
    assert server.staged() == []
    assert threading.active_count() < 50
