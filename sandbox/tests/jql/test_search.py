from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st
from sandbox_client import NOW, demo_site

from jira_sandbox import Site
from jira_sandbox.data.issue import Issue
from jira_sandbox.data.model import to_millis
from jira_sandbox.errors import JqlError
from jira_sandbox.jql.search import MAX_LENGTH, Searcher

SITE = demo_site(120)
ISSUES = sorted(SITE, key=lambda issue: -issue.id)
CHILD = next(issue for issue in SITE if issue.type.subtask)
MIDDLE = sorted(issue.updated for issue in SITE)[60]
SEARCHER = Searcher(SITE)


def numbers(jql: str, site: Site = SITE) -> list[int]:
    return [issue.number for issue in Searcher(site).find(jql)]


def parent_key() -> str:
    assert CHILD.parent is not None
    parent = SITE.get(CHILD.parent)
    assert parent is not None
    return parent.key


def local(millis: int) -> str:
    return (NOW.fromtimestamp(millis / 1000, SITE.user.zone)).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("jql", "wanted"),
    [
        ("project = DEMO", lambda i: True),
        ("project = demo", lambda i: True),
        ("project = 10000", lambda i: True),
        ('project = "Harbour Books"', lambda i: True),
        ("project = BLANK", lambda i: False),
        ("project in (BLANK, DEMO)", lambda i: True),
        ("project != DEMO", lambda i: False),
        ("key = DEMO-5", lambda i: i.number == 5),
        ("issuekey in (demo-5, DEMO-6)", lambda i: i.number in {5, 6}),
        ("id = 10005", lambda i: i.number == 5),
        ("id > 10100", lambda i: i.number > 100),
        ("key <= DEMO-3", lambda i: i.number <= 3),
        ("key >= 1", lambda i: True),
        ("status = 'in progress'", lambda i: i.status.name == "In Progress"),
        ("status != Done", lambda i: i.status.name != "Done"),
        ("status not in (Done, 10000)", lambda i: i.status.name not in {"Done", "To Do"}),
        ("statusCategory = Done", lambda i: i.status.name == "Done"),
        ("type = Sub-task", lambda i: i.type.subtask),
        ("issuetype in (Bug, Story)", lambda i: i.type.name in {"Bug", "Story"}),
        ("priority = High", lambda i: i.priority.name == "High"),
        (f"parent = {parent_key()}", lambda i: i.parent == CHILD.parent),
        (f"parent in ({CHILD.parent})", lambda i: i.parent == CHILD.parent),
        (f"parent != {parent_key()}", lambda i: i.parent not in {None, CHILD.parent}),
        ("parent is EMPTY", lambda i: i.parent is None),
        ("parent is not null", lambda i: i.parent is not None),
        ("parent = EMPTY", lambda i: i.parent is None),
        ("assignee = currentUser()", lambda i: i.assignee == SITE.user),
        ("assignee = 'zoe@example.com'", None),
        ("assignee in (currentUser())", lambda i: i.assignee == SITE.user),
        ("assignee != currentUser()", lambda i: i.assignee not in {None, SITE.user}),
        ("NOT assignee = currentUser()", lambda i: i.assignee not in {None, SITE.user}),
        ("labels = checkout", lambda i: "checkout" in i.labels),
        ("labels = größe-m", lambda i: "größe-m" in i.labels),
        ("cf[10016] >= 5", lambda i: (i.story_points or 0) >= 5),
        ('"Story Points" is empty', lambda i: i.story_points is None),
        ("summary ~ TESTS", lambda i: "tests" in i.summary.lower().split()),
        ('summary ~ "test*"', None),
        ("updated >= -30d", lambda i: i.updated >= to_millis(NOW - timedelta(days=30))),
        ("updated > now()", lambda i: i.updated > to_millis(NOW)),
        ("created < startOfDay()", lambda i: i.created < to_millis(NOW.replace(hour=0)) - 19800000),
        (
            "created >= startOfDay(-29)",
            lambda i: i.created >= to_millis(datetime(2025, 9, 1, 18, 30, tzinfo=UTC)),
        ),
        (f"updated >= {MIDDLE}", lambda i: i.updated >= MIDDLE),
        (f"updated < {MIDDLE}", lambda i: i.updated < MIDDLE),
        (f"updated = {MIDDLE}", lambda i: i.updated == MIDDLE),
        (f'updated >= "{local(MIDDLE)}"', lambda i: i.updated >= MIDDLE // 60000 * 60000),
        ("type = Bug and status = Done or type = Epic", None),
        ("NOT (type = Bug or type = Epic)", lambda i: i.type.name not in {"Bug", "Epic"}),
        ("NOT (type != Bug and type != Epic)", lambda i: i.type.name in {"Bug", "Epic"}),
        ("not not type = Bug", lambda i: i.type.name == "Bug"),
        ("NOT created < 0", lambda i: True),
        ("NOT parent is empty", lambda i: i.parent is not None),
        ("NOT type in (Bug)", lambda i: i.type.name != "Bug"),
        ("NOT summary ~ tests", lambda i: "tests" not in i.summary.lower().split()),
    ],
)
def test_a_query_finds_what_it_says_the_newest_first(
    jql: str, wanted: Callable[[Issue], bool] | None
) -> None:
    if wanted is None:
        wanted = {
            "assignee = 'zoe@example.com'": lambda i: bool(
                i.assignee and i.assignee.name[0] == "Z"
            ),
            'summary ~ "test*"': lambda i: " test" in f" {i.summary.lower()}",
            "type = Bug and status = Done or type = Epic": lambda i: (
                (i.type.name == "Bug" and i.status.name == "Done") or i.type.name == "Epic"
            ),
        }[jql]

    assert numbers(jql) == [issue.number for issue in ISSUES if wanted(issue)]


