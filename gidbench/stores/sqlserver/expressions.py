"""Pieces of T-SQL that synchronisation is made of."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from gidbench.records import ACTIVE, NON_ACTIVE
from gidbench.stores.base import COMPARED
from gidbench.stores.naming import Table

# Tells every two texts apart, but for blanks at their end.
EXACT = "COLLATE Latin1_General_BIN2"
_NO_DAY = "'0001-01-01'"


def differs(e: Table, g: Table, alike: Collection[str] = ()) -> str:
    """Whether a row e of the source and its person g differ in what is compared; a null is not an empty text.

    SQL Server takes 'a' for 'A' in most collations, and 'a' for 'a ' in all. Two texts that agree but for blanks
    at their end are told apart by their bytes, where the columns are `alike` (see `tables.alike`), else by a full
    stop put behind them, which takes longer.
    """
    return " OR ".join(
        _differs(e.list([column]), g.list([column]), column, column in alike) for column in COMPARED
    )


def _differs(one: str, other: str, column: str, by_bytes: bool) -> str:
    if column == "bod":
        return f"ISNULL(e.{one}, {_NO_DAY}) <> ISNULL(g.{other}, {_NO_DAY})"
    if by_bytes:
        return (
            f"ISNULL(e.{one}, '') {EXACT} <> ISNULL(g.{other}, '') {EXACT}"
            f" OR ISNULL(DATALENGTH(e.{one}), -1) <> ISNULL(DATALENGTH(g.{other}), -1)"
        )
    return f"ISNULL(e.{one} + N'.', N'') {EXACT} <> ISNULL(g.{other} + N'.', N'') {EXACT}"


def status(e: Table) -> str:
    """The status that a row e of the source gives its person."""
    return f"CASE WHEN e.{e.deleted_at} IS NULL THEN '{ACTIVE}' ELSE '{NON_ACTIVE}' END"


def other_gid(e: Table, g: Table) -> str:
    """Whether a row e does not carry the G_ID of its person g."""
    return f"(e.{e.g_id} IS NULL OR e.{e.g_id} {EXACT} <> g.{g.g_id} {EXACT})"


def gid_text(ordinal: str) -> str:
    """The G_ID of an ordinal (a bigint, named once for each place): see `gidbench.gid`."""
    places = (
        ("48", f"{ordinal} / 6760000"),
        ("48", f"{ordinal} / 676000 % 10"),
        ("48", f"{ordinal} / 67600 % 10"),
        ("65", f"{ordinal} / 2600 % 26"),
        ("65", f"{ordinal} / 100 % 26"),
        ("48", f"{ordinal} / 10 % 10"),
        ("48", f"{ordinal} % 10"),
    )
    return "'G' + " + " + ".join(f"CHAR({zero} + {digit})" for zero, digit in places)


def gid_ordinal(text: str) -> str:
    """The ordinal of a valid G_ID."""
    letter = f"ASCII(SUBSTRING({text}, {{}}, 1)) - 65"
    return (
        f"CAST(SUBSTRING({text}, 2, 3) AS bigint) * 67600 + ({letter.format(5)}) * 2600"
        f" + ({letter.format(6)}) * 100 + CAST(SUBSTRING({text}, 7, 2) AS bigint)"
    )


def is_gid(text: str) -> str:
    """Whether a text is a G_ID."""
    return f"{text} {EXACT} LIKE 'G[0-9][0-9][0-9][A-Z][A-Z][0-9][0-9]'"


def assigned(g: Table, columns: Iterable[str], values: Iterable[str]) -> str:
    """The SET list of an UPDATE."""
    return ", ".join(f"{g.list([column])} = {value}" for column, value in zip(columns, values, strict=True))
