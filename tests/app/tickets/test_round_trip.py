"""What is written is read as the same, whatever it is, in work that grows linearly."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import pytest
from fakes.examples import examples
from fakes.ticket_texts import files, ticket_lists
from hypothesis import assume, event, given
from rows import for_each

from ticketr.app.tickets import (
    Ticket,
    TicketFile,
    TicketSyntaxError,
    parse,
    render,
    render_ticket,
    rewrite,
)
from ticketr.app.tickets.errors import UnwritableTicket

thorough = examples(100, in_gate=20)
# Two texts per example, and half of the files are refused.
brief = examples(40, in_gate=10)


def parsed(text: str) -> TicketFile:
    file = None
    with suppress(TicketSyntaxError):
        file = parse(text)
    event(f"parsed: {file is not None}")
    assume(file is not None)
    assert file is not None
    return file


def remarks(tickets: tuple[Ticket, ...]) -> list[tuple[str, ...]]:
    return [issue.non_field_lines for ticket in tickets for issue in (ticket, *ticket.tasks)]


@pytest.mark.unmeasured
@thorough
@given(ticket_lists)
def test_rendered_tickets_are_parsed_as_the_same_tickets(tickets: tuple[Ticket, ...]) -> None:
    file = parse(render(tickets))

    assert file.tickets == tickets
    assert remarks(file.tickets) == remarks(tickets)


@thorough
@given(ticket_lists)
def test_rendering_twice_changes_nothing(tickets: tuple[Ticket, ...]) -> None:
    once = render(tickets)

    assert render(parse(once).tickets) == once


@thorough
@given(ticket_lists)
def test_rendered_tickets_can_be_put_into_one_file(tickets: tuple[Ticket, ...]) -> None:
    text = "".join(map(render_ticket, tickets))

    assert parse(text).tickets == tickets


@thorough
@given(files)
def test_any_text_is_parsed_or_refused_with_its_place(text: str) -> None:
    refused = None
    try:
        file = parse(text, source="a.md")
    except TicketSyntaxError as error:
        refused = error
    else:
        assert parse(render(file.tickets)).tickets == file.tickets

    if refused is not None:
        lines = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff").split("\n")
        assert refused.line_text == lines[refused.line - 1]
        assert 1 <= refused.column <= len(refused.line_text) + 1
        assert str(refused).startswith(f"a.md:{refused.line}:{refused.column}: ")


@thorough
@given(files)
def test_no_word_of_a_file_is_lost(text: str) -> None:
    file = parsed(text)

    again = f"{file.preamble}{render(file.tickets)}"

    # Only what has no words may be lost: bullets, blank lines, section headings, rules.
    for word in ("text", "Notes"):
        assert again.count(word) >= text.count(word)


@thorough
@given(files)
def test_spans_cut_a_file_into_its_tickets(text: str) -> None:
    file = parsed(text)

    alone = tuple(parse(text[span]).tickets for span in file.text_slices)

    assert alone == tuple((ticket,) for ticket in file.tickets)
    end = file.text_slices[0].start if file.text_slices else len(text)
    assert file.preamble == text[text.startswith("\ufeff") : end]


@pytest.mark.unmeasured
@brief
@given(files, ticket_lists)
def test_replacing_a_ticket_leaves_all_else_byte_for_byte(
    text: str, tickets: tuple[Ticket, ...]
) -> None:
    file = parsed(text)
    assume(file.tickets and tickets)

    for index, span in enumerate(file.text_slices):
        new = tickets[index % len(tickets)]
        try:
            out = rewrite(file, {index: new}).text
        except UnwritableTicket:
            continue
        assert out.startswith(text[: span.start])
        assert out.endswith(text[span.stop :])
        assert parse(out).tickets == (*file.tickets[:index], new, *file.tickets[index + 1 :])


@brief
@given(files, ticket_lists)
def test_appending_a_ticket_leaves_all_else_byte_for_byte(
    text: str, tickets: tuple[Ticket, ...]
) -> None:
    file = parsed(text)
    assume(tickets)

    try:
        out = rewrite(file, {}, [(tickets[0], render_ticket(tickets[0]))]).text
    except UnwritableTicket:
        return

    assert out.startswith(text)
    assert parse(out).tickets == (*file.tickets, tickets[0])


HEAD = "# TICKET: x\n"
LINES = {
    "blank lines": ("", "\n", ""),
    "text": (HEAD, "text\n", ""),
    "tickets": ("", "# TICKET: x\na\n\n", ""),
    "code blocks": (HEAD, "```\n# TICKET: y\n```\n", ""),
    "open code blocks": (HEAD, "```py\n", ""),
    "open code blocks of all lengths": (HEAD, "~~~~ a\n~~~ a\n", "~~~~~"),
    "fields": (f"{HEAD}## Fields\n", "A: |\n  b\n\n", ""),
    "empty blocks": (f"{HEAD}## Fields\n", "A: |\n\n\n", ""),
    "the same field": (f"{HEAD}## Fields\n", "A: b\nA: c\n", ""),
    "criteria": (f"{HEAD}## Acceptance Criteria\n", "- a\n\n  b\n", ""),
    "blank lines in a criterion": (f"{HEAD}## Acceptance Criteria\n- a\n", "\n", "  b"),
    "stray lines": (f"{HEAD}## Acceptance Criteria\n", "\nstray\n", ""),
    "stray blank lines": (f"{HEAD}a\n", "\n## Tasks\n\nb\n", ""),
    "tasks": (f"{HEAD}## Tasks\n", "- a\n  b\n", ""),
    "indented tasks": (f"{HEAD}## Tasks\n", "   - a\n     b\n", ""),
    "empty tasks": (f"{HEAD}## Tasks\n", "-\n\n", ""),
    "nested tasks": (f"{HEAD}## Tasks\n- a\n", "  - b\n", ""),
    "gaps": ("", "# TICKET: x\n\n\n\n", ""),
}


def calls(work: Callable[[], object]) -> int:
    counted = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        with suppress(TicketSyntaxError):
            work()
    finally:
        sys.setprofile(before)
    return counted


def is_linear(work: Callable[[int], object]) -> bool:
    small, large = (calls(lambda size=size: work(size)) for size in (300, 1200))  # type: ignore[misc]
    return large < 4.4 * small


@for_each("name", LINES)
def test_parsing_is_linear_in_the_number_of_lines(name: str) -> None:
    head, line, tail = LINES[name]

    assert is_linear(lambda size: parse(head + line * size + tail))


@pytest.mark.unmeasured
@for_each("name", LINES)
def test_rendering_is_linear_in_the_number_of_lines(name: str) -> None:
    head, line, tail = LINES[name]

    def work(size: int) -> str:
        text = head + line * size + tail
        ticket = Ticket("x", None, text, {"A": text}, (text,), (Ticket("t", None, text),))
        return render([ticket])

    assert is_linear(work)


def test_replacing_is_linear_in_the_number_of_tickets() -> None:
    assert is_linear(lambda size: rewrite(parse(HEAD * size), {size // 2: Ticket("y")}).text)


def test_the_count_would_show_quadratic_work() -> None:
    assert not is_linear(
        lambda size: [len(str(a + b)) for a in range(size // 20) for b in range(a)]
    )


@pytest.mark.unmeasured
@for_each(
    "unit",
    [
        *(
            " ",
            "\t",
            "#",
            "# ",
            "`",
            "~",
            "```a",
            "\\",
            "\\`",
            "\\:",
            "-",
            "- ",
            "[",
            "[ ",
            "[A",
            "]",
        ),
        *(":", "|", "<", "1", "A", "A-1", "\ufeff", " #", "# TICKET", "\x0b", "\u2028", "a "),
    ],
)
@for_each(
    "head",
    [
        *("", "# TICKET:", "# TICKET: [", "# TICKET: x\n", "# TICKET: x\n## Fields", "#"),
        *("# TICKET: x\n## Fields\n", "# TICKET: x\n## Fields\na: |\n  ", "# TICKET: x\n\\"),
        *("# TICKET: x\n## Acceptance Criteria\n- a\n  ", "# TICKET: x\n## Tasks\n- ["),
        *("# TICKET: x\n## Tasks\n-", "# TICKET: x\n## Tasks\n- a\n  ", "# TICKET: x\n```"),
    ],
)
def test_a_long_line_is_read_and_written_in_one_pass(head: str, unit: str) -> None:
    line = unit * (50_000 // len(unit)) + "x"

    with suppress(TicketSyntaxError):
        parse(head + line)
    ticket = Ticket(line, None, line, {line: line}, (f"a\n{line}",), non_field_lines=(line,))
    assert parse(render([ticket])).tickets == (ticket,)
