"""Translate the fields of a bulk edit into those of the edit of one issue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ticketr.sandbox.api.records import JsonObject

_OPERATIONS: Final = {"ADD": "add", "REMOVE": "remove"}


def translate_fields(given: JsonObject, selected: set[str]) -> tuple[JsonObject, JsonObject]:
    """Return the ``fields`` and the ``update`` of an edit.

    Args:
        given: The bulk edit's ``editedFieldsInput``.
        selected: The IDs of the fields to change; others are ignored, as in Jira.

    Raises:
        KeyError: An entry lacks a part.
        TypeError: A part has another type.
    """
    fields: JsonObject = {}
    update: JsonObject = {}
    for name, value in given.items():
        entries = value if isinstance(value, list) else [value]
        for entry in entries:
            field = _FIXED.get(name) or entry["fieldId"]
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
    "datePickerFields": lambda entry: (entry.get("date") or {}).get("formattedDate") or None,
    "dateTimePickerFields": lambda entry: entry["dateTime"]["formattedDateTime"] or None,
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
