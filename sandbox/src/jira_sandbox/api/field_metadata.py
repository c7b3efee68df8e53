"""Field metadata: which fields a screen has, and which values each accepts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.api.fields import EXTRA_DEFINITIONS, ISSUE_FIELDS
from jira_sandbox.api.kinds import KINDS
from jira_sandbox.api.screens import WritableField, screen
from jira_sandbox.api.values import ValueContext
from jira_sandbox.data import model
from jira_sandbox.data.extra_fields import BY_ID as EXTRA
from jira_sandbox.data.kit import types_of

if TYPE_CHECKING:
    from jira_sandbox.api.records import JsonObject, Records
    from jira_sandbox.data.issue import Issue
    from jira_sandbox.data.site import Site

_USER_FIELDS: Final = frozenset(("assignee", "reporter", "customfield_10033"))
_DEFINITIONS: Final = {field.id: field for field in (*ISSUE_FIELDS, *EXTRA_DEFINITIONS)}
#: Fields that every edit screen has, with the operations that they support.
_ON_EVERY: Final = {
    "comment": ("add", "edit", "remove"),
    "issuelinks": ("add", "copy"),
    "attachment": ("set", "copy"),
}


class FieldDescriber:
    """Describes the fields of a project's screens."""

    def __init__(self, records: Records, site: Site, project: model.Project) -> None:
        self._records = records
        self._site = site
        self._project = project
        self._make: dict[type, Callable[[Any], JsonObject]] = {
            model.Component: records.component,
            model.IssueType: records.issue_type,
            model.Option: records.option_tree,
            model.Priority: records.priority,
            model.Project: records.project,
            model.Resolution: records.resolution,
            model.SecurityLevel: records.security_level,
            model.Version: records.version,
        }

    def create_screen(self, kind: model.IssueType) -> list[JsonObject]:
        """Describe the fields with which an issue of a type can be created."""
        fixed = (("issuetype", kind), ("project", self._project))
        return [
            self._with_id(
                {
                    **self._describe_definition(name),
                    "required": True,
                    "allowedValues": [self._describe_choice(only)],
                }
            )
            for name, only in fixed
        ] + [
            self._with_id(
                {
                    **self.field(writable, kind),
                    "required": name in {"summary", "reporter"}
                    or kind.name in writable.required_for
                    or (name == "parent" and kind.subtask),
                }
            )
            for name, writable in screen(self._project, kind, "create").items()
        ]

    def edit_screen(self, issue: Issue) -> dict[str, JsonObject]:
        """Describe the fields with which an issue can be edited, by ID."""
        types = [kind for kind in types_of(issue.project) if kind.level == issue.type.level]
        fields = {
            "issuetype": {
                **self._describe_definition("issuetype"),
                "required": True,
                "operations": [],
                "allowedValues": [self._describe_choice(kind) for kind in types],
            }
        }
        for name, writable in screen(issue.project, issue.type, "edit").items():
            fields[name] = {
                **self.field(writable, issue.type),
                "required": name in {"summary", "reporter"},
            }
        for name, operations in _ON_EVERY.items():
            fields[name] = {**self._describe_definition(name), "operations": list(operations)}
        return fields

    def field(self, writable: WritableField, kind: model.IssueType) -> JsonObject:
        """Describe one field."""
        described = {
            **self._describe_definition(writable.field),
            "operations": list(writable.operations),
        }
        context = ValueContext(self._site, "3", self._project, kind, None)
        allowed = writable.choices(context)
        if allowed:
            described["allowedValues"] = [self._describe_choice(thing) for thing in allowed]
        if writable.default is not None:
            described |= {
                "hasDefaultValue": True,
                "defaultValue": self._describe_choice(writable.default),
            }
        if writable.field == "reporter":
            described["hasDefaultValue"] = True
        if self._holds_users(writable.field):
            described["autoCompleteUrl"] = (
                f"{self._records.api}/user/assignable/search?project={self._project.key}&query="
            )
        return described

    @staticmethod
    def _holds_users(field: str) -> bool:
        if field in _USER_FIELDS:
            return True
        extra = EXTRA.get(field)
        return extra is not None and "user" in {KINDS[extra.kind].type, KINDS[extra.kind].items}

    def _describe_definition(self, name: str) -> JsonObject:
        spec = _DEFINITIONS[name]
        return {
            "key": spec.key or spec.id,
            "name": spec.name,
            "required": False,
            "hasDefaultValue": False,
            "operations": ["set"],
            "schema": spec.schema,
        }

    @staticmethod
    def _with_id(described: JsonObject) -> JsonObject:
        return {**described, "fieldId": described["key"]}

    def _describe_choice(self, thing: Any) -> JsonObject:
        return self._make[type(thing)](thing)
