from __future__ import annotations

import pytest

from ticketr.app.sync.pull.fetch_plan import make_fetch_plan
from ticketr.app.sync.queries import base_query, changed_since
from ticketr.app.sync.state.state import KnownIssue
from ticketr.app.sync.workspace.store import TicketLocation


def known(number: int, *, seen: float = 0.0, stale: bool = False) -> KnownIssue:
    return KnownIssue(str(number), f"DEMO-{number}", str(number), "then", seen, stale)


def known_by_id(*each: KnownIssue) -> dict[str, KnownIssue]:
    return {one.id: one for one in each}


def locations(*numbers: int) -> dict[str, TicketLocation]:
    return {f"DEMO-{each}": TicketLocation(f"DEMO-{each}.md", f"DEMO-{each}") for each in numbers}


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


def test_another_query_says_nothing_about_tickets_it_does_not_find() -> None:
    state = known_by_id(known(1), known(2))

    assert make_fetch_plan(["1"], [], state, locations(1, 2), project=None).missing == ()
    assert make_fetch_plan(["1"], [], state, locations(1, 2), project="OTHER").missing == ()
