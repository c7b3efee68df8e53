"""JQL: its grammar, and the issues that a query finds."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st
from rows import for_each
from sandbox_client import NOW, demo_site

from jira_sandbox import Site
from jira_sandbox.data.issue import Issue
from jira_sandbox.data.model import to_millis
from jira_sandbox.errors import JqlError
from jira_sandbox.jql.grammar import MAX_DEPTH, parse
from jira_sandbox.jql.nodes import (
    And,
    Clause,
    Empty,
    Function,
    JqlLiteral,
    JqlNode,
    Not,
    Or,
    Query,
    SortBy,
)
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


@for_each(
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


@for_each(
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


@for_each(
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


def clause(field: str, operator: str, *values: str) -> Clause:
    return Clause(field, operator, tuple(JqlLiteral(value) for value in values))


A, B, C = (clause(name, "=", "1") for name in "abc")


@for_each(
    ("text", "where"),
    [
        ("project = DEMO", clause("project", "=", "DEMO")),
        ("project=DEMO", clause("project", "=", "DEMO")),
        ("a!=1", clause("a", "!=", "1")),
        ("a !~ x", clause("a", "!~", "x")),
        ("updated >= -5m", clause("updated", ">=", "-5m")),
        ("updated<2026-01-02", clause("updated", "<", "2026-01-02")),
        ('"Story Points" > 3', clause("Story Points", ">", "3")),
        ("cf[10016] <= 3", clause("cf[10016]", "<=", "3")),
        ("key in (A-1,'B-2')", clause("key", "in", "A-1", "B-2")),
        ("key NOT  IN (A-1)", clause("key", "not in", "A-1")),
        ("a is EMPTY", Clause("a", "is", (Empty(),))),
        ("a is not null", Clause("a", "is not", (Empty(),))),
        ("a = EMPTY", Clause("a", "=", (Empty(),))),
        ("a = f()", Clause("a", "=", (Function("f", ()),))),
        ('a > f(-1, "x")', Clause("a", ">", (Function("f", ("-1", "x")),))),
        ("a in f()", Clause("a", "in", (Function("f", ()),))),
        ("a=1 and b=1 AND c=1", And((A, B, C))),
        ("a=1 or b=1 && c=1", Or((A, And((B, C))))),
        ("(a=1 || b=1) and c=1", And((Or((A, B)), C))),
        ("not a=1 and b=1", And((Not(A), B))),
        ("!(a=1 & b=1)", Not(And((A, B)))),
        ("not not a=1", Not(Not(A))),
        ("((a=1))", A),
        ("android = island", clause("android", "=", "island")),
        ("order1 = nothing", clause("order1", "=", "nothing")),
        (r'a ~ "say \"hi\" \u00e9\\"', clause("a", "~", 'say "hi" é\\')),
        (r"a ~ 'it\'s'", clause("a", "~", "it's")),
        ("a = größe", clause("a", "=", "größe")),
        ("a = 1.0", clause("a", "=", "1.0")),
        ("a\n=\t1", A),
    ],
)
def test_a_query_becomes_a_tree(text: str, where: JqlNode) -> None:
    assert parse(text) == Query(where, ())


def test_the_order_is_read_with_or_without_anything_before_it() -> None:
    order = (SortBy("created", descending=True), SortBy("key", descending=False))

    assert parse("a=1 ORDER BY created DESC, key asc") == Query(A, order)
    assert parse("order  by created desc, key") == Query(None, order)
    assert parse("") == parse(" \n ") == Query(None, ())


@for_each(
    ("text", "complaint"),
    [
        ("project", "Expecting operator before the end of the query."),
        ("project =", "Expecting either a value, list or function before the end"),
        ("project DEMO", "Expecting operator but got 'DEMO'."),
        ("project DEMO", "(line 1, character 9)"),
        ("= DEMO", "Expecting a field name but got '='."),
        ("a = b c", "Expecting either 'OR' or 'AND' but got 'c'."),
        ("a = 1 and", "Expecting a field name at the end of the query."),
        ("(a = 1", "Expecting ')' before the end of the query."),
        ("a = 1)", "got ')'"),
        ("a = 50%", "The character '%' is a reserved JQL character."),
        ("a = 50%", r"'\u0025'"),
        ('a = "b', "The quoted string 'b' has not been completed."),
        ("a = b\nand %", "(line 2, character 5)"),
        ("a was", "Expecting either a value, list or function"),
        ("a changed b", "Expecting either 'OR' or 'AND' but got 'b'."),
        ("a was b after", "Expecting either a value, list or function"),
        ("a = and", "'and' is a reserved JQL word."),
        ("a in b", "Expecting either a value, list or function"),
        ("a in ()", "Expecting either a value, list or function but got ')'"),
        ("a = 1 order by", "Expecting a field name at the end of the query."),
        ("a = 1 order by a sideways", "sideways"),
    ],
)
def test_a_query_that_is_none_is_refused_in_jiras_words(text: str, complaint: str) -> None:
    with pytest.raises(JqlError) as caught:
        parse(text)

    assert caught.value.message.startswith("Error in the JQL Query: ")
    assert complaint in caught.value.message


@pytest.mark.parametrize("before", ["(", "not ", "!", "not(", "!("])
def test_deep_nesting_is_refused_and_not_followed(before: str) -> None:
    after = ")" * before.count("(")
    deep = MAX_DEPTH + 1

    with pytest.raises(JqlError, match="nested too deeply"):
        parse(before * deep + "a = 1" + after * deep)
    with pytest.raises(JqlError, match="nested too deeply"):
        parse(before * 20_000 + "a = 1" + after * 20_000)
    parse(before * (MAX_DEPTH // 2) + "a = 1" + after * (MAX_DEPTH // 2))


def test_many_brackets_side_by_side_are_not_deep() -> None:
    query = parse(" or ".join(["(not a = 1)"] * 500))

    assert query == Query(Or((Not(A),) * 500), ())


@given(st.text(max_size=60))
def test_any_text_is_a_query_or_is_refused(text: str) -> None:
    with suppress(JqlError):
        assert isinstance(parse(text), Query)


FIELDS = st.sampled_from(["a", "Story Points", "cf[10]"])


@st.composite
def trees(draw: st.DrawFn, depth: int = 3) -> tuple[str, JqlNode]:
    """A query with its expected tree."""
    kind = draw(st.sampled_from(["clause", "and", "or", "not"])) if depth else "clause"
    if kind == "clause":
        value = draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
        field = draw(FIELDS)
        operator = draw(st.sampled_from(["=", "!=", "<", "~", "in", "not in"]))
        quoted = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        written = f"({quoted})" if operator.endswith("in") else quoted
        name = field if field.startswith("cf") else f'"{field}"'
        return f"{name} {operator} {written}", clause(field, operator, value)
    if kind == "not":
        text, tree = draw(trees(depth - 1))
        return f"NOT ({text})", Not(tree)
    parts = draw(st.lists(trees(depth - 1), min_size=2, max_size=3))
    joined = f" {kind} ".join(f"({text})" for text, _ in parts)
    make = And if kind == "and" else Or
    return joined, make(tuple(tree for _, tree in parts))


@given(trees())
def test_what_is_written_with_brackets_comes_back_as_the_same_tree(
    pair: tuple[str, JqlNode],
) -> None:
    text, tree = pair

    assert parse(text).where == tree
