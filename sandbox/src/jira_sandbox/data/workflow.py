"""The workflows.

That of company-managed projects goes forward one status at a time: no transition leads from
"To Do" to "Done". Transitions and statuses have different names, as they may have in Jira. In
a team-managed project a transition leads to each status from any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jira_sandbox.data.catalogue import DONE, IN_PROGRESS, IN_REVIEW, TO_DO
from jira_sandbox.data.kit import TEAM_DOING, TEAM_DONE, TEAM_TO_DO

if TYPE_CHECKING:
    from jira_sandbox.data.issue import Issue
    from jira_sandbox.data.model import Project, Status


@dataclass(frozen=True, slots=True)
class Transition:
    """A transition of a workflow; one with a screen takes a resolution.

    Attributes:
        source: The status that it leaves; None for a global transition, which leaves any.
    """

    id: int
    name: str
    source: Status | None
    to: Status
    has_screen: bool = False

    def leaves(self, status: Status) -> bool:
        """Return whether the transition is possible in a status."""
        return self.source is None or self.source.id == status.id


WORKFLOW: Final = (
    Transition(11, "Start work", TO_DO, IN_PROGRESS),
    Transition(21, "Ask for review", IN_PROGRESS, IN_REVIEW),
    Transition(31, "Approve", IN_REVIEW, DONE, has_screen=True),
    Transition(41, "Stop work", IN_PROGRESS, TO_DO),
    Transition(51, "Ask for changes", IN_REVIEW, IN_PROGRESS),
    Transition(61, "Reopen", DONE, IN_PROGRESS),
)
TEAM_WORKFLOW: Final = (
    Transition(11, "To Do", None, TEAM_TO_DO),
    Transition(21, "In Progress", None, TEAM_DOING),
    Transition(31, "Done", None, TEAM_DONE),
)


def workflow_of(project: Project) -> tuple[Transition, ...]:
    """Return the workflow of a project."""
    return TEAM_WORKFLOW if project.team_managed else WORKFLOW


def transitions_from(issue: Issue) -> tuple[Transition, ...]:
    """Return the transitions that are possible for an issue."""
    return tuple(each for each in workflow_of(issue.project) if each.leaves(issue.status))


def statuses(project: Project) -> tuple[Status, ...]:
    """Return the statuses of a project's workflow in its order; the first is that of new issues."""
    steps = workflow_of(project)
    return tuple({(each.source or each.to).id: each.source or each.to for each in steps}.values())
