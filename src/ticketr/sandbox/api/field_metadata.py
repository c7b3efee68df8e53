"""Field metadata: which fields a screen has, and which values each accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ticketr.sandbox.api.fields import spec_of
from ticketr.sandbox.api.screens import WritableField, screen
from ticketr.sandbox.data import model

if TYPE_CHECKING:
    from collections.abc import Callable

    from ticketr.sandbox.api.records import JsonObject, Records
    from ticketr.sandbox.data.site import Site

_USER_FIELDS: Final = frozenset(("assignee", "reporter", "customfield_10033"))


class FieldDescriber:
    """Describes the fields of a project's screens."""

    def __init__(self, records: Records, site: Site, project: model.Project) -> None:
        self._records = records
        self._site = site
        self._project = project
        self._make: dict[type, Callable[[Any], JsonObject]] = {
            model.Component: records.component,
            model.IssueType: records.issue_type,
            model.Option: records.option,
            model.Priority: records.priority,
            model.Project: records.project,
            model.Resolution: records.resolution,
            model.Version: records.version,
        }

    def create_screen(self, kind: model.IssueType) -> list[JsonObject]:
        """Describe the fields with which an issue of a type can be created."""
        fixed = (("issuetype", kind), ("project", self._project))
        return [
            self._with_id(
                {**self._base(name), "required": True, "allowedValues": [self._json(only)]}
            )
            for name, only in fixed
        ] + [
            self._with_id(
                {
                    **self.field(writable),
                    "required": name in {"summary", "reporter"}
                    or (name == "parent" and kind.subtask),
                }
            )
            for name, writable in screen(kind).items()
        ]

    def field(self, writable: WritableField) -> JsonObject:
        """Describe one field."""
        described = {**self._base(writable.field), "operations": list(writable.operations)}
        if writable.allowed:
            described["allowedValues"] = [self._json(thing) for thing in writable.allowed]
        if writable.default is not None:
            described |= {"hasDefaultValue": True, "defaultValue": self._json(writable.default)}
        if writable.field == "reporter":
            described["hasDefaultValue"] = True
        if writable.field in _USER_FIELDS:
            described["autoCompleteUrl"] = (
                f"{self._records.api}/user/assignable/search?project={self._project.key}&query="
            )
        return described

    def _base(self, name: str) -> JsonObject:
        spec = spec_of(name)
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

    def _json(self, thing: Any) -> JsonObject:
        return self._make[type(thing)](thing)
