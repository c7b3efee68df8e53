"""The fields of an issue in the REST interface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.api.kinds import KINDS, custom_type
from jira_sandbox.data.extra_fields import EXTRA_FIELDS

if TYPE_CHECKING:
    from jira_sandbox.data.extra_fields import ExtraField

_CUSTOM_TYPES: Final = {
    "datetime": "com.atlassian.jira.plugin.system.customfieldtypes:datetime",
    "float": "com.atlassian.jira.plugin.system.customfieldtypes:float",
    "sprint": "com.pyxis.greenhopper.jira:gh-sprint",
    "rank": "com.pyxis.greenhopper.jira:gh-lexo-rank",
    "select": "com.atlassian.jira.plugin.system.customfieldtypes:select",
    "text": "com.atlassian.jira.plugin.system.customfieldtypes:textfield",
    "user": "com.atlassian.jira.plugin.system.customfieldtypes:userpicker",
}


@dataclass(frozen=True, slots=True)
class FieldDefinition:
    """A field of the REST interface.

    Attributes:
        id: The field's ID.
        name: The display name.
        type: The type in the schema; None for a field without a schema.
        items: The type of an array's entries.
        custom: Jira's implementation of a custom field, or a key of `_CUSTOM_TYPES`; None for a
            system field.
        clauses: The field's names in JQL; empty if it is not searchable.
        navigable: Whether ``*navigable`` selects the field.
        orderable: Whether queries can sort by the field.
        key: The key, if it differs from the ID.
        own_to: The ID of the team-managed project that the field belongs to.
    """

    id: str
    name: str
    type: str | None
    items: str | None = None
    custom: str | None = None
    clauses: tuple[str, ...] = ()
    navigable: bool = True
    orderable: bool = True
    key: str | None = None
    own_to: int | None = None

    @property
    def schema(self) -> dict[str, Any] | None:
        """The JSON of the schema; None for the few fields without one."""
        if self.type is None:
            return None
        schema: dict[str, Any] = {"type": self.type}
        if self.items is not None:
            schema["items"] = self.items
        if self.custom is None:
            schema["system"] = self.id
        else:
            schema["custom"] = _CUSTOM_TYPES.get(self.custom, self.custom)
            schema["customId"] = int(self.id.removeprefix("customfield_"))
        return schema

    def as_json(self) -> dict[str, Any]:
        """Describe the field as ``GET /field`` does."""
        described: dict[str, Any] = {
            "id": self.id,
            "key": self.key or self.id,
            "name": self.name,
            "custom": self.custom is not None,
            "orderable": self.orderable,
            "navigable": self.navigable,
            "searchable": bool(self.clauses),
            "clauseNames": list(self.clauses),
        }
        if self.schema is not None:
            described["schema"] = self.schema
        if self.own_to is not None:
            described["scope"] = {"type": "PROJECT", "project": {"id": str(self.own_to)}}
        return described


def _custom(
    number: int, name: str, kind: str, custom: str, items: str | None = None
) -> FieldDefinition:
    clauses = (f"cf[{number}]", name)
    return FieldDefinition(f"customfield_{number}", name, kind, items, custom, clauses)


#: The fields of an issue, in the order of responses.
ISSUE_FIELDS: Final = (
    FieldDefinition("summary", "Summary", "string", clauses=("summary",)),
    FieldDefinition("issuetype", "Issue Type", "issuetype", clauses=("issuetype", "type")),
    FieldDefinition("project", "Project", "project", clauses=("project",), orderable=False),
    FieldDefinition("parent", "Parent", "issuelink", clauses=("parent",), orderable=False),
    FieldDefinition("status", "Status", "status", clauses=("status",), orderable=False),
    FieldDefinition(
        "statuscategorychangedate", "Status Category Changed", "datetime", orderable=False
    ),
    FieldDefinition("resolution", "Resolution", "resolution"),
    FieldDefinition("resolutiondate", "Resolved", "datetime", orderable=False),
    FieldDefinition("priority", "Priority", "priority", clauses=("priority",)),
    FieldDefinition("labels", "Labels", "array", "string", clauses=("labels",)),
    FieldDefinition("components", "Components", "array", "component"),
    FieldDefinition("fixVersions", "Fix versions", "array", "version"),
    FieldDefinition("versions", "Affects versions", "array", "version"),
    FieldDefinition("assignee", "Assignee", "user", clauses=("assignee",)),
    FieldDefinition("reporter", "Reporter", "user", clauses=("reporter",)),
    FieldDefinition("creator", "Creator", "user", orderable=False),
    FieldDefinition("created", "Created", "datetime", clauses=("created",), orderable=False),
    FieldDefinition("updated", "Updated", "datetime", clauses=("updated",), orderable=False),
    FieldDefinition("duedate", "Due date", "date"),
    FieldDefinition("lastViewed", "Last Viewed", "datetime", orderable=False),
    FieldDefinition("description", "Description", "string"),
    FieldDefinition("environment", "Environment", "string"),
    FieldDefinition("subtasks", "Sub-tasks", "array", "issuelinks", orderable=False),
    FieldDefinition("issuelinks", "Linked Issues", "array", "issuelinks"),
    FieldDefinition("votes", "Votes", "votes", orderable=False),
    FieldDefinition("watches", "Watchers", "watches", orderable=False),
    FieldDefinition("timeestimate", "Remaining Estimate", "number", orderable=False),
    FieldDefinition("timeoriginalestimate", "Original estimate", "number", orderable=False),
    FieldDefinition("timespent", "Time Spent", "number", orderable=False),
    FieldDefinition("workratio", "Work Ratio", "number", orderable=False),
    FieldDefinition("security", "Security Level", "securitylevel"),
    FieldDefinition("progress", "Progress", "progress", orderable=False),
    FieldDefinition("attachment", "Attachment", "array", "attachment", navigable=False),
    FieldDefinition("comment", "Comment", "comments-page", navigable=False),
    FieldDefinition("timetracking", "Time tracking", "timetracking", navigable=False),
    FieldDefinition("worklog", "Log Work", "array", "worklog", navigable=False),
    _custom(10016, "Story Points", "number", "float"),
    _custom(10019, "Rank", "any", "rank"),
    _custom(10020, "Sprint", "array", "sprint", "json"),
    _custom(10031, "Platform", "option", "select"),
    _custom(10032, "Release Note", "string", "text"),
    _custom(10033, "Reviewer", "user", "user"),
    _custom(10034, "Ready At", "datetime", "datetime"),
)
#: Fields that ``GET /field`` lists but no issue contains.
LISTED_ONLY: Final = (
    FieldDefinition(
        "issuekey", "Key", None, clauses=("id", "issue", "issuekey", "key"), orderable=False
    ),
    FieldDefinition("thumbnail", "Images", None, orderable=False),
)


def _extra(field: ExtraField) -> FieldDefinition:
    kind = KINDS[field.kind]
    number = field.id.removeprefix("customfield_")
    names = [f"cf[{number}]", field.name]
    if field.own_to is not None:
        names.append(f"{field.name}[{_NAMES.get(field.kind, field.kind)}]")
    return FieldDefinition(
        field.id,
        field.name,
        kind.type,
        kind.items,
        custom_type(field.kind),
        tuple(names),
        own_to=field.own_to,
    )


#: The words for the kinds of a team-managed project's fields in JQL.
_NAMES: Final = {
    "datepicker": "Date",
    "datetime": "Time stamp",
    "float": "Number",
    "labels": "Labels",
    "multicheckboxes": "Checkboxes",
    "people": "People",
    "select": "Dropdown",
    "textarea": "Paragraph",
    "textfield": "Short text",
    "url": "URL Field",
    "issuecolor": "Issue color",
}
#: The custom fields that only the projects with fields of every type have.
EXTRA_DEFINITIONS: Final = tuple(_extra(field) for field in EXTRA_FIELDS if not field.is_system)
