"""The workflow of every issue: which step leads where, and from where.

It goes forward one status at a time, so a client that wants to jump from "To Do" to "Done"
is told that it cannot. The names of the steps are not those of the statuses, as in Jira
they need not be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ticketr.sandbox.data.catalogue import DONE, IN_PROGRESS, IN_REVIEW, TO_DO

if TYPE_CHECKING:
    from ticketr.sandbox.data.model import Status


@dataclass(frozen=True, slots=True)
class Transition:
    """A step of the workflow; one with a screen takes a resolution."""

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
    """List the steps that can be taken from a status."""
    return tuple(step for step in WORKFLOW if step.source.id == status.id)


def statuses() -> tuple[Status, ...]:
    """List the statuses that an issue can have, in the order of the workflow."""
    return tuple({step.source.id: step.source for step in WORKFLOW}.values())
