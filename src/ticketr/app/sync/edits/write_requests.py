"""Splits a ticket's local change into the issues that a push would write. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ticketr.app.sync.compare.comments import CommentPart
from ticketr.app.sync.compare.diff import Change, CorePart, by_key, criteria_of
from ticketr.app.sync.compare.grafting import PictureFile, uploads_in
from ticketr.app.sync.edits.local_changes import LocalChange, draft_changes
from ticketr.app.sync.edits.push_plan import PlanEntry, PlanPart
from ticketr.app.tickets import Ticket

#: What a plan calls a file that is attached.
UPLOAD = "New attachment"


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """One issue that a user asks to create or to change.

    Attributes:
        local_change: The change of its ticket.
        issue: The issue in its file.
        entry: The same as an entry of a plan.
    """

    local_change: LocalChange
    issue: Ticket
    entry: PlanEntry


def write_requests(local_change: LocalChange) -> Iterator[WriteRequest]:
    """Yield what a user asks to write of one ticket, the ticket before its sub-tasks."""
    ticket, path = local_change.local.ticket, local_change.local.path
    if local_change.head is None:
        parts = _parts(draft_changes(ticket), local_change)
        entry = PlanEntry("", ticket.title, path, ticket.line, parts)
        yield WriteRequest(local_change, ticket, entry)
    here = by_key(ticket)
    for key, changes in local_change.edits.items():
        issue = here[key]
        entry = PlanEntry(key, issue.title, path, issue.line, _parts(changes, local_change))
        yield WriteRequest(local_change, issue, entry)
    for draft in local_change.drafts:
        parts = (
            *_parts(draft_changes(draft), local_change),
            *(
                PlanPart(change.name, "", local_change.inherited_text(change))
                for change in local_change.inherited_by(draft)
            ),
        )
        entry = PlanEntry("", draft.title, path, draft.line, parts, local_change.name)
        yield WriteRequest(local_change, draft, entry)


def _parts(changes: Sequence[Change], local_change: LocalChange) -> tuple[PlanPart, ...]:
    own = (
        PlanPart(change.name, _as_list(change.old), _as_list(change.new))
        if change.part is CorePart.CRITERIA
        else PlanPart(change.name, change.old, change.new)
        for change in changes
    )
    files = (PlanPart(UPLOAD, "", words) for words in uploads_of(changes, local_change.pictures))
    return (*own, *files)


def uploads_of(changes: Iterable[Change], pictures: Mapping[str, PictureFile]) -> tuple[str, ...]:
    """Return the files that must be attached before some changes of an issue are sent, in words.

    Several paths may lead to one file.
    """
    words = (
        file.words
        for change in changes
        if change.part is CorePart.DESCRIPTION or isinstance(change.part, CommentPart)
        for file in uploads_in(change.new, change.old, pictures).values()
    )
    return tuple(dict.fromkeys(words))


def _as_list(criteria: str) -> str:
    """Return criteria as a list in Markdown, so that the lines of one are not several."""
    return "\n".join("- " + text.replace("\n", "\n  ") for text in criteria_of(criteria))
