"""Test that ticketr reads files as the Go program does, except where the tables say why not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ticketr.app.tickets import Ticket, TicketSyntaxError, parse, render

HERE = Path(__file__).parent / "go_format"
NAMES = ["1-minimal-new", "2-story-with-subtasks", "3-two-tickets"]


def read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def as_go(ticket: Ticket, *, is_task: bool = False) -> dict[str, Any]:
    """Format a ticket as the Go program printed its own."""
    content: dict[str, Any] = {
        "Title": ticket.title,
        "Description": ticket.description,
        "CustomFields": dict(ticket.fields),
        "AcceptanceCriteria": list(ticket.acceptance_criteria) or None,
        "JiraID": ticket.key or "",
        "SourceLine": ticket.line,
    }
    if not is_task:
        content["Tasks"] = [as_go(task, is_task=True) for task in ticket.tasks] or None
    return content


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_read_as_the_go_program_read_it(name: str) -> None:
    file = parse(read(f"{name}.md"))

    assert [as_go(ticket) for ticket in file.tickets] == json.loads(read(f"{name}.json"))


@pytest.mark.parametrize("name", NAMES)
def test_files_of_the_go_program_are_read_completely(name: str) -> None:
    # The second file's difference: the Go program writes a paragraph of a task without indent.
    original = parse(read(f"{name}.md"))

    assert parse(read(f"{name}.saved.md")).tickets == original.tickets


@pytest.mark.parametrize("name", NAMES[:2])
def test_a_file_in_our_own_form_is_rendered_unchanged(name: str) -> None:
    text = read(f"{name}.md")

    assert render(parse(text).tickets) == text


# The lines below "# TICKET: T", the Go program's result, ticketr's result, and the reason.
DIFFERENT = [
    (
        "## Fields\n- Priority: High",
        "a field called '- Priority'",
        Ticket("T", fields={"Priority": "High"}),
        "its own documentation writes fields so",
    ),
    (
        "## Fields\nPriority : High",
        "a field called 'Priority '",
        Ticket("T", fields={"Priority": "High"}),
        "no field's name ends in a space",
    ),
    (
        "## Fields\nNotes: |\n  one\n  two: three",
        "Notes is '|', and there is a field called two",
        Ticket("T", fields={"Notes": "one\ntwo: three"}),
        "a value may have several lines",
    ),
    (
        "## Fields\nA\\: b: c",
        "a field called 'A\\'",
        Ticket("T", fields={"A: b": "c"}),
        "a name may hold a colon",
    ),
    (
        "## Description\na\n## Background\nb",
        "the description is a",
        Ticket("T", description="a\n## Background\nb"),
        "only the four names end a section",
    ),
    (
        "## Description\na\n## Tasks for Monday\n- b",
        "a task called b",
        Ticket("T", description="a\n## Tasks for Monday\n- b"),
        "a longer heading is a heading of the text",
    ),
    (
        "## Description\n    code\ntext",
        "the first line has no indent",
        Ticket("T", description="    code\ntext"),
        "four spaces make a code block",
    ),
    (
        "## Description\n```\n## Fields\nA: b\n```",
        "a field A",
        Ticket("T", description="```\n## Fields\nA: b\n```"),
        "nothing in a code block is a heading",
    ),
    (
        "## Description\n```\n# TICKET: U\n```",
        "a second ticket",
        Ticket("T", description="```\n# TICKET: U\n```"),
        "nothing in a code block is a heading",
    ),
    (
        "## Description\n\\## Fields\n\\\\## Fields",
        "two lines with their backslashes",
        Ticket("T", description="## Fields\n\\## Fields"),
        "a line that is not meant as a heading needs a way to say so",
    ),
    (
        "intro\n## Description\na\n## Fields\n## Other\nb",
        "the description is a",
        Ticket("T", description="intro\n\na\n\n## Other\nb"),
        "text that stands elsewhere is kept as text of the description",
    ),
    (
        "## Description\na\n## Description\nb",
        "the description is b",
        Ticket("T", description="a\n\nb"),
        "a second section of a kind goes on with the first, since text must not vanish",
    ),
    (
        "## Acceptance Criteria\n- a\n## Acceptance Criteria\n- b",
        "b is the only criterion",
        Ticket("T", acceptance_criteria=("a", "b")),
        "as above",
    ),
    (
        "## Tasks\n- a\n## Tasks\n- b",
        "b is the only task",
        Ticket("T", tasks=(Ticket("a"), Ticket("b"))),
        "as above",
    ),
    (
        "## Acceptance Criteria\n- a\n  more\n* b\n1. c",
        "a is the only criterion",
        Ticket("T", acceptance_criteria=("a\nmore", "b", "c")),
        "criteria may have several lines, and lists other bullets",
    ),
    (
        "## Acceptance Criteria\n- a\n  ### b\n- c",
        "a is the only criterion",
        Ticket("T", acceptance_criteria=("a\n### b", "c")),
        "what is indented belongs to its criterion",
    ),
    (
        "## Acceptance Criteria\n- a\n---",
        "a second criterion '--'",
        Ticket("T", acceptance_criteria=("a",)),
        "a rule is not an item",
    ),
    (
        "## Tasks\n- a\n---",
        "a task '--'",
        Ticket("T", tasks=(Ticket("a"),)),
        "a rule is not an item",
    ),
    (
        "## Tasks\n- [x] a\n- [WIP] b",
        "keys x and WIP",
        Ticket("T", tasks=(Ticket("[x] a"), Ticket("[WIP] b"))),
        "only a key is a key",
    ),
    (
        "## Tasks\n- a\n\t## Fields\n\tA: b",
        "a has no field",
        Ticket("T", tasks=(Ticket("a", fields={"A": "b"}),)),
        "a tab is an indent too",
    ),
    (
        "## Tasks\n  - a\n  - b",
        "a is the only task",
        Ticket("T", tasks=(Ticket("a"), Ticket("b"))),
        "a list may be indented as a whole",
    ),
    (
        "## Tasks\n- a\n  ## Description\n  - b\n  ## c\nd",
        "a has no description",
        Ticket("T", tasks=(Ticket("a", description="- b\n## c\nd"),)),
        "a task's description is Markdown like any other",
    ),
]


@pytest.mark.parametrize(("below", "ours"), [(below, ours) for below, _, ours, _ in DIFFERENT])
def test_we_read_otherwise_with_reason(below: str, ours: Ticket) -> None:
    assert parse(f"# TICKET: T\n{below}\n").tickets == (ours,)


def test_a_title_keeps_brackets_that_hold_no_key() -> None:
    # The Go program reads EPIC as the key, and would update the issue EPIC.
    assert parse("# TICKET: [EPIC] x").tickets == (Ticket("[EPIC] x"),)


def test_a_byte_order_mark_hides_no_ticket() -> None:
    # The Go program does not see that ticket.
    assert parse("\ufeff# TICKET: x").tickets == (Ticket("x"),)


def test_a_line_may_be_of_any_length() -> None:
    # The Go program refuses a file with a line of more than 65,536 bytes.
    assert parse("# TICKET: x\n" + "y" * 70_000).tickets[0].description == "y" * 70_000


# Files that the Go program reads, and why ticketr refuses them.
REFUSED = [
    ("# TICKET:\n", "it ignores the line and all that follows"),
    ("# TICKET: [AB-1]\n", "its title is [AB-1]; as it has no key, an issue is created"),
    ("# TICKET: [ab-1] x\n", "its key is ab-1, which Jira would take, but a title may begin so"),
    ("# TICKET: [AB-01] x\n", "there can be no such key"),
    ("# TICKET: [AB-1 x\n", "it has no key, so an issue is created"),
    ("# TICKET: AB-1] x\n", "it has no key, so an issue is created"),
    ("# TICKET: **[AB-1]** x\n", "it has no key, so an issue is created"),
    ("# TICKET: [[AB-1]] x\n", "its key is [AB-1, which no issue has"),
    ("# TICKET: [#AB-1] x\n", "its key is #AB-1, which no issue has"),
    ("# TICKET: [AB\u20131] x\n", "its key has a longer dash than any key"),
    ("# TICKET: [AB-1,] x\n", "its key has a comma, which no key has"),
    ("# TICKET: x\n## Tasks\n- [ ] [AB-1] y\n", "the key is a space; an issue is created"),
    ("# TICKET: x\n  # TICKET: y\n", "it ignores the second ticket"),
    ("#TICKET: x\n", "it ignores the ticket"),
    ("# TICKET : x\n", "it ignores the ticket"),
    ("# TICKET: [AB-1] x\n# TICKET: [AB-1] y\n", "one issue would be written twice"),
    ("# TICKET: x\n## Description\n<<<<<<< HEAD\na\n", "a conflict would be pushed to Jira"),
    ("# TICKET: x\n## Description\n```\na\n", "Markdown hides all that follows, it does not"),
]


@pytest.mark.parametrize("text", [text for text, _ in REFUSED])
def test_we_refuse_with_reason(text: str) -> None:
    with pytest.raises(TicketSyntaxError):
        parse(text)


def test_a_story_is_refused_by_both() -> None:
    with pytest.raises(TicketSyntaxError, match="write # TICKET: Title"):
        parse("# STORY: x")
