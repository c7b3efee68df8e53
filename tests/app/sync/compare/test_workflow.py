"""The shortest way over a workflow, and what is left to learn of it."""

from __future__ import annotations

import pytest

from ticketr.app.sync.edits.push_plan import find_path, unknown_statuses

EDGES = {
    "to do": ["In Progress", "Rejected"],
    "in progress": ["To Do", "In Review"],
    "in review": ["Done", "In Progress"],
    "rejected": [],
}


@pytest.mark.parametrize(
    ("start", "goal", "path"),
    [
        ("To Do", "In Progress", ("In Progress",)),
        ("to do", "DONE", ("In Progress", "In Review", "Done")),
        ("Rejected", "Done", ()),
        ("Nowhere", "Done", ()),
    ],
)
def test_the_shortest_way_is_found(start: str, goal: str, path: tuple[str, ...]) -> None:
    assert find_path(EDGES, start, goal) == path


def test_a_way_has_no_more_transitions_than_allowed() -> None:
    edges = {str(number): [str(number + 1)] for number in range(9)}

    assert find_path(edges, "0", "4") == ("1", "2", "3", "4")
    assert find_path(edges, "0", "5") == ()


def test_a_circle_ends() -> None:
    assert find_path({"a": ["b"], "b": ["a"]}, "a", "c") == ()
    assert unknown_statuses({"a": ["b"], "b": ["a"]}, "a") == ()


def test_what_is_not_known_near_the_start_is_left_to_learn() -> None:
    edges = {"a": ["B", "c"], "b": ["D"], "c": ["d", "E"]}

    assert unknown_statuses(edges, "a") == ("D", "E")
    assert unknown_statuses(edges, "a", most=2) == ()
    assert unknown_statuses({}, "a") == ("a",)
