"""outcome: the numbers of a call, and how they are shown."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html.parser import HTMLParser

import pytest

from gidbench.outcome import Outcome


@dataclass(frozen=True)
class Counted(Outcome):
    def counts(self) -> dict[str, int | str]:
        return {"bytes_written": 1_234_567, "destination": "<b>&'\"</b>"}


@pytest.fixture
def counted() -> Counted:
    return Counted("generate", 1_000_000, 0.5, {"open": 0.0125, "write": 0.4}, {"render": 0.9})


def test_the_rate_is_records_per_second_and_names_its_tier(counted):
    assert counted.records_per_second == 2_000_000
    assert counted.tier == "ULTRA"


def test_no_time_gives_no_rate():
    assert Outcome("sync", 5, 0.0).records_per_second == 0.0


def test_a_dict_holds_plain_values_under_names_with_units(counted):
    assert json.loads(json.dumps(counted.to_dict())) == {
        "operation": "generate",
        "records": 1_000_000,
        "wall_s": 0.5,
        "records_per_second": 2_000_000.0,
        "tier": "ULTRA",
        "bytes_written": 1_234_567,
        "destination": "<b>&'\"</b>",
        "phases_s": {"open": 0.0125, "write": 0.4},
        "busy_s": {"render": 0.9},
    }


def test_the_dict_is_a_copy(counted):
    counted.to_dict()["phases_s"].clear()
    assert counted.phases


def test_rows_read_like_a_person_wrote_them(counted):
    assert counted.rows() == [
        ("records", "1,000,000"),
        ("bytes written", "1,234,567"),
        ("destination", "<b>&'\"</b>"),
        ("time", "500 ms"),
        ("rate", "2.00 M/s (ULTRA)"),
        ("phases", "open 12.5 ms, write 400 ms"),
    ]


def test_no_phases_no_row_of_phases():
    assert [label for label, _ in Outcome("sync", 5, 1.0).rows()] == ["records", "time", "rate"]


def test_text_puts_the_values_in_one_column(counted):
    lines = str(counted).splitlines()
    values = [value for _, value in counted.rows()]
    assert {line.index(value) for line, value in zip(lines, values, strict=True)} == {
        len("bytes written") + 2
    }


def test_html_escapes_every_value_and_heads_every_row(counted):
    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.tags: list[str] = []
            self.text: list[str] = []

        def handle_starttag(self, tag, _attrs):
            self.tags.append(tag)

        def handle_data(self, data):
            self.text.append(data)

    reader = Reader()
    reader.feed(counted._repr_html_())
    reader.close()
    assert set(reader.tags) == {"table", "caption", "tbody", "tr", "th", "td"}
    shown = [cell for row in counted.rows() for cell in row]
    assert reader.text == ["gidbench generate", *shown]


def test_html_escapes_the_operation():
    assert "<script>" not in Outcome("<script>", 0, 1.0)._repr_html_()
