from __future__ import annotations

import pickle

import pytest

from ticketr._errors import TicketrError
from ticketr.app.tickets import (
    InvalidFilter,
    InvalidKey,
    InvalidTicket,
    RepeatedKey,
    TicketSyntaxError,
)

ERRORS = [
    (TicketSyntaxError("a.md", 3, 1, "do this", "# x"), 'a.md:3:1: do this: "# x"'),
    (
        InvalidKey("../../x"),
        '"../../x" is not an issue key; a key looks like PROJ-123',
    ),
    (
        InvalidTicket("a sub-task cannot have sub-tasks", "x"),
        'a sub-task cannot have sub-tasks: "x"',
    ),
    (RepeatedKey("AB-1"), "AB-1 would be in one file twice; keep one of the two"),
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


def test_a_syntax_error_keeps_its_facts() -> None:
    error = TicketSyntaxError("a.md", 3, 2, "do this", "\x1b[2Jx")

    facts = (error.source, error.line, error.column, error.problem, error.text)
    assert facts == ("a.md", 3, 2, "do this", "\x1b[2Jx")


def test_quoted_text_in_an_error_is_cleaned_and_clipped() -> None:
    error = TicketSyntaxError("a\x1b[2J.md", 1, 1, "no", "\x1b]0;title\x07" + "x" * 200)

    assert str(error) == f'a.md:1:1: no: "{"x" * 70}..."'


@pytest.mark.parametrize(("length", "shown"), [(80, "x" * 80), (81, "x" * 80 + "...")])
def test_a_quote_is_cut_at_eighty_characters(length: int, shown: str) -> None:
    assert str(InvalidKey("x" * length)).startswith(f'"{shown}" is not')
