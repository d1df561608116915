"""Employees by Faker and by mimesis: a value at a time, by bound methods, as their users write it."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa

from gidbench.records import EMPLOYEE
from gidbench.specs.pools import areas

_FIRST_BIRTH, _HIRED_FROM = date(1960, 1, 1), datetime(2015, 1, 1)
_HIRED_TO, _CHANGED_TO = datetime(2025, 1, 1), datetime(2025, 7, 1)


def faker(records: int, seed: int) -> pa.Table:
    from faker import Faker

    fake = Faker("id_ID")
    fake.seed_instance(seed)
    between, moment = fake.date_between_dates, fake.date_time_between_dates
    last = date(2005, 12, 31)
    return _table(
        records,
        seed,
        lambda woman: fake.name_female() if woman else fake.name_male(),
        lambda: between(_FIRST_BIRTH, last),
        lambda low, high: moment(low, high),
    )


def mimesis(records: int, seed: int) -> pa.Table:
    from mimesis import Datetime, Person
    from mimesis.enums import Gender
    from mimesis.locales import Locale

    # it has no Indonesian names
    person, clock = Person(Locale.EN, seed=seed), Datetime(Locale.EN, seed=seed)
    full, birth, chance = person.full_name, clock.date, clock.random.uniform
    return _table(
        records,
        seed,
        lambda woman: full(gender=Gender.FEMALE if woman else Gender.MALE),
        lambda: birth(1960, 2005),
        lambda low, high: low + timedelta(seconds=int(chance(0, (high - low).total_seconds()))),
    )


def _table(
    records: int,
    seed: int,
    name: Callable[[bool], str],
    birth: Callable[[], date],
    between: Callable[[datetime, datetime], datetime],
) -> pa.Table:
    chance = random.Random(seed)
    pick, number, codes = chance.random, chance.randrange, areas().tolist()
    rows: list[tuple[Any, ...]] = []
    seen: set[str] = set()
    for row in range(1, records + 1):
        woman = pick() < 0.5
        born = birth()
        while True:  # unique by remembering, as there is no other way with these
            day = born.day + 40 * woman
            no_ktp = f"{codes[number(len(codes))]}{day:02d}{born:%m%y}{number(1, 10_000):04d}"
            if no_ktp not in seen:
                break
        seen.add(no_ktp)
        grown = max(_HIRED_FROM, datetime(born.year, born.month, born.day) + timedelta(days=6_575))
        created = between(grown, _HIRED_TO).replace(microsecond=0)
        updated = between(created, _CHANGED_TO).replace(microsecond=0)
        deleted = updated + timedelta(seconds=number(15_552_000)) if pick() < 0.01 else None
        passport = (
            f"{chr(65 + number(26))}{chr(65 + number(26))}{number(10**7):07d}" if pick() < 0.08 else None
        )
        personal = f"EMP-{created.year}-{row:07d}"
        rows.append((row, name(woman), personal, no_ktp, passport, born, None, created, updated, deleted))
    columns = [
        pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), EMPLOYEE, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=EMPLOYEE)
