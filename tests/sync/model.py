"""A synchronisation in plain Python: what any faster one must agree with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

PERSON = ("name", "personal_number", "passport_id", "bod")


@dataclass
class Employee:
    id: int
    name: str
    personal_number: str
    no_ktp: str
    passport_id: str | None
    bod: str
    g_id: str | None = None
    deleted: bool = False
    changed: int = 0  # hours after noon


@dataclass
class Person:
    g_id: str
    name: str
    personal_number: str
    no_ktp: str
    passport_id: str | None
    bod: str
    status: str


def text_of(ordinal: int) -> str:
    """The G_ID of an ordinal, digit by digit."""
    rest, number = divmod(ordinal, 100)
    rest, second = divmod(rest, 26)
    rest, first = divmod(rest, 26)
    digit, year = divmod(rest, 100)
    return f"G{digit}{year:02}{chr(65 + first)}{chr(65 + second)}{number:02}"


@dataclass
class Model:
    """Both tables and the sequence."""

    employees: dict[int, Employee] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    next_ordinal: int = 25 * 67_600

    def sync(self) -> dict[str, int]:
        counts = dict.fromkeys(
            ("inserted", "updated", "deactivated", "reactivated", "unchanged", "conflict", "written_back"), 0
        )
        winners: dict[str, Employee] = {}
        for row in sorted(self.employees.values(), key=lambda e: (e.deleted, e.id)):
            if row.no_ktp in winners:
                counts["conflict"] += 1
            else:
                winners[row.no_ktp] = row
        for row in sorted(winners.values(), key=lambda e: e.id):
            status = "Non Active" if row.deleted else "Active"
            values: dict[str, Any] = {name: getattr(row, name) for name in PERSON}
            person = self.people.get(row.no_ktp)
            if person is None:
                g_id = text_of(self.next_ordinal)
                self.next_ordinal += 1
                self.people[row.no_ktp] = Person(g_id, no_ktp=row.no_ktp, status=status, **values)
                counts["inserted"] += 1
            else:
                if person.status != status:
                    counts["deactivated" if row.deleted else "reactivated"] += 1
                elif any(getattr(person, name) != value for name, value in values.items()):
                    counts["updated"] += 1
                else:
                    counts["unchanged"] += 1
                self.people[row.no_ktp] = replace(person, status=status, **values)
            if row.g_id != self.people[row.no_ktp].g_id:
                row.g_id = self.people[row.no_ktp].g_id
                counts["written_back"] += 1
        for no_ktp, person in self.people.items():
            if no_ktp not in winners:
                counts["deactivated" if person.status == "Active" else "unchanged"] += 1
                person.status = "Non Active"
        return counts