@pytest.mark.parametrize(
    ("jql", "complaint"),
    [
        ("", "Unbounded JQL queries are not allowed here."),
        ("order by created", "Unbounded JQL queries are not allowed here."),
        ("project = NOPE", "The value 'NOPE' does not exist for the field 'project'."),
        ("colour = red", "Field 'colour' does not exist or you do not have permission to view it."),
        ("Status = Nope", "The value 'Nope' does not exist for the field 'Status'."),
        ("type in (Bug, Nope)", "The value 'Nope' does not exist for the field 'type'."),
        ("key = DEMO-999", "An issue with key 'DEMO-999' does not exist for field 'key'."),
        ("id = 1", "An issue with ID '1' does not exist for field 'id'."),
        ("assignee = nobody", "The value 'nobody' does not exist for the field 'assignee'."),
        ("project ~ DEMO", "The operator '~' is not supported by the 'project' field."),
        ("status > Done", "The operator '>' is not supported by the 'status' field."),
        ("summary = x", "The operator '=' is not supported by the 'summary' field."),
        ("created > EMPTY", "The operator '>' does not support searching for empty values."),
        ("updated > someday", "Date value 'someday' for field 'updated' is invalid."),
        ("cf[10016] = nan", "The value 'nan' for field 'cf[10016]' is not a number."),
        ("cf[10016] = many", "The value 'many' for field 'cf[10016]' is not a number."),
        ("cf[1] = 1", "Field 'cf[1]' does not exist"),
        ("project = currentUser()", "Unable to find JQL function 'currentUser()'"),
        ("type in linkedIssues(A-1, x)", "Unable to find JQL function 'linkedIssues(A-1, x)'"),
        ("created > startOfDay(x)", "are not a single period"),
        ("labels was checkout", "The operator 'was' is not supported by the 'labels' field."),
        ("Budget = many", "The value 'many' does not exist for the field 'Budget'."),
        ("due > startOfWeek(x)", "are not a single period"),
        ("status was Nope", "The value 'Nope' does not exist for the field 'status'."),
        ("status changed after EMPTY", "needs a date after 'AFTER'"),
        ("status changed after currentUser()", "needs a date after 'AFTER'"),
        ("status changed by nobody", "The value 'nobody' does not exist for the field 'status'."),
        ("issue in linkedIssues()", "takes an issue and a kind of link"),
        ("sprint in closedSprint()", "Unable to find JQL function 'closedSprint()'"),
        ("due > startOfWeek(1, 2)", "are not a single period"),
        ("due > startOfYear(9999)", "are not a single period"),
        ("text is EMPTY", "The operator 'is' is not supported by the 'text' field."),
        ("project = DEMO order by labels", "Not able to sort using field 'labels'."),
        ("project = DEMO order by colour", "Field 'colour' does not exist"),
        ("key > 1 order by" + ",".join([" key"] * 8), "more than 7 fields"),
        ("project = " + "x" * MAX_LENGTH, "longer than"),
    ],
)
def test_a_query_that_jira_would_refuse_is_refused(jql: str, complaint: str) -> None:
    with pytest.raises(JqlError) as caught:
        numbers(jql)

    assert complaint in caught.value.message


