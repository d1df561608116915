"""What the advisor says of tables in every state, and what a load tells of itself."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import live
import pyodbc
import pytest
from sqlalchemy.engine import make_url

from gidbench import administration, cli, operations
from gidbench.errors import InputError
from gidbench.stores.opening import open_store
from gidbench.stores.sqlserver.advisor import COLUMNSTORE_ROWS, TableState, advise, state_of
from gidbench.stores.sqlserver.metering import Cost, read_cost
from gidbench.stores.sqlserver.server import DATABASE_PERMISSIONS, Server
from gidbench.stores.sqlserver.writing import STRATEGIES
from gidbench.stores.sqlserver.writing.model import WriteOptions

SERVER = Server(
    version="Microsoft SQL Server 2022",
    major=16,
    is_babelfish=False,
    is_azure=False,
    database="people",
    collation="Latin1_General_CI_AS",
    recovery="SIMPLE",
    snapshot=True,
    permissions=dict.fromkeys(DATABASE_PERMISSIONS, True),
    may_bulk_insert=True,
    may_see_state=True,
)
BEST = TableState("heap", is_empty=True, recovery="SIMPLE")
BULK = STRATEGIES["bulkcopy_arrow"]


def hindering(state: TableState, server: Server = SERVER, **how: Any) -> tuple[str, ...]:
    advice = advise("t", state, server, **{"strategy": BULK, **how})
    assert advice.minimal == (not advice.hindering)
    assert all(check.remedy for check in advice.findings if check.state != "good")
    return advice.hindering


@pytest.mark.parametrize(
    ("change", "hinders"),
    [
        ({}, ()),
        ({"recovery": "BULK_LOGGED"}, ()),
        ({"recovery": "FULL"}, ("recovery model",)),
        ({"recovery": ""}, ("recovery model",)),
        ({"published": ("merge replication",)}, ("replication",)),
        ({"triggers": ("t_log",)}, ("triggers",)),
        ({"in_memory": True}, ("structure",)),
        ({"indexes": ("ix",)}, ()),  # of an empty table, built with the load
        ({"kind": "clustered index"}, ()),
        ({"kind": "clustered index", "is_empty": False}, ("table lock", "structure")),
        ({"is_empty": False, "indexes": ("ix",)}, ("table lock", "nonclustered indexes")),
        ({"kind": "clustered columnstore index", "is_empty": False}, ()),
    ],
)
def test_each_thing_that_decides_is_found(change: dict[str, Any], hinders: tuple[str, ...]) -> None:
    assert hindering(replace(BEST, **change)) == hinders


def test_lock_way_batch_and_azure_decide_too() -> None:
    assert hindering(BEST, options=WriteOptions(table_lock=False)) == ("table lock",)
    assert hindering(BEST, strategy=STRATEGIES["fast_executemany"]) == ("write strategy",)
    assert hindering(BEST, strategy=None) == ()
    columnstore = replace(BEST, kind="clustered columnstore index")
    assert hindering(columnstore, batch_rows=COLUMNSTORE_ROWS - 1) == ("batch",)
    assert hindering(columnstore, batch_rows=COLUMNSTORE_ROWS) == ()
    assert hindering(columnstore, options=WriteOptions(table_lock=False)) == ()
    assert hindering(BEST, replace(SERVER, is_azure=True)) == ("recovery model",)


def test_only_bulk_loads_are_taken_for_such() -> None:
    assert {name for name, each in STRATEGIES.items() if each.is_bulk} == {
        "bulkcopy_arrow",
        "bulkcopy",
        "bulk_insert",
    }


class FakeCursor:
    """Answers by the first word of ours that a statement holds."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers, self.asked = answers, ""

    def cursor(self) -> FakeCursor:
        return self

    def execute(self, statement: str, _: Any = ()) -> FakeCursor:
        self.asked = next(word for word in self.answers if word in statement)
        if isinstance(self.answers[self.asked], Exception):
            raise self.answers[self.asked]
        return self

    def fetchall(self) -> Any:
        return self.answers[self.asked]

    def close(self) -> None: ...


def test_the_state_of_a_table_is_put_together_from_the_catalogue() -> None:
    found = state_of(
        FakeCursor(
            {
                "sys.tables": [(0, 1, 0, 1, 0)],
                "sys.indexes": [(1, "pk"), (2, "ix_b"), (2, "ix_a"), (6, "ncci")],
                "sys.triggers": [("t_log",)],
                "sys.databases": [("BULK_LOGGED",)],
                "TOP 1": [(1,)],
            }
        ),
        "hr.people",
    )
    assert found == TableState(
        "clustered index",
        False,
        ("ix_a", "ix_b", "ncci"),
        ("t_log",),
        ("transactional replication", "change data capture"),
        False,
        "BULK_LOGGED",
    )
    with pytest.raises(InputError, match="there is no table 'nobody'"):
        state_of(FakeCursor({"sys.tables": []}), "nobody")


