"""Test each group of fields of Jira's bulk edit against Atlassian's document."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_specs import load, problems, schema_validator

from ticketr.app.jira import Allowed, User
from ticketr.app.sync.jobs.bulk_change import FieldSetting, bulk_values
from ticketr.app.sync.push.values import BadValue, FieldSpec, NameLookup

CHOICES = (Allowed("10", "Web", (Allowed("11", "Shop"),)), Allowed("12", "Desk"))
LOOKUP = NameLookup(people={"Mia": (User("a-1", "Mia", "", ""),)}, time_zone="Europe/Berlin")


def spec(type_: str, items: str = "", *, id_: str = "f", custom: str = "") -> FieldSpec:
    return FieldSpec(id_, "Name", type_, items, CHOICES, custom_type=f"com.example:{custom}")


#: By a group: a field of it, the text that is set, and the entry without the ID of the field.
SET: dict[str, tuple[FieldSpec, str, Any]] = {
    "cascadingSelectFields": (
        spec("option-with-child"),
        "Web > Shop",
        {"parentOptionValue": {"optionId": 10}, "childOptionValue": {"optionId": 11}},
    ),
    "clearableNumberFields": (spec("number"), "7.5", {"value": 7.5}),
    "colorFields": (
        spec("string", custom="jsw-issue-color"),
        "dark_blue",
        {"color": {"name": "dark blue"}},
    ),
    "datePickerFields": (spec("date"), "2026-01-31", {"date": {"formattedDate": "31-01-2026"}}),
    "dateTimePickerFields": (
        spec("datetime"),
        "2026-01-31 09:30",
        {"dateTime": {"formattedDateTime": "2026-01-31T09:30:00.000+01:00"}},
    ),
    "issueType": (spec("issuetype", id_="issuetype"), "Desk", {"issueTypeId": "12"}),
    "labelsFields": (
        spec("array", "string"),
        "a",
        {"bulkEditMultiSelectFieldOption": "REPLACE", "labels": [{"name": "a"}]},
    ),
    "multipleGroupPickerFields": (
        FieldSpec("f", "Name", "array", "group"),
        "managers",
        {"groups": [{"groupName": "managers"}]},
    ),
    "multipleSelectClearableUserPickerFields": (
        spec("array", "user"),
        "Mia",
        {"users": [{"accountId": "a-1"}]},
    ),
    "multipleSelectFields": (spec("array", "option"), "Web", {"options": [{"optionId": 10}]}),
    "multipleVersionPickerFields": (
        spec("array", "version"),
        "Web",
        {"bulkEditMultiSelectFieldOption": "REPLACE", "versions": [{"versionId": "10"}]},
    ),
    "multiselectComponents": (
        spec("array", "component", id_="components"),
        "Web",
        {
            "fieldId": "components",
            "bulkEditMultiSelectFieldOption": "REPLACE",
            "components": [{"componentId": 10}],
        },
    ),
    "priority": (spec("priority", id_="priority"), "Web", {"priorityId": "10"}),
    "singleGroupPickerFields": (
        FieldSpec("f", "Name", "group"),
        "managers",
        {"group": {"groupName": "managers"}},
    ),
    "singleLineTextFields": (spec("string", custom="textfield"), "x", {"text": "x"}),
    "singleSelectClearableUserPickerFields": (spec("user"), "Mia", {"user": {"accountId": "a-1"}}),
    "singleSelectFields": (spec("option"), "Web", {"option": {"optionId": 10}}),
    "singleVersionPickerFields": (spec("version"), "Web", {"version": {"versionId": "10"}}),
    "urlFields": (spec("string", custom="url"), "https://a.example", {"url": "https://a.example"}),
}
#: The groups that no `--set` of a line fills, and why.
ELSEWHERE = {
    "originalEstimateField": "set alone, it would replace the remaining estimate",
    "timeTrackingField": "the files have both estimates",
    "status": "--transition changes it by transitions",
    "richTextFields": "a section of a file, see below",
}
#: What cannot be cleared.
KEPT = {"issueType", "priority"}
TEXTS = {"Environment": FieldSpec("environment", "Environment", "string")}


def values_of(field: FieldSpec, text: str) -> dict[str, object]:
    return bulk_values((FieldSetting("Name", text),), {"Name": field}, LOOKUP)[1]


def payload(fields: list[str], values: dict[str, object]) -> dict[str, object]:
    return {
        "selectedIssueIdsOrKeys": ["1"],
        "selectedActions": fields,
        "editedFieldsInput": values,
        "sendBulkNotification": False,
    }


def without_nulls(value: Any) -> Any:
    """Leave out what is null: the document's words ask for it, and its schemas have no null."""
    if isinstance(value, dict):
        return {name: without_nulls(each) for name, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


def test_the_document_has_no_group_that_is_not_in_a_table() -> None:
    groups = load("jira-openapi.json")["components"]["schemas"]["JiraIssueFields"]["properties"]

    assert set(groups) == {*SET, *ELSEWHERE}


@pytest.mark.parametrize("group", SET)
def test_a_field_goes_into_its_group_as_the_document_says(group: str) -> None:
    field, text, entry = SET[group]
    values = values_of(field, text)

    alone = group in {"issueType", "multiselectComponents", "priority"}
    assert values == {group: entry if alone else [{"fieldId": "f", **entry}]}
    assert not problems(schema_validator("IssueBulkEditPayload"), payload([field.id], values))


@pytest.mark.parametrize("group", SET)
def test_a_field_is_cleared_as_the_document_says(group: str) -> None:
    field, _, _ = SET[group]
    if group in KEPT:
        with pytest.raises(BadValue, match="cannot be cleared"):
            values_of(field, "")
        return

    values = values_of(field, "")

    assert [*values] == [group]
    sent = without_nulls(payload([field.id], values))
    assert not problems(schema_validator("IssueBulkEditPayload"), sent)


@pytest.mark.parametrize("text", ["Chrome **120**", ""])
def test_a_rich_text_goes_into_its_group(text: str) -> None:
    settings = (FieldSetting("Environment", text),)
    ids, values = bulk_values(settings, {}, LOOKUP, TEXTS)

    entries: Any = values["richTextFields"]
    assert (ids, len(entries), bool(entries[0]["richText"])) == (("environment",), 1, bool(text))
    assert not problems(schema_validator("IssueBulkEditPayload"), payload([*ids], values))


@pytest.mark.parametrize(
    ("field", "text"),
    [(spec("string", custom="jsw-issue-color"), "pink"), (spec("team"), ""), (spec("any"), "x")],
)
def test_what_no_group_takes_is_refused(field: FieldSpec, text: str) -> None:
    with pytest.raises(BadValue):
        values_of(field, text)


def test_a_rich_text_is_not_added_to() -> None:
    setting = FieldSetting.read("Environment+=x")
    assert setting is not None

    with pytest.raises(BadValue, match="only labels"):
        bulk_values((setting,), {}, LOOKUP, TEXTS)
