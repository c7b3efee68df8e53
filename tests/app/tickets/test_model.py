from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, replace

import pytest

from ticketr.app.tickets import NO_TITLE, InvalidKey, InvalidTicket, Ticket


def test_a_ticket_counts_issues_and_lists_their_keys() -> None:
    ticket = Ticket("a", "AB-1", tasks=(Ticket("b", "AB-2"), Ticket("draft"), Ticket("c", "AB-4")))

    assert ticket.count() == 4
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


@pytest.mark.parametrize(
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
    ticket = Ticket("x", remarks=(given, "  "))

    assert ticket.remarks == (remark,)
    assert Ticket("x", remarks=ticket.remarks).remarks == ticket.remarks


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
    ticket = Ticket("x", fields={"A": "1"}, line=3, remarks=("a",))

    assert ticket == Ticket("x", fields={"A": "1"})
    assert hash(ticket) == hash(Ticket("x", fields={"A": "1"}))
    assert ticket != Ticket("x", fields={"A": "2"})


def test_a_ticket_can_be_copied_pickled_and_changed() -> None:
    ticket = Ticket("x", "AB-1", "d", {"A": "1"}, ("c",), (Ticket("y"),), 3, ("r",))

    for twin in (copy.deepcopy(ticket), pickle.loads(pickle.dumps(ticket)), replace(ticket)):
        assert twin == ticket
        assert (twin.line, twin.remarks) == (3, ("r",))
        assert twin.fields == {"A": "1"}


def test_a_ticket_accepts_only_valid_keys() -> None:
    with pytest.raises(InvalidKey):
        Ticket("x", "../../x")


def test_a_field_needs_a_name() -> None:
    with pytest.raises(InvalidTicket, match='a field has no name; its value is: "v"'):
        Ticket("x", fields={" \n": "v"})


def test_a_task_has_no_tasks() -> None:
    with pytest.raises(InvalidTicket, match="cannot have sub-tasks"):
        Ticket("x", tasks=(Ticket("y", tasks=(Ticket("z"),)),))


def test_a_key_is_in_a_ticket_once() -> None:
    with pytest.raises(InvalidTicket, match='twice in one ticket: "AB-1"'):
        Ticket("x", "AB-1", tasks=(Ticket("y", "AB-2"), Ticket("z", "AB-1")))
