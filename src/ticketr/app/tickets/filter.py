"""The language in which people say which issues they want to see. Pure.

A filter is a list of terms, and an issue has to fit each of them::

    payment                  the word occurs in the key, title, fields or text
    "in instalments"         so do these words, with the blank
    status=progress          the value of this field contains it
    "story points"=3         quotes hold what contains blanks
    sprint=                  this field is empty
    @amara                   the assignee's name contains it
    @me, @mine               it is assigned to the user
    edited                   or another word for how the issue differs from the last sync
    -status=done             not this

Case and accents do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from ticketr.app.config.checks import nearest
from ticketr.app.tickets.errors import InvalidFilter
from ticketr.app.tickets.filterable import FILTERABLE_NON_FIELDS, FilterableIssue, fold

EDITED, DRAFT, CONFLICT, BROKEN = "edited", "draft", "conflict", "broken"
#: The states that an issue can have in its file.
FILE_STATES = frozenset({EDITED, DRAFT, CONFLICT, BROKEN})
#: The words that ask for states, each with its states; an issue needs one of them.
_FILE_STATES_BY_WORD = {state: frozenset({state}) for state in FILE_STATES} | {
    "unpushed": frozenset({EDITED, DRAFT})
}
_FOLDED_ASSIGNEE = "assignee"
#: The names after @ that stand for the user.
_NAMES_OF_ME = frozenset({"me", "mine"})

_OPTIONAL_SPACE = re.compile(r"\s*")
_UNQUOTED = re.compile(r'[^\s"]*')
_BARE_NAME = re.compile(r'[^\s"=]*')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Term(Protocol):
    """One condition of a filter."""

    def matches(self, candidate: FilterableIssue) -> bool:
        """Return whether an issue fits it."""
        ...


@dataclass(frozen=True, slots=True)
class TextTerm:
    """The issue contains a folded text."""

    text: str

    def matches(self, candidate: FilterableIssue) -> bool:
        """Return whether an issue contains the text."""
        return self.text in candidate.haystack


@dataclass(frozen=True, slots=True)
class FieldTerm:
    """A field, by its folded name, contains a folded text, or is that if it is whole or empty."""

    name: str
    text: str
    is_whole_value: bool = False

    def matches(self, candidate: FilterableIssue) -> bool:
        """Return whether an issue's field contains the text."""
        value = candidate.folded_text(self.name)
        is_whole = self.is_whole_value or not self.text
        return value == self.text if is_whole else self.text in value


@dataclass(frozen=True, slots=True)
class FileStateTerm:
    """The issue has one of some states in its file."""

    file_states: frozenset[str]

    def matches(self, candidate: FilterableIssue) -> bool:
        """Return whether an issue has one of the states."""
        return not self.file_states.isdisjoint(candidate.file_states)


@dataclass(frozen=True, slots=True)
class KeysTerm:
    """The issue has one of some keys, such as those that a search in Jira has found."""

    keys: frozenset[str]

    def matches(self, candidate: FilterableIssue) -> bool:
        """Return whether an issue has one of the keys."""
        return candidate.key in self.keys


