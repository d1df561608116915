"""Connections to a live server: every driver, what can go wrong, many threads, a restart."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import live
import pytest
from faults.proxy import Proxy
from sqlalchemy.engine import make_url
from test_connections_wire import every_way

from gidbench.errors import GidbenchError, StoreBusyError
from gidbench.stores.retry import RetryPolicy
from gidbench.stores.sqlserver.address import address_of
from gidbench.stores.sqlserver.connections import Connections, PoolOptions
from gidbench.stores.sqlserver.examining import examine_server
from gidbench.stores.sqlserver.faults import ServerError, explained, is_transient

pytestmark = pytest.mark.skipif(not live.LIVE, reason=live.WHY_NOT)
SOAK_S = float(os.environ.get("GIDBENCH_SOAK_SECONDS", "3"))
RESTART = os.environ.get("GIDBENCH_SOAK_RESTART", "")
THREADS, SIZE = 64, 20


def connections(dialect: str = "", query: dict[str, str] | None = None, **parts: Any) -> Connections:
    options = parts.pop("options", PoolOptions(size=3))
    url = make_url(live.LIVE).update_query_dict({"ConnectTimeout": "5", **(query or {})})
    if dialect:
        url = url.set(drivername=dialect)
    return Connections(address_of(url.set(**parts)), options)


@every_way
def test_every_driver_connects_and_keeps_texts_whole(dialect: str, query: dict[str, str]) -> None:
    pool = connections(dialect, query)
    text = "Ä€ Ω 学"
    with explained("reading"), pool.session() as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT CAST(N'Ä€ Ω 学' AS nvarchar(20)), CAST('Café' AS varchar(20)), DB_NAME()")
        assert tuple(cursor.fetchone()) == (text, "Café", make_url(live.LIVE).database)
    pool.close()
    assert pool.status().in_use == pool.status().idle == 0


@every_way
def test_what_a_session_leaves_open_is_taken_back(dialect: str, query: dict[str, str]) -> None:
    pool = connections(dialect, query, options=PoolOptions(size=1))
    with pool.session(autocommit=True) as connection:
        connection.cursor().execute("CREATE TABLE #kept (a int)")
        connection.cursor().execute("BEGIN TRANSACTION; INSERT INTO #kept VALUES (1)")
    with pool.session(autocommit=True) as connection:
        left = connection.cursor().execute("SELECT @@TRANCOUNT, (SELECT COUNT(*) FROM #kept)").fetchone()
        assert tuple(left) == (0, 0)
    assert pool.status().opened == 1
    pool.close()


@every_way
def test_no_such_database_is_a_sentence(dialect: str, query: dict[str, str]) -> None:
    pool = connections(dialect, query, database="gidtest_nowhere")
    with pytest.raises(GidbenchError, match="database") as caught, pool.session():
        pass
    assert caught.value.remedy.startswith("Check its name")


@every_way
def test_no_such_host_and_no_such_port_are_sentences(dialect: str, query: dict[str, str]) -> None:
    quick = {**query, "ConnectTimeout": "1"}
    for parts in ({"host": "nowhere.invalid"}, {"port": 1}):
        pool = connections(dialect, quick, **parts)
        began = time.monotonic()
        with pytest.raises(ServerError, match=r"reached|answer in time") as caught, pool.session():
            pass
        assert time.monotonic() - began < 15  # and is not tried again and again
        assert "Check host, port and firewall" in caught.value.remedy
        assert caught.value.exit_code == 4


def test_a_wrong_password_is_a_sentence() -> None:
    told = ""
    try:
        with connections(password="Geheim1").session():
            pass
    except ServerError as error:
        told = str(error)
    if not told:
        pytest.skip("this server lets anybody in; a fake one refuses in test_connections_wire.py")
    assert "login is refused" in told
    assert "Geheim1" not in told


@every_way
def test_a_deadlock_is_known_and_the_transaction_goes_through_when_it_is_tried_again(
    dialect: str, query: dict[str, str]
) -> None:
    name = f"gidtest_deadlock_{os.getpid()}"
    pool = connections(dialect, query)
    with pool.session(autocommit=True) as connection:
        connection.cursor().execute(f"CREATE TABLE {name} (id int PRIMARY KEY, n int)")
        connection.cursor().execute(f"INSERT INTO {name} VALUES (1, 0), (2, 0)")
    meet, tries = threading.Barrier(2), Counter[str]()

    def both(first: int, second: int) -> None:
        def once() -> None:
            tries["all"] += 1
            with explained("updating"), pool.session() as connection:
                cursor = connection.cursor()
                cursor.execute(f"UPDATE {name} SET n = n + 1 WHERE id = {first}")
                if tries["all"] <= 2:
                    meet.wait(20)
                cursor.execute(f"UPDATE {name} SET n = n + 1 WHERE id = {second}")
                connection.commit()

        def seen(error: BaseException, _: float) -> None:
            tries[str(getattr(error, "number", ""))] += 1

        RetryPolicy(first_wait_s=0.05).call(once, is_transient, before_wait=seen)

    try:
        with ThreadPoolExecutor(2) as threads:
            for done in [threads.submit(both, 1, 2), threads.submit(both, 2, 1)]:
                done.result(60)
        with pool.session() as connection:
            rows = connection.cursor().execute(f"SELECT n FROM {name}").fetchall()
        assert [row[0] for row in rows] == [2, 2]
        assert tries == {"all": 3, "1205": 1}
    finally:
        live.run(f"DROP TABLE {name}", str(make_url(live.LIVE).database))
        pool.close()


def test_doctor_says_which_driver_and_that_arrow_is_there() -> None:
    found = examine_server(make_url(live.LIVE))
    assert found.driver_reason
    assert "ODBC" in found.driver or "TDS" in found.driver
    assert not found.no_arrow
    assert found.server.permissions["SELECT"]
    assert not found.refused


class Watch:
    """Who uses which connection: two at once is what must not be."""

    def __init__(self) -> None:
        self.users: Counter[int] = Counter()
        self.shared = 0
        self.lock = threading.Lock()

    def use(self, connection: Any, hold_s: float) -> None:
        cursor = connection.cursor()
        mine = id(cursor.connection)
        with self.lock:
            self.users[mine] += 1
            self.shared += self.users[mine] > 1
        try:
            [spid] = cursor.execute("SELECT @@SPID").fetchone()
            time.sleep(hold_s)
            assert cursor.execute("SELECT @@SPID").fetchone()[0] == spid
        finally:
            with self.lock:
                self.users[mine] -= 1


def test_many_threads_share_no_connection_leak_none_and_survive_a_restart() -> None:
    """For GIDBENCH_SOAK_SECONDS (3); in the middle the server goes away for a second or two and comes back: behind
    a proxy that cuts and refuses, or by the command GIDBENCH_SOAK_RESTART, such as `docker restart mssql`."""
    url = make_url(live.LIVE)
    with Proxy(url.host or "", url.port or 1433) as proxy:
        pool = connections(
            host="127.0.0.1",
            port=proxy.port,
            options=PoolOptions(size=SIZE, timeout_s=20.0, breaker_cool_down_s=0.5),
        )
        with contextlib.ExitStack() as all_of_them:  # to connect takes some servers a third of a second
            for _ in range(SIZE):
                all_of_them.enter_context(pool.session())
        watch, done, told = Watch(), Counter[str](), Counter[str]()
        until = time.monotonic() + SOAK_S
        back = threading.Event()

        def work(number: int) -> None:
            retry = RetryPolicy(attempts=50, first_wait_s=0.05, longest_wait_s=0.5, deadline_s=60.0)
            while time.monotonic() < until or not back.is_set():

                def once() -> None:
                    with explained("asking"), pool.session(autocommit=number % 2 == 0) as connection:
                        watch.use(connection, 0.002)

                retry.call(
                    once, is_transient, before_wait=lambda error, _: told.update([type(error).__name__])
                )
                done["after" if back.is_set() else "before"] += 1

        def restart() -> None:
            time.sleep(SOAK_S / 2)
            if RESTART:
                subprocess.run(RESTART, shell=True, check=True, timeout=120)
                back.set()
                return
            away_s = min(2.0, SOAK_S / 3)
            proxy.refuse(away_s)
            proxy.cut_all(reset=True)
            time.sleep(away_s)
            back.set()

        restarting = threading.Thread(target=restart)
        restarting.start()
        with ThreadPoolExecutor(THREADS) as threads:
            for one in [threads.submit(work, number) for number in range(THREADS)]:
                one.result(SOAK_S + 90)
        restarting.join()
        status = pool.status()
        assert watch.shared == 0
        assert done["before"]
        assert done["after"]
        assert told["ServerError"]  # the restart was felt
        assert status.in_use == 0
        assert status.breaker == "closed"
        assert status.idle == len(proxy.links()) <= SIZE
        pool.close()
        until = time.monotonic() + 10
        while proxy.links() and time.monotonic() < until:
            time.sleep(0.02)
        assert not proxy.links()
        print(f"{dict(done)} uses, told {dict(told)}, {status}")


def test_a_pool_that_is_used_up_tells_every_waiting_thread() -> None:
    pool = connections(options=PoolOptions(size=2, timeout_s=0.3))
    told: list[str] = []

    def wait() -> None:
        with pytest.raises(StoreBusyError) as caught, pool.session():
            pass
        told.append(str(caught.value))

    with pool.session(), pool.session():
        with ThreadPoolExecutor(8) as threads:
            for _ in range(8):
                threads.submit(wait)
    assert len(told) == 8
    assert all("within 0.3 s (pool of 2, 0 beyond, all in use)" in one for one in told)
    assert pool.status().waits == 8
    pool.close()
