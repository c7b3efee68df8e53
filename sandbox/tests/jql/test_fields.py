"""JQL on fields of every type, on the past, and on dates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st
from rows import for_each
from sandbox_client import NOW

from jira_sandbox import Site, make_site
from jira_sandbox.data import catalogue
from jira_sandbox.data.catalogue import DEMO_USER, DONE, IN_PROGRESS, LINK_TYPES, TO_DO, USERS
from jira_sandbox.data.issue import Issue
from jira_sandbox.data.model import to_millis
from jira_sandbox.jql.dates import read_date, read_period
from jira_sandbox.jql.search import Searcher


def new_site() -> Site:
    """Make a site of which DEMO-1 to DEMO-4 have what the queries look for."""
    site = make_site(tickets=60, seed=1, all_fields=True, clock=lambda: NOW)
    site.edit("DEMO-2", due=date(2025, 9, 29), sprints=catalogue.SPRINTS[6:7])  # this Monday
    site.edit("DEMO-3", due=date(2025, 10, 1), sprints=catalogue.SPRINTS[7:8])  # today
    site.edit("DEMO-4", due=date(2025, 10, 6))  # the next Monday
    site.link(LINK_TYPES[0], site.existing("DEMO-2"), site.existing("DEMO-3"))
    site.link(LINK_TYPES[3], site.existing("DEMO-2"), site.existing("DEMO-4"))
    for number in (2, 3):
        issue = site.existing(f"DEMO-{number}")
        site.touch(issue, watchers=(DEMO_USER,), voters=(USERS[1],) * (number - 2))
    return site


SITE = new_site()
SEARCHER = Searcher(SITE)


def found(jql: str) -> list[str]:
    return [issue.key for issue in SEARCHER.find(f"({jql}) ORDER BY key")]


def matching(test: Callable[[Issue], bool]) -> list[str]:
    issues = sorted(SITE, key=lambda issue: (issue.project.key, issue.number))
    return [issue.key for issue in issues if test(issue)]


@for_each(
    ("jql", "expected"),
    [
        ("sprint in openSprints()", lambda i: 7 in {s.id for s in i.sprints}),
        ("sprint not in openSprints()", lambda i: i.sprints and 7 not in {s.id for s in i.sprints}),
        ("sprint in futureSprints()", lambda i: 8 in {s.id for s in i.sprints}),
        ("sprint in closedSprints()", lambda i: any(s.id < 7 for s in i.sprints)),
        ('sprint = "Harbour Sprint 2"', lambda i: 2 in {s.id for s in i.sprints}),
        ("cf[10020] = 2", lambda i: 2 in {s.id for s in i.sprints}),
        ("sprint is EMPTY", lambda i: not i.sprints),
        ("resolution = Unresolved", lambda i: i.resolved is None),
        ("resolution is EMPTY", lambda i: i.resolved is None),
        ("resolution != Unresolved", lambda i: i.resolved is not None),
        ("resolution = Done", lambda i: i.resolved is not None),
        ("resolution in (Unresolved, Done)", lambda i: True),
        ("component = Checkout", lambda i: "Checkout" in [c.name for c in i.components]),
        ("component is EMPTY", lambda i: not i.components),
        ("fixVersion = 2026.1", lambda i: "2026.1" in [v.name for v in i.fix_versions]),
        ('fixVersion = "2026.1"', lambda i: "2026.1" in [v.name for v in i.fix_versions]),
        ("fixVersion in releasedVersions()", lambda i: any(v.released for v in i.fix_versions)),
        (
            "fixVersion in unreleasedVersions(DEMO)",
            lambda i: {v.id for v in i.fix_versions} & {10001, 10002},
        ),
        ("priority > Medium", lambda i: i.priority.name in {"High", "Highest"}),
        ("priority <= Low", lambda i: i.priority.name in {"Low", "Lowest"}),
        ("type in subTaskIssueTypes()", lambda i: i.type.subtask),
        ("type in standardIssueTypes()", lambda i: not i.type.subtask),
        ("type = Story", lambda i: i.type.name == "Story"),
        ("status = Done AND project = TEAM", lambda i: False),
        ("hierarchyLevel = 1", lambda i: i.type.level == 1),
        ("assignee in (EMPTY, currentUser())", lambda i: i.assignee in {None, DEMO_USER}),
        ("assignee not in (EMPTY, currentUser())", lambda i: i.assignee not in {None, DEMO_USER}),
        ("watcher = currentUser()", lambda i: DEMO_USER in i.watching),
        ("voter = 'zoe@example.com'", lambda i: i.key == "DEMO-3"),
        ("votes > 0", lambda i: i.key == "DEMO-3"),
        ("watchers >= 1", lambda i: True),
        ("creator = currentUser()", lambda i: (i.creator or i.reporter) == DEMO_USER),
        ("issue in linkedIssues(DEMO-2)", lambda i: i.key in {"DEMO-3", "DEMO-4"}),
        ("issue in linkedIssues(DEMO-3, 'is blocked by')", lambda i: i.key == "DEMO-2"),
        ("issue in linkedIssues(DEMO-3, blocks)", lambda i: False),
        ("issue in watchedIssues()", lambda i: DEMO_USER in i.watching),
        ("issue in votedIssues()", lambda i: DEMO_USER in i.voters),
        (
            "issueLinkType = 'is blocked by'",
            lambda i: any(link.kind.name == "Blocks" and link.target == i.id for link in i.links),
        ),
        (
            "issueLinkType = BLOCKS AND issueLinkType = 10000",
            lambda i: any(link.kind.name == "Blocks" and link.source == i.id for link in i.links),
        ),
        ("issueLinkType = Relates", lambda i: i.key in {"DEMO-2", "DEMO-4"}),
        ("attachments is not EMPTY", lambda i: bool(i.attachments)),
        ("worklogAuthor = 'priya@example.com'", lambda i: i.key == "KIT-2"),
        ("worklogDate >= '2025-09-01'", lambda i: i.key == "KIT-2"),
        ("'epic link' = KIT-1", lambda i: i.parent == 5001),
        ("cf[10014] = KIT-1", lambda i: i.parent == 5001),
        ("due = '2025-09-29'", lambda i: i.key == "DEMO-2"),
        ("due >= startOfWeek() AND due <= endOfWeek()", lambda i: i.key in {"DEMO-2", "DEMO-3"}),
        (
            "due >= startOfWeek(1) AND due < startOfWeek(2)",
            lambda i: "2025-10-06" <= str(i.due) < "2025-10-13",
        ),
        ("due >= startOfMonth() AND due < 5d", lambda i: i.key in {"DEMO-3", "DEMO-4"}),
        ("due < now() AND due > -7d", lambda i: i.key in {"DEMO-2", "DEMO-3"}),
        ("due = startOfDay('-1d 24h')", lambda i: i.key == "DEMO-2"),
        ("due <= startOfDay('-1d') AND due > -1w", lambda i: i.key == "DEMO-2"),
        ("due > endOfYear('-1y')", lambda i: i.due is not None),
        ("due > endOfMonth('+2M')", lambda i: i.due is not None and i.due >= date(2026, 1, 1)),
        ("due is EMPTY", lambda i: i.due is None),
        ("resolved >= startOfYear()", lambda i: i.resolved is not None),
        ("platform = Web", lambda i: i.platform is not None and i.platform.value == "Web"),
    ],
)
def test_a_query_finds_what_it_says(jql: str, expected: Callable[[Issue], bool] | None) -> None:
    if expected is None:  # a word with a full stop needs quotation marks
        with pytest.raises(Exception, match="reserved JQL character"):
            found(jql)
    else:
        assert found(jql) == matching(expected)


@for_each(
    ("jql", "expected"),
    [
        ("affectedVersion = 2025_4", None),
        ("affectedVersion in releasedVersions()", ["KIT-2", "TEAM-2"]),
        ("level = Staff", ["KIT-2"]),
        ("environment ~ fish", ["KIT-2"]),
        ("team = 'Front of house'", ["KIT-2"]),
        ("flagged = Impediment", ["KIT-2", "TEAM-2"]),
        ("flagged is EMPTY AND project = TEAM", ["TEAM-1", "TEAM-3", "TEAM-4", "TEAM-5"]),
        ("contract ~ 'C-2025'", ["KIT-2"]),
        ("Budget > 100", ["KIT-2", "TEAM-2"]),
        ("cf[10203] > 100", ["TEAM-2"]),
        ("Channel in (Web, Shop)", ["KIT-4", "KIT-5"]),
        ("Checks = Fire AND Checks = 'Power, gas'", ["KIT-2"]),
        ("Region = Europe", ["KIT-2"]),
        ("Region = Spain", ["KIT-2"]),
        ("Region = Antarctica", ["KIT-5"]),
        ("Owner = 'zoe@example.com'", ["KIT-2"]),
        ("Approvers = currentUser()", ["KIT-2"]),
        ("Keeper = booksellers", ["KIT-2"]),
        ("'Opening Day' = '2025-11-28'", ["KIT-2"]),
        ("'Opening Time' > '2025-11-28 13:59'", ["KIT-2"]),
        ("'Opening Time' > '2025-11-28 14:01'", []),
        ("Topics = fish", ["KIT-2"]),
        ("'Found In' = '2025.4'", ["KIT-2"]),
        ("'Home Project' = DEMO", ["KIT-2"]),
        ("'Start date' < startOfDay()", ["KIT-2"]),
        ("'Start date' <= startOfDay()", ["KIT-2", "TEAM-2"]),
        ("'Story point estimate' = 3", ["TEAM-2"]),
        ("Hosts = 'zoe@example.com'", ["TEAM-2"]),
        ("'Budget[Number]' > 0", None),
    ],
)
def test_fields_of_every_type_are_searched(jql: str, expected: list[str] | None) -> None:
    if expected is None:
        with pytest.raises(Exception, match="does not exist"):
            found(jql)
    else:
        assert found(jql) == expected


@for_each(
    ("jql", "expected"),
    [
        ("text ~ 'filled in'", ["KIT-2", "KIT-3", "TEAM-2", "TEAM-3"]),
        ("text ~ paint", ["KIT-2", "KIT-7"]),
        ("comment ~ smell", ["KIT-2"]),
        ("description ~ 'fields value'", ["KIT-2", "TEAM-2"]),
        ("""description ~ '"fields of this ticket"'""", ["KIT-2"]),
        ("""description ~ '"fields ticket"'""", []),
        ("summary ~ 'fill*' AND project = KIT", ["KIT-2", "KIT-3"]),
        ("summary !~ 'fill*' AND project = TEAM", ["TEAM-1", "TEAM-4", "TEAM-5"]),
    ],
)
def test_texts_are_searched(jql: str, expected: list[str]) -> None:
    assert found(jql) == expected


def test_issues_are_sorted_by_what_boards_and_lists_sort_by() -> None:
    site = new_site()
    site.touch(site.existing("KIT-8"), rank=0.5)
    searcher = Searcher(site)

    def order(key: str) -> list[str]:
        return [issue.key for issue in searcher.find(f"project = KIT ORDER BY {key}, key")]

    assert order("Rank")[0] == "KIT-8"
    assert order("due")[0] == "KIT-2"
    assert order("votes DESC") == sorted(order("key"))
    assert order("'Opening Day'")[0] == "KIT-2"
    assert order("statusCategory")[-1] == "KIT-7"


def test_a_function_of_the_history_finds_a_users_changes() -> None:
    issue = SITE.existing("DEMO-1")
    history = issue.history
    SITE.touch(issue, history=tuple(replace(each, author=USERS[5]) for each in history))

    assert "DEMO-2" in found("issue in updatedBy()")
    assert set(found("issue in updatedBy('amara@example.com')")) == set(
        matching(lambda i: any(each.author == USERS[5] for each in i.history))
    )


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


@for_each(
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


NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
KOLKATA = timezone(timedelta(hours=5, minutes=30))


@for_each(
    ("text", "expected"),
    [
        ("-5m", datetime(2026, 1, 15, 11, 55, tzinfo=UTC)),
        ("-2h", datetime(2026, 1, 15, 10, 0, tzinfo=UTC)),
        ("-1d", datetime(2026, 1, 14, 12, 0, tzinfo=UTC)),
        ("-1w 2d", datetime(2026, 1, 6, 12, 0, tzinfo=UTC)),
        ("4W 2D", datetime(2026, 2, 14, 12, 0, tzinfo=UTC)),
        ("+1h", datetime(2026, 1, 15, 13, 0, tzinfo=UTC)),
        ("2026-01-02", datetime(2026, 1, 1, 18, 30, tzinfo=UTC)),
        ("2026/1/2", datetime(2026, 1, 1, 18, 30, tzinfo=UTC)),
        ("2026-01-02 10:00", datetime(2026, 1, 2, 4, 30, tzinfo=UTC)),
        (" 2026/01/02 23:59 ", datetime(2026, 1, 2, 18, 29, tzinfo=UTC)),
        ("1767348000000", datetime(2026, 1, 2, 10, 0, tzinfo=UTC)),
        ("0", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_date_is_an_instant_read_in_the_users_zone(text: str, expected: datetime) -> None:
    assert read_date(text, now=NOON, zone=KOLKATA) == to_millis(expected)


@for_each(
    "text",
    [
        "",
        "abc",
        "-5",
        "5x",
        "2026-13-01",
        "2026-02-30",
        "2026-01-02 25:00",
        "10:00",
        "999999w9d",
        "-",
    ],
)
def test_what_is_no_date_is_none(text: str) -> None:
    found = read_date(text, now=NOON, zone=KOLKATA)

    assert found == (-5 if text == "-5" else None)


@given(st.text(max_size=20))
def test_any_text_is_a_date_or_none(text: str) -> None:
    assert isinstance(read_date(text, now=NOON, zone=KOLKATA), int | None)


@given(st.integers(0, 9999), st.sampled_from("wdhm"))
def test_a_minus_turns_a_period_round(count: int, unit: str) -> None:
    period = read_period(f"{count}{unit}")

    assert period is not None
    assert read_period(f"-{count}{unit}") == -period
