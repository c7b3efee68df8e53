"""The issue types of a project, as a push needs them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ticketr.app.jira import Allowed
from ticketr.app.sync.hints import nearest
from ticketr.app.sync.push.values import BadValue, FieldSpec, find_name, shown

if TYPE_CHECKING:
    from ticketr.app.jira import IssueType


@dataclass(frozen=True, slots=True)
class ProjectMetadata:
    """The issue types of a project, with their fields and statuses.

    Attributes:
        types: The project's issue types.
        field_specs: The fields of each issue type, by type ID and by the name of the line.
        story_type: The type of a draft that names none.
        subtask_type: The type of a sub-task draft that names none.
        statuses: The names of the statuses of each issue type, by ID, if they were fetched.
        text_specs: The same as `field_specs` for rich-text fields, by the names of their sections.
    """

    types: tuple[IssueType, ...]
    field_specs: Mapping[str, Mapping[str, FieldSpec]]
    story_type: str = "Task"
    subtask_type: str = "Sub-task"
    statuses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    text_specs: Mapping[str, Mapping[str, FieldSpec]] = field(default_factory=dict)

    def wrong_status(self, type_id: str, status: str | None) -> tuple[str, ...]:
        """Return what is wrong with the status of an issue; nothing if its type is not known."""
        names = self.statuses.get(type_id, ())
        if not status or not names or status.casefold() in {name.casefold() for name in names}:
            return ()
        kind = next(
            (issue_type.name for issue_type in self.types if issue_type.id == type_id), "ticket"
        )
        return (f"Status: {shown(status)} is not a status of a {kind}; {nearest(status, names)}",)

    def type_of(self, name: str | None, *, subtask: bool) -> IssueType:
        """Return the type of a new issue, from the text of its ``Type`` line if there is one.

        Raises:
            BadValue: The project has no such type.
        """
        fitting = [issue_type for issue_type in self.types if issue_type.subtask is subtask]
        wanted = name or (self.subtask_type if subtask else self.story_type)
        allowed = find_name(
            wanted, (Allowed(issue_type.id, issue_type.name) for issue_type in fitting)
        )
        if allowed is None and subtask and not name and fitting:
            return fitting[0]  # sites name their sub-task types freely
        if allowed is None:
            names = [issue_type.name for issue_type in fitting]
            what = "a sub-task type" if subtask else "an issue type"
            raise BadValue(
                f"{shown(wanted)} is not {what} of this project: {nearest(wanted, names)}"
            )
        return next(issue_type for issue_type in fitting if issue_type.id == allowed.id)
