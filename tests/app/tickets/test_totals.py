from __future__ import annotations

import pytest

from ticketr.app.tickets import Candidate, Total, points_of, total_by


def candidate(**fields: str) -> Candidate:
    return Candidate("A-1", "x", {name.replace("_", " "): text for name, text in fields.items()})


def test_issues_are_counted_and_their_points_added_up() -> None:
    issues = [
        candidate(Status="To Do", Story_Points="3"),
        candidate(Status="Done", Story_Points="0.1"),
        candidate(Status="done ", story_points="0.2"),
        candidate(Status="Done"),
        candidate(),
        candidate(Status=" ", Story_Points="8"),
    ]

    assert total_by(issues, "status") == (
        Total("Done", 3, 0.30000000000000004),
        Total("To Do", 1, 3.0),
        Total("", 2, 8.0),
    )


def test_equal_counts_are_in_the_order_of_their_names() -> None:
    issues = [candidate(Type=name) for name in ("Story", "bug", "Épic")]

    assert [each.value for each in total_by(issues, "Type")] == ["bug", "Épic", "Story"]


def test_nothing_has_no_totals() -> None:
    assert total_by([], "Status") == ()


@pytest.mark.parametrize(
    ("text", "points"),
    [("5", 5.0), ("-1", -1.0), ("2.5", 2.5), ("", 0), ("many", 0), ("nan", 0), ("inf", 0)],
)
def test_points_are_a_number_or_nothing(text: str, points: float) -> None:
    assert points_of(candidate(Story_Points=text)) == points


def test_points_of_team_managed_projects_count_too() -> None:
    assert points_of(candidate(Story_Points="", Story_point_estimate="4")) == 4
