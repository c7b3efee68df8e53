"""Filters of lists, the order of issues, and their totals."""

from __future__ import annotations

import pytest
from fakes.bytecodes import Bytecodes
from rows import for_each

from ticketr.app.tickets import (
    SORT_NAMES,
    FilterableIssue,
    GroupSum,
    InvalidFilter,
    UserAndFieldNames,
    fold,
    issue_and_point_totals_by,
    parse_filter,
    points_or_zero,
    sort_key,
)
from ticketr.app.tickets.filter import FILE_STATES

ISSUE = FilterableIssue(
    "DEMO-9",
    "Rebuild the Index without downtime",
    {"Status": "In Progress", "Assignee": "Søren Ångström", "Story Points": "3", "Sprint": ""},
    "The simplest version is good enough.\nSay “when” it's done.",
    frozenset({"edited"}),
)
OTHER = FilterableIssue("", "Pay in instalments", {"Status": "Done"}, "", frozenset({"draft"}))
CLASH = FilterableIssue("DEMO-11", "Straße", {}, 'He said "no"', frozenset({"conflict", "edited"}))
BROKEN = FilterableIssue("", "notes.md:5: conflict markers", file_states=frozenset({"broken"}))
ALL = (ISSUE, OTHER, CLASH, BROKEN)


@for_each(
    ("text", "found"),
    [
        ("", ALL),
        ("  ", ALL),
        ('""', ALL),
        ("index", (ISSUE,)),
        ("INDEX", (ISSUE,)),
        ("demo-1", (CLASH,)),
        ("angstrom", (ISSUE,)),
        ("Ångström", (ISSUE,)),
        ("soren", (ISSUE,)),
        ("strasse", (CLASH,)),
        ("simplest index", (ISSUE,)),
        ("simplest instalments", ()),
        ('"version is"', (ISSUE,)),
        ('"is version"', ()),
        ("points", ()),  # the name of a field, not a text of the issue
        ("status=progress", (ISSUE,)),
        ("STATUS=done", (OTHER,)),
        ("done", (ISSUE, OTHER)),
        ('status="in pro"', (ISSUE,)),
        ('"story points"=3', (ISSUE,)),
        ('"story points"=4', ()),
        ("key=demo", (ISSUE, CLASH)),
        ("title=index", (ISSUE,)),
        ("text=index", ()),
        ("status=", (CLASH, BROKEN)),
        ('sprint=""', ALL),
        ("-status=", (ISSUE, OTHER)),
        ("@soren", (ISSUE,)),
        ('@"soren ang"', (ISSUE,)),
        ("-@soren", (OTHER, CLASH, BROKEN)),
        ("edited", (ISSUE, CLASH)),
        ("Edited", (ISSUE, CLASH)),
        ("draft", (OTHER,)),
        ("unpushed", (ISSUE, OTHER, CLASH)),
        ("conflict", (CLASH,)),
        ('"conflict"', (BROKEN,)),
        ("broken", (BROKEN,)),
        ("edited -conflict", (ISSUE,)),
        ("-unpushed", (BROKEN,)),
        ("-index", (OTHER, CLASH, BROKEN)),
        (r'"said \"no"', (CLASH,)),
        ("it's", (ISSUE,)),
        ("text=a=b", ()),
    ],
)
def test_a_filter_selects_what_fits_every_term(
    text: str, found: tuple[FilterableIssue, ...]
) -> None:
    parsed = parse_filter(text)

    assert parsed.select(ALL) == list(found)
    assert [each for each in ALL if parsed.matches(each)] == list(found)


@for_each(
    ("text", "position", "problem"),
    [
        ("-", 0, "what an issue must not have has to follow -"),
        ("index - x", 6, "what an issue must not have has to follow -"),
        ("=done", 0, "the name of a field has to be before ="),
        ("-=done", 1, "the name of a field has to be before ="),
        ('""=done', 2, "the name of a field has to be before ="),
        ("edited @", 7, "a person's name has to follow @"),
        ('@""', 0, "a person's name has to follow @"),
        ("@ soren", 0, "a person's name has to follow @"),
        ('"in pro', 0, "this quote is not closed"),
        ('status="in pro', 7, "this quote is not closed"),
        ('@"', 1, "this quote is not closed"),
        ('status=in" pro"', 9, "quotes go around a whole word, name or value"),
        ('"in"pro', 4, "quotes go around a whole word, name or value"),
        ('in"pro"', 2, "quotes go around a whole word, name or value"),
    ],
)
def test_a_wrong_filter_says_what_is_wrong_and_where(
    text: str, position: int, problem: str
) -> None:
    with pytest.raises(InvalidFilter) as raised:
        parse_filter(text)

    error = raised.value
    assert (error.text, error.position, error.problem) == (text, position, problem)


NAMES = UserAndFieldNames("Søren Ångström", frozenset({"Status", "Assignee", "Story Points"}))


@for_each(
    ("text", "found"),
    [
        ("@me", (ISSUE,)),
        ("@Mine", (ISSUE,)),
        ("-@me", (OTHER, CLASH, BROKEN)),
        ('@"me"', ()),
        ("assignee=me", ()),
        ("status=done", (OTHER,)),
        ("key=demo title=index", (ISSUE,)),
        ("STATUS=", (CLASH, BROKEN)),
    ],
)
def test_a_filter_knows_the_user_and_the_fields(
    text: str, found: tuple[FilterableIssue, ...]
) -> None:
    assert parse_filter(text, NAMES).select(ALL) == list(found)


