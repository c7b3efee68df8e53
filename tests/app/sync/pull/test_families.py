"""Which issues a pull asks for, and when the members of a family are together."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from ticketr.app.jira import Issue
from ticketr.app.sync.pull.families import Families
from ticketr.app.sync.pull.fetch_plan import make_fetch_plan
from ticketr.app.sync.queries import base_query, changed_since
from ticketr.app.sync.state.state import KnownIssue
from ticketr.app.sync.workspace.store import TicketLocation


def issue(number: int, *, parent: int | None = None, subtasks: tuple[int, ...] = ()) -> Issue:
    fields: dict[str, object] = {
        "issuetype": {"name": "Sub-task" if parent else "Story", "subtask": parent is not None},
        "subtasks": [{"id": str(each), "key": f"DEMO-{each}"} for each in subtasks],
    }
    if parent is not None:
        fields["parent"] = {"id": str(parent), "key": f"DEMO-{parent}"}
    return Issue(id=str(number), key=f"DEMO-{number}", fields=fields)


def all_wanted(*ids: str) -> Families:
    return Families(ids, present=ids)


@given(
    parents=st.lists(st.one_of(st.none(), st.integers(0, 29)), min_size=30, max_size=30),
    gone=st.sets(st.integers(0, 29)),
    size=st.integers(1, 7),
    data=st.data(),
)
def test_whatever_the_order_every_issue_comes_out_once(
    parents: list[int | None], gone: set[int], size: int, data: st.DataObject
) -> None:
    heads = {n for n in range(30) if parents[n] is None or parents[n] == n}
    family_of = {n: p if (p := parents[n]) in heads and n not in heads else n for n in range(30)}
    issues = {
        n: issue(
            n + 1,
            parent=None if family_of[n] == n else family_of[n] + 1,
            subtasks=tuple(c + 1 for c in range(30) if family_of[c] == n and c != n),
        )
        for n in range(30)
    }
    families = all_wanted(*(str(n + 1) for n in range(30)))
    flying: list[list[str]] = []
    out: list[str] = []
    while True:
        while len(flying) < 3 and (batch := families.next_batch(size)):
            flying.append(batch)
        if not flying:
            break
        batch = flying.pop(data.draw(st.integers(0, len(flying) - 1)))
        here = [issues[int(each) - 1] for each in batch if int(each) - 1 not in gone]
        for family in families.add_answer(batch, here):
            out.extend(family.issues)

    assert sorted(out) == sorted(str(n + 1) for n in range(30) if n not in gone)


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
