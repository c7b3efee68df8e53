from __future__ import annotations

import pytest

from ticketr.app.tickets import SORT_NAMES, Candidate, sort_key

ISSUES = (
    Candidate("", "Draft b"),
    Candidate("AB-10", "émile", {"Status": "To Do", "Priority": "Low", "Assignee": "zoë"}),
    Candidate(
        "AB-9",
        "Zebra",
        {"Status": "Done", "Priority": "Highest", "Assignee": "Amara"},
        updated="2026-01-02T09:00:00.000+0000",
    ),
    Candidate("", "Draft a"),
    Candidate(
        "AA-100",
        "yes",
        {"Status": "done", "Priority": "Major"},
        updated="2026-01-02T09:30:00.000+0100",
    ),
    Candidate("AB-1", "apple", {"Priority": "Urgent"}, updated="2026-01-02T10:00:00"),
)


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("key", ["AA-100", "AB-1", "AB-9", "AB-10", "Draft a", "Draft b"]),
        ("title", ["AB-1", "Draft a", "Draft b", "AB-10", "AA-100", "AB-9"]),
        ("status", ["AA-100", "AB-9", "AB-10", "AB-1", "Draft a", "Draft b"]),
        ("priority", ["AB-9", "AA-100", "AB-10", "AB-1", "Draft a", "Draft b"]),
        ("assignee", ["AB-9", "AB-10", "AA-100", "AB-1", "Draft a", "Draft b"]),
        ("updated", ["AB-1", "AB-9", "AA-100", "AB-10", "Draft a", "Draft b"]),
    ],
)
def test_issues_without_a_value_come_last_and_equal_ones_by_key(
    name: str, order: list[str]
) -> None:
    assert [each.key or each.title for each in sorted(ISSUES, key=sort_key(name))] == order


def test_every_order_has_a_name() -> None:
    assert SORT_NAMES == ("key", "title", "status", "priority", "assignee", "updated")
    with pytest.raises(KeyError):
        sort_key("colour")
