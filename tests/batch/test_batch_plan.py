"""What a batch is to do, and what it refuses before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

import gidbench
from gidbench.batch_plan import Given, load_values, parse_sweep, plan
from gidbench.errors import InputError


def test_every_combination_of_what_is_swept_runs_every_notebook_and_the_overview_last() -> None:
    sweep = {"records": ["1e3", "2e3"], "workers": ["1", "2"]}
    steps = plan(["overview", "generate", "sync"], Given({"rounds": "1"}, {}, sweep))
    assert [step.name for step in steps[:3]] == ["01_generate", "03_sync", "00_overview"]
    assert len(steps) == 12
    folders = list(dict.fromkeys(step.folder for step in steps))
    assert folders == [
        "records-1e3_workers-1",
        "records-1e3_workers-2",
        "records-2e3_workers-1",
        "records-2e3_workers-2",
    ]
    assert steps[3].parameters == {"records": 1000, "workers": 2, "rounds": 1}
    assert steps[2].parameters == {}  # the overview knows none of them
    assert steps[2].at == steps[0].at == {"records": "1000", "workers": "1"}
    assert all(step.takes_out for step in steps)


def test_a_notebook_is_run_once_however_it_is_named() -> None:
    assert len(plan(["generate", "01_generate"], Given())) == 1
    [step] = plan(["generate"], Given())
    assert (step.folder, step.is_ours) == ("", True)


@pytest.mark.parametrize(
    ("names", "given", "match"),
    [
        ([], Given(), "no notebook is named"),
        (["generation"], Given(), "there is no notebook 'generation'"),
        (
            ["generate"],
            Given({"colour": "blue"}),
            "no notebook has a parameter 'colour'. Use one of batch_size, cases",
        ),
        (["generate"], Given({"records": "many"}), "'many' is not a whole number"),
        (["generate"], Given({}, {"records": 1.5}), "records is 1.5, but must be a whole number"),
        (["generate"], Given({}, {"colour": 1}), "no notebook has a parameter 'colour'"),
        (["generate"], Given({}, {}, {"colour": ["1"]}), "no notebook has a parameter 'colour'"),
        (["generate"], Given({}, {}, {"records": ["1e3", "few"]}), "'few' is not a whole number"),
        (
            ["generate"],
            Given({"records": "1"}, {}, {"records": ["1", "2"]}),
            "records is both given and swept",
        ),
        (
            ["generate"],
            Given({"out": "x"}),
            "out is where the batch puts its results. Name a folder by --out",
        ),
        (["generate"], Given({"records": "0"}), "0 records cannot be measured"),
        (["generate"], Given({"rounds": "-1"}), "-1 rounds cannot be run"),
        (
            ["generate"],
            Given({"workers": "1000"}),
            "workers is 1000, but must be a whole number from 1 to 256",
        ),
        (["generate"], Given({"database": "duckdb://"}), "a database in memory does not last"),
        (
            ["generate", "process"],
            Given({}, {}, {"records": [str(n) for n in range(1, 502)]}),
            "1,002 notebooks would run, and 1,000 is the most",
        ),
    ],
)
def test_what_cannot_be_run_is_refused(names: list[str], given: Given, match: str) -> None:
    with pytest.raises(InputError, match=match):
        plan(names, given)


def test_a_database_that_holds_data_is_refused(database: str) -> None:
    gidbench.generate(10, into=database)
    with pytest.raises(InputError, match=r"holds data \(employee 10 rows\)"):
        plan(["generate"], Given({"database": database}))


def test_a_password_goes_through_the_environment_and_is_never_shown(make_notebook) -> None:
    own = make_notebook("own", 'database: str = ""\nsource: str = ""', "1")
    url = "mssql+pyodbc://sa:secret@db.example:1433/people"
    for path in (str(own), "06_your_server"):
        [step] = plan([path], Given({"database": url}))
        assert step.database == url
        assert "secret" not in f"{step.parameters} {step.shown} {step.folder}"
    steps = plan(["06_your_server"], Given({}, {}, {"database": [url, url.replace("secret", "other")]}))
    assert "secret" not in f"{[(step.folder, step.shown, step.at) for step in steps]}"
    assert len({step.folder for step in steps}) == 2
    with pytest.raises(InputError, match="the parameter source holds a password") as caught:
        plan([str(own)], Given({"source": url}))
    assert "secret" not in str(caught.value)
    [step] = plan([str(own)], Given({"database": "sqlite:///x.db"}))
    assert step.parameters == {"database": "sqlite:///x.db"}  # it may be anything to it


def test_two_notebooks_of_one_name_would_overwrite_each_other(make_notebook, tmp_path: Path) -> None:
    own = make_notebook("01_generate", "", "1")
    with pytest.raises(InputError, match="two notebooks are called 01_generate"):
        plan([str(own), "generate"], Given())


def test_sweeps_are_parsed_with_semicolons_where_values_have_commas() -> None:
    assert parse_sweep(["records=1e5, 1e6", "cases=memory;csv,parquet"]) == {
        "records": ["1e5", "1e6"],
        "cases": ["memory", "csv,parquet"],
    }


@pytest.mark.parametrize(
    ("texts", "match"),
    [
        (["records"], "'records' is no sweep. Write it like records=1e5,1e6"),
        (["records="], "is no sweep"),
        (["records=1,,2"], "is no sweep"),
        (["1=2"], "is no sweep"),
        (["records=1,1"], "holds a value twice"),
        (["records=1", "records=2"], "records is swept twice"),
    ],
)
def test_what_is_no_sweep_is_refused(texts: list[str], match: str) -> None:
    with pytest.raises(InputError, match=match):
        parse_sweep(texts)


def test_parameters_of_yaml_files_a_later_one_before_an_earlier_one(tmp_path: Path) -> None:
    one, two = tmp_path / "one.yml", tmp_path / "two.yml"
    one.write_text("records: 1e5\nrounds: 2\n")
    two.write_text("rounds: 3\n# nothing\n")
    assert load_values([one, two]) == {"records": "1e5", "rounds": 3}
    [step] = plan(["generate"], Given({"rounds": "4"}, load_values([one])))
    assert step.parameters == {"records": 100_000, "rounds": 4}


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("a: [1\n", r"cannot be read as YAML \(line"),
        ("- 1\n", "holds no parameters"),
        ("1: 2\n", "holds no parameters"),
    ],
)
def test_what_is_no_file_of_parameters_is_refused(tmp_path: Path, text: str, match: str) -> None:
    path = tmp_path / "bad.yml"
    path.write_text(text)
    with pytest.raises(InputError, match=match):
        load_values([path])
    with pytest.raises(InputError, match="cannot be read as YAML"):
        load_values([tmp_path / "not.yml"])
