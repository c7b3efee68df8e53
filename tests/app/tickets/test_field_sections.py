"""Sections of rich-text fields and of comments."""

from __future__ import annotations

import pytest
from rows import for_each

from ticketr.app.tickets import (
    Comment,
    Ticket,
    TicketSyntaxError,
    UnwritableTicket,
    filterable_issue_of,
    parse,
    render,
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

    assert dict(ticket.rich_texts) == {
        "Environment": "Debian 12\n\n## Notes\ntwo nodes",
        "Release: Plan #2": "    code",
    }
    assert dict(ticket.tasks[0].rich_texts) == {"Environment": "one\n\n```\n## Field: no\n```"}
    assert ticket.description == "words"
    assert dict(ticket.fields) == {"Priority": "High"}


def test_the_lines_of_a_text_are_known_and_that_of_its_heading() -> None:
    ticket = only(TEXT)

    places = ticket.line_numbers
    assert [places.of_text("Environment", line) for line in (0, 1, 3)] == [6, 7, 9]
    assert [places.of_text("Release: Plan #2", line) for line in (0, 1)] == [15, 17]
    assert places.of_text("Other", 1) == 0
    assert ticket.tasks[0].line_numbers.of_text("Environment", 3) == 24


def test_sections_stand_behind_the_criteria_and_before_comments_and_tasks() -> None:
    ticket = Ticket(
        "One", rich_texts={"B": "b", "A": ""}, acceptance_criteria=("c",), description="d"
    )

    text = render_ticket(ticket)

    assert text == (
        "# TICKET: One\n\n## Description\nd\n\n## Acceptance Criteria\n- c\n\n"
        "## Field: B\nb\n\n## Field: A\n"
    )
    assert only(text) == ticket


@pytest.mark.parametrize("heading", ["## Field:Name", "## Field:  Name  ", "   ## Field: Name"])
def test_spaces_around_a_name_do_not_count(heading: str) -> None:
    in_task = f"# TICKET: A\n\n## Tasks\n- B\n  {heading}\n  text\n"

    assert dict(only(in_task).tasks[0].rich_texts) == {"Name": "text"}


@pytest.mark.parametrize(
    "line", ["## Field:", "## Field", "## field: x", "##Field: x", "# Field: x"]
)
def test_other_headings_are_text(line: str) -> None:
    ticket = only(f"# TICKET: A\n\n## Description\n{line}\ntext\n")

    assert (ticket.description, dict(ticket.rich_texts)) == (f"{line}\ntext", {})
    assert line in render_ticket(ticket)


def test_such_a_line_in_a_text_has_a_backslash_in_the_file() -> None:
    text = "one\n## Field: x\n\\## Field: y"
    ticket = Ticket(
        "A", description=text, rich_texts={"N": text}, acceptance_criteria=("c\n## Field: z",)
    )

    rendered = render_ticket(ticket)

    assert rendered.count("one\n\\## Field: x\n\\\\## Field: y\n") == 2
    assert "  \\## Field: z\n" in rendered
    assert only(rendered) == ticket


def test_a_section_that_is_there_twice_is_joined() -> None:
    ticket = only("# TICKET: A\n\n## Field: N\none\n\n## Fields\na: b\n\n## Field: N\ntwo\n")

    assert dict(ticket.rich_texts) == {"N": "one\n\ntwo"}
    assert [ticket.line_numbers.of_text("N", line) for line in (0, 1, 3)] == [3, 4, 10]


def test_text_behind_other_sections_still_belongs_to_the_description() -> None:
    ticket = only("# TICKET: A\n\n## Field: N\none\n\n## Tasks\nstray\n")

    assert (ticket.description, dict(ticket.rich_texts)) == ("stray", {"N": "one"})


def test_a_field_without_a_name_is_refused() -> None:
    with pytest.raises(UnwritableTicket, match="a field has no name"):
        Ticket("A", rich_texts={" \n": "text"})


def test_texts_can_be_found() -> None:
    ticket = Ticket("A", rich_texts={"N": "words of it"})

    assert "words of it" in filterable_issue_of(ticket).haystack


HEAD = "# TICKET: [AB-1] x\n\n"
KNOWN = "- [7] Mia Chen, 2026-03-01 09:30Z:\n  Looks good.\n"


def comments(text: str) -> tuple[Comment, ...]:
    return parse(HEAD + text).tickets[0].comments


def description(text: str) -> str:
    return parse(HEAD + text).tickets[0].description


def test_a_comment_of_jira_has_a_number_an_author_and_a_time() -> None:
    assert comments(f"## Comments\n{KNOWN}") == (
        Comment("Looks good.", "7", "Mia Chen", "2026-03-01 09:30Z"),
    )


@for_each(
    ("lines", "text"),
    [
        ("- new: one", "one"),
        ("* New:one", "one"),
        ("- new:\n  one\n\n  - two\n    three", "one\n\n- two\n  three"),
        ("- new: one\n  two\n\n\n", "one\ntwo"),
        ("- new: one\ntwo", "one\ntwo"),
        ("- new: ```\n  ## Fields\n  ```", "```\n## Fields\n```"),
        ("- new: one\n  \\## Fields", "one\n## Fields"),
        ("- new: one\n\ttwo", "one\ntwo"),
    ],
)
def test_a_new_comment_continues_where_lines_are_indented(lines: str, text: str) -> None:
    assert comments(f"## Comments\n\n{lines}\n## Fields\nA: b\n") == (Comment(text),)


def test_an_author_may_have_commas_and_colons() -> None:
    (comment,) = comments("## Comments\n- [7] Chen, Mia: of us, 2026-03-01 09:30Z: one\n  two\n")

    assert comment == Comment("one\ntwo", "7", "Chen, Mia: of us", "2026-03-01 09:30Z")


def test_a_comment_may_have_no_time() -> None:
    assert comments("## Comments\n- [7] Mia:\n  one\n") == (Comment("one", "7", "Mia"),)


def test_a_new_comment_has_no_author_yet() -> None:
    assert Comment("a", "", "Mia", "2026-03-01 09:30Z") == Comment("a")


def test_a_comment_knows_its_line() -> None:
    (first, second) = comments(f"## Comments\n{KNOWN}- new:\n\n  two\n")

    assert (first.text_line, second.text_line) == (5, 8)


def test_a_new_comment_without_text_is_none() -> None:
    assert comments("## Comments\n- new:\n- new: a\n") == (Comment("a"),)


@pytest.mark.parametrize(
    "text",
    [
        "## Comments\n- Looks good\n",
        "## Comments\nnew: a\n",
        "## Comments\n",
        "## Comments ##\n\nx\n",
    ],
)
def test_a_heading_before_other_text_is_text(text: str) -> None:
    assert (comments(text), description(text)) == ((), text.strip())
    assert parse(render(parse(HEAD + text).tickets)).tickets == parse(HEAD + text).tickets
    assert text.strip() in render(parse(HEAD + text).tickets)


def test_a_heading_that_would_begin_comments_is_escaped_in_text() -> None:
    ticket = Ticket("x", description="## Comments\n\n- new: a\n\n\\## Comments\n- new: b")

    text = render([ticket])

    assert "\n\\## Comments\n\n- new: a\n\n\\\\## Comments\n- new: b\n" in text
    assert parse(text).tickets == (ticket,)


@pytest.mark.parametrize("between", ["", "## Fields\n", "\\## Fields\n", "   # a\n", "###\n"])
def test_text_that_looks_like_comments_below_other_text_comes_back(between: str) -> None:
    ticket = Ticket("x", description=f"## Comments\na\n{between}{KNOWN}", fields={"A": "b"})
    task = Ticket("y", description=ticket.description)

    tickets = (ticket, Ticket("z", tasks=(task,), comments=(Comment("c"),)))

    assert parse(render(tickets)).tickets == tickets


def test_a_section_whose_comments_were_taken_out_is_none() -> None:
    assert description("## Fields\nA: b\n\n## Comments\n\n## Tasks\n- t\n") == ""
    assert description("## Fields\nA: b\n\n## Comments\n") == ""


def test_another_heading_ends_the_comments() -> None:
    assert description("## Comments\n- new: a\n\n## Notes\nb\n") == "## Notes\nb"


def test_a_task_has_comments_of_its_own() -> None:
    text = f"{HEAD}## Tasks\n- [AB-2] t\n  ## Comments\n  - new: one\n    two\n\n- u\n"

    (task, other) = parse(text).tickets[0].tasks

    assert (task.comments, other.comments) == ((Comment("one\ntwo"),), ())
    assert render(parse(text).tickets) == text


@pytest.mark.parametrize(
    ("lines", "line", "words"),
    [
        (f"{KNOWN}- Looks bad", 6, "this is not a comment; write - new:"),
        (f"{KNOWN}\nLooks bad", 7, "this is not a comment; write - new:"),
        (f"Looks bad\n\n{KNOWN}", 4, "this is not a comment; write - new:"),
        ("- Mia Chen, 2026-03-01 09:30Z:\n  a\n" + KNOWN, 4, "this is not a comment; write - new:"),
        (f"{KNOWN}{KNOWN}", 6, "this comment already exists"),
        ("- new: ```\n  a", 4, "this code block is not closed"),
        ("- new: a\n  #TICKET b", 5, "not quite the heading of a ticket"),
    ],
)
def test_what_belongs_to_no_comment_is_refused(lines: str, line: int, words: str) -> None:
    with pytest.raises(TicketSyntaxError, match=words) as caught:
        comments(f"## Comments\n{lines}\n")

    assert caught.value.line == line
