"""Test sections of rich-text fields."""

from __future__ import annotations

import copy
import pickle

import pytest

from ticketr.app.tickets import (
    InvalidTicket,
    Ticket,
    candidate_of,
    parse,
    render_ticket,
)

TEXT = """\
# TICKET: [AB-1] One

## Description
words

## Field: Environment
Debian 12

## Notes
two nodes

## Fields
Priority: High

## Field: Release: Plan #2

    code

## Tasks
- [AB-2] Two
  ## Field: Environment
  one

  ```
  ## Field: no
  ```
"""


def only(text: str) -> Ticket:
    (ticket,) = parse(text).tickets
    return ticket


def test_each_section_is_a_text_of_the_field_in_its_heading() -> None:
    ticket = only(TEXT)

    assert dict(ticket.texts) == {
        "Environment": "Debian 12\n\n## Notes\ntwo nodes",
        "Release: Plan #2": "    code",
    }
    assert dict(ticket.tasks[0].texts) == {"Environment": "one\n\n```\n## Field: no\n```"}
    assert ticket.description == "words"
    assert dict(ticket.fields) == {"Priority": "High"}


def test_the_lines_of_a_text_are_known_and_that_of_its_heading() -> None:
    ticket = only(TEXT)

    places = ticket.places
    assert [places.of_text("Environment", line) for line in (0, 1, 3)] == [6, 7, 9]
    assert [places.of_text("Release: Plan #2", line) for line in (0, 1)] == [15, 17]
    assert places.of_text("Other", 1) == 0
    assert ticket.tasks[0].places.of_text("Environment", 3) == 24


def test_sections_stand_behind_the_criteria_and_before_comments_and_tasks() -> None:
    ticket = Ticket("One", texts={"B": "b", "A": ""}, acceptance_criteria=("c",), description="d")

    text = render_ticket(ticket)

    assert text == (
        "# TICKET: One\n\n## Description\nd\n\n## Acceptance Criteria\n- c\n\n"
        "## Field: B\nb\n\n## Field: A\n"
    )
    assert only(text) == ticket


@pytest.mark.parametrize("heading", ["## Field:Name", "## Field:  Name  ", "   ## Field: Name"])
def test_spaces_around_a_name_do_not_count(heading: str) -> None:
    in_task = f"# TICKET: A\n\n## Tasks\n- B\n  {heading}\n  text\n"

    assert dict(only(in_task).tasks[0].texts) == {"Name": "text"}


@pytest.mark.parametrize(
    "line", ["## Field:", "## Field", "## field: x", "##Field: x", "# Field: x"]
)
def test_other_headings_are_text(line: str) -> None:
    ticket = only(f"# TICKET: A\n\n## Description\n{line}\ntext\n")

    assert (ticket.description, dict(ticket.texts)) == (f"{line}\ntext", {})
    assert line in render_ticket(ticket)


def test_such_a_line_in_a_text_has_a_backslash_in_the_file() -> None:
    text = "one\n## Field: x\n\\## Field: y"
    ticket = Ticket(
        "A", description=text, texts={"N": text}, acceptance_criteria=("c\n## Field: z",)
    )

    rendered = render_ticket(ticket)

    assert rendered.count("one\n\\## Field: x\n\\\\## Field: y\n") == 2
    assert "  \\## Field: z\n" in rendered
    assert only(rendered) == ticket


def test_a_section_that_is_there_twice_is_joined() -> None:
    ticket = only("# TICKET: A\n\n## Field: N\none\n\n## Fields\na: b\n\n## Field: N\ntwo\n")

    assert dict(ticket.texts) == {"N": "one\n\ntwo"}
    assert [ticket.places.of_text("N", line) for line in (0, 1, 3)] == [3, 4, 10]


def test_text_behind_other_sections_still_belongs_to_the_description() -> None:
    ticket = only("# TICKET: A\n\n## Field: N\none\n\n## Tasks\nstray\n")

    assert (ticket.description, dict(ticket.texts)) == ("stray", {"N": "one"})


def test_a_field_without_a_name_is_refused() -> None:
    with pytest.raises(InvalidTicket, match="a field has no name"):
        Ticket("A", texts={" \n": "text"})


def test_texts_can_be_copied_and_pickled_and_found() -> None:
    ticket = Ticket("A", texts={"N": "words of it"})

    assert copy.deepcopy(ticket) == ticket == pickle.loads(pickle.dumps(ticket))
    assert "words of it" in candidate_of(ticket).haystack
