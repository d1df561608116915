"""Sessions, transactions and locks of a SQL Server whose connections break, without one."""

from __future__ import annotations

import pytest
from fake_server import FakeServer, error, patient

from gidbench.errors import StoreBusyError, StoreError
from gidbench.stores.sqlserver.session import Session


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def session(server: FakeServer) -> Session:
    return Session(server.connections(), "mssql://nowhere/hr", "nowhere hr", patient())


def kept(_: object) -> bool:
    return True


def not_kept(_: object) -> bool:
    return False


def test_a_deadlock_of_the_first_statement_of_a_transaction_is_tried_again(
    server: FakeServer, session: Session
) -> None:
    server.fail("INSERT", error(1205), times=2)
    with session.transaction(not_kept):
        session.execute("INSERT")
        session.execute("UPDATE")
    words = ("INSERT", "UPDATE", "ROLLBACK", "COMMIT")
    assert server.texts(*words) == ["INSERT", "ROLLBACK", "INSERT", "ROLLBACK", "INSERT", "UPDATE", "COMMIT"]
    assert server.opened == 1


def test_a_deadlock_that_stays_ends_in_a_sentence(server: FakeServer, session: Session) -> None:
    server.fail("INSERT", error(1205), times=99)
    with pytest.raises(StoreError, match="deadlock") as caught, session.transaction(not_kept):
        session.execute("INSERT")
    assert caught.value.transient
    assert server.texts("INSERT", "COMMIT") == ["INSERT"] * 5


@pytest.mark.parametrize("before", ["statement", "sequence"])
def test_a_deadlock_of_a_later_statement_takes_the_transaction_back_and_is_not_tried_again(
    server: FakeServer, session: Session, before: str
) -> None:
    server.fail("UPDATE", error(1205))
    with pytest.raises(StoreError, match="deadlock") as caught, session.transaction(not_kept):
        if before == "statement":
            session.execute("INSERT")
        else:
            with session.using() as connection:  # as G_IDs are reserved: they would be lost, unnoticed
                connection.cursor().execute("INSERT")
        session.execute("UPDATE")
    assert caught.value.transient
    assert server.texts("INSERT", "UPDATE", "COMMIT", "ROLLBACK")[:3] == ["INSERT", "UPDATE", "ROLLBACK"]
    assert "COMMIT" not in server.texts("COMMIT")


def test_a_connection_cut_by_the_first_statement_is_not_replaced_within_the_transaction(
    server: FakeServer, session: Session
) -> None:
    server.fail("INSERT", error(10054))
    with (
        pytest.raises(StoreError, match="connection to the server was cut") as caught,
        session.transaction(not_kept),
    ):
        session.execute("INSERT")
    assert caught.value.transient
    assert server.texts("INSERT", "COMMIT") == ["INSERT"]
    with session.transaction(not_kept):  # the next one has a connection of its own
        session.execute("INSERT")
    assert server.said[-1] != (1, "COMMIT")
    assert server.texts("INSERT", "COMMIT") == ["INSERT", "INSERT", "COMMIT"]


def test_nobody_goes_on_under_a_lock_that_is_lost(server: FakeServer, session: Session) -> None:
    with session.lock("global_id", 1):
        server.fail("SELECT x", error(10054))
        with pytest.raises(StoreError, match="connection to the server was cut"):
            session.rows("SELECT x")
        for work in (
            lambda: session.rows("SELECT x"),
            lambda: session.execute("INSERT"),
            lambda: session.transaction(not_kept).__enter__(),
            lambda: session.lock("g_id_sequence", 1).__enter__(),
        ):
            with pytest.raises(StoreError, match="its locks and transaction are gone") as caught:
                work()
            assert caught.value.transient
    assert server.opened == 1
    assert server.texts("INSERT") == []
    assert session.rows("SELECT 1") == [(1,)]
    assert server.opened == 2


def test_what_holds_nothing_looks_again_on_another_connection(server: FakeServer, session: Session) -> None:
    session.rows("SELECT 1")
    server.answer("SELECT x", [(7,)])
    server.fail("SELECT x", error(10054))
    assert session.rows("SELECT x") == [(7,)]
    server.fail("sp_getapplock", error(10054))
    with session.lock("global_id", 1):
        pass
    server.fail("sp_getapplock", error(10054))
    with session.transaction(not_kept):
        session.execute("INSERT")
    assert server.opened == 4
    assert server.texts("INSERT", "COMMIT") == ["INSERT", "COMMIT"]


def test_a_commit_whose_answer_is_lost_is_looked_up(server: FakeServer, session: Session) -> None:
    server.fail("COMMIT", error(10054))
    with session.transaction(kept):
        session.execute("INSERT")
        session.leaves_a_trace = True
    assert server.texts("INSERT", "COMMIT") == ["INSERT", "COMMIT"]
    # looked up under the transaction's own lock, by another connection
    asked = [text for number, text in server.said if number == 2]
    assert any("sp_getapplock" in text and "'Session'" in text for text in asked)


def test_a_commit_that_did_not_arrive_is_told_as_such(server: FakeServer, session: Session) -> None:
    server.fail("COMMIT", error(10054))
    with (
        pytest.raises(StoreError, match="connection to the server was cut") as caught,
        session.transaction(not_kept),
    ):
        session.execute("INSERT")
        session.leaves_a_trace = True
    assert caught.value.transient


def test_a_commit_that_nothing_tells_of_is_told_as_unknown(server: FakeServer, session: Session) -> None:
    server.fail("COMMIT", error(10054))
    with pytest.raises(StoreError, match="nothing tells whether it was kept") as caught:
        with session.transaction(kept):
            session.execute("INSERT")
    assert not caught.value.transient


def test_a_commit_that_can_not_be_looked_up_is_told_as_unknown(server: FakeServer, session: Session) -> None:
    with pytest.raises(StoreError, match="can't be asked whether it was kept"), session.transaction(kept):
        session.execute("INSERT")
        session.leaves_a_trace = True
        server.fail("COMMIT", error(10054))
        server.fail("CONNECT", error(10054), times=99)


def test_what_was_kept_is_not_told_as_failed_when_its_lock_can_not_be_given_back(
    server: FakeServer, session: Session
) -> None:
    server.fail("sp_releaseapplock", error(10054))
    with session.lock("global_id", 1), session.transaction(not_kept):
        session.execute("INSERT")
    assert server.texts("INSERT", "COMMIT") == ["INSERT", "COMMIT"]


def test_a_lock_that_somebody_else_holds_is_told(server: FakeServer, session: Session) -> None:
    server.answer("sp_getapplock", [(-1,)])
    with pytest.raises(StoreBusyError, match="another run holds global_id"), session.lock("global_id", 0):
        pass


def test_a_server_that_is_gone_is_given_up_once_not_by_every_floor_anew(
    server: FakeServer, session: Session
) -> None:
    assert session.rows("SELECT 1") == [(1,)]
    server.fail("SELECT x", error(10054))
    server.fail("CONNECT", error(10054), times=99)
    with pytest.raises(StoreError) as caught:
        session.rows("SELECT x")
    assert not caught.value.transient
    assert server.asked == 1 + 5
