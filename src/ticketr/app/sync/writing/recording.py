"""Records in the state that a ticket was written, and what of it can be undone."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ticketr.app.sync.state.undo import UndoKind, UndoStep

if TYPE_CHECKING:
    from ticketr.app.jira import Issue
    from ticketr.app.sync.state.state import Base, IssueRow, State
    from ticketr.app.tickets import TicketFile


@dataclass(frozen=True, slots=True)
class Replacement:
    """The text of a ticket that was replaced in its file.

    Attributes:
        start: The offset of the ticket in the file.
        before: Its text before.
        after: Its text afterwards; it may be the same.
        digest: The digest of the whole file afterwards.
        aside: The file with a copy of the text before, relative to the workspace; empty for none.
    """

    start: int
    before: str
    after: str
    digest: str
    aside: str

    @classmethod
    def at(
        cls, index: int, before: TicketFile, after: TicketFile, *, digest: str, aside: str
    ) -> Replacement:
        """Return what was replaced of one ticket.

        Args:
            index: The index of the ticket in the file.
            before: The file before.
            after: The file afterwards.
            digest: The digest of its text.
            aside: The file with a copy of the ticket's text before.
        """
        old, new = before.spans[index], after.spans[index]
        return cls(
            new.start,
            before.text[old.start : old.end],
            after.text[new.start : new.end],
            digest,
            aside,
        )


def record_written(
    state: State,
    head: Issue,
    base: Base,
    rows: Sequence[IssueRow],
    *,
    seen: float,
    kind: UndoKind,
    replacement: Replacement | None,
) -> None:
    """Record that a ticket was written, inside a transaction.

    Args:
        state: The state of the workspace.
        head: The head of the ticket, as Jira has it.
        base: Where it is and what Jira has.
        rows: Its issues.
        seen: When they were true, by Jira's clock.
        kind: What has written it.
        replacement: What was replaced, if that can be undone.
    """
    stored = state.undo.stored(head.id) if replacement is not None else ""
    state.record(head.id, base, rows, seen=seen)
    state.sent.forget(head.id)
    state.comments.settle(row.issue for row in rows)
    if replacement is not None:
        step = UndoStep(
            kind,
            time.time(),
            head.key,
            head.id,
            base.path,
            replacement.start,
            replacement.before,
            replacement.after,
            replacement.digest,
            replacement.aside,
            stored,
            state.undo.digest(head.id),
        )
        state.undo.add(step)
