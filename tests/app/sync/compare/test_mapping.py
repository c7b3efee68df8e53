"""What an issue is as a ticket, and how its values are written."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.adf_nodes import doc, paragraph, text
from hypothesis import given, strategies as st
from rows import for_each

from ticketr.app.jira import Issue
from ticketr.app.jira.adf import canonical
from ticketr.app.sync import Columns
from ticketr.app.sync.compare.diff import description_adf, split_criteria
from ticketr.app.sync.compare.mapping import field_text, render_family
from ticketr.app.sync.compare.times import hours_and_minutes_text, read_duration
from ticketr.app.tickets import parse

COLUMNS = Columns.of([])


def heading(words: str, level: int = 3) -> dict[str, Any]:
    return {"type": "heading", "attrs": {"level": level}, "content": [text(words)]}


def bullets(*items: list[dict[str, Any]]) -> dict[str, Any]:
    content = [{"type": "listItem", "content": item} for item in items]
    return {"type": "bulletList", "content": content}


def issue(number: int = 1, **fields: object) -> Issue:
    return Issue(id=str(number), key=f"DEMO-{number}", fields={"summary": "A title", **fields})


CRITERIA = (heading("Acceptance Criteria"), bullets([paragraph(text("Works"))]))


def test_an_issue_becomes_a_ticket_with_its_fields_in_a_fixed_order() -> None:
    full = issue(
        description=doc(paragraph(text("Words."))),
        status={"name": "To Do"},
        issuetype={"name": "Story", "subtask": False},
        priority={"name": "High"},
        assignee={"displayName": "Ana", "accountId": "1"},
        labels=["ui", "mobile"],
        components=[{"name": "Shop"}],
        fixVersions=[{"name": "1.0"}],
        parent={"id": "9", "key": "DEMO-9"},
    )

    written = render_family(full, [], COLUMNS)

    assert written.text == (
        "# TICKET: [DEMO-1] A title\n\n## Description\nWords.\n\n## Fields\n"
        "Type: Story\nStatus: To Do\nPriority: High\nAssignee: Ana\nLabels: ui, mobile\n"
        "Components: Shop\nFix Version: 1.0\nParent: DEMO-9\n"
    )
    assert written.inexact_keys == frozenset()


def test_sub_tasks_stand_under_tasks_without_naming_their_parent() -> None:
    child = issue(
        2,
        summary="Part",
        status={"name": "Done"},
        parent={"id": "1", "key": "DEMO-1"},
        description=doc(paragraph(text("One.")), paragraph(text("Two."))),
    )

    written = render_family(issue(), [child], COLUMNS)

    (ticket,) = parse(written.text).tickets
    assert ticket == written.ticket
    assert ticket.tasks[0].key == "DEMO-2"
    assert ticket.tasks[0].description == "One.\n\nTwo."
    assert dict(ticket.tasks[0].fields) == {"Status": "Done"}
    assert written.inexact_keys == frozenset()


@for_each(
    ("value", "expected"),
    [
        (None, ""),
        ("text", "text"),
        (3.0, "3"),
        (2.5, "2.5"),
        (8, "8"),
        ({"displayName": "Ana", "name": "ana"}, "Ana"),
        ({"value": "Web"}, "Web"),
        ({"name": None, "key": "K"}, "K"),
        ({}, ""),
        ([], ""),
        ([{"name": "a"}, None, {"name": ""}, {"name": "b"}], "a, b"),
        (["a, b", 'say "x"'], '"a, b", "say ""x"""'),
        ([{"name": "S1", "state": "closed"}, {"name": "S2", "state": "active"}], "S2"),
        (object(), ""),
    ],
)
def test_a_fields_value_becomes_one_line(value: object, expected: str) -> None:
    assert field_text(value) == expected


def test_criteria_of_exactly_the_known_shape_become_a_section() -> None:
    adf = doc(
        paragraph(text("Words.")),
        heading("Acceptance Criteria"),
        bullets([paragraph(text("One"))], [paragraph(text("Two", "strong"))]),
    )

    written = render_family(issue(description=adf), [], COLUMNS)

    assert written.ticket.description == "Words."
    assert written.ticket.acceptance_criteria == ("One", "**Two**")
    assert written.inexact_keys == frozenset()
    assert canonical(description_adf(written.ticket)) == canonical(adf)


