"""Checks statuses, screens and parents before the first write of a push.

The status is sent in requests of its own. If no transitions lead to it, the issue would be changed
only in part. So all transitions are fetched first; the push uses them later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ticketr.app.sync.concurrency import PAGE
from ticketr.app.sync.notes import Code, Note
from ticketr.app.sync.push.failures import failure_note
from ticketr.app.sync.push.routes import FoundRoute, RouteFinder
from ticketr.app.sync.push.screens import fields_off_screen, with_transition_fields
from ticketr.app.sync.threads import chunks

if TYPE_CHECKING:
    from ticketr.app.sync.push.payload import IssuePayload
    from ticketr.app.sync.push.writes import IssueEdit, NewIssue, TicketWrites
    from ticketr.app.sync.session import Session


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of the check.

    Attributes:
        writes: What can be sent, each edit with its transitions.
        failed: A note for each issue that was removed.
    """

    writes: tuple[TicketWrites, ...]
    failed: tuple[Note, ...]


async def check(session: Session, writes: Sequence[TicketWrites]) -> Checked:
    """Remove the writes that Jira would refuse because of a status, a screen or a parent.

    Raises:
        AuthenticationFailed: The site no longer takes the login.
        JiraError: The parents or the screens cannot be fetched.
    """
    # The parent of a new sub-task is always its ticket.
    may_name_parent = (
        edit
        for ticket in writes
        for edit in (*ticket.edits, *((ticket.new_ticket,) if ticket.new_ticket else ()))
    )
    parents = {key for value in may_name_parent if (key := _parent_key(value.payload))}
    payloads = [edit.payload for ticket in writes for edit in ticket.edits]
    payloads += (new.payload for ticket in writes for new in ticket.new_issues)
    linked = {link.key for payload in payloads for link in payload.links if not link.remove}
    absent = await _absent(session, parents | linked)
    edits = [edit for ticket in writes for edit in ticket.edits]
    off_screen = await fields_off_screen(session, edits)
    moved = (edit for edit in edits if _needs_transition(edit))
    routes = await RouteFinder(session, off_screen).find(moved)
    remaining: list[TicketWrites] = []
    failed: list[Note] = []
    for ticket in writes:
        edits_left, notes = _edits_left(ticket, absent, routes, off_screen)
        failed += notes
        new = ticket.new_ticket
        if new is not None and (note := _unreachable(new, ticket.path, absent)) is not None:
            failed.append(note)
            continue
        notes_on = {
            id(subtask): _unreachable(subtask, ticket.path, absent)
            for subtask in ticket.new_subtasks
        }
        failed += (note for note in notes_on.values() if note is not None)
        subtasks = tuple(
            subtask for subtask in ticket.new_subtasks if notes_on[id(subtask)] is None
        )
        if edits_left or new or subtasks:
            remaining.append(replace(ticket, edits=edits_left, new_subtasks=subtasks))
    return Checked(tuple(remaining), tuple(failed))


def _edits_left(
    ticket: TicketWrites,
    absent: set[str],
    routes: Mapping[str, FoundRoute],
    off_screen: Mapping[str, frozenset[str]],
) -> tuple[tuple[IssueEdit, ...], list[Note]]:
    """Return the edits of a ticket that Jira would accept, and a note for each other edit."""
    remaining: list[IssueEdit] = []
    failed: list[Note] = []
    for edit in ticket.edits:
        transitions = routes.get(edit.key, ())
        if (note := _unreachable(edit, ticket.path, absent)) is not None:
            failed.append(note)
            continue
        if isinstance(transitions, Exception):
            failed.append(failure_note(edit.issue, ticket.path, transitions))
            continue
        routed, problems = with_transition_fields(edit, transitions, off_screen.get(edit.key, ()))
        if problems:
            reason = "; ".join(problems)
            failed.append(Note.on(edit.issue, ticket.path, reason, Code.INVALID))
        else:
            remaining.append(routed)
    return tuple(remaining), failed


def _unreachable(write: IssueEdit | NewIssue, path: str, absent: set[str]) -> Note | None:
    """Return a note on an issue with a parent, or a link to an issue, that Jira does not have."""
    named = {_parent_key(write.payload): "Parent"}
    named |= {link.key: link.line for link in write.payload.links if not link.remove}
    for key, line in named.items():
        if key in absent:
            reason = f"{line}: Jira has no {key}, or you may not see it"
            return Note.on(write.issue, path, reason, Code.INVALID)
    return None


def _parent_key(payload: IssuePayload) -> str | None:
    parent = payload.fields.get("parent")
    key = parent.get("key") if isinstance(parent, dict) else None
    return key if isinstance(key, str) else None


def _needs_transition(edit: IssueEdit) -> bool:
    """Tell whether an edit's transition can be fetched now; a new type may have other ones."""
    return edit.payload.status is not None and "issuetype" not in edit.payload.fields


async def _absent(session: Session, parents: set[str]) -> set[str]:
    """Return the parents that Jira does not have; parents in the state are not fetched."""
    if not parents:
        return set()
    known = await session.in_thread(session.state.known)
    requested = sorted(parents.difference(issue.key for issue in known.values()))
    absent: set[str] = set()
    for chunk in chunks(requested, PAGE):
        answer = await session.jira.bulk_fetch(chunk, fields=["summary"])
        for key in answer.missing:
            # A moved issue is returned under its new key, so fetch each missing key separately.
            alone = answer.renamed and await session.jira.bulk_fetch([key], fields=["summary"])
            if not (alone and alone.renamed):
                absent.add(key)
    return absent
