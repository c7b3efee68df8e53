"""The workflow of every issue.

It goes forward one status at a time: no transition leads from "To Do" to "Done". Transitions
and statuses have different names, as they may have in Jira.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ticketr.sandbox.data.catalogue import DONE, IN_PROGRESS, IN_REVIEW, TO_DO

if TYPE_CHECKING:
    from ticketr.sandbox.data.model import Status


@dataclass(frozen=True, slots=True)
class Transition:
    """A transition of the workflow; one with a screen takes a resolution."""

    id: int
    name: str
    source: Status
    to: Status
    has_screen: bool = False


WORKFLOW: Final = (
    Transition(11, "Start work", TO_DO, IN_PROGRESS),
    Transition(21, "Ask for review", IN_PROGRESS, IN_REVIEW),
    Transition(31, "Approve", IN_REVIEW, DONE, has_screen=True),
    Transition(41, "Stop work", IN_PROGRESS, TO_DO),
    Transition(51, "Ask for changes", IN_REVIEW, IN_PROGRESS),
    Transition(61, "Reopen", DONE, IN_PROGRESS),
)


def transitions_from(status: Status) -> tuple[Transition, ...]:
    """Return the transitions that leave a status."""
    return tuple(transition for transition in WORKFLOW if transition.source.id == status.id)


def statuses() -> tuple[Status, ...]:
    """Return the statuses of the workflow in its order."""
    return tuple({each.source.id: each.source for each in WORKFLOW}.values())
