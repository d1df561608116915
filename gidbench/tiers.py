"""Tiers and targets: what a rate is called, and what the product promises."""

from __future__ import annotations

from dataclasses import dataclass

TIERS = (("ULTRA", 1_000_000), ("VERY HIGH", 500_000), ("HIGH", 100_000), ("STANDARD", 0))
TARGET_PER_SECOND = 200_000  # a million records in at most five seconds, for each operation


def level_of(tier: str | None) -> int:
    """From 1 (STANDARD) to 4 (ULTRA); 0 where it is no tier."""
    names = [name for name, _ in reversed(TIERS)]
    return names.index(tier) + 1 if tier in names else 0


def tier_of(records_per_second: float) -> str:
    """Name of the tier; a rate must exceed a tier's bound to be in it."""
    return next((name for name, bound in TIERS if records_per_second > bound), "STANDARD")


@dataclass(frozen=True)
class Award:
    """A tier as it may be claimed for a measured rate.

    `borderline` says that the median lies in a higher tier, named by `reached`, but the lower end of its
    interval does not, so that only the lower tier is awarded.
    """

    tier: str
    reached: str
    borderline: bool


def award(median_per_second: float, low_per_second: float) -> Award:
    """Tier that even the lower end of the interval clears."""
    reached, sure = tier_of(median_per_second), tier_of(min(low_per_second, median_per_second))
    return Award(sure, reached, sure != reached)
