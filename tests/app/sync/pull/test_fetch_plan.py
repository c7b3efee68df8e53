from __future__ import annotations

import pytest

from ticketr.app.sync.pull.fetch_plan import make_fetch_plan, oldest_confirmation
from ticketr.app.sync.queries import base_query, changed_since, in_order
from ticketr.app.sync.state.state import KnownIssue
from ticketr.app.sync.workspace.store import TicketLocation


def known(number: int, *, seen: float = 0.0, stale: bool = False) -> KnownIssue:
    return KnownIssue(str(number), f"DEMO-{number}", str(number), "then", seen, stale)


def known_by_id(*each: KnownIssue) -> dict[str, KnownIssue]:
    return {one.id: one for one in each}


def locations(*numbers: int) -> dict[str, TicketLocation]:
    return {f"DEMO-{each}": TicketLocation(f"DEMO-{each}.md", f"DEMO-{each}") for each in numbers}


def test_a_project_is_asked_for_in_an_order_that_stays() -> None:
    assert in_order(base_query("DEMO", None)) == 'project = "DEMO" ORDER BY key ASC'


@pytest.mark.parametrize(
    ("jql", "expected"),
    [
        ("status = Done", "status = Done"),
        ("status = Done ORDER BY created", "status = Done"),
        ("status = Done order  by created DESC, key", "status = Done"),
        ('summary ~ "order by mail" ORDER BY key', 'summary ~ "order by mail"'),
        ("summary ~ 'order by mail'", "summary ~ 'order by mail'"),
    ],
)
def test_the_order_of_a_users_query_is_left_out(jql: str, expected: str) -> None:
    assert base_query("DEMO", jql) == expected


def test_a_users_query_with_or_stays_one_condition() -> None:
    query = changed_since("a = 1 OR b = 2", seen=0, now=0)

    assert query == "(a = 1 OR b = 2) AND updated >= -5m ORDER BY key ASC"


@pytest.mark.parametrize(("seen", "minutes"), [(1000.0, 5), (940.0, 6), (939.0, 7), (5000.0, 5)])
def test_changes_are_asked_for_since_the_last_sight_with_an_overlap(
    seen: float, minutes: int
) -> None:
    assert f"updated >= -{minutes}m " in changed_since("q", seen=seen, now=1000.0)


def test_what_is_missing_changed_or_stale_is_fetched_and_nothing_else() -> None:
    state = known_by_id(known(1), known(2), known(3, stale=True), known(4))

    plan = make_fetch_plan(
        ["1", "2", "3", "4", "5"], ["2"], state, locations(1, 2, 3), project="DEMO"
    )

    assert plan.wanted == ("2", "3", "4", "5")
    assert plan.missing == ()


def test_a_ticket_that_the_project_no_longer_has_is_reported_while_its_file_is_there() -> None:
    state = known_by_id(known(1), known(2), known(3))

    plan = make_fetch_plan(["1"], [], state, locations(1, 2), project="DEMO")

    assert [each.key for each in plan.missing] == ["DEMO-2"]


def test_another_query_says_nothing_about_tickets_it_does_not_find() -> None:
    state = known_by_id(known(1), known(2))

    assert make_fetch_plan(["1"], [], state, locations(1, 2), project=None).missing == ()
    assert make_fetch_plan(["1"], [], state, locations(1, 2), project="OTHER").missing == ()


def test_changes_are_counted_from_the_oldest_sight_of_what_is_here() -> None:
    state = known_by_id(known(1, seen=30), known(2, seen=20), known(3, seen=10), known(4, seen=5))

    assert oldest_confirmation(["1", "2", "3"], state, locations(1, 2)) == 20


def test_a_stale_ticket_does_not_make_the_look_back_longer() -> None:
    state = known_by_id(known(1, seen=30), known(2, seen=20, stale=True))

    assert oldest_confirmation(["1", "2"], state, locations(1, 2)) == 30


def test_nothing_here_means_no_look_back() -> None:
    assert oldest_confirmation(["1"], {}, {}) is None
