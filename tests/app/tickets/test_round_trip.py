from __future__ import annotations

from contextlib import suppress

import pytest
from fakes.examples import examples
from fakes.ticket_texts import files, texts, ticket_lists
from hypothesis import assume, event, given

from ticketr.app.tickets import (
    RepeatedKey,
    Ticket,
    TicketFile,
    TicketSyntaxError,
    parse,
    render,
    render_ticket,
    rewrite,
)

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
    return [issue.remarks for ticket in tickets for issue in (ticket, *ticket.tasks)]


@pytest.mark.unmeasured
@thorough
@given(ticket_lists, texts)
def test_rendered_tickets_are_parsed_as_the_same_tickets(
    tickets: tuple[Ticket, ...], preamble: str
) -> None:
    file = parse(render(tickets, preamble=preamble))

    assert file.tickets == tickets
    assert remarks(file.tickets) == remarks(tickets)


@thorough
@given(ticket_lists, texts)
def test_rendering_twice_changes_nothing(tickets: tuple[Ticket, ...], preamble: str) -> None:
    once = render(tickets, preamble=preamble)

    file = parse(once)

    assert render(file.tickets, preamble=file.preamble) == once


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
        assert parse(render(file.tickets, preamble=file.preamble)).tickets == file.tickets

    if refused is not None:
        lines = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff").split("\n")
        assert refused.text == lines[refused.line - 1]
        assert 1 <= refused.column <= len(refused.text) + 1
        assert str(refused).startswith(f"a.md:{refused.line}:{refused.column}: ")


@thorough
@given(files)
def test_no_word_of_a_file_is_lost(text: str) -> None:
    file = parsed(text)

    again = render(file.tickets, preamble=file.preamble)

    # Only what has no words may be lost: bullets, blank lines, section headings, rules.
    for word in ("text", "Notes"):
        assert again.count(word) >= text.count(word)


@thorough
@given(files)
def test_spans_cut_a_file_into_its_tickets(text: str) -> None:
    file = parsed(text)

    alone = tuple(parse(text[span.start : span.end]).tickets for span in file.spans)

    assert alone == tuple((ticket,) for ticket in file.tickets)
    end = file.spans[0].start if file.spans else len(text)
    assert file.preamble == text[text.startswith("\ufeff") : end]


@pytest.mark.unmeasured
@brief
@given(files, ticket_lists)
def test_replacing_a_ticket_leaves_all_else_byte_for_byte(
    text: str, tickets: tuple[Ticket, ...]
) -> None:
    file = parsed(text)
    assume(file.tickets and tickets)

    for index, span in enumerate(file.spans):
        new = tickets[index % len(tickets)]
        try:
            out = rewrite(file, {index: new}).text
        except RepeatedKey:
            continue
        assert out.startswith(text[: span.start])
        assert out.endswith(text[span.end :])
        assert parse(out).tickets == (*file.tickets[:index], new, *file.tickets[index + 1 :])


@brief
@given(files, ticket_lists)
def test_appending_a_ticket_leaves_all_else_byte_for_byte(
    text: str, tickets: tuple[Ticket, ...]
) -> None:
    file = parsed(text)
    assume(tickets)

    try:
        out = rewrite(file, {}, [tickets[0]]).text
    except RepeatedKey:
        return

    assert out.startswith(text)
    assert parse(out).tickets == (*file.tickets, tickets[0])
