"""Families as they will be in files: ordered, with their texts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from ticketr.app.jira import Issue
from ticketr.app.jira.adf import load_conversions
from ticketr.app.sync.compare.attachments import files_of
from ticketr.app.sync.compare.mapping import (
    Columns,
    FamilyText,
    KnownText,
    family_text,
    slim,
    subtask_ids,
)
from ticketr.app.sync.compare.wording import keep_wording_of_file
from ticketr.app.tickets import Ticket, parse, render_ticket


@dataclass(frozen=True, slots=True)
class RenderedFamily:
    """A family whose text is made, ready to be written.

    Attributes:
        issues: Its issues, head first, without what files do not need.
        text: Its text, and the ticket that a reader gets from it.
        path: The file it was found in or written to; None for a new one.
        stale: The IDs of the issues whose newer version in Jira was not read.
    """

    issues: tuple[Issue, ...]
    text: FamilyText
    path: str | None
    stale: frozenset[str] = frozenset()

    @property
    def head(self) -> Issue:
        """The issue that gives the ticket its heading."""
        return self.issues[0]


def load_rendering() -> None:
    """Do what the first rendering does once in a process; see `load_conversions`."""
    load_conversions()
    text = "## Part\n\n\\# text\n\n```\ncode\n```"
    parse(render_ticket(Ticket("Title", "AB-1", text, {"Status": "Open"}, ("one",))))


def render_family(
    head: Issue,
    subtasks: Iterable[Issue],
    columns: Columns,
    *,
    path: str | None,
    stale: Iterable[str] = (),
    known: Mapping[str, KnownText] = MappingProxyType({}),
) -> RenderedFamily:
    """Put the issues of a family in order and make its text.

    Args:
        head: The issue that gives the ticket its heading.
        subtasks: Those to file under it, in any order.
        columns: The fields to write.
        path: Its file, relative to the workspace; None for a new one.
        stale: IDs of issues that have a newer version in Jira; some are of other families.
        known: Texts of descriptions, by the IDs of their issues; see `family_text`.
    """
    order = {issue_id: position for position, issue_id in enumerate(subtask_ids(head))}
    last = len(order)
    ordered = sorted(subtasks, key=lambda issue: (order.get(issue.id, last), _number(issue.id)))
    issues = tuple(
        Issue(id=issue.id, key=issue.key, fields=slim(issue.fields)) for issue in (head, *ordered)
    )
    text = family_text(issues[0], issues[1:], columns, known)
    own = frozenset(stale).intersection(issue.id for issue in issues)
    return RenderedFamily(issues, text, path, own)


def in_wording_of(family: RenderedFamily, local: Ticket) -> RenderedFamily:
    """Return a family in the wording of its file, wherever Jira has what the file says."""
    files = {issue.key: files_of(issue.fields) for issue in family.issues}
    ticket = keep_wording_of_file(family.text.ticket, local, files)
    if ticket == family.text.ticket:
        return family
    text = render_ticket(ticket)
    (ticket,) = parse(text).tickets
    return replace(family, text=replace(family.text, ticket=ticket, text=text))


def _number(issue_id: str) -> int:
    return int(issue_id) if issue_id.isdecimal() else 0