@dataclass(frozen=True, slots=True)
class NotTerm:
    """A term does not hold."""

    term: Term

    def matches(self, candidate: FilterableIssue) -> bool:
        """Return whether an issue does not fit the term."""
        return not self.term.matches(candidate)


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter as a value.

    `parse_filter` makes it.

    Attributes:
        text: What was typed, without outer white space.
        terms: The conditions, all of which have to hold; without any, every issue fits.
    """

    text: str
    terms: tuple[Term, ...]

    def matches(self, candidate: FilterableIssue) -> bool:
        """Return whether an issue fits every term."""
        for term in self.terms:  # noqa: SIM110 - all() takes twice as long
            if not term.matches(candidate):
                return False
        return True

    def select(self, candidates: Iterable[FilterableIssue]) -> list[FilterableIssue]:
        """Return the issues that fit, in their order."""
        return [candidate for candidate in candidates if self.matches(candidate)]


@dataclass(frozen=True, slots=True)
class UserAndFieldNames:
    """The names that a filter can use in a workspace.

    Attributes:
        app_user_name: The name of the user, as tickets have it; empty if it is not known.
        fields: The names of the fields that tickets have; empty if they are not known.
    """

    app_user_name: str = ""
    fields: frozenset[str] = frozenset()

    def check_field(self, text: str, at: int, name: str) -> None:
        """Raise `InvalidFilter` if no ticket has a field that a filter names at a place."""
        if self.fields and fold(name) not in {*map(fold, self.fields), *FILTERABLE_NON_FIELDS}:
            near = nearest(name, self.fields)
            hint = f"; did you mean {near}?" if near else ""
            raise InvalidFilter(text, at, f'no ticket has a field "{name}"{hint}')


_NO_USER_OR_FIELD_NAMES = UserAndFieldNames()


def parse_filter(text: str, names: UserAndFieldNames = _NO_USER_OR_FIELD_NAMES) -> Filter:
    """Parse a filter as a person types it.

    Args:
        text: Terms, separated by white space. An empty text lets every issue through.
        names: What it can name.

    Raises:
        InvalidFilter: The text is not a filter; the error has the place of what is wrong.
    """
    terms: list[Term] = []
    at = _end_of_match_at(_OPTIONAL_SPACE, text, 0)
    while at < len(text):
        is_negated = text[at] == "-"
        term, end = _parse_term(text, at + is_negated, names)
        if end < len(text) and not text[end].isspace():
            raise InvalidFilter(text, end, "quotes go around a whole word, name or value")
        terms.append(NotTerm(term) if is_negated else term)
        at = _end_of_match_at(_OPTIONAL_SPACE, text, end)
    return Filter(text.strip(), tuple(terms))


def _parse_term(text: str, at: int, names: UserAndFieldNames) -> tuple[Term, int]:
    """Parse a term without its minus; return it and where it ends."""
    if text[at : at + 1] == "@":
        person, end = _parse_quoted_or_bare(text, at + 1, _UNQUOTED)
        if not person:
            raise InvalidFilter(text, at, "a person's name has to follow @")
        if person.lower() in _NAMES_OF_ME and text[at + 1] != '"':
            if not names.app_user_name:
                raise InvalidFilter(text, at, "who you are is not known before a pull")
            return FieldTerm(_FOLDED_ASSIGNEE, fold(names.app_user_name), is_whole_value=True), end
        return FieldTerm(_FOLDED_ASSIGNEE, fold(person)), end
    word, end = _parse_quoted_or_bare(text, at, _BARE_NAME)
    if text[end : end + 1] == "=":
        if not word:
            raise InvalidFilter(text, end, "the name of a field has to be before =")
        names.check_field(text, at, word)
        value, end = _parse_quoted_or_bare(text, end + 1, _UNQUOTED)
        return FieldTerm(fold(word), fold(value)), end
    if end == at:
        raise InvalidFilter(text, at - 1, "what an issue must not have has to follow -")
    states = _FILE_STATES_BY_WORD.get(word.lower()) if text[at] != '"' else None
    return (FileStateTerm(states) if states else TextTerm(fold(word))), end


def _parse_quoted_or_bare(text: str, at: int, bare: re.Pattern[str]) -> tuple[str, int]:
    """Return the quoted or bare text that begins at ``at``, and its end."""
    if text[at : at + 1] != '"':
        end = _end_of_match_at(bare, text, at)
        return text[at:end], end
    match = _QUOTED.match(text, at)
    if match is None:
        raise InvalidFilter(text, at, "this quote is not closed")
    return _ESCAPED.sub(r"\1", match[1]), match.end()


def _end_of_match_at(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Return the end of the match of a pattern that begins at ``at``."""
    match = pattern.match(text, at)
    assert match is not None  # it may be empty
    return match.end()
