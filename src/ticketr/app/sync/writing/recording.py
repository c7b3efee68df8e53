"""What becomes of a ticket that is to be written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ticketr.app.sync.compare.diff import Change
    from ticketr.app.sync.compare.merge import PartMerge
    from ticketr.app.sync.state.undo import TextReplacement
    from ticketr.app.tickets import Ticket


class WriteOutcome(Enum):
    """What became of a ticket that was to be written.

    ``KEPT``: its file must not be changed; the note says why.
    """

    NEW = "new"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    MERGED = "merged"
    KEPT = "kept"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class WriteDecision:
    """What to write of one ticket.

    Attributes:
        outcome: What becomes of the ticket.
        ticket_to_write: The ticket to write; None leaves the file as it is.
        index_in_file: The index of the ticket in the file; None to append it.
        before_if_differs: The ticket in the file, if it differs from the one to write.
        reason: Why the file is kept or in conflict; empty otherwise.
        clashes: What both sides have changed; empty unless it is a conflict.
        copy_path: The file with a copy of the text that is replaced, relative to the workspace; empty
            for none.
        undoable_replacement: What was replaced, where that can be undone.
        merged: The result of a merge, which the file holds then; None without a merge.
        older_values_replaced: The values of earlier syncs that it replaces, by key.
    """

    outcome: WriteOutcome
    ticket_to_write: Ticket | None = None
    index_in_file: int | None = None
    before_if_differs: Ticket | None = None
    reason: str = ""
    clashes: tuple[PartMerge, ...] = ()
    copy_path: str = ""
    undoable_replacement: TextReplacement | None = None
    merged: Ticket | None = None
    older_values_replaced: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)
