"""Which file is opened by which reader, and which is refused."""

from __future__ import annotations

import os
import threading
import zipfile
from pathlib import Path

import openpyxl
import pytest

from gidbench.errors import InputError
from gidbench.files.csv_reader import CsvReader
from gidbench.files.options import Limits, ReadOptions
from gidbench.files.readers import READERS, open_reader
from gidbench.files.workbooks.reader import WorkbookReader

LINKS = ReadOptions(limits=Limits(links=True))


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


@pytest.mark.parametrize("name", ["t.docx", "t", "t.csv.bak", "t.pdf.gz"])
def test_an_unknown_extension_is_refused_and_the_known_ones_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("a,b\n")
    refused(tmp_path / name, r"extension.*Use one of \.csv, \.tsv, \.txt, \.xlsx")


@pytest.mark.parametrize("extension", sorted(READERS))
def test_an_empty_file_is_refused(tmp_path: Path, extension: str) -> None:
    (tmp_path / f"t{extension}").write_bytes(b"")
    refused(tmp_path / f"t{extension}", "empty|cannot be read")


def test_a_link_to_a_file_is_followed_only_where_that_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n")
    (tmp_path / "link.csv").symlink_to(tmp_path / "t.csv")
    refused(tmp_path / "link.csv", r"link\.csv is a symbolic link.*--links, GIDBENCH_LINKS=1")
    with open_reader(tmp_path / "link.csv", LINKS) as reader:
        assert reader.header == ["a", "b"]


def test_a_link_to_nothing_is_no_file_where_links_are_allowed(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "t.csv")
    with pytest.raises(InputError, match="there is no file"), open_reader(tmp_path / "link.csv", LINKS):
        pytest.fail("must not open")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_a_pipe_is_read_where_that_is_allowed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    writer = threading.Thread(target=(tmp_path / "pipe.csv").write_text, args=("a,b\n1,2\n",))
    writer.start()
    with open_reader(tmp_path / "pipe.csv", LINKS) as reader:
        writer.join()
        assert reader.header == ["a", "b"]
        [(_, chunk)] = reader.chunks()
        assert [column.to_pylist() for column in reader.parse(chunk, (0, 1)).columns] == [["1"], ["2"]]


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device on this system")
def test_a_device_that_never_ends_is_given_up_at_the_limit(tmp_path: Path) -> None:
    (tmp_path / "zero.csv").symlink_to("/dev/zero")
    options = ReadOptions(limits=Limits(links=True, inflated_bytes=10_000_000))
    with (
        pytest.raises(InputError, match=r"zero\.csv goes on after 10,000,000 bytes"),
        open_reader(tmp_path / "zero.csv", options),
    ):
        pytest.fail("must not open")


def test_the_reader_is_closed_when_the_block_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []
    monkeypatch.setattr(CsvReader, "close", lambda self: closed.append(self))
    (tmp_path / "t.csv").write_text("a,b\n")
    with pytest.raises(KeyboardInterrupt), open_reader(tmp_path / "t.csv") as reader:
        raise KeyboardInterrupt
    assert closed == [reader]


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (b"%PDF-1.7\n", r"a PDF document, not delimited text.*\.csv"),
        (b"\x1f\x8b\x08\0", r"a gzip file.*Name it \.gz"),
        (b"PAR1\x15\0", r"a Parquet file.*\.parquet"),
        (b"ARROW1\0\0", r"an Arrow file.*\.arrow"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", r"an OLE file.*Name it \.xls"),
        (b"\n<!DOCTYPE HTML><html>", r"an HTML page.*save it as \.xlsx"),
        (b"<html><table>", r"an HTML page"),
    ],
)
@pytest.mark.parametrize("extension", [".csv", ".txt"])
def test_what_is_no_text_is_named_for_what_it_is(
    tmp_path: Path, head: bytes, told: str, extension: str
) -> None:
    (tmp_path / f"t{extension}").write_bytes(head + b"\x00\x01rest,of\nit")
    refused(tmp_path / f"t{extension}", told)


@pytest.mark.parametrize("forgiving", [True, False])
@pytest.mark.parametrize("delimiter", [",", ", "])
def test_a_field_beyond_the_limit_is_refused_with_its_place(
    tmp_path: Path, forgiving: bool, delimiter: str
) -> None:
    (tmp_path / "t.csv").write_text(f"a,b\n1,2\n3,{'x' * 2_000}\n5,6\n")
    for limit, wanted in ((2_000, [0, 1]), (1_999, [0])):
        options = ReadOptions(delimiter=delimiter, forgiving=forgiving, limits=Limits(field_bytes=limit))
        with open_reader(tmp_path / "t.csv", options) as reader:
            for _, chunk in reader.chunks():
                assert reader.parse(chunk, wanted).flags.size == 3
    with (
        open_reader(tmp_path / "t.csv", options) as reader,
        pytest.raises(InputError, match="byte 4 has 2,000 bytes; the limit is 1,999"),
    ):
        [reader.parse(chunk, [1]) for _, chunk in reader.chunks()]
