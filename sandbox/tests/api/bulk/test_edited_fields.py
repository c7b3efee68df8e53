from __future__ import annotations

from typing import Any

import pytest
from sandbox_bulk import new_site, progress, submit
from sandbox_client import open_client

from jira_sandbox.data import kit
from jira_sandbox.data.catalogue import USERS

ZOE = USERS[1]


@pytest.mark.parametrize(
    ("name", "entry", "field", "expected"),
    [
        ("clearableNumberFields", {"value": 1.5}, "customfield_10103", 1.5),
        ("clearableNumberFields", {}, "customfield_10103", None),
        (
            "datePickerFields",
            {"date": {"formattedDate": "02-01-2026"}},
            "customfield_10113",
            "2026-01-02",
        ),
        (
            "dateTimePickerFields",
            {"dateTime": {"formattedDateTime": "1970-01-01T00:00:00.005+0000"}},
            "customfield_10114",
            5,
        ),
        ("singleSelectFields", {"option": {"optionId": 10121}}, "customfield_10104", 10121),
        ("singleSelectFields", {"option": {"optionId": -1}}, "customfield_10106", None),
        (
            "multipleSelectFields",
            {"options": [{"optionId": 10131}]},
            "customfield_10105",
            [10131],
        ),
        (
            "cascadingSelectFields",
            {"parentOptionValue": {"optionId": 10170}, "childOptionValue": {"optionId": 10172}},
            "customfield_10108",
            [10170, 10172],
        ),
        (
            "singleSelectClearableUserPickerFields",
            {"user": {"accountId": ZOE.account_id}},
            "customfield_10109",
            ZOE.account_id,
        ),
        ("singleSelectClearableUserPickerFields", {}, "customfield_10109", None),
        (
            "multipleSelectClearableUserPickerFields",
            {"users": [{"accountId": ZOE.account_id}]},
            "customfield_10110",
            [ZOE.account_id],
        ),
        (
            "singleGroupPickerFields",
            {"group": {"groupName": "managers"}},
            "customfield_10111",
            kit.GROUPS[2].id,
        ),
        (
            "multipleGroupPickerFields",
            {"groups": [{"groupName": "managers"}]},
            "customfield_10112",
            [kit.GROUPS[2].id],
        ),
        (
            "singleVersionPickerFields",
            {"version": {"versionId": "10002"}},
            "customfield_10116",
            10002,
        ),
        (
            "multipleVersionPickerFields",
            {
                "bulkEditMultiSelectFieldOption": "REMOVE",
                "versions": [{"versionId": "10002"}],
            },
            "customfield_10117",
            [10001],
        ),
        (
            "multipleVersionPickerFields",
            {"bulkEditMultiSelectFieldOption": "REMOVE_ALL", "versions": []},
            "customfield_10117",
            None,
        ),
        (
            "datePickerFields",
            {"date": {"formattedDate": "2/Jan/26"}},
            "customfield_10113",
            "2026-01-02",
        ),
        (
            "dateTimePickerFields",
            {"dateTime": {"formattedDateTime": "1970-01-01T01:00:00.005+01:00"}},
            "customfield_10114",
            5,
        ),
        ("urlFields", {"url": "http://x/"}, "customfield_10119", "http://x/"),
        (
            "richTextFields",
            {
                "richText": {
                    "adfValue": {"type": "doc", "version": 1, "content": [{"type": "rule"}]}
                }
            },
            "customfield_10101",
            {"type": "doc", "version": 1, "content": [{"type": "rule"}]},
        ),
        (
            "labelsFields",
            {"bulkEditMultiSelectFieldOption": "REPLACE", "labels": [{"name": "a"}]},
            "customfield_10115",
            ["a"],
        ),
    ],
)
async def test_a_field_of_each_kind_is_edited(
    name: str, entry: Any, field: str, expected: Any
) -> None:
    site = new_site()
    body = {
        "selectedIssueIdsOrKeys": ["KIT-2"],
        "selectedActions": [field],
        "editedFieldsInput": {name: [{"fieldId": field, **entry}]},
    }
    async with open_client(site) as client:
        told = await progress(client, await submit(client, "fields", body))

    assert "failedAccessibleIssues" not in told
    assert site.existing("KIT-2").values.get(field) == expected


@pytest.mark.parametrize(
    ("name", "entry", "field"),
    [
        ("singleLineTextFields", {"text": "https://example.com"}, "customfield_10119"),
        ("urlFields", {"url": "https://example.com"}, "customfield_10102"),
        ("urlFields", {"url": "https://example.com", "text": "x"}, "customfield_10119"),
        ("datePickerFields", {"date": {"formattedDate": "2026-01-02"}}, "customfield_10113"),
        ("dateTimePickerFields", {"dateTime": {"formattedDateTime": "x"}}, "customfield_10114"),
        ("nonsense", {}, "customfield_10119"),
    ],
)
async def test_what_the_document_does_not_name_is_refused(
    name: str, entry: Any, field: str
) -> None:
    body = {
        "selectedIssueIdsOrKeys": ["KIT-2"],
        "selectedActions": [field],
        "editedFieldsInput": {name: [{"fieldId": field, **entry}]},
    }
    async with open_client(new_site()) as client:
        response = await client.post("bulk/issues/fields", json=body)

    assert response.status_code == 400


async def test_fields_without_an_id_of_their_own_are_edited() -> None:
    site = new_site()
    components = {
        "fieldId": "components",
        "bulkEditMultiSelectFieldOption": "ADD",
        "components": [{"componentId": 10005}],
    }
    body = {
        "selectedIssueIdsOrKeys": ["KIT-3"],
        "selectedActions": ["issuetype", "components", "timetracking", "status"],
        "editedFieldsInput": {
            "issueType": {"issueTypeId": "10002"},
            "multiselectComponents": components,
            "originalEstimateField": {"originalEstimateField": "2h"},
            "timeTrackingField": {"timeRemaining": "1h"},
            "status": {"statusId": "10001"},
        },
    }
    async with open_client(site) as client:
        told = await progress(client, await submit(client, "fields", body))

    issue = site.existing("KIT-3")
    assert "failedAccessibleIssues" not in told
    assert (issue.type.name, issue.status.name) == ("Task", "In Progress")
    assert [component.name for component in issue.components] == ["Platform"]
    assert (issue.original_estimate, issue.remaining_estimate) == (7200, 3600)
