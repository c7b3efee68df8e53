"""Files of the Go program are read as it reads them, but for the table; those of our page, too."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from rows import for_each

from ticketr.app.tickets import Ticket, parse, render

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
        "## Acceptance Criteria\n- a\n  more\n* b\n1. c",
        "a is the only criterion",
        Ticket("T", acceptance_criteria=("a\nmore", "b", "c")),
        "criteria may have several lines, and lists other bullets",
    ),
    (
        "## Tasks\n- a\n---",
        "a task '--'",
        Ticket("T", tasks=(Ticket("a"),)),
        "a rule is not an item",
    ),
    (
        "## Tasks\n- a\n  ## Description\n  - b\n  ## c\nd",
        "a has no description",
        Ticket("T", tasks=(Ticket("a", description="- b\n## c\nd"),)),
        "a task's description is Markdown like any other",
    ),
]


@for_each(("below", "ours"), [(below, ours) for below, _, ours, _ in DIFFERENT])
def test_we_read_otherwise_with_reason(below: str, ours: Ticket) -> None:
    assert parse(f"# TICKET: T\n{below}\n").tickets == (ours,)


def test_a_byte_order_mark_hides_no_ticket() -> None:
    # The Go program does not see that ticket.
    assert parse("\ufeff# TICKET: x").tickets == (Ticket("x"),)


def test_a_line_may_be_of_any_length() -> None:
    # The Go program refuses a file with a line of more than 65,536 bytes.
    assert parse("# TICKET: x\n" + "y" * 70_000).tickets[0].description == "y" * 70_000


PAGE = Path(__file__).parents[3] / "docs" / "format.md"
EXAMPLES = re.findall(r"```markdown\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) == 7


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_in_the_form_that_we_write(example: str) -> None:
    assert render(parse(example).tickets) == example


def test_the_page_itself_is_no_ticket() -> None:
    assert parse(PAGE.read_text(encoding="utf-8")).tickets == ()
