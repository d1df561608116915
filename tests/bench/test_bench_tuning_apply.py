"""Settings written into files: nothing else changes, the file is whole, and gidbench reads what was written."""

from __future__ import annotations

import io
import stat
import tomllib
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from gidbench.bench import tuning_apply
from gidbench.bench.tuning_apply import write_settings
from gidbench.errors import InputError
from gidbench.settings import load_settings

NEW = {"ULTRA_BATCH_SIZE": 25_000, "GIDBENCH_WRITE_STRATEGY": "values"}


def test_a_new_file_is_made_and_read() -> None:
    write_settings(Path(".env"), NEW)
    assert Path(".env").read_bytes() == b"ULTRA_BATCH_SIZE=25000\nGIDBENCH_WRITE_STRATEGY=values\n"
    assert (load_settings().batch_size, load_settings().write_strategy) == (25_000, "values")


def test_a_new_toml_file_is_made_and_read() -> None:
    write_settings(Path("gidbench.toml"), NEW)
    assert tomllib.loads(Path("gidbench.toml").read_text()) == NEW
    assert (load_settings().batch_size, load_settings().write_strategy) == (25_000, "values")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "# ours\r\nSECRET='a b'  # why\r\nexport ULTRA_BATCH_SIZE=5000 # as always\r\nX=1",
            "# ours\r\nSECRET='a b'  # why\r\nexport ULTRA_BATCH_SIZE=25000 # as always\r\nX=1\r\n"
            "GIDBENCH_WRITE_STRATEGY=values\r\n",
        ),
        (
            'GIDBENCH_WRITE_STRATEGY = "auto"\nULTRA_BATCH_SIZE=1000\n\nULTRA_BATCH_SIZE="2000"\n',
            "GIDBENCH_WRITE_STRATEGY = values\nULTRA_BATCH_SIZE=1000\n\nULTRA_BATCH_SIZE=25000\n",
        ),
        (
            "MULTI='one\ntwo'\n#ULTRA_BATCH_SIZE=3\nULTRA_BATCH_SIZE_OLD=9\nULTRA_BATCH_SIZE=\n",
            "MULTI='one\ntwo'\n#ULTRA_BATCH_SIZE=3\nULTRA_BATCH_SIZE_OLD=9\nULTRA_BATCH_SIZE=25000\n"
            "GIDBENCH_WRITE_STRATEGY=values\n",
        ),
    ],
)
def test_every_other_line_of_an_env_file_stays(before: str, after: str) -> None:
    Path(".env").write_bytes(before.encode())
    write_settings(Path(".env"), NEW)
    assert Path(".env").read_bytes() == after.encode()
    assert (load_settings().batch_size, load_settings().write_strategy) == (25_000, "values")


def test_every_other_line_of_a_toml_file_stays_and_new_ones_go_before_the_first_table() -> None:
    before = (
        '# ours\nULTRA_BATCH_SIZE = 5_000  # once\nnote = """\nfree"""\n\n[tool.x]\nULTRA_BATCH_SIZE = 3\n'
    )
    after = (
        '# ours\nULTRA_BATCH_SIZE = 25000  # once\nnote = """\nfree"""\n\nGIDBENCH_WRITE_STRATEGY = "values"\n'
        "[tool.x]\nULTRA_BATCH_SIZE = 3\n"
    )
    Path("gidbench.toml").write_text(before)
    write_settings(Path("gidbench.toml"), NEW)
    assert Path("gidbench.toml").read_text() == after
    assert load_settings().batch_size == 25_000


_LINES = st.lists(
    st.one_of(
        st.sampled_from(
            ["", "# a note", "A=1", "export B = 'x y' # z", 'C="1#2"', "D=", "ULTRA_BATCH_SIZE=7", "ü=ß"]
        ),
        st.from_regex(r"[A-Z]{1,5}=[a-z0-9./:@-]{0,12}", fullmatch=True),
    ),
    max_size=8,
)


@given(_LINES, st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_all_that_an_env_file_sets_is_kept_but_what_is_written(
    lines: list[str], ended: bool, end: str
) -> None:
    path = Path("any.env")
    text = end.join(lines) + (end if ended and lines else "")
    path.write_bytes(text.encode())
    before = dotenv_values(stream=io.StringIO(text), interpolate=False)
    write_settings(path, NEW)
    found = path.read_bytes().decode()
    assert dotenv_values(stream=io.StringIO(found), interpolate=False) == {
        **before,
        **{name: str(value) for name, value in NEW.items()},
    }
    kept = [line for line in text.splitlines() if not line.startswith("ULTRA_BATCH_SIZE")]
    assert [line for line in found.splitlines() if not line.startswith(tuple(NEW))] == kept


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".env", "A='never closed\nULTRA_BATCH_SIZE=5\n"),
        ("x.toml", "a = \n"),
        ("x.toml", 'a = """\nULTRA_BATCH_SIZE = 1\n"""\n'),
        ("x.toml", "[table]\nb = [\n  1,\n"),
    ],
)
def test_a_file_that_is_not_understood_is_left_as_it_is(name: str, text: str) -> None:
    Path(name).write_text(text)
    try:
        write_settings(Path(name), NEW)
    except InputError:
        assert Path(name).read_text() == text
    else:  # it could be done without loss, after all
        assert Path(name).read_text() != text
        if name == ".env":
            assert load_settings().batch_size == 25_000
        else:
            assert tomllib.loads(Path(name).read_text())["ULTRA_BATCH_SIZE"] == 25_000


def test_a_file_that_is_not_utf8_is_left_as_it_is() -> None:
    Path(".env").write_bytes(b"X=\xe9\n")
    with pytest.raises(InputError, match="not UTF-8"):
        write_settings(Path(".env"), NEW)
    assert Path(".env").read_bytes() == b"X=\xe9\n"


def test_permissions_stay_and_a_link_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "real.env"
    real.write_text("DATABASE_URL=duckdb:///x\n")
    real.chmod(0o640)
    Path(".env").symlink_to(real)
    write_settings(Path(".env"), NEW)
    assert Path(".env").is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert real.read_text().startswith("DATABASE_URL=duckdb:///x\nULTRA_BATCH_SIZE=25000\n")


def test_a_new_file_is_closed_to_others_for_it_may_get_a_password_later() -> None:
    write_settings(Path(".env"), NEW)
    assert stat.S_IMODE(Path(".env").stat().st_mode) == 0o600


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path(".env").write_text("A=1\n")

    def broken(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tuning_apply.os, "fsync", broken)
    with pytest.raises((InputError, OSError)):
        write_settings(Path(".env"), NEW)
    assert [path.name for path in Path().iterdir()] == [".env"]
    assert Path(".env").read_text() == "A=1\n"


def test_a_file_that_nobody_may_read_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        write_settings(tmp_path, NEW)  # a folder
    with pytest.raises(InputError, match="does not exist"):
        write_settings(tmp_path / "no" / ".env", NEW)
