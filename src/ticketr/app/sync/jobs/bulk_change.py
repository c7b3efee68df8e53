"""What a bulk change does, and to which issues; values in the form of Jira's bulk edit. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from ticketr.app.config.checks import folded
from ticketr.app.sync.compare.diff import Part, RichTextPart
from ticketr.app.sync.compare.times import ESTIMATE_KEY_BY_ID
from ticketr.app.sync.file_edits import FieldSetting, ListAction
from ticketr.app.sync.push.rich_text import checked_document_of_text
from ticketr.app.sync.push.values import BadValue, FieldSpec, NameLookup, jira_value


@dataclass(frozen=True, slots=True)
class BulkChange:
    """A change of many issues; one of the attributes is not empty.

    Attributes:
        settings: New values of fields.
        status: The name of the new status.
        parent_key: The key of the new parent.
        delete: Whether the issues are deleted, with their sub-tasks.
    """

    settings: tuple[FieldSetting, ...] = ()
    status: str = ""
    parent_key: str = ""
    delete: bool = False

    @property
    def words_after_already(self) -> str:
        """How an issue is that needs no change, after "already"; empty if that is not known."""
        if self.delete:
            return "deleted"
        if self.status:
            return self.status
        return f"under {self.parent_key}" if self.parent_key else ""

    @property
    def participle(self) -> str:
        """What issues are afterwards, as the verb of a message."""
        return "deleted" if self.delete else "changed"

    def __str__(self) -> str:
        if self.delete:
            return "delete"
        if self.status:
            return f"move to the status {self.status}"
        if self.parent_key:
            return f"move under {self.parent_key}"
        return "set " + ", ".join(map(str, self.settings))


@dataclass(frozen=True, slots=True)
class BulkIssue:
    """An issue that is to be changed.

    Attributes:
        id: Its ID.
        key: Its key.
        title: Its title.
        status: The name of its status.
        type_id: The ID of its type.
        subtask_ids: The IDs of its sub-tasks.
        parent_key: The key of its parent; empty if it has none.
    """

    id: str
    key: str
    title: str
    status: str
    type_id: str
    subtask_ids: tuple[str, ...] = ()
    parent_key: str = ""

    @property
    def project_key(self) -> str:
        """The key of its project."""
        return self.key.rpartition("-")[0]


#: For a list that can be added to: the name in a bulk edit, the key of its entries, and an entry.
_EXTENDABLE_LIST_BY_ITEM_TYPE: Mapping[str, tuple[str, str, Callable[[Any], dict[str, object]]]] = {
    "string": ("labelsFields", "labels", lambda label: {"name": label}),
    "component": (
        "multiselectComponents",
        "components",
        lambda value: {"componentId": int(_option_id(value))},
    ),
    "version": ("multipleVersionPickerFields", "versions", lambda v: {"versionId": _option_id(v)}),
}
#: For other fields, by the kind of value: the name in a bulk edit, and the rest of the entry.
_SINGLE_VALUE_GROUP_BY_TYPE: Mapping[str, tuple[str, Callable[[Any], dict[str, object]]]] = {
    "string": ("singleLineTextFields", lambda text: {"text": text or ""}),
    "number": ("clearableNumberFields", lambda number: {"value": number}),
    "date": ("datePickerFields", lambda day: {"date": {"formattedDate": _day_for_bulk_edit(day)}}),
    "datetime": (
        "dateTimePickerFields",
        lambda moment: {"dateTime": {"formattedDateTime": _moment_for_bulk_edit(moment)}},
    ),
    "user": ("singleSelectClearableUserPickerFields", lambda user: {"user": user}),
    "option": ("singleSelectFields", lambda value: {"option": _option_id_entry(value)}),
    "version": (
        "singleVersionPickerFields",
        lambda value: {"version": {"versionId": _option_id(value) if value else "-1"}},
    ),
}
#: For lists that are only replaced, by the kind of their members.
_REPLACE_ONLY_LIST_BY_ITEM_TYPE: Mapping[str, tuple[str, Callable[[Any], dict[str, object]]]] = {
    "option": ("multipleSelectFields", lambda some: {"options": [*map(_option_id_entry, some)]}),
    "user": ("multipleSelectClearableUserPickerFields", lambda some: {"users": some or None}),
}
#: For fields that cannot be cleared, by their IDs: the name in a bulk edit, and the key of the value.
_BULK_NAME_AND_KEY_BY_UNCLEARABLE_ID = {
    "priority": ("priority", "priorityId"),
    "issuetype": ("issueType", "issueTypeId"),
}
#: The groups that are one field, not a list of fields.
_NON_LIST_BULK_EDIT_GROUPS = frozenset({"issueType", "multiselectComponents", "priority"})
_FIELD_NOT_IN_BULK_REASON = "it cannot be set in bulk; edit the files"
#: The options that set what is not a field of a bulk edit, by the folded names of their lines.
_CLI_OPTION_BY_LINE_NAME = {"status": "--transition STATUS", "parent": "--move KEY"}


def use_line_names(
    settings: tuple[FieldSetting, ...], names: Iterable[tuple[str, str]]
) -> tuple[FieldSetting, ...]:
    """Return settings with the names that lines have in files, whatever the case of letters.

    Args:
        settings: The settings.
        names: The names of the lines that files keep, each with the ID of its field.
    """
    known = {folded(name): name for name, _ in names}
    return tuple(
        replace(setting, name=known.get(folded(setting.name), setting.name)) for setting in settings
    )


def make_bulk_field_ids_and_values(
    settings: tuple[FieldSetting, ...],
    specs: Mapping[Part, FieldSpec],
    lookup: NameLookup,
) -> tuple[tuple[str, ...], dict[str, object]]:
    """Convert settings to the fields and the values of a bulk edit.

    Args:
        settings: The settings.
        specs: The fields of the issues' type, by their lines and sections.
        lookup: Finds people and sprints by name.

    Raises:
        BadValue: A field is unknown, or its text is not a value, or Jira cannot set it in bulk.
    """
    ids: list[str] = []
    values: dict[str, object] = {}
    for setting in settings:
        if option := _CLI_OPTION_BY_LINE_NAME.get(folded(setting.name)):
            raise BadValue(f"{setting.name}: {option} sets it")
        text_spec = specs.get(RichTextPart(setting.name))
        spec = specs.get(setting.name) or text_spec
        if spec is None or spec.why_unsupported:
            known = ", ".join(one.line_name for one in specs.values() if not one.why_unsupported)
            raise BadValue(f"{setting.name}: the files here do not keep it; they keep {known}")
        try:
            is_text, text = spec is text_spec, setting.text
            value = checked_document_of_text(text) if is_text else jira_value(spec, text, lookup)
            name, entry = _bulk_edit_entry(spec, setting, value, is_text=is_text)
        except BadValue as error:
            raise BadValue(f"{setting.name}: {error}") from None
        ids.append(spec.id)
        if name in _NON_LIST_BULK_EDIT_GROUPS:  # there is one such field
            values[name] = entry
        else:
            values.setdefault(name, [])
            entries = values[name]
            assert isinstance(entries, list)
            entries.append({"fieldId": spec.id, **entry})
    return tuple(ids), values


def _bulk_edit_entry(
    spec: FieldSpec, setting: FieldSetting, value: Any, *, is_text: bool
) -> tuple[str, dict[str, object]]:
    """Return the name of a field's group in a bulk edit, and its entry there.

    Args:
        spec: The field.
        setting: What is set.
        value: The value as other requests take it; a document if it is a rich text.
        is_text: Whether it is a rich text.
    """
    # Set alone, the original estimate would replace the remaining one.
    if (
        spec.line_name == "Sprint"
        or spec.id in ESTIMATE_KEY_BY_ID
        or spec.custom_type.endswith(":jsw-issue-color")
    ):
        raise BadValue(_FIELD_NOT_IN_BULK_REASON)
    if spec.type == "array" and spec.item_type in _EXTENDABLE_LIST_BY_ITEM_TYPE:
        name, key, entry_of = _EXTENDABLE_LIST_BY_ITEM_TYPE[spec.item_type]
        action = setting.action.name if value else "REMOVE_ALL"
        if not value and setting.action is not ListAction.REPLACE:
            raise BadValue("there is nothing to add or to remove")
        entries = [entry_of(item) for item in value]
        return name, {
            **({"fieldId": spec.id} if name == "multiselectComponents" else {}),
            "bulkEditMultiSelectFieldOption": action,
            key: entries,
        }
    if setting.action is not ListAction.REPLACE:
        raise BadValue("only labels, components and versions can be added and removed")
    if is_text:
        return "richTextFields", {"richText": {"adfValue": value} if value else {}}
    if spec.id in _BULK_NAME_AND_KEY_BY_UNCLEARABLE_ID:
        if not value:
            raise BadValue("it cannot be cleared")
        name, key = _BULK_NAME_AND_KEY_BY_UNCLEARABLE_ID[spec.id]
        return name, {key: _option_id(value)}
    if spec.custom_type.endswith(":url"):
        return "urlFields", {"url": value or ""}
    table = _REPLACE_ONLY_LIST_BY_ITEM_TYPE if spec.type == "array" else _SINGLE_VALUE_GROUP_BY_TYPE
    kind = spec.item_type if spec.type == "array" else spec.type
    if kind not in table:
        raise BadValue(_FIELD_NOT_IN_BULK_REASON)
    name, entry_of = table[kind]
    return name, entry_of(value)


def _option_id(value: Any) -> str:
    option_id = value.get("id") if isinstance(value, dict) else None
    if not option_id:
        raise BadValue("the site does not list its values")
    return str(option_id)


def _option_id_entry(value: Any) -> dict[str, object]:
    return {"optionId": int(_option_id(value)) if value else -1}


def _day_for_bulk_edit(day: str | None) -> str:
    """Return a day as the bulk edit takes it: ``31-01-2026``, unlike the edit of one issue."""
    return f"{date.fromisoformat(day):%d-%m-%Y}" if day else ""


def _moment_for_bulk_edit(moment: str | None) -> str:
    """Return a moment by ISO 8601, whose zone has a colon, unlike in Jira's other requests."""
    return datetime.fromisoformat(moment).isoformat(timespec="milliseconds") if moment else ""
