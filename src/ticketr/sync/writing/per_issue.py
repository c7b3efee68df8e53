"""What became of each issue of a ticket that was written, for the counts. Pure.

A ticket is written as a whole, but every count counts issues: one that was changed on neither side
was neither updated nor merged, whatever became of its parent or its sub-tasks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.sync.compare.diff import by_key, changes, part_texts
from ticketr.sync.writing.decision import WriteOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ticketr.tickets import Ticket


def outcome_per_issue(
    written: WriteOutcome, *, base: Ticket | None, before: Ticket, after: Ticket
) -> Mapping[str, WriteOutcome]:
    """Return what became of each issue.

    Args:
        written: What became of the whole ticket.
        base: The ticket at the last sync; None if there never was one.
        before: The ticket as it stood in its file.
        after: The ticket as it stands there now; in a conflict, as Jira has it.

    Returns:
        The outcome of each issue that Jira has, by key.
    """
    here, old = by_key(before), by_key(base) if base is not None else {}
    return {
        key: _outcome(written, old.get(key), here.get(key), issue)
        for key, issue in by_key(after).items()
    }


def _outcome(
    written: WriteOutcome, base: Ticket | None, before: Ticket | None, after: Ticket
) -> WriteOutcome:
    if written is WriteOutcome.CONFLICT:
        # It is held back with its ticket, whichever side has changed it.
        differs = before is None or changes(after, before) or changes(before, after)
        return WriteOutcome.CONFLICT if differs else WriteOutcome.UNCHANGED
    if before is None:
        return WriteOutcome.UPDATED
    if part_texts(before) == part_texts(after):
        return WriteOutcome.UNCHANGED
    if written is WriteOutcome.MERGED and base is not None and not changes(base, before):
        return WriteOutcome.UPDATED
    return written
