"""The errors of tickets and ticket files."""

from __future__ import annotations

from dataclasses import dataclass

from ticketr._errors import TicketrError
from ticketr.cleaning import clean

#: The most characters that an error shows of a text.
_MAX_SHOWN_CHARACTERS = 80


def _quote_excerpt(text: str) -> str:
    """Return a text of the user's file quoted, cleaned and shortened for an error."""
    more = "..." if len(text) > _MAX_SHOWN_CHARACTERS else ""
    return f'"{clean(text[:_MAX_SHOWN_CHARACTERS])}{more}"'


@dataclass(eq=False, repr=False)
class TicketSyntaxError(TicketrError):
    """Raised when a file cannot be read as tickets.

    Attributes:
        source: The file, as the caller named it.
        line: The line, from 1.
        column: The character in that line, from 1.
        problem: What is wrong and what to write instead.
        line_text: The offending line, exactly as it is in the file.
    """

    source: str
    line: int
    column: int
    problem: str
    line_text: str

    def __str__(self) -> str:
        place = f"{clean(self.source)}:{self.line}:{self.column}"
        return f"{place}: {self.problem}: {_quote_excerpt(self.line_text)}"


@dataclass(eq=False, repr=False)
class InvalidKey(TicketrError):
    """Raised when a text is not an issue key.

    Attributes:
        key: The text.
    """

    key: str

    def __str__(self) -> str:
        return f"{_quote_excerpt(self.key)} is not an issue key; a key looks like PROJ-123"


@dataclass(eq=False, repr=False)
class UnwritableTicket(TicketrError):
    """Raised when a ticket is made that no file can hold.

    Attributes:
        problem: What is wrong.
        text: The name, key or title in question.
    """

    problem: str
    text: str

    def __str__(self) -> str:
        return f"{self.problem}: {_quote_excerpt(self.text)}"


@dataclass(eq=False, repr=False)
class InvalidFilter(TicketrError):
    """Raised when a text is not a filter.

    Attributes:
        text: The text.
        position: The place of what is wrong, in characters from 0.
        problem: What is wrong.
    """

    text: str
    position: int
    problem: str

    def __str__(self) -> str:
        rest = _quote_excerpt(self.text[self.position :])
        return f"the filter is wrong at character {self.position + 1}: {self.problem}: {rest}"
