"""Queries by WAS and CHANGED over the history of an issue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jira_sandbox import make_site
from jira_sandbox.data import catalogue
from jira_sandbox.data.catalogue import DONE, IN_PROGRESS, TO_DO, USERS
from jira_sandbox.jql.search import Searcher

START = datetime(2025, 10, 1, 6, 0, tzinfo=UTC)
#: What happens to the only issue, with the number of days since the start.
STEPS = ((1, TO_DO), (2, IN_PROGRESS), (4, DONE), (6, IN_PROGRESS))


def search(jql: str) -> bool:
    """Return whether a query finds the issue, ten days after its creation."""
    now = [START]
    site = make_site(tickets=0, seed=1, clock=lambda: now[0])
    site.create(project=catalogue.BLANK, type=catalogue.TASK, summary="x", assignee=USERS[1])
    for day, status in STEPS:
        now[0] = START + timedelta(days=day)
        site.transition("BLANK-1", status)
    site.edit("BLANK-1", assignee=USERS[2], priority=catalogue.PRIORITIES[0])
    site.edit("BLANK-1", assignee=None)
    now[0] = START + timedelta(days=10)
    return len(Searcher(site).find(jql)) == 1


@pytest.mark.parametrize(
    ("jql", "expected"),
    [
        ("status was Done", True),
        ("status was 'In Progress'", True),
        ("status was 'In Review'", False),
        ("status was not 'In Review'", True),
        ("status was not Done", False),
        ("NOT status was Done", False),
        ("NOT status was not Done", True),
        ("status was in (Done, 'In Review')", True),
        ("status was not in (Done, 'In Review')", False),
        ("status was Done AFTER '2025-10-07 11:29'", True),
        ("status was Done AFTER '2025-10-07 11:31'", False),
        ("status was Done BEFORE '2025-10-05'", False),
        ("status was 'To Do' BEFORE '2025-10-02'", True),
        ("status was Done ON '2025-10-06'", True),
        ("status was Done ON '2025-10-03'", False),
        ("status was Done DURING ('2025-10-01', '2025-10-04')", False),
        ("status was Done DURING ('2025-10-01', '2025-10-06')", True),
        ("status was Done BY currentUser()", True),
        ("status was Done BY 'zoe@example.com'", False),
        ("status was Done AFTER startOfDay(-5)", True),
        ("assignee was 'zoe@example.com'", True),
        ("assignee was 'priya@example.com'", True),
        ("assignee was EMPTY", True),
        ("assignee was currentUser()", False),
        ("resolution was Unresolved", True),
        ("priority was Medium", True),
        ("priority was Low", False),
        ("reporter was currentUser()", True),
        ("status changed", True),
        ("resolution changed", False),
        ("NOT resolution changed", True),
        ("status changed FROM 'To Do' TO 'In Progress'", True),
        ("status changed FROM 'To Do' TO Done", False),
        ("status changed TO (Done, 'In Review') BEFORE '2025-10-06'", True),
        ("status changed TO Done AFTER '2025-10-06'", False),
        ("status changed BY currentUser() DURING ('2025-10-01', now())", True),
        ("status changed AFTER -3d", False),
        ("status changed AFTER -5d", True),
        ("assignee changed FROM currentUser()", False),
        ("assignee changed FROM EMPTY", False),
        ("assignee changed TO EMPTY", True),
    ],
)
def test_the_past_of_an_issue_is_searched(jql: str, *, expected: bool) -> None:
    assert search(jql) is expected
