"""Finds the outcome of each issue of a written ticket, for the counts. Pure.

A ticket is written as a whole, but issues are counted: an unchanged issue is neither updated nor
merged, whatever the outcome of its parent or its sub-tasks.
"""

from __future__ import annotations

from collections.abc import Mapping

from ticketr.app.sync.compare.diff import by_key, changes, part_texts
from ticketr.app.sync.writing.recording import WriteOutcome
from ticketr.app.tickets import Ticket


def outcome_per_issue(
    written: WriteOutcome, *, base: Ticket | None, before: Ticket, after: Ticket
) -> Mapping[str, WriteOutcome]:
    """Return the outcome of each issue that Jira has, by key.

    Args:
        written: The outcome of the whole ticket.
        base: The ticket at the last sync; None if there was none.
        before: The ticket that was in its file.
        after: The ticket that is there now; in a conflict, Jira's version.
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
        differs = before is None or changes(after, before) or changes(before, after)
        return WriteOutcome.CONFLICT if differs else WriteOutcome.UNCHANGED
    if before is None:
        return WriteOutcome.UPDATED
    if part_texts(before) == part_texts(after):
        return WriteOutcome.UNCHANGED
    if written is WriteOutcome.MERGED and base is not None and not changes(base, before):
        return WriteOutcome.UPDATED
    return written
