"""What becomes of each row in a synchronisation by statements: one rule for every store that counts by SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gidbench.records import ACTIVE
from gidbench.stores.naming import Table

# Rows of a full join; those that stopped are people whom the source no longer knows.
TOLD = ("stopped", "departed", "returned", "different", "unwritten")


def sums(e: Table, g: Table, differs: str, other_gid: str, rows_where: Callable[[str], str]) -> str:
    """The rest of a SELECT list over `e FULL JOIN g` that tells TOLD, in their order.

    Parameters
    ----------
    differs, other_gid:
        Whether a row of the source and its person differ in anything that is compared, status included; and
        whether the row does not carry the person's G_ID.
    rows_where:
        The aggregate that counts the rows where a condition holds, in the dialect of the store.
    """
    both = f"e.{e.id} IS NOT NULL AND g.{g.g_id} IS NOT NULL"
    conditions = (
        f"e.{e.id} IS NULL AND g.{g.status} = '{ACTIVE}'",
        f"{both} AND e.{e.deleted_at} IS NOT NULL AND g.{g.status} = '{ACTIVE}'",
        f"{both} AND e.{e.deleted_at} IS NULL AND g.{g.status} <> '{ACTIVE}'",
        f"{both} AND ({differs})",
        f"{both} AND {other_gid}",
    )
    return ", ".join(map(rows_where, conditions))


def counts(pairs: int, rows: int, people: int, told: Iterable[int], conflicts: int = 0) -> dict[str, int]:
    """Rows by outcome, and `gone`, `unwritten` (see `gidbench.stores.base.Synchroniser.compare`).

    Parameters
    ----------
    pairs, rows, people:
        Rows of the full join, those of them that have a row of the source, and those that have a person.
    told:
        As TOLD.
    """
    stopped, departed, returned, different, unwritten = told
    return {
        "inserted": pairs - people,
        "updated": different - departed - returned,
        "deactivated": departed + stopped,
        "reactivated": returned,
        "unchanged": people - different - stopped,
        "conflict": conflicts,
        "gone": pairs - rows,
        "unwritten": unwritten,
    }
