"""Translate the fields of a bulk edit into those of the edit of one issue."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.api.fields import EXTRA_DEFINITIONS, ISSUE_FIELDS
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from jira_sandbox.api.records import JsonObject

_OPERATIONS: Final = {"ADD": "add", "REMOVE": "remove"}


def translate_fields(given: JsonObject, selected: set[str]) -> tuple[JsonObject, JsonObject]:
    """Return the ``fields`` and the ``update`` of an edit.

    Args:
        given: The bulk edit's ``editedFieldsInput``.
        selected: The IDs of the fields to change; others are ignored, as in Jira.

    Raises:
        RequestRefused: A field is in the group of another kind of field, or an entry has a part
            that Atlassian's document does not name.
        KeyError: An entry lacks a part.
        TypeError: A part has another type.
    """
    fields: JsonObject = {}
    update: JsonObject = {}
    for name, value in given.items():
        entries = value if isinstance(value, list) else [value]
        for entry in entries:
            field = _FIXED.get(name) or entry["fieldId"]
            _check(name, field, entry)
            if field not in selected:
                continue
            if name in _LISTS:
                key, read = _LISTS[name]
                named = [read(part) for part in entry[key]]
                option = entry["bulkEditMultiSelectFieldOption"]
                if option in _OPERATIONS:
                    update[field] = [{_OPERATIONS[option]: part} for part in named]
                else:
                    fields[field] = named if option == "REPLACE" else []
            elif field == "timetracking":
                fields.setdefault(field, {}).update(_READERS[name](entry))
            else:
                fields[field] = _READERS[name](entry)
    return fields, update


def _check(group: str, field: str, entry: JsonObject) -> None:
    """Refuse an entry with other parts than the group's, or of a field that belongs elsewhere."""
    if other := entry.keys() - _PARTS[group].split() - {"fieldId"}:
        raise RequestRefused(400, f"'{group}' has no part {sorted(other)}.")
    schema = _SCHEMAS.get(field) or {}
    if group not in _FIXED and _group_of(field, schema) != group:
        raise RequestRefused(400, f"The field '{field}' cannot be edited by '{group}'.")


def _group_of(field: str, schema: JsonObject) -> str | None:
    """Return the group that holds a field, by the schema that the site describes it with."""
    custom = schema.get("custom", "").rpartition(":")[2]
    if custom == "textarea" or field in {"description", "environment"}:
        return "richTextFields"
    if custom in _GROUPS_OF_CUSTOM:
        return _GROUPS_OF_CUSTOM[custom]
    kind = schema.get("type", "")
    return _GROUPS.get(f"{kind} of {schema['items']}" if "items" in schema else kind)


def _day(text: str | None) -> str | None:
    """Read a date as the document names it, ``d/mmm/yy`` or ``dd-mm-yyyy``; both are not ISO 8601."""
    if not text:
        return None
    form = "%d-%m-%Y" if re.fullmatch(r"\d\d-\d\d-\d{4}", text) else "%d/%b/%y"
    try:
        return datetime.strptime(text, form).date().isoformat()  # noqa: DTZ007 - a date
    except ValueError:
        raise RequestRefused(400, f"'{text[:50]}' is not a date like 31-01-2026.") from None