@pytest.mark.parametrize(
    ("order", "key", "reverse"),
    [
        ("key", lambda i: i.number, False),
        ("created desc", lambda i: i.created, True),
        ("updated", lambda i: i.updated, False),
        ("status, key", lambda i: (i.status.id, i.number), False),
        ("type desc, priority desc, key", lambda i: (i.type.name, -i.priority.id, -i.number), True),
        ("summary asc, id", lambda i: (i.summary.lower(), i.number), False),
        ("project, parent, key", lambda i: (i.parent is None, i.parent or 0, i.number), False),
        (
            "cf[10016], key",
            lambda i: (i.story_points is None, i.story_points or 0, i.number),
            False,
        ),
        (
            "assignee, key",
            lambda i: (i.assignee is None, i.assignee.name.lower() if i.assignee else "", i.number),
            False,
        ),
        ("status", lambda i: (i.status.id, -i.number), False),
    ],
)
def test_an_order_is_kept_and_ties_keep_the_newest_first(
    order: str, key: Callable[[Issue], object], reverse: bool
) -> None:
    expected = sorted(SITE, key=key, reverse=reverse)  # type: ignore[arg-type]

    assert numbers(f"project = DEMO ORDER BY {order}") == [issue.number for issue in expected]


def test_an_answer_follows_a_change_of_the_site() -> None:
    site = demo_site(10)
    searcher = Searcher(site)
    before = searcher.find("status = Done")
    open_one = next(issue for issue in site if issue.status.name != "Done")
    done = next(issue.status for issue in demo_site(60) if issue.status.name == "Done")

    site.put(replace(open_one, status=done))

    assert open_one.id not in [issue.id for issue in before]
    assert open_one.id in [issue.id for issue in searcher.find("status = Done")]


def test_an_answer_that_depends_on_the_time_follows_the_time() -> None:
    now = NOW
    site = Site(demo_site(30), clock=lambda: now)
    searcher = Searcher(site)
    first = searcher.find("NOT (created < -60d)")

    now = NOW + timedelta(days=100)

    assert len(first) == 30
    assert len(searcher.find("NOT (created < -60d)")) == 0


def test_an_answer_is_worked_out_once_while_nothing_changes() -> None:
    first = SEARCHER.find("project = DEMO")

    for number in range(1, 16):
        SEARCHER.find(f"key = DEMO-{number}")
    assert SEARCHER.find("project = DEMO") is first
    for number in range(16, 18):
        SEARCHER.find(f"key = DEMO-{number}")
    assert SEARCHER.find("project = DEMO") is not first


PARTS = st.sampled_from(
    [
        "type = Bug",
        "status != Done",
        "key > DEMO-40",
        "created <= 1756900000000",
        "priority in (High, Low)",
        "project = DEMO",
        "parent is empty",
    ]
)
QUERIES = st.recursive(
    PARTS,
    lambda inner: st.one_of(
        st.builds("({} AND {})".format, inner, inner),
        st.builds("({} OR {})".format, inner, inner),
        st.builds("NOT ({})".format, inner),
    ),
    max_leaves=6,
)


@given(QUERIES)
def test_a_query_and_its_opposite_share_out_the_issues(jql: str) -> None:
    found = {issue.id for issue in SEARCHER.find(jql)}
    others = {issue.id for issue in SEARCHER.find(f"NOT ({jql})")}

    assert not found & others
    assert found | others == {issue.id for issue in SITE}


@given(QUERIES, QUERIES)
def test_and_is_the_intersection_and_or_the_union(left: str, right: str) -> None:
    one = {issue.id for issue in SEARCHER.find(left)}
    other = {issue.id for issue in SEARCHER.find(right)}

    assert {issue.id for issue in SEARCHER.find(f"{left} AND {right}")} == one & other
    assert {issue.id for issue in SEARCHER.find(f"{left} OR {right}")} == one | other
