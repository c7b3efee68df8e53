"""Reads the issues in a workspace's files, to list them or to find one; no request to Jira."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ticketr._errors import TicketrError
from ticketr.app.cli.console import printable
from ticketr.app.cli.keys import checked_key
from ticketr.app.sync import LocalSurvey, State, Store
from ticketr.app.tickets import Candidate, candidate_of
from ticketr.cleaning import clean

if TYPE_CHECKING:
    from ticketr.app.tickets import Filter, Ticket, TicketFile

#: A term that may name a status or a person with blanks in the name, and without quotes.
_NAMING = re.compile(r'(-?(?:(status|assignee)=|@))([^"]*[ ][^"]*)', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ListedIssue:
    """An issue, or a broken file, in a list.

    Attributes:
        candidate: What filters and orders look at.
        path: Its file, relative to the workspace.
        line: The line of its heading; of a broken file, 1.
    """

    candidate: Candidate
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Listing:
    """All issues of a workspace.

    Attributes:
        issues: The issues, and a line for each broken file.
        broken: The errors of broken files, by their paths.
    """

    issues: tuple[ListedIssue, ...]
    broken: Mapping[str, TicketrError]


@dataclass(frozen=True, slots=True)
class FoundIssue:
    """An issue in its file.

    Attributes:
        path: The file, relative to the workspace.
        issue: The issue.
        head: The ticket that it is in: itself, or its parent.
        text: Its text, as in the file.
    """

    path: str
    issue: Ticket
    head: Ticket
    text: str


def list_issues(store: Store, state: State) -> Listing:
    """Read all issues of a workspace, and compare them with the last sync.

    Raises:
        StateFailed: The state cannot be read.
    """
    survey = LocalSurvey()
    pairs: list[tuple[str, Ticket]] = []
    for files in store.walk():
        for file in files:
            scanned = survey.scan(store, state, file)
            pairs += ((scanned.path, ticket.ticket) for ticket in scanned.tickets)
    survey.complete(store, state, state.creations.recent())
    edited = {key for change in survey.local_changes for key in change.edits}
    clashing = {conflict.key for conflict in state.conflicts.all()}
    updated = {known_issue.key: known_issue.updated for known_issue in state.known().values()}

    def listed(path: str, issue: Ticket) -> ListedIssue:
        key = issue.key or ""
        flags = [("edited", key in edited), ("conflict", key in clashing)]
        flags.append(("broken", path in survey.broken))
        held = frozenset(name for name, holds in flags if holds)
        moment = updated.get(key, "")
        return ListedIssue(candidate_of(issue, held, updated=moment), path, issue.line)

    issues = [listed(path, issue) for path, ticket in pairs for issue in (ticket, *ticket.tasks)]
    for name, error in survey.broken.items():
        candidate = Candidate("", clean(str(error)), flags=frozenset({"broken"}))
        issues.append(ListedIssue(candidate, name, 1))
    return Listing(tuple(issues), survey.broken)


def nothing_fits(wanted: Filter) -> str:
    """Say why a command on the tickets that fit a filter shows none."""
    return "no ticket fits" if wanted.terms else "there is no ticket here"


def parse_terms(terms: Sequence[str], root: Path) -> Filter:
    """Parse the arguments of a command as one filter.

    Args:
        terms: The arguments. One that names a known status or person needs no quotes of its own,
            as in ``'status=In Progress'``.
        root: The workspace's folder.

    Raises:
        click.BadParameter: It is wrong; the message shows where.
    """
    from ticketr.app.tickets import InvalidFilter, parse_filter, with_saved

    text = " ".join(_with_quotes(term, root) for term in terms)
    try:
        if "use:" in text.lower():
            text = with_saved(text, _saved_filters(root))
        return parse_filter(text)
    except InvalidFilter as error:
        place = " " * error.position
        words = f"{error.problem}\n  {printable(text)}\n  {place}^"
        raise click.BadParameter(words, param_hint="FILTER") from None


def _saved_filters(root: Path) -> Mapping[str, str]:
    """Return the filters saved in the app, without those that are queries for Jira."""
    from ticketr.app.config import STATE_FOLDER, StateFolder, read_list_memory

    saved = read_list_memory(StateFolder(root / STATE_FOLDER)).saved
    return {name: text for name, text in saved.items() if not text.lower().startswith("jql:")}


def _with_quotes(term: str, root: Path) -> str:
    """Put quotes around the name of a known status or person that holds blanks."""
    from ticketr.app.config import known_assignees, known_statuses

    match = _NAMING.fullmatch(term)
    if match is None:
        return term
    start, field, value = match.groups()
    known = known_statuses if (field or "").lower() == "status" else known_assignees
    is_known = value.lower() in (text.lower() for text in known(root, os.environ))
    return f'{start}"{value}"' if is_known else term


def require_issue(store: Store, key: str) -> FoundIssue:
    """Find an issue in the files of a workspace by its key, in any case.

    Raises:
        click.UsageError: It is not a key, or no file has it.
    """
    wanted = checked_key(key)
    for path in _files_with(store, wanted):
        issue = _in_file(store, path, wanted)
        if issue is not None:
            return issue
    raise click.UsageError(
        f"{wanted} is in no file of {clean(str(store.root))}; 'ticketr pull' brings what is in Jira"
    )


def _files_with(store: Store, key: str) -> Iterator[str]:
    """Yield the files that a key occurs in, that of its own name first."""
    own = f"{key}.md"
    if (store.root / own).is_file():
        yield own
    sought = key.encode()
    for paths in store.walk():
        for path in paths:
            name = store.name_of(path)
            if name != own and _occurs_in_file(store, name, sought):
                yield name


def _occurs_in_file(store: Store, name: str, sought: bytes) -> bool:
    try:
        return sought in store.content(name)
    except (OSError, TicketrError):  # it cannot hold what is looked for; 'status' tells of it
        return False


def _in_file(store: Store, path: str, key: str) -> FoundIssue | None:
    try:
        file = store.read(path)
    except TicketrError:
        if path == f"{key}.md":  # what is looked for is in it, most likely
            raise
        return None
    for number, head in enumerate(file.tickets):
        for issue in (head, *head.tasks):
            if issue.key == key:
                return FoundIssue(path, issue, head, _text_of(file, number, issue))
    return None


def _text_of(file: TicketFile, number: int, issue: Ticket) -> str:
    """Return the text of a ticket, or of a sub-task without what follows it."""
    head, span = file.tickets[number], file.spans[number]
    text = file.text[span.start : span.end]
    if issue is head:
        return text
    later = [task.line for task in head.tasks if task.line > issue.line]
    lines = text.splitlines(keepends=True)
    end = later[0] - head.line if later else len(lines)
    return "".join(lines[issue.line - head.line : end])