def test_me_is_nobody_whose_name_only_contains_mine() -> None:
    other = FilterableIssue("A-1", "x", {"Assignee": "Søren Ångströms"})

    assert not parse_filter("@me", NAMES).matches(other)
    assert parse_filter("@angstrom", NAMES).matches(other)


@pytest.mark.parametrize(
    ("text", "names", "position", "problem"),
    [
        ("x staus=done", NAMES, 2, 'no ticket has a field "staus"; did you mean Status?'),
        ("-colour=red", NAMES, 1, 'no ticket has a field "colour"'),
        ("edited @me", UserAndFieldNames(), 7, "who you are is not known before a pull"),
    ],
)
def test_a_filter_names_nothing_that_is_not_known(
    text: str, names: UserAndFieldNames, position: int, problem: str
) -> None:
    with pytest.raises(InvalidFilter) as raised:
        parse_filter(text, names)

    assert (raised.value.position, raised.value.problem) == (position, problem)


def test_a_filter_is_a_value_that_keeps_what_was_typed() -> None:
    parsed = parse_filter(" status=done  -@amara ")

    assert parsed.text == "status=done  -@amara"
    assert parsed == parse_filter("status=done  -@amara")
    assert hash(parsed) == hash(parse_filter(parsed.text))


def test_every_flag_is_a_word_of_the_language() -> None:
    for word in (*FILE_STATES, "unpushed"):
        every = FilterableIssue("A-1", "x", file_states=FILE_STATES)
        assert parse_filter(word).matches(every)
        assert not parse_filter(word).matches(FilterableIssue("A-1", word))


@for_each(
    ("text", "folded"),
    [
        ("ABC", "abc"),
        ("Zoë", "zoe"),
        ("Zoe\u0308", "zoe"),
        ("Łódź", "lodz"),
        ("ÆØÅ", "aeoa"),
        ("İstanbul", "istanbul"),
        ("Weiß", "weiss"),
        ("陈美玲", "陈美玲"),
        ("हिन्दी", "हिन्दी"),
        ("ﬁne", "fine"),
    ],
)
def test_folding_takes_case_and_accents_away(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_a_word_is_looked_up_in_a_few_bytecodes_an_issue() -> None:
    fields = {"Status": "In Progress", "Assignee": "Søren Ångström", "Priority": "High"}
    issues = [
        FilterableIssue(f"AB-{n}", f"Issue {n}", fields, "A text. " * 60) for n in range(1_000)
    ]
    parsed = parse_filter("999")
    bytecodes = Bytecodes()

    assert [each.key for each in parsed.select(issues)] == ["AB-999"]  # it folds their texts, once
    with bytecodes.counted():
        assert [each.key for each in parsed.select(issues)] == ["AB-999"]

    assert 1 < bytecodes.count / len(issues) < 100


ISSUES = (
    FilterableIssue("", "Draft b"),
    FilterableIssue("AB-10", "émile", {"Status": "To Do", "Priority": "Low", "Assignee": "zoë"}),
    FilterableIssue(
        "AB-9",
        "Zebra",
        {"Status": "Done", "Priority": "Highest", "Assignee": "Amara"},
        updated="2026-01-02T09:00:00.000+0000",
    ),
    FilterableIssue("", "Draft a"),
    FilterableIssue(
        "AA-100",
        "yes",
        {"Status": "done", "Priority": "Major"},
        updated="2026-01-02T09:30:00.000+0100",
    ),
    FilterableIssue("AB-1", "apple", {"Priority": "Urgent"}, updated="2026-01-02T10:00:00"),
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
    later = ("type", "sprint", "points")
    assert ("key", "title", "status", "priority", "assignee", "updated", *later) == SORT_NAMES
    with pytest.raises(KeyError):
        sort_key("colour")


def candidate(**fields: str) -> FilterableIssue:
    return FilterableIssue(
        "A-1", "x", {name.replace("_", " "): text for name, text in fields.items()}
    )


def test_issues_are_counted_and_their_points_added_up() -> None:
    issues = [
        candidate(Status="To Do", Story_Points="3"),
        candidate(Status="Done", Story_Points="0.1"),
        candidate(Status="done ", story_points="0.2"),
        candidate(Status="Done"),
        candidate(),
        candidate(Status=" ", Story_Points="8"),
    ]

    assert issue_and_point_totals_by(issues, "status") == (
        GroupSum("Done", 3, 0.30000000000000004),
        GroupSum("To Do", 1, 3.0),
        GroupSum("", 2, 8.0),
    )


def test_equal_counts_are_in_the_order_of_their_names() -> None:
    issues = [candidate(Type=name) for name in ("Story", "bug", "Épic")]

    assert [each.value for each in issue_and_point_totals_by(issues, "Type")] == [
        "bug",
        "Épic",
        "Story",
    ]


def test_nothing_has_no_totals() -> None:
    assert issue_and_point_totals_by([], "Status") == ()


@pytest.mark.parametrize(
    ("text", "points"),
    [("5", 5.0), ("-1", -1.0), ("2.5", 2.5), ("", 0), ("many", 0), ("nan", 0), ("inf", 0)],
)
def test_points_are_a_number_or_nothing(text: str, points: float) -> None:
    assert points_or_zero(candidate(Story_Points=text)) == points


def test_points_of_team_managed_projects_count_too() -> None:
    assert points_or_zero(candidate(Story_Points="", Story_point_estimate="4")) == 4