def _moment(text: str | None) -> str | None:
    """Read a moment by ISO 8601, and write it as the edit of one issue takes it."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RequestRefused(400, f"'{text[:50]}' is not a moment by ISO 8601.") from None
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}{moment:%z}"


def _color(name: str) -> str | None:
    return name.replace(" ", "_") or None


def _option(value: Any) -> JsonObject | None:
    if not value or value.get("optionId") in (None, -1):
        return None
    return {"id": str(value["optionId"])}


def _cascade(entry: JsonObject) -> JsonObject | None:
    parent, child = _option(entry["parentOptionValue"]), _option(entry.get("childOptionValue"))
    return parent if parent is None or child is None else {**parent, "child": child}


def _user(value: Any) -> JsonObject | None:
    return {"accountId": value["accountId"]} if value and value.get("accountId") else None


def _group(value: Any) -> JsonObject | None:
    return {"name": value["groupName"]} if value["groupName"] else None


def _version(value: Any) -> JsonObject | None:
    number = value.get("versionId") if value else None
    return {"id": number} if number not in {None, "", "-1"} else None


#: The fields whose entries do not state an ID.
_FIXED: Final = {
    "issueType": "issuetype",
    "multiselectComponents": "components",
    "originalEstimateField": "timetracking",
    "priority": "priority",
    "timeTrackingField": "timetracking",
}
#: The fields that are changed by adding, removing or replacing: the key, and an entry's reader.
_LISTS: Final[Mapping[str, tuple[str, Callable[[Any], Any]]]] = {
    "labelsFields": ("labels", lambda label: label["name"]),
    "multipleVersionPickerFields": ("versions", _version),
    "multiselectComponents": ("components", lambda part: {"id": str(part["componentId"])}),
}
_READERS: Final[Mapping[str, Callable[[JsonObject], Any]]] = {
    "cascadingSelectFields": _cascade,
    "clearableNumberFields": lambda entry: entry.get("value"),
    "colorFields": lambda entry: _color(entry["color"]["name"]),
    "datePickerFields": lambda entry: (
        _day(entry["date"]["formattedDate"]) if "date" in entry else None
    ),
    "dateTimePickerFields": lambda entry: _moment(entry["dateTime"]["formattedDateTime"]),
    "issueType": lambda entry: {"id": entry["issueTypeId"]},
    "multipleGroupPickerFields": lambda entry: [
        {"name": group["groupName"]} for group in entry["groups"]
    ],
    "multipleSelectClearableUserPickerFields": lambda entry: [
        _user(user) for user in entry.get("users") or ()
    ],
    "multipleSelectFields": lambda entry: [_option(option) for option in entry["options"]],
    "originalEstimateField": lambda entry: {"originalEstimate": entry["originalEstimateField"]},
    "priority": lambda entry: {"id": entry["priorityId"]},
    "richTextFields": lambda entry: entry["richText"].get("adfValue"),
    "singleGroupPickerFields": lambda entry: _group(entry["group"]),
    "singleLineTextFields": lambda entry: entry["text"],
    "singleSelectClearableUserPickerFields": lambda entry: _user(entry.get("user")),
    "singleSelectFields": lambda entry: _option(entry["option"]),
    "singleVersionPickerFields": lambda entry: _version(entry["version"]),
    "timeTrackingField": lambda entry: {"remainingEstimate": entry["timeRemaining"]},
    "urlFields": lambda entry: entry["url"] or None,
}
_SCHEMAS: Final = {field.id: field.schema for field in (*ISSUE_FIELDS, *EXTRA_DEFINITIONS)}
#: By a group, what its entries have besides the ID of the field, in Atlassian's document.
_PARTS: Final = {
    "cascadingSelectFields": "parentOptionValue childOptionValue",
    "clearableNumberFields": "value",
    "colorFields": "color",
    "datePickerFields": "date",
    "dateTimePickerFields": "dateTime",
    "issueType": "issueTypeId",
    "labelsFields": "bulkEditMultiSelectFieldOption labels labelProperties",
    "multipleGroupPickerFields": "groups",
    "multipleSelectClearableUserPickerFields": "users",
    "multipleSelectFields": "options",
    "multipleVersionPickerFields": "bulkEditMultiSelectFieldOption versions",
    "multiselectComponents": "bulkEditMultiSelectFieldOption components",
    "originalEstimateField": "originalEstimateField",
    "priority": "priorityId",
    "richTextFields": "richText",
    "singleGroupPickerFields": "group",
    "singleLineTextFields": "text",
    "singleSelectClearableUserPickerFields": "user",
    "singleSelectFields": "option",
    "singleVersionPickerFields": "version",
    "timeTrackingField": "timeRemaining",
    "urlFields": "url",
}
#: The groups, by the type in a field's schema.
_GROUPS: Final = {
    "array of group": "multipleGroupPickerFields",
    "array of option": "multipleSelectFields",
    "array of string": "labelsFields",
    "array of user": "multipleSelectClearableUserPickerFields",
    "array of version": "multipleVersionPickerFields",
    "date": "datePickerFields",
    "datetime": "dateTimePickerFields",
    "group": "singleGroupPickerFields",
    "number": "clearableNumberFields",
    "option": "singleSelectFields",
    "option-with-child": "cascadingSelectFields",
    "string": "singleLineTextFields",
    "user": "singleSelectClearableUserPickerFields",
    "version": "singleVersionPickerFields",
}
#: The groups of fields whose type does not tell, by their kind.
_GROUPS_OF_CUSTOM: Final = {"jsw-issue-color": "colorFields", "url": "urlFields"}
