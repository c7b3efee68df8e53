"""Finds drafts that are probably tickets which have lost their keys; pure.

To create an issue a second time is worse than to ask. The parser refuses what is nearly a key in
every folder; what is refused here depends on the projects and on the last sync.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.sync.compare.diff import CorePart, part_texts
from ticketr.tickets import TicketSyntaxError, slip_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ticketr.sync.edits.local_changes import LocalChange
    from ticketr.sync.workspace.store import LocalTicket
    from ticketr.tickets import Ticket

_BARE = (
    "this begins like the key of {key}; write [{key}] before the title, or begin the title of a "
    "new ticket with another word"
)
_LOST = (
    "the heading of {key} has lost its key; write [{key}] again, or put this into another file "
    "if it is to be a copy"
)
_TASK_LOST = (
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
    """Find out whether a ticket has a draft that is probably none.

    Args:
        local_change: What is to be pushed of the ticket.
        projects: The keys of the projects that tickets here belong to.
        lost: Tickets of the last sync that stood in the same file and stand in no file now, by key.
        here: The keys that a sub-task may have had and that are accounted for.

    Returns:
        What is wrong with it; None if it is what it seems.
    """
    local = local_change.local
    drafts = (
        local_change.drafts
        if local_change.head is not None
        else (local.ticket, *local_change.drafts)
    )
    for draft in drafts:
        if key := slip_of(draft.title, projects):
            return _error(local, draft, _BARE.format(key=key))
    if local_change.head is None:
        for key, base in lost.items():
            if _is_the_same(local.ticket, base):
                return _error(local, local.ticket, _LOST.format(key=key))
    tasks = local_change.base.tasks if local_change.base is not None else ()
    titles = {task.title: task.key for task in tasks if task.key and task.key not in here}
    for draft in local_change.drafts:
        if key := titles.get(draft.title):
            return _error(local, draft, _TASK_LOST.format(key=key))
    return None


def _is_the_same(draft: Ticket, base: Ticket) -> bool:
    """Tell whether a draft has the title, the whole text or a sub-task of a known ticket."""
    tasks = {task.key for task in base.tasks if task.key}
    if draft.title == base.title or any(task.key in tasks for task in draft.tasks):
        return True
    one, other = _below_heading(draft), _below_heading(base)
    # Fields alone say little: many tickets have the same type and priority.
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
