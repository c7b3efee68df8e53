"""Test that an edited description is put together, and where what it loses stands in the file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ticketr.app.jira import adf
from ticketr.app.sync.compare.diff import CorePart
from ticketr.app.sync.compare.grafting import HiddenLossAtLine, edited_description
from ticketr.app.tickets import Ticket, parse

DESCRIPTION, CRITERIA = CorePart.DESCRIPTION, CorePart.CRITERIA
MARK = {"type": "future", "attrs": {"x": 1}}


def paragraph(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "paragraph", "content": [{"type": "text", "text": words, **more}]}


def marked(words: str) -> dict[str, Any]:
    """Return a paragraph with a mark that the files of these tests do not show."""
    return paragraph(words, marks=[MARK])


def bullets(*blocks: dict[str, Any]) -> dict[str, Any]:
    items = [{"type": "listItem", "content": [each]} for each in blocks]
    return {"type": "bulletList", "content": items}


HEADING = {
    "type": "heading",
    "attrs": {"level": 3, "localId": "c-1"},
    "content": [{"type": "text", "text": "Acceptance Criteria"}],
}
OURS: dict[str, Any] = {
    "type": "doc",
    "version": 1,
    "content": [
        paragraph("First."),
        bullets(paragraph("one"), marked("the same"), marked("the same")),
        marked("**Last** of all"),
        HEADING,
        bullets(paragraph("it works"), marked("it is fast")),
    ],
}
FILE = """\
# TICKET: [AB-1] A ticket

## Description
First.

- one
- the same
- the same

\\*\\*Last\\*\\* of all

## Acceptance Criteria
- it works
- it is fast
"""


def ticket(text: str = FILE) -> Ticket:
    (found,) = parse(text).tickets
    return found


@pytest.mark.parametrize(
    ("old", "new", "lost"),
    [
        ("- one", "- two", ()),
        ("First", "Second", ()),
        ("same\n\n", "same thing\n\n", (HiddenLossAtLine("the future of “the same”", 8),)),
        ("of all", "of them", (HiddenLossAtLine("the future of “**Last** of all”", 10),)),
        ("it works", "it works well", ()),
        ("it is fast", "it is faster", (HiddenLossAtLine("the future of “it is fast”", 14),)),
        ("- it is fast\n", "", ()),
    ],
)
def test_what_is_lost_has_its_line_in_the_file(
    old: str, new: str, lost: tuple[HiddenLossAtLine, ...]
) -> None:
    assert old in FILE
    here = ticket(FILE.replace(old, new, 1))

    found = edited_description(ticket(), here, {DESCRIPTION, CRITERIA}, OURS)

    assert found is not None
    assert found.losses == lost
    assert len(found.problems_already_in_jira) == 4 - len(lost) - (new == "")


def test_only_what_is_to_be_sent_is_sent() -> None:
    here = ticket(FILE.replace("First", "Second").replace("works", "runs"))

    def sent(*parts: CorePart) -> dict[str, Any]:
        found = edited_description(ticket(), here, parts, OURS)
        assert found is not None
        return found.document

    text, criteria = paragraph("Second."), bullets(paragraph("it runs"), marked("it is fast"))
    first, items, last, heading, old = OURS["content"]
    assert sent(CRITERIA)["content"] == [first, items, last, heading, criteria]
    assert sent(DESCRIPTION)["content"] == [text, items, last, heading, old]
    assert sent(DESCRIPTION, CRITERIA)["content"] == [text, items, last, heading, criteria]
    assert edited_description(ticket(), here, [CorePart.TITLE, "Priority"], OURS) is None


def test_new_criteria_leave_a_description_that_no_file_can_hold_alone() -> None:
    large: dict[str, Any] = {"type": "doc", "version": 1, "content": [paragraph("x" * 40_000)]}
    before = replace(ticket(), description=adf.to_markdown(large), acceptance_criteria=())

    found = edited_description(
        before, replace(before, acceptance_criteria=("new",)), {CRITERIA}, large
    )

    assert found is not None
    heading = {**HEADING, "attrs": {"level": 3}}
    assert found.document == {
        **large,
        "content": [*large["content"], heading, bullets(paragraph("new"))],
    }


def test_what_is_too_long_for_jira_is_not_converted() -> None:
    here = replace(ticket(), description="x " * 40_000)

    assert edited_description(ticket(), here, {DESCRIPTION}, OURS) is None
    assert edited_description(ticket(), here, {CRITERIA}, OURS) is not None


def test_a_loss_that_is_in_no_one_block_has_no_line() -> None:
    large: dict[str, Any] = {"type": "doc", "version": 1, "content": [paragraph("x" * 40_000)]}

    found = edited_description(ticket(), ticket(FILE.replace("one", "1")), {DESCRIPTION}, large)

    assert found is not None
    assert found.losses == (HiddenLossAtLine("all that is too large for a file", 0),)
