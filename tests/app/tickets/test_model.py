"""What a ticket is made of, which keys are valid, and the messages of errors."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, replace

import pytest
from rows import for_each

from ticketr._errors import TicketrError
from ticketr.app.tickets import (
    InvalidFilter,
    InvalidKey,
    Ticket,
    TicketSyntaxError,
    UnwritableTicket,
    is_key,
    md_name_of_key,
)
from ticketr.app.tickets.model import NO_TITLE


def test_a_ticket_counts_issues_and_lists_their_keys() -> None:
    ticket = Ticket("a", "AB-1", tasks=(Ticket("b", "AB-2"), Ticket("draft"), Ticket("c", "AB-4")))

    assert ticket.count_issues() == 4
    assert list(ticket.keys()) == ["AB-1", "AB-2", "AB-4"]
    assert list(Ticket("draft").keys()) == []


@pytest.mark.parametrize(
    ("given", "title"),
    [
        ("  a  b ", "a  b"),
        ("a\r\n\r\n  b\nc", "a b c"),
        ("a\u2028b\x0bc\x85d", "a b c d"),
        ("a\n", "a"),
        ("", NO_TITLE),
        (" \n\t", NO_TITLE),
        ("\ud800a", "\ufffda"),
    ],
)
def test_a_title_is_one_line_and_never_empty(given: str, title: str) -> None:
    assert Ticket(given).title == title


@pytest.mark.parametrize(
    ("given", "description"),
    [
        ("\n \n    code\n\n  b  \n\n", "    code\n\n  b"),
        ("a  \nb", "a  \nb"),
        ("a\r\nb\rc", "a\nb\nc"),
        (" \n ", ""),
        ("\u00e9\udfff", "\u00e9\ufffd"),
    ],
)
def test_a_description_loses_only_what_surrounds_it(given: str, description: str) -> None:
    assert Ticket("x", description=given).description == description


def test_fields_and_criteria_are_made_canonical() -> None:
    ticket = Ticket(
        "x",
        fields={" Two\nlines ": " a\r\n  b ", "Empty": ""},
        acceptance_criteria=(" a\n  b ", " ", "c"),
    )

    assert list(ticket.fields.items()) == [("Two lines", "a\n  b"), ("Empty", "")]
    assert ticket.acceptance_criteria == ("a\n  b", "c")


@for_each(
    ("given", "remark"),
    [
        ("# comment: a", "# comment: a"),
        ("words", "words"),
        ("a: b #", "# a: b #"),
        ("Key: value", "# Key: value"),
        ("## Fields", "# Fields"),
        ("# TICKET: x", "# \\TICKET: x"),
        ("\ufeff# TICKET: x", "# \ufeff# TICKET: x"),
        ("<<<<<<< HEAD", "# <<<<<<< HEAD"),
        ("##", "#"),
        ("two\nlines", "two lines"),
    ],
)
def test_a_remark_is_never_read_as_something_else(given: str, remark: str) -> None:
    ticket = Ticket("x", non_field_lines=(given, "  "))

    assert ticket.non_field_lines == (remark,)
    assert (
        Ticket("x", non_field_lines=ticket.non_field_lines).non_field_lines
        == ticket.non_field_lines
    )


def test_the_fields_are_a_copy_that_cannot_be_changed() -> None:
    given = {"A": "1"}
    ticket = Ticket("x", fields=given)

    given["A"] = "2"

    assert ticket.fields == {"A": "1"}
    with pytest.raises(TypeError):
        ticket.fields["A"] = "2"  # type: ignore[index]
    with pytest.raises(FrozenInstanceError):
        ticket.title = "y"  # type: ignore[misc]


def test_line_and_remarks_do_not_make_a_ticket_another() -> None:
    ticket = Ticket("x", fields={"A": "1"}, line=3, non_field_lines=("a",))

    assert ticket == Ticket("x", fields={"A": "1"})
    assert hash(ticket) == hash(Ticket("x", fields={"A": "1"}))
    assert ticket != Ticket("x", fields={"A": "2"})


def test_a_ticket_can_be_changed() -> None:
    ticket = Ticket("x", "AB-1", "d", {"A": "1"}, ("c",), (Ticket("y"),), 3, ("r",))

    twin = replace(ticket, title="y")
    assert twin != ticket
    assert (twin.line, twin.non_field_lines, twin.fields) == (3, ("r",), {"A": "1"})


def test_a_ticket_accepts_only_valid_keys() -> None:
    with pytest.raises(InvalidKey):
        Ticket("x", "../../x")


def test_a_field_needs_a_name() -> None:
    with pytest.raises(UnwritableTicket, match='a field has no name; its value is: "v"'):
        Ticket("x", fields={" \n": "v"})


def test_a_task_has_no_tasks() -> None:
    with pytest.raises(UnwritableTicket, match="cannot have sub-tasks"):
        Ticket("x", tasks=(Ticket("y", tasks=(Ticket("z"),)),))


def test_a_key_is_in_a_ticket_once() -> None:
    with pytest.raises(UnwritableTicket, match='twice in one ticket: "AB-1"'):
        Ticket("x", "AB-1", tasks=(Ticket("y", "AB-2"), Ticket("z", "AB-1")))


@pytest.mark.parametrize("key", ["PROJ-1", "AB2-10", "A_B-123", "AB-9000000"])
def test_a_key_names_its_file(key: str) -> None:
    assert is_key(key)
    assert md_name_of_key(key) == f"{key}.md"


@for_each(
    "text",
    [
        *("", "A-1", "proj-1", "PROJ-0", "PROJ-01", "PROJ-", "PROJ", "-1", "2AB-1", "PROJ-1 "),
        *("../../x", "AB-1/../x", "AB-1\n", "AB-1\x00", "AB-\u0661", "\u00c4B-1", "CON", "AB-1.md"),
    ],
)
def test_text_that_is_no_key_becomes_no_file_name(text: str) -> None:
    assert not is_key(text)
    with pytest.raises(InvalidKey) as caught:
        md_name_of_key(text)
    assert caught.value.key == text


def test_a_key_too_long_for_a_file_name_is_refused() -> None:
    longest = "A" * 198 + "-1"

    assert md_name_of_key(longest) == f"{longest}.md"
    with pytest.raises(InvalidKey):
        md_name_of_key(f"A{longest}")


ERRORS = [
    (TicketSyntaxError("a.md", 3, 1, "do this", "# x"), 'a.md:3:1: do this: "# x"'),
    (
        InvalidKey("../../x"),
        '"../../x" is not an issue key; a key looks like PROJ-123',
    ),
    (
        UnwritableTicket("a sub-task cannot have sub-tasks", "x"),
        'a sub-task cannot have sub-tasks: "x"',
    ),
    (
        InvalidFilter('a "b', 2, "this quote is not closed"),
        'the filter is wrong at character 3: this quote is not closed: ""b"',
    ),
]


@pytest.mark.parametrize(("error", "message"), ERRORS)
def test_an_error_says_what_and_where_on_one_line(error: TicketrError, message: str) -> None:
    assert str(error) == message


@pytest.mark.parametrize(("error", "message"), ERRORS)
def test_an_error_survives_pickling(error: TicketrError, message: str) -> None:
    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is type(error)
    assert vars(copy) == vars(error)
    assert str(copy) == message


def test_quoted_text_in_an_error_is_cleaned_and_clipped() -> None:
    error = TicketSyntaxError("a\x1b[2J.md", 1, 1, "no", "\x1b]0;title\x07" + "x" * 200)

    assert str(error) == f'a.md:1:1: no: "{"x" * 70}..."'


@pytest.mark.parametrize(("length", "shown"), [(80, "x" * 80), (81, "x" * 80 + "...")])
def test_a_quote_is_cut_at_eighty_characters(length: int, shown: str) -> None:
    assert str(InvalidKey("x" * length)).startswith(f'"{shown}" is not')
