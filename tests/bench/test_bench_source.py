"""A file of the user's own as a case: its records as it has them, and the same of it in every round."""

from __future__ import annotations

from pathlib import Path

import pytest

import gidbench
from gidbench.bench import session
from gidbench.bench.bounds import Bounds
from gidbench.bench.databases import require_empty
from gidbench.bench.ground import Bench
from gidbench.bench.request import Request
from gidbench.bench.source_case import source_case
from gidbench.bench.suite import cases_for, left_out
from gidbench.engine import Cancellation
from gidbench.errors import GidbenchError, InputError, VerificationError

GOOD = [f"Person {n},32010101019{n:05d},1990-01-0{n % 9 + 1}" for n in range(300)]


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """300 people, the first of them twice, and two records that are none."""
    path = tmp_path / "mine.csv"
    lines = ["name,no_ktp,bod", *GOOD, GOOD[0], "x,123,1990-01-01", "Somebody,3201010101900001,never"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def bench(people: Path, tmp_path: Path, database: str) -> Bench:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return Bench(folder, database, 1_690_000, 1_000, 7, 1_000, 1, source=str(people))


def test_a_file_takes_the_place_of_the_cases_of_processing(bench: Bench) -> None:
    [case] = cases_for("process", bench)
    assert (case.variant, case.records, case.headline) == ("file", 303, True)
    assert case.title == "the file mine.csv, into the database"
    verified = case.verify(case.prepare(Cancellation())())
    assert verified.value.startswith("300:")
    assert verified.facts["accepted"] == 300
    assert verified.facts["duplicate"] == 1
    assert verified.facts["rejected"] == 2
    assert verified.cells == 303 * 3
    assert case.verify(case.prepare(Cancellation())()).value == verified.value
    assert [case.variant for case in cases_for("sync", bench)] == ["initial", "unchanged"]


def test_peers_have_files_of_their_own_and_stay_away(bench: Bench) -> None:
    with_peers = Bench(**{**bench.__dict__, "peers": True})
    assert [case.variant for case in cases_for("process", with_peers)] == ["file"]
    assert left_out("process", with_peers) == []


def test_another_outcome_in_a_round_is_a_fault(bench: Bench, people: Path) -> None:
    case = source_case(bench)
    text = people.read_text()
    people.write_text(text.replace(GOOD[1], GOOD[2]))  # as long, but one person less
    with pytest.raises(VerificationError, match=r"of 303 records came \{'accepted': 299, 'duplicate': 2"):
        case.verify(case.prepare(Cancellation())())
    people.write_text(text + GOOD[1])
    with pytest.raises(InputError, match=r"mine.csv has changed since"):
        case.prepare(Cancellation())
    people.write_text(text)
    call = case.prepare(Cancellation())
    outcome = call()
    bench.begin_afresh("global_id_file")
    with pytest.raises(VerificationError, match="global_id_file holds 0 rows, but 300 records were accepted"):
        case.verify(outcome)


def test_a_measurement_of_a_file(
    people: Path, monkeypatch: pytest.MonkeyPatch, database: str, tmp_path: Path
) -> None:
    monkeypatch.setattr(session, "measure_bounds", lambda *_: Bounds({}))
    before = {path.name for path in tmp_path.iterdir()}
    measured = gidbench.measure("process", source=people, processes=1, rounds=2, database=database, out="run")
    [result] = measured.results
    assert (result.status, result.variant, result.records, result.rounds) == ("ok", "file", 303, 2)
    assert result.facts["accepted"] + result.facts["duplicate"] + result.facts["rejected"] == 303
    assert require_empty(database) == 1_690_000
    assert {path.name for path in tmp_path.iterdir()} - before == {"run", "people.duckdb"}
    found = gidbench.load_results("run")
    assert str(tmp_path) not in (tmp_path / "run" / "results.jsonl").read_text().replace(database, "")
    assert Request.of(found.header, ["process"]).source == "mine.csv"
    assert found.header.database["storage"] == "a file, write-ahead log"


def test_what_cannot_be_a_source_is_told_at_once(tmp_path: Path, people: Path, database: str) -> None:
    with pytest.raises(InputError, match=r"there is no file none.csv to process"):
        gidbench.measure("process", source="none.csv")
    (tmp_path / "letter.pdf").write_bytes(b"%PDF")
    with pytest.raises(InputError, match=r"letter.pdf has the extension '.pdf'"):
        gidbench.measure("process", source=tmp_path / "letter.pdf")
    with pytest.raises(InputError, match="sync takes no file"):
        gidbench.measure("sync", source=people)
    with pytest.raises(InputError, match="a source is a case by itself"):
        gidbench.measure("process", source=people, cases="csv")
    with pytest.raises(InputError, match="a source is for process, which is left out"):
        Request.asked("sync", source="mine.csv")
    with pytest.raises(InputError, match="a source is a case by itself"):
        Request.asked("process", "csv", source="mine.csv")
    with pytest.raises(InputError, match=r"there is no file none.csv"):
        gidbench.run(source="none.csv")
    empty = tmp_path / "empty.csv"
    empty.write_text("name,no_ktp,bod\n")
    with pytest.raises(GidbenchError, match=r"empty.csv has no records"):
        source_case(Bench(tmp_path, database, 1_690_000, 1, 7, 1_000, 1, source=str(empty)))


def test_a_source_goes_beside_the_cases_of_others() -> None:
    request = Request.asked(cases="csv", source="mine.csv")
    assert request.measured == ("generate", "process")
    assert (request.cases_of("generate"), request.cases_of("process")) == (("csv",), ())
    assert request.command() == "gidbench run --cases csv --source mine.csv"
