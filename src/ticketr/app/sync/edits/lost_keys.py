"""Finds drafts that are probably tickets without their keys. Pure.

It is better to refuse a draft than to create an issue twice. The parser refuses malformed keys;
these checks also need the projects and the last sync.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from ticketr.app.sync.compare.diff import CorePart, part_texts
from ticketr.app.tickets import Ticket, TicketSyntaxError, mistyped_key

if TYPE_CHECKING:
    from ticketr.app.sync.edits.local_changes import LocalChange
    from ticketr.app.sync.workspace.store import LocalTicket

_KEY_WITHOUT_BRACKETS = (
    "this begins like the key of {key}; write [{key}] before the title, or begin the title of a "
    "new ticket with another word"
)
_TICKET_LOST_KEY = (
    "the heading of {key} has lost its key; write [{key}] again, or put this into another file "
    "if it is to be a copy"
)
_TASK_LOST_KEY = (
    "the line of {key} has lost its key; write [{key}] again, or change the title if it is to be "
    "a copy"
)


def lost_key_error(
    local_change: LocalChange,
    *,
    projects: Collection[str],
    lost: Mapping[str, Ticket],
    here: Collection[str],
) -> TicketSyntaxError | None:
    """Return an error if a draft of a ticket is probably an existing issue without its key.

    Args:
        local_change: The change of the ticket.
        projects: The keys of the projects of all tickets.
        lost: Tickets of the last sync that were in the same file and are in no file now, by key.
        here: The keys that are in some file, or that a push restores.
    """
    local = local_change.local
    drafts = (
        local_change.drafts
        if local_change.head is not None
        else (local.ticket, *local_change.drafts)
    )
    for draft in drafts:
        if key := mistyped_key(draft.title, projects):
            return _error(local, draft, _KEY_WITHOUT_BRACKETS.format(key=key))
    if local_change.head is None:
        for key, base in lost.items():
            if _is_probably(local.ticket, base):
                return _error(local, local.ticket, _TICKET_LOST_KEY.format(key=key))
    tasks = local_change.base.tasks if local_change.base is not None else ()
    titles = {task.title: task.key for task in tasks if task.key and task.key not in here}
    for draft in local_change.drafts:
        if key := titles.get(draft.title):
            return _error(local, draft, _TASK_LOST_KEY.format(key=key))
    return None


def _is_probably(draft: Ticket, base: Ticket) -> bool:
    """Tell whether a draft has the title, the text or a sub-task of a known ticket."""
    tasks = {task.key for task in base.tasks if task.key}
    if draft.title == base.title or any(task.key in tasks for task in draft.tasks):
        return True
    one, other = _below_heading(draft), _below_heading(base)
    # Equal fields alone prove nothing: many tickets have the same type and priority.
    return one == other and any(
        other.get(part) for part in (CorePart.DESCRIPTION, CorePart.CRITERIA)
    )


def _below_heading(ticket: Ticket) -> dict[object, str]:
    return {part: text for part, text in part_texts(ticket).items() if part is not CorePart.TITLE}


def _error(local: LocalTicket, draft: Ticket, problem: str) -> TicketSyntaxError:
    line = local.text.split("\n")[draft.line - local.ticket.line]
    column = line.index(":") + 2 if draft is local.ticket else line.index("-") + 2
    column += len(line[column - 1 :]) - len(line[column - 1 :].lstrip())
    return TicketSyntaxError(local.path, draft.line, column, problem, line)
