"""Whether Jira has what was sent, whatever it has made of it."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.ticket_versions import Versions, versions
from hypothesis import given
from rows import for_each

from ticketr.app.jira import Issue
from ticketr.app.jira.adf import to_adf
from ticketr.app.sync.compare.diff import CorePart, RichTextPart, part_texts
from ticketr.app.sync.compare.sent import (
    SentValue,
    add_arrived_values_to_base,
    from_json,
    matches_sent,
    to_json,
)
from ticketr.app.tickets import Ticket

ANA = {"accountId": "a1", "displayName": "Ana"}
HIGH = {"id": "2", "name": "High"}
WEB, TILL = {"id": "5", "value": "Web"}, {"id": "6", "value": "Till"}
OVER = {"id": 3, "name": "Three", "state": "closed"}
NOW = {"id": 4, "name": "Four", "state": "active"}

SAME: list[tuple[Any, Any]] = [
    ("a", "a"),
    ("a \t\n", "a"),
    ("a\r\nb", "a\nb"),
    (5, 5.0),
    (5.5, 5.5),
    (None, None),
    (None, []),
    ([], None),
    ([], ""),
    (["zeta", "alpha", "zeta"], ["alpha", "zeta"]),
    ({"accountId": "a1"}, ANA),
    ({"id": "2"}, HIGH),
    ({"name": "high"}, HIGH),
    ({"value": "web"}, WEB),
    ({"name": "Cafe\u0301"}, {"id": "1", "name": "Caf\u00e9"}),
    ({"id": "2"}, {"id": 2, "name": "High"}),
    ([{"id": "6"}, {"id": "5"}], [WEB, TILL]),
    ([{"accountId": "a1"}], [ANA]),
    ({"key": "DEMO-1"}, {"id": "10001", "key": "DEMO-1"}),
    ("2026-01-31T09:30:00.000+0000", "2026-01-31T15:00:00.000+0530"),
    ("2026-01-31", "2026-01-31"),
    (4, [OVER, NOW]),
    (None, [OVER]),
    (
        to_adf("x"),
        {
            "type": "doc",
            "version": 1,
            "content": [
                {
                    "type": "paragraph",
                    "attrs": {"localId": "p1"},
                    "content": [{"type": "text", "text": "x", "marks": []}],
                }
            ],
        },
    ),
]
OTHER: list[tuple[Any, Any]] = [
    ("a", "b"),
    ("a", "A"),
    ("", "a"),
    ("a", None),
    ("a", ["a"]),
    (5, 6),
    (5, "5"),
    (5, None),
    (0, None),
    (None, 0),
    (None, "a"),
    (None, [NOW]),
    (["a"], ["a", "b"]),
    (["a", "b"], ["a"]),
    (["a"], "a"),
    (["a"], None),
    ({"accountId": "a1"}, {"accountId": "a2", "displayName": "Ana"}),
    ({"id": "2"}, {"id": "3", "name": "2"}),
    ({"id": "2"}, None),
    ({"id": "2"}, "2"),
    ({"name": "High"}, {"id": "2"}),
    ({"name": "None"}, {"id": "2"}),
    ({}, {}),
    ({"odd": 1}, {"odd": 1}),
    ("2026-01-31T09:30:00.000+0000", "2026-01-31T09:30:00.000+0530"),
    ("2026-01-31T09:30", "2026-01-31T09:31"),
    (3, [OVER, NOW]),
    (4, [OVER]),
    (to_adf("some *words*"), to_adf("some words")),
    (to_adf("x"), "x"),
]


@for_each(("sent", "now"), SAME)
def test_another_form_of_the_same_is_the_answer(sent: Any, now: Any) -> None:
    assert matches_sent(sent, now)


@for_each(("sent", "now"), OTHER)
def test_another_value_is_none(sent: Any, now: Any) -> None:
    assert not matches_sent(sent, now)


def test_what_is_written_down_is_read_as_it_was() -> None:
    values = (
        SentValue(CorePart.TITLE, "a", "summary", "a"),
        SentValue("Title", "b, a", "labels", ["b", "a"]),
        SentValue(CorePart.CRITERIA, "x", "description", to_adf("x")),
        SentValue(RichTextPart("Title"), "x", "customfield_1", to_adf("x")),
        SentValue(RichTextPart("TITLE"), "", "customfield_2", None),
    )

    assert from_json(to_json(values)) == values
    assert from_json("[]") == ()


def ticket(**fields: str) -> Ticket:
    return Ticket("A", "AB-1", fields=fields)


LABELS = SentValue("Labels", "zeta, alpha", "labels", ["zeta", "alpha"])
IN_JIRA = [Issue("1", "AB-1", {"labels": ["alpha", "zeta"]})]


@pytest.mark.parametrize(
    ("local", "after"), [("zeta, alpha", "alpha, zeta"), ("zeta", "zeta"), ("ui", "ui")]
)
def test_what_has_arrived_belongs_to_the_last_sync_in_jira_s_form(local: str, after: str) -> None:
    there, before = ticket(Labels="alpha, zeta"), ticket(Labels="ui")
    sent = {"AB-1": [LABELS]}

    base, here = add_arrived_values_to_base(before, ticket(Labels=local), there, IN_JIRA, sent)

    assert (base, here) == (there, ticket(Labels=after))


def test_what_somebody_else_has_written_has_not_arrived() -> None:
    before, local, there = (ticket(Labels=text) for text in ("ui", "zeta, alpha", "zeta"))
    issues = [Issue("1", "AB-1", {"labels": ["zeta"]})]

    base, here = add_arrived_values_to_base(before, local, there, issues, {"AB-1": [LABELS]})

    assert base is before
    assert here is local


def test_a_field_that_was_emptied_has_no_line_in_jira() -> None:
    emptied = SentValue("Labels", "", "labels", [])

    base, here = add_arrived_values_to_base(
        ticket(Labels="ui"),
        ticket(Labels=""),
        ticket(),
        [Issue("1", "AB-1", {})],
        {"AB-1": [emptied]},
    )

    assert part_texts(base) == part_texts(here) == part_texts(ticket(Labels=""))


@given(versions)
def test_without_anything_sent_nothing_has_arrived(three: Versions) -> None:
    issues = [Issue("1", three.remote.key or "", {"summary": three.remote.title})]

    base, here = add_arrived_values_to_base(three.base, three.local, three.remote, issues, {})

    assert base is three.base
    assert here is three.local
