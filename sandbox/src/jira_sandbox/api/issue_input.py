"""Read the body of a write into the values of an issue, or report all its errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.api.actions import Actions, read_actions
from jira_sandbox.api.entity_properties import read_properties
from jira_sandbox.api.input_errors import InvalidDocument, InvalidInput, InvalidValue
from jira_sandbox.api.payload import INVALID
from jira_sandbox.api.screens import NOT_ON_SCREEN, WritableField, screen
from jira_sandbox.api.values import ValueContext, one_from
from jira_sandbox.data import catalogue
from jira_sandbox.data.kit import types_of
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from jira_sandbox.api.records import JsonObject
    from jira_sandbox.data.issue import Issue
    from jira_sandbox.data.model import IssueType, Project
    from jira_sandbox.data.site import Site

_NO_CHANGES: Final = "one of 'fields' or 'update' required"
_NO_PROJECT: Final = "Specify a valid project ID or key"
_NO_TYPE: Final = "Specify a valid issue type"
_WRONG_TYPE: Final = "The issue type selected is invalid."
_REQUIRED: Final = "{} is required."
_read_type = one_from(lambda context: types_of(context.project), _WRONG_TYPE)


def read_create(site: Site, version: str, body: JsonObject) -> tuple[dict[str, Any], Actions]:
    """Read the body of a request that creates an issue.

    Returns:
        The arguments of `Site.create`, and what to do afterwards.

    Raises:
        InvalidInput: Jira would refuse the request.
    """
    fields, update = _parts(body)
    if not fields and not update:
        raise InvalidInput({}, [_NO_CHANGES])
    project, kind = _project_and_type(site, version, fields)
    context = ValueContext(site, version, project, kind, None)
    actions, update = read_actions(context, update)
    rest = {name: value for name, value in fields.items() if name not in {"project", "issuetype"}}
    if not _mentions(rest, update, "summary"):
        rest["summary"] = None
    if kind.subtask and not _mentions(rest, update, "parent"):
        rest["parent"] = None
    on_screen = screen(project, kind, "create")
    for name, field in on_screen.items():
        if kind.name in field.required_for and not _mentions(rest, update, name):
            rest[name] = None
    values = _read_fields(context, rest, update, on_screen)
    values["properties"] = read_properties(body)
    return {**values, "project": project, "type": kind}, actions


def read_edit(
    site: Site, version: str, issue: Issue, body: JsonObject
) -> tuple[dict[str, Any], Actions]:
    """Read the body of a request that edits an issue.

    Returns:
        The arguments of `Site.edit`, and what to do afterwards.

    Raises:
        InvalidInput: Jira would refuse the request.
    """
    fields, update = _parts(body)
    properties = read_properties(body)
    if not fields and not update and not properties:
        raise InvalidInput({}, [_NO_CHANGES])
    context = ValueContext(site, version, issue.project, issue.type, issue)
    actions, update = read_actions(context, update)
    values: dict[str, Any] = {}
    if "issuetype" in fields:
        kind = _new_type(context, fields["issuetype"])
        context = replace(context, type=kind)
        fields = {name: value for name, value in fields.items() if name != "issuetype"}
        values["type"] = kind
    values |= _read_fields(context, fields, update, screen(issue.project, context.type, "edit"))
    if properties:
        values["properties"] = {**issue.properties, **properties}
    return values, actions


def read_transition(
    site: Site, version: str, issue: Issue, body: JsonObject, on_screen: Mapping[str, WritableField]
) -> tuple[dict[str, Any], Actions]:
    """Read the fields in the body of a request for a transition.

    Returns:
        The arguments of `Site.transition` except the status, and what to do afterwards.

    Raises:
        InvalidInput: Jira would refuse the request.
    """
    fields, update = _parts(body)
    context = ValueContext(site, version, issue.project, issue.type, issue)
    actions, update = read_actions(context, update)
    values = _read_fields(context, fields, update, on_screen)
    if properties := read_properties(body):
        values["properties"] = {**issue.properties, **properties}
    return values, actions


def _parts(body: JsonObject) -> tuple[JsonObject, JsonObject]:
    fields, update = body.get("fields") or {}, body.get("update") or {}
    if not isinstance(fields, dict) or not isinstance(update, dict):
        raise RequestRefused(400, INVALID)
    if twice := fields.keys() & update.keys():
        raise InvalidInput(
            {name: f"Field '{name}' is in both 'fields' and 'update'." for name in sorted(twice)}
        )
    return fields, update


def _mentions(fields: JsonObject, update: JsonObject, name: str) -> bool:
    return name in fields or name in update


def _project_and_type(site: Site, version: str, fields: JsonObject) -> tuple[Project, IssueType]:
    errors: dict[str, str] = {}
    project = _find_project(site, fields.get("project"))
    if project is None:
        errors["project"] = _NO_PROJECT
    kind = None
    given = fields.get("issuetype")
    if not isinstance(given, dict) or not given:
        errors["issuetype"] = _NO_TYPE
    else:
        try:
            kind = _read_type(
                ValueContext(site, version, project or site.projects[0], catalogue.TASK, None),
                given,
            )
        except InvalidValue:
            errors["issuetype"] = _NO_TYPE
    if project is None or kind is None:
        raise InvalidInput(errors)
    return project, kind


def _find_project(site: Site, value: Any) -> Project | None:
    name = (value.get("id") or value.get("key")) if isinstance(value, dict) else None
    return site.project(str(name)) if isinstance(name, (str, int)) else None


def _new_type(context: ValueContext, value: Any) -> IssueType:
    """Read an issue's new type, which must be on the same level as the old one."""
    try:
        kind: IssueType = _read_type(context, value)
    except InvalidValue:
        raise InvalidInput({"issuetype": _NO_TYPE}) from None
    if kind.level != context.type.level:
        raise InvalidInput({"issuetype": _WRONG_TYPE})
    return kind


