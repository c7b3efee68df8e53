"""The screens: which fields can be set, how values are read, and which are allowed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.api import values
from jira_sandbox.api.kinds import KINDS, choices
from jira_sandbox.api.selection import COMPANY_FIELDS
from jira_sandbox.api.values import ValueContext, ValueReader, list_of, nullable, one_from, one_of
from jira_sandbox.data import catalogue
from jira_sandbox.data.extra_fields import EPIC_LINK, EXTRA_FIELDS
from jira_sandbox.data.kit import KIT

if TYPE_CHECKING:
    from jira_sandbox.data.extra_fields import ExtraField
    from jira_sandbox.data.issue import Issue
    from jira_sandbox.data.model import Component, IssueType, Project, Version

NOT_ON_SCREEN: Final = "Field '{}' cannot be set. It is not on the appropriate screen, or unknown."


def _no_choices(_: ValueContext) -> Sequence[Any]:
    return ()


@dataclass(frozen=True, slots=True)
class WritableField:
    """A field that can be set.

    Attributes:
        field: The field's ID.
        attribute: The attribute of `Issue` that holds the value; empty for one in `Issue.values`.
        read: Reads a value.
        choices: Returns the allowed values, if they are a short list.
        is_list: Whether single entries can be added and removed.
        default: The value of a new issue if none is given, for fields with a default.
        required_for: The names of the issue types that need a value at their creation.
    """

    field: str
    attribute: str
    read: ValueReader
    choices: Callable[[ValueContext], Sequence[Any]] = _no_choices
    is_list: bool = False
    default: Any = None
    required_for: frozenset[str] = frozenset()

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations that ``update`` supports."""
        if self.field == "timetracking":
            return ("set", "edit")
        return ("add", "set", "remove") if self.is_list else ("set",)

    def value(self, issue: Issue | None) -> Any:
        """Return the present value in an issue; an empty list if there is no issue."""
        if issue is None:
            return ()
        if self.attribute:
            return getattr(issue, self.attribute)
        found = issue.values.get(self.field)
        return tuple(found or ()) if self.is_list else found


def _components(context: ValueContext) -> Sequence[Component]:
    return context.site.registry.components(context.project)


def _versions(context: ValueContext) -> Sequence[Version]:
    return context.site.registry.versions(context.project)


_COMPONENTS: Final = list_of(one_from(_components, "Component {} is not valid"))
_VERSIONS: Final = list_of(one_from(_versions, "Version {} is not valid"))
_PRIORITY: Final = one_of(catalogue.PRIORITIES, "The priority selected is invalid.")
_PLATFORM: Final = one_of(catalogue.PLATFORMS, "Option {} is not valid", "value")
_RESOLUTION: Final = one_of(catalogue.RESOLUTIONS, "The resolution selected is invalid.")

_WRITABLE: Final = (
    WritableField("summary", "summary", values.read_summary),
    WritableField("parent", "parent", values.read_parent),
    WritableField(
        "priority",
        "priority",
        _PRIORITY,
        lambda _: catalogue.PRIORITIES,
        default=catalogue.MEDIUM,
    ),
    WritableField("labels", "labels", values.read_labels, is_list=True),
    WritableField("components", "components", _COMPONENTS, _components, is_list=True),
    WritableField("fixVersions", "fix_versions", _VERSIONS, _versions, is_list=True),
    WritableField("assignee", "assignee", values.read_user),
    WritableField("reporter", "reporter", values.read_reporter),
    WritableField("duedate", "due", values.read_date),
    WritableField("description", "description", values.read_document),
    WritableField("customfield_10016", "story_points", values.read_number),
    WritableField("customfield_10020", "sprints", values.read_sprint),
    WritableField(
        "customfield_10031", "platform", nullable(_PLATFORM), lambda _: catalogue.PLATFORMS
    ),
    WritableField("customfield_10032", "release_note", values.read_line),
    WritableField("customfield_10033", "reviewer", values.read_user),
    WritableField("customfield_10034", "ready", values.read_datetime),
)
_TIME_TRACKING: Final = WritableField("timetracking", "timetracking", values.read_time_tracking)
#: Epics, story points and sprints, which only standard issues have.
_PLANNED: Final = frozenset(
    ("customfield_10014", "customfield_10016", "customfield_10020", "customfield_10028")
)

TRANSITION_SCREEN: Final[Mapping[str, WritableField]] = {
    "resolution": WritableField(
        "resolution",
        "resolution",
        _RESOLUTION,
        lambda _: catalogue.RESOLUTIONS,
        default=catalogue.RESOLUTIONS[0],
    ),
    "assignee": WritableField("assignee", "assignee", values.read_user),
}


def _extra(field: ExtraField) -> WritableField:
    kind = KINDS[field.kind]
    return WritableField(
        field.id,
        "parent" if field.kind == EPIC_LINK else "",
        lambda context, value: kind.read(context, field, value),
        lambda context: choices(field, context),
        is_list=kind.is_list,
        required_for=field.required_for,
    )


_EXTRA: Final = {field.id: _extra(field) for field in EXTRA_FIELDS}


def screen(project: Project, kind: IssueType, action: str) -> dict[str, WritableField]:
    """Return the fields on a screen, by ID.

    Args:
        project: The project.
        kind: The issue type.
        action: ``create`` or ``edit``.
    """
    company = () if project.team_managed else COMPANY_FIELDS
    fields = [
        *(
            field
            for field in _WRITABLE
            if field.field in company or field.field not in COMPANY_FIELDS
        ),
        *((_TIME_TRACKING,) if project.id == KIT.id else ()),
        *(
            _EXTRA[field.id]
            for field in EXTRA_FIELDS
            if project.id in field.projects and action in field.screens
        ),
    ]
    return {
        writable.field: writable
        for writable in fields
        if not (writable.field in _PLANNED and kind.level != 0)
        and not (writable.field == "parent" and kind.level > 0)
    }
