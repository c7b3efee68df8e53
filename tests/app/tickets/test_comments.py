from __future__ import annotations

import pytest

from ticketr.app.tickets import Comment, InvalidTicket, Ticket, TicketSyntaxError, parse, render

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


@pytest.mark.parametrize(
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

    assert (first.line, second.line) == (5, 8)


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


def test_a_number_occurs_once() -> None:
    with pytest.raises(InvalidTicket, match="a comment occurs twice"):
        Ticket("x", comments=(Comment("a", "7"), Comment("b", "7")))