def _read_fields(
    context: ValueContext,
    fields: JsonObject,
    update: JsonObject,
    on_screen: Mapping[str, WritableField],
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    errors: dict[str, str] = {}
    messages: list[str] = []
    for name in (*fields, *update):
        writable = on_screen.get(name)
        if writable is None:
            errors[name] = NOT_ON_SCREEN.format(name)
            continue
        try:
            value = _new_value(context, writable, fields, update)
            if name == "timetracking":
                values |= value
            elif writable.attribute:
                values[writable.attribute] = value
            else:
                extra[name] = value
        except InvalidValue as error:
            errors[error.field or name] = error.text
        except InvalidDocument:
            messages.append("INVALID_INPUT")
    if errors or messages:
        raise InvalidInput(errors, messages)
    if extra:
        known = {} if context.issue is None else context.issue.values
        values["values"] = {
            name: value for name, value in {**known, **extra}.items() if value is not None
        }
    return values


def _new_value(
    context: ValueContext, writable: WritableField, fields: JsonObject, update: JsonObject
) -> Any:
    name = writable.field
    if name in fields:
        value = writable.read(context, fields[name])
    else:
        value = _updated(context, writable, update[name])
        if not writable.attribute and isinstance(value, tuple):
            value = list(value) or None
    if value is None and context.issue is None and context.type.name in writable.required_for:
        raise InvalidValue(_REQUIRED.format(name))
    return value


def _updated(context: ValueContext, writable: WritableField, operations: Any) -> Any:
    """Apply the operations of an update to a field's value, one after another."""
    if not isinstance(operations, list) or not operations:
        raise InvalidValue("The operations of an update are a list of objects.")
    if writable.field == "timetracking":
        return _estimates(context, writable, operations)
    value = writable.value(context.issue)
    for operation in operations:
        if not isinstance(operation, dict) or len(operation) != 1:
            raise InvalidValue("An operation is an object with one key.")
        ((verb, operand),) = operation.items()
        if verb not in writable.operations:
            raise InvalidValue(f"Field '{writable.field}' does not support update '{verb}'")
        if verb == "set":
            value = writable.read(context, operand)
            continue
        named = writable.read(context, [operand]) or ()
        others = tuple(entry for entry in value if entry not in named)
        value = others if verb == "remove" else _in_order((*others, *named))
    return value


def _estimates(context: ValueContext, writable: WritableField, operations: list[Any]) -> Any:
    """Apply the operations of an update to the estimates."""
    changes: dict[str, Any] = {}
    for operation in operations:
        for verb, operand in operation.items() if isinstance(operation, dict) else ():
            if verb not in writable.operations:
                raise InvalidValue(f"Field 'timetracking' does not support update '{verb}'")
            changes |= writable.read(context, operand)
    return changes


def _in_order(entries: tuple[Any, ...]) -> tuple[Any, ...]:
    """Sort labels by name and other entries by ID, the same order as when they are set."""
    return tuple(sorted(entries, key=lambda entry: getattr(entry, "id", entry)))
