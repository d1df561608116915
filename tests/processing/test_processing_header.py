"""Which column is which field, and what the reasons are called."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gidbench.errors import InputError
from gidbench.records import ALIASES, PERSON_FIELDS, REQUIRED_FIELDS, Reason, map_header

REQUIRED = list(REQUIRED_FIELDS)


def test_the_names_of_the_fields_are_found() -> None:
    assert map_header(list(PERSON_FIELDS)) == {field: place for place, field in enumerate(PERSON_FIELDS)}


def test_optional_fields_may_be_missing() -> None:
    assert map_header(["bod", "name", "no_ktp"]) == {"bod": 0, "name": 1, "no_ktp": 2}


@given(st.permutations([*PERSON_FIELDS, "notes", "", "no", "ktp status"]))
def test_columns_stand_in_any_order_among_others(header: list[str]) -> None:
    assert map_header(header) == {field: header.index(field) for field in PERSON_FIELDS}


@pytest.mark.parametrize("alias", sorted(ALIASES))
def test_every_alias_means_its_field(alias: str) -> None:
    field = ALIASES[alias]
    others = [name for name in REQUIRED if name != field]
    assert map_header([alias, *others])[field] == 0


@pytest.mark.parametrize(
    ("title", "field"),
    [
        ("NAME", "name"),
        ("  Full  Name ", "name"),
        ("Nama Lengkap", "name"),
        ("nama-karyawan", "name"),
        ("No. KTP", "no_ktp"),
        ("NO_KTP", "no_ktp"),
        ("nomor induk kependudukan", "no_ktp"),
        ("N.I.K.", "no_ktp"),
        ("NIK:", "no_ktp"),
        ("National\xa0ID\nNumber", "no_ktp"),
        ("Date of Birth", "bod"),
        ("D.O.B.", "bod"),
        ("tanggal_lahir", "bod"),
        ("Tgl. Lahir", "bod"),
        ("birthDate", "bod"),
        ("Passport No.", "passport_id"),
        ("Employee ID", "personal_number"),
        ("Emp-No", "personal_number"),
    ],
)
def test_case_blanks_and_marks_do_not_matter(title: str, field: str) -> None:
    others = [name for name in REQUIRED if name != field]
    assert map_header([*others, title])[field] == len(others)


@pytest.mark.parametrize("title", ["names", "ktp status", "birth", "passport expiry", "id", "名前", "nоte"])
def test_a_title_that_only_resembles_a_field_is_not_one(title: str) -> None:
    assert map_header([title, *REQUIRED]) == {field: place for place, field in enumerate(REQUIRED, 1)}


@pytest.mark.parametrize("titles", list(itertools.permutations(["Name", "Nama", "Full Name"])))
def test_the_exact_name_goes_before_aliases_wherever_it_stands(titles: tuple[str, ...]) -> None:
    header = [*titles, "no_ktp", "bod"]
    assert map_header(header)["name"] == titles.index("Name")


@pytest.mark.parametrize("pair", [("nik", "ktp"), ("NIK", "nik"), ("no ktp", "National ID")])
def test_two_aliases_of_one_field_are_ambiguous(pair: tuple[str, str]) -> None:
    with pytest.raises(InputError, match="both mean no_ktp") as caught:
        map_header(["name", pair[0], "bod", pair[1]])
    assert repr(pair[0]) in str(caught.value)
    assert repr(pair[1]) in str(caught.value)


@pytest.mark.parametrize("pair", [("no_ktp", "no_ktp"), ("no_ktp", "NO_KTP "), ("NO_KTP", "no_ktp")])
def test_the_same_name_twice_is_ambiguous(pair: tuple[str, str]) -> None:
    with pytest.raises(InputError, match="both mean no_ktp"):
        map_header(["name", pair[0], "bod", pair[1]])


def test_an_optional_field_twice_is_ambiguous_too() -> None:
    with pytest.raises(InputError, match="both mean passport_id"):
        map_header([*REQUIRED, "passport", "paspor"])


@pytest.mark.parametrize(
    "missing", [*itertools.combinations(REQUIRED, 1), *itertools.combinations(REQUIRED, 2)]
)
def test_missing_columns_are_named_and_so_is_the_header(missing: tuple[str, ...]) -> None:
    header = [field for field in [*REQUIRED, "passport_id", "Remarks"] if field not in missing]
    with pytest.raises(InputError) as caught:
        map_header(header)
    assert f"no column for {', '.join(missing)} among" in str(caught.value)
    assert "'Remarks'" in str(caught.value)


@pytest.mark.parametrize("header", [[], [""], ["\ufffd" * 500] * 300])
def test_a_header_without_any_field_gives_a_message_of_bearable_length(header: list[str]) -> None:
    with pytest.raises(InputError, match="no column for name, no_ktp, bod") as caught:
        map_header(header)
    assert len(str(caught.value)) < 1_000


def test_reasons_have_codes_and_two_of_them_are_duplicates() -> None:
    assert [reason.code for reason in Reason] == [name.lower() for name in Reason.__members__]
    assert {reason.code for reason in Reason if reason.is_duplicate} == {
        "duplicate_in_file",
        "duplicate_in_table",
    }
    assert min(Reason) == 1  # 0 says accepted
    assert max(Reason) < 256  # they travel as bytes
