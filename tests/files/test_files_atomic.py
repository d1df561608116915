"""Files are whole or not there, whatever happens while they are written."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from gidbench.errors import CapacityError, InputError, OperationCancelled, StoreBusyError, StoreError
from gidbench.files.atomic import replacing, write_text


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", ["out.txt", "with blanks.txt", "naïve-ü-名.txt", "100% %41.txt", ".hidden"])
def test_a_file_appears_whole_under_its_name_and_leaves_nothing_beside_it(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with replacing(path) as beside:
        beside.write_text("new")
        assert not path.exists()
        assert beside.parent == path.parent
    assert path.read_text() == "new"
    assert names(tmp_path) == [name]


def test_an_older_file_is_there_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("old")
    with replacing(path) as beside:
        beside.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


@pytest.mark.parametrize("older", [None, "old"])
@pytest.mark.parametrize(
    "failure",
    [
        ValueError("no"),
        KeyboardInterrupt(),
        SystemExit(1),
        GeneratorExit(),
        InputError("bad", "change it"),
        CapacityError("full", "use fewer"),
        OperationCancelled("stopped", "run it again"),
        StoreError("the server is gone", "start it"),  # also a ConnectionError, and so an OSError
        StoreBusyError("locked", "wait"),
        FileNotFoundError(errno.ENOENT, "No such file", "/somewhere/else"),
    ],
    ids=lambda failure: type(failure).__name__ if failure is not None else "no older file",
)
def test_a_failure_leaves_everything_as_it_was_and_is_raised_as_it_is(
    tmp_path: Path, failure: BaseException, older: str | None
) -> None:
    path = tmp_path / "out.txt"
    if older:
        path.write_text(older)
    before = names(tmp_path)
    with pytest.raises(type(failure)) as caught, replacing(path) as beside:
        beside.write_text("half")
        raise failure
    assert caught.value is failure
    assert names(tmp_path) == before
    assert not older or path.read_text() == older


def test_a_full_disk_is_an_input_error_that_names_the_file_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    with (
        pytest.raises(InputError, match=r"out\.txt cannot be written \(No space left on device\)"),
        replacing(path) as beside,
    ):
        beside.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert names(tmp_path) == []


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out.txt").mkdir()
    with pytest.raises(InputError, match="is a folder"), replacing(tmp_path / "out.txt"):
        pytest.fail("must not begin")


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"), replacing(tmp_path / "no" / "out.txt"):
        pytest.fail("must not begin")


def test_a_name_without_a_folder_is_written_to_the_working_directory(tmp_path: Path) -> None:
    write_text(Path("out.txt"), "x")  # conftest: the working directory is tmp_path
    assert names(tmp_path) == ["out.txt"]


def test_a_name_that_is_too_long_for_the_disk_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write_text(tmp_path / ("x" * 250), "text")  # it fits, the part beside it does not
    assert names(tmp_path) == []


def test_two_writers_of_one_name_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    with replacing(path) as one, replacing(path) as other:
        one.write_text("one")
        other.write_text("other")
    assert path.read_text() == "one"  # the outer one ends last
    assert names(tmp_path) == ["out.txt"]


def test_text_is_written_as_utf8_with_lf(tmp_path: Path) -> None:
    write_text(tmp_path / "t.html", "é\r\n\n🙂")
    assert (tmp_path / "t.html").read_bytes() == "é\r\n\n🙂".encode()