def test_what_a_load_cost_is_the_difference_of_two_readings() -> None:
    def reading(log: int, **waits: int) -> Cost:
        answers = {"dm_io_virtual_file_stats": [(log,)], "dm_os_wait_stats": list(waits.items())}
        return read_cost(FakeCursor(answers), SERVER)

    before = reading(1000, WRITELOG=5, LCK_M_X=7)
    after = reading(5096, WRITELOG=25, LCK_M_X=7, PAGELATCH_EX=90)
    assert after - before == Cost(4096, {"PAGELATCH_EX": 90, "WRITELOG": 20})


def test_what_may_not_be_seen_is_none_with_the_reason() -> None:
    blind = replace(SERVER, may_see_state=False)
    unseen = read_cost(FakeCursor({}), blind)
    assert (unseen.log_bytes, unseen.waits_ms) == (None, None)
    assert unseen.why_not == "the login lacks VIEW SERVER PERFORMANCE STATE"
    assert replace(blind, major=15).hides_state == "the login lacks VIEW SERVER STATE"
    assert replace(blind, is_azure=True).hides_state == "the login lacks VIEW DATABASE STATE"
    assert "Babelfish" in replace(SERVER, is_babelfish=True).hides_state
    refused = pyodbc.Error(
        "42000", "[42000] VIEW SERVER STATE permission was denied on object 'server' (300)"
    )
    told = read_cost(FakeCursor({"dm_io_virtual_file_stats": refused}), SERVER)
    assert told.log_bytes is None
    assert told.why_not
    assert (told - unseen).why_not == told.why_not
    assert (unseen - Cost(1, {})).log_bytes is None


def test_azure_has_its_own_view_of_waits() -> None:
    answers = {"dm_io_virtual_file_stats": [(8,)], "dm_db_wait_stats": [("WRITELOG", 1)]}
    assert read_cost(FakeCursor(answers), replace(SERVER, is_azure=True)) == Cost(8, {"WRITELOG": 1})


def test_advice_is_for_sql_server_and_asks_for_a_database(database: str) -> None:
    with pytest.raises(InputError, match="only loads into SQL Server"):
        administration.advise(database)
    with pytest.raises(InputError, match="no database is named"):
        administration.advise()


def test_a_live_table_is_advised_on(sql_server: str, capsys: pytest.CaptureFixture[str]) -> None:
    administration.create_schema(sql_server)
    live.query(sql_server, "CREATE TABLE bare (a int)")
    found = {check.name: check for check in administration.advise(sql_server, table="bare").findings}
    assert found["structure"].found == "an empty heap"
    assert found["table lock"].state == found["replication"].state == "good"
    live.query(sql_server, "INSERT INTO bare VALUES (1)")
    cli.main(["advise", "--database", sql_server, "--table", "dbo.bare", "--json"])
    told = json.loads(capsys.readouterr().out)
    checks = {check["name"]: check for check in told["findings"]}
    assert checks["table lock"]["state"] == "note"
    assert checks["write strategy"]["state"] == "good"
    assert str(make_url(sql_server).password) not in json.dumps(told)
    cli.main(["advise", "--database", sql_server])
    assert "nonclustered indexes" in capsys.readouterr().out
    with pytest.raises(InputError, match=r"there is no table 'dbo\.nobody'"):
        administration.advise(sql_server, table="dbo.nobody")


def test_a_live_load_tells_how_it_was_done(sql_server: str, capsys: pytest.CaptureFixture[str]) -> None:
    made = operations.generate(3_000, into=sql_server)
    load = made.to_dict()["load"]
    assert (load["strategy"], load["parts"], load["parts_repeated"]) == ("bulkcopy_arrow", 1, 0)
    assert "table lock" not in load["hindered_by"]  # the table was empty when the load began
    assert (load["log_bytes"] is None) == bool(load.get("not_seen"))
    assert "bulkcopy_arrow" in dict(made.rows())["loaded by"]
    few = operations.generate(10, into=sql_server, replace=True)
    assert few.load["strategy"] in ("openjson", "values")
    assert "minimally_logged" not in few.load
    with open_store(sql_server) as store:
        assert store.load_facts() == {}
        store.append("employee", [])
        assert store.load_facts() == {}


def test_other_destinations_have_nothing_to_choose(database: str) -> None:
    assert "load" not in operations.generate(10, into=database).to_dict()
    assert "load" not in operations.generate(10).to_dict()