@for_each(
    "content",
    [
        (heading("Acceptance Criteria", 2), CRITERIA[1]),
        (heading("acceptance criteria"), CRITERIA[1]),
        (CRITERIA[0], bullets([paragraph(text("a")), paragraph(text("b"))])),
        (CRITERIA[0], bullets([paragraph(text("a")), bullets([paragraph(text("b"))])])),
        (CRITERIA[0], bullets([paragraph()])),
        (CRITERIA[0], {"type": "orderedList", "content": CRITERIA[1]["content"]}),
        (*CRITERIA, paragraph(text("more"))),
        (CRITERIA[0],),
    ],
)
def test_anything_of_another_shape_stays_description(content: tuple[dict[str, Any], ...]) -> None:
    adf = doc(paragraph(text("Words.")), *content)

    assert split_criteria(adf) == (adf, ())

    written = render_family(issue(description=adf), [], COLUMNS)
    assert written.ticket.acceptance_criteria == ()
    assert "cceptance" in written.ticket.description


@for_each(
    "adf",
    [
        None,
        "words",
        {},
        {"type": "doc"},
        {"type": "doc", "content": None},
        {"type": "doc", "content": [None, 7]},
        {"type": "doc", "content": [None, *CRITERIA]},
        doc(CRITERIA[0], {"type": "bulletList", "content": [None]}),
        doc(CRITERIA[0], {"type": "bulletList", "content": None}),
        doc({"type": "heading", "attrs": None, "content": []}, CRITERIA[1]),
    ],
)
def test_an_odd_description_is_no_trouble(adf: object) -> None:
    written = render_family(issue(description=adf), [], COLUMNS)

    assert parse(written.text).tickets == (written.ticket,)


def test_a_description_that_markdown_cannot_say_is_known_as_inexact() -> None:
    odd = doc({**paragraph(text("x")), "somethingNew": {"y": 1}})

    written = render_family(issue(description=odd), [issue(2, description=odd)], COLUMNS)

    assert written.inexact_keys == {"DEMO-1", "DEMO-2"}


@pytest.mark.parametrize(
    "words",
    ["# TICKET: [DEMO-9] Mine", "## Tasks", "- [DEMO-9] a task", "<<<<<<< HEAD", "  ## Fields"],
)
def test_text_that_looks_like_the_grammar_stays_text(words: str) -> None:
    adf = doc(paragraph(text(words)), {"type": "codeBlock", "content": [text(words)]})

    written = render_family(
        issue(summary=words, description=adf), [issue(2, summary=words, description=adf)], COLUMNS
    )

    assert written.inexact_keys == frozenset()
    assert written.ticket.title == words.strip()
    assert [task.key for task in written.ticket.tasks] == ["DEMO-2"]


def test_a_description_that_a_file_cannot_hold_as_written_is_inexact() -> None:
    surrogate = doc(paragraph(text("a\ud800b")))  # UTF-8 cannot hold it

    written = render_family(issue(description=surrogate), [], COLUMNS)

    assert "a\ufffdb" in written.text
    assert written.inexact_keys == {"DEMO-1"}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0m"), (59, "1m"), (60, "1m"), (3600, "1h"), (9000, "2h 30m"), (57600, "16h")],
)
def test_seconds_are_written_as_hours_and_minutes(seconds: int, text: str) -> None:
    assert hours_and_minutes_text(seconds) == text


@for_each(
    ("text", "seconds"),
    [
        *(("2h 30m", 9000), ("2h30m", 9000), ("2 h 30 m", 9000), ("1.5H", 5400), ("90m", 5400)),
        *(("0m", 0), (" 1h ", 3600), ("0.0001h", 0)),
        *((each, None) for each in ("", " ", "h", "1d", "1w 2h", "30", "-1h", "1h 1h", "30m 1h")),
        *((each, None) for each in ("1e3h", "٣h", "9999999h", "1.5m", "1h\n2m")),
    ],
)
def test_hours_and_minutes_are_read_as_people_type_them(text: str, seconds: int | None) -> None:
    assert read_duration(text) == seconds


@given(st.integers(0, 10**7))
def test_whole_minutes_are_read_as_they_are_written(minutes: int) -> None:
    assert read_duration(hours_and_minutes_text(minutes * 60)) == minutes * 60
