"""Which file is opened by which reader, and which is refused."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import openpyxl
import pytest

from gidbench.errors import InputError
from gidbench.files.csv_reader import CsvReader
from gidbench.files.readers import READERS, open_reader
from gidbench.files.workbooks.reader import WorkbookReader


def refused(path: Path, pattern: str) -> None:
    with pytest.raises(InputError, match=pattern), open_reader(path):
        pytest.fail("must not open")


@pytest.mark.parametrize(
    "name", ["t.csv", "t.CSV", "t.tsv", "t.txt", "two.dots.csv", "blank in name.csv", "名.csv"]
)
def test_text_is_opened_by_the_csv_reader(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("a\tb\n1\t2\n")
    with open_reader(tmp_path / name) as reader:
        assert isinstance(reader, CsvReader)
        assert reader.header == ["a", "b"]


@pytest.mark.parametrize("name", ["t.xlsx", "T.XLSX"])
def test_a_workbook_is_opened_by_the_workbook_reader(tmp_path: Path, name: str) -> None:
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.save(tmp_path / name)
    with open_reader(tmp_path / name) as reader:
        assert isinstance(reader, WorkbookReader)
        assert reader.header == ["a", "b"]


@pytest.mark.parametrize("extension", [".csv", ".tsv", ".txt"])
def test_a_zip_archive_named_as_text_is_refused_with_advice(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"t{extension}"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "a,b\n")
    refused(path, r"zip archive or workbook.*Name it \.xlsx")


def test_text_named_as_a_workbook_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.xlsx").write_text("a,b\n1,2\n")
    refused(tmp_path / "t.xlsx", "cannot be read as a workbook")


@pytest.mark.parametrize("extension", [".csv", ".xlsx"])
def test_a_missing_file_is_refused(tmp_path: Path, extension: str) -> None:
    refused(tmp_path / f"no{extension}", "there is no file")


@pytest.mark.parametrize("extension", [".csv", ".xlsx", ""])
def test_a_folder_is_refused(tmp_path: Path, extension: str) -> None:
    (tmp_path / f"folder{extension}").mkdir()
    refused(tmp_path / f"folder{extension}", "not a regular file")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    refused(tmp_path / "pipe.csv", "not a regular file")


@pytest.mark.parametrize("name", ["t.docx", "t", "t.csv.bak", "t.parquet"])
def test_an_unknown_extension_is_refused_and_the_known_ones_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("a,b\n")
    refused(tmp_path / name, r"extension.*Use one of \.csv, \.tsv, \.txt, \.xlsx")


@pytest.mark.parametrize("extension", sorted(READERS))
def test_an_empty_file_is_refused(tmp_path: Path, extension: str) -> None:
    (tmp_path / f"t{extension}").write_bytes(b"")
    refused(tmp_path / f"t{extension}", "empty|cannot be read")


def test_a_link_to_a_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n")
    (tmp_path / "link.csv").symlink_to(tmp_path / "t.csv")
    with open_reader(tmp_path / "link.csv") as reader:
        assert reader.header == ["a", "b"]


def test_the_reader_is_closed_when_the_block_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []
    monkeypatch.setattr(CsvReader, "close", lambda self: closed.append(self))
    (tmp_path / "t.csv").write_text("a,b\n")
    with pytest.raises(KeyboardInterrupt), open_reader(tmp_path / "t.csv") as reader:
        raise KeyboardInterrupt
    assert closed == [reader]
