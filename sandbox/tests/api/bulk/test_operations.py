"""Bulk operations: their requests, their tasks, and a field of each kind that is edited."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rows import for_each
from sandbox_bulk import new_site, progress, submit
from sandbox_client import NOW, demo_site, keys, open_client
from sandbox_walks import unwalked, walk

from jira_sandbox import SiteFile, open_site
from jira_sandbox.api.bulk import choices
from jira_sandbox.api.bulk.choices import BulkChoiceRoutes
from jira_sandbox.api.bulk.operations import BulkRoutes
from jira_sandbox.data import catalogue, kit
from jira_sandbox.data.catalogue import USERS

EDIT = {
    "selectedIssueIdsOrKeys": ["DEMO-2", "10003", "DEMO-99"],
    "selectedActions": ["priority", "labels"],
    "editedFieldsInput": {
        "priority": {"priorityId": "5"},
        "labelsFields": [
            {
                "fieldId": "labels",
                "bulkEditMultiSelectFieldOption": "ADD",
                "labels": [{"name": "zz"}],
            }
        ],
    },
}


async def test_fields_of_many_issues_are_edited() -> None:
    site = new_site()
    async with open_client(site) as client:
        task = await submit(client, "fields", EDIT)
        untouched = site.existing("DEMO-2").labels
        told = await progress(client, task)

    assert "zz" not in untouched
    assert (told["status"], told["progressPercent"]) == ("COMPLETE", 100)
    assert (told["totalIssueCount"], told["invalidOrInaccessibleIssueCount"]) == (3, 1)
    assert told["processedAccessibleIssues"] == [10_002, 10_003]
    assert "failedAccessibleIssues" not in told
    for key in ("DEMO-2", "DEMO-3"):
        assert site.existing(key).priority.name == "Lowest"
        assert "zz" in site.existing(key).labels
        assert set(untouched) <= {*site.existing("DEMO-2").labels}


async def test_each_failure_is_told_and_the_others_go_on() -> None:
    site = new_site()
    site.transition("DEMO-2", catalogue.TO_DO)
    site.transition("DEMO-3", catalogue.DONE)
    step = {"selectedIssueIdsOrKeys": ["DEMO-2", "DEMO-3"], "transitionId": "11"}
    status = {
        "selectedIssueIdsOrKeys": ["DEMO-2"],
        "selectedActions": ["status"],
        "editedFieldsInput": {"status": {"statusId": "10003"}},
    }
    forward = {"editedFieldsInput": {"status": {"statusId": "10002"}}}
    async with open_client(site) as client:
        told = await progress(
            client, await submit(client, "transition", {"bulkTransitionInputs": [step]})
        )
        skipped = await progress(client, await submit(client, "fields", status))

        await progress(client, await submit(client, "fields", {**status, **forward}))

    assert site.existing("DEMO-2").status.name == "In Review"
    assert told["processedAccessibleIssues"] == [10_002]
    assert told["failedAccessibleIssues"] == {
        "10003": ["Transition id '11' is not valid for this issue."]
    }
    assert skipped["failedAccessibleIssues"] == {"10002": ["No transition leads to the status."]}


async def test_a_long_operation_goes_on_with_each_request_and_can_be_cancelled() -> None:
    site = demo_site(350)
    names = [issue.key for issue in site]
    async with open_client(site) as client:
        task = await submit(client, "watch", {"selectedIssueIdsOrKeys": names})
        percent = [(await progress(client, task))["progressPercent"] for _ in range(2)]
        await client.post(f"task/{task}/cancel")
        told = await progress(client, task)
        again = await client.post(f"task/{task}/cancel")

    assert percent == [28, 57]
    assert (told["status"], told["progressPercent"]) == ("CANCELLED", 85)
    assert len(told["processedAccessibleIssues"]) == 300
    assert sum(site.user in issue.watching for issue in site) < 350
    assert again.status_code == 400


async def test_issues_are_deleted_with_their_sub_tasks() -> None:
    site = new_site(30)
    parent = next(issue for issue in site if issue.type.subtask).parent
    assert parent is not None
    names = [site.by_id[parent].key, *(child.key for child in site.children(site.by_id[parent]))]
    async with open_client(site) as client:
        task = await submit(client, "delete", {"selectedIssueIdsOrKeys": names})
        told = await progress(client, task)

        assert not set(names) & set(await keys(client, "project = DEMO"))
    assert len(told["processedAccessibleIssues"]) == len(names)


async def test_issues_are_moved_to_another_parent_type_and_project() -> None:
    site = new_site()

    def source(*names: str) -> Any:
        return {
            "inferClassificationDefaults": True,
            "inferFieldDefaults": True,
            "inferStatusDefaults": True,
            "inferSubtaskTypeDefault": True,
            "issueIdsOrKeys": list(names),
        }

    body = {
        "targetToSourcesMapping": {
            "KIT,10002,KIT-1": source("KIT-8"),
            "BLANK,10001": source("KIT-4"),
            "KIT,10001,KIT-2": source("KIT-7"),
        }
    }
    async with open_client(site) as client:
        told = await progress(client, await submit(client, "move", body))
        old = (await client.get("issue/KIT-4")).json()
        subtask = (await client.get("issue/KIT-6")).json()

    assert (site.existing("KIT-8").type.name, site.existing("KIT-8").parent) == ("Task", 5001)
    assert old["key"] == "BLANK-1"
    assert subtask["fields"]["parent"]["key"] == "BLANK-1"
    assert subtask["key"] == "BLANK-2"
    assert list(told["failedAccessibleIssues"]) == ["5007"]


@for_each(
    ("action", "body"),
    [
        ("fields", {**EDIT, "selectedIssueIdsOrKeys": []}),
        ("fields", {**EDIT, "selectedIssueIdsOrKeys": [f"X-{n}" for n in range(1001)]}),
        ("fields", {**EDIT, "selectedActions": []}),
        ("fields", {**EDIT, "selectedActions": ["summary"]}),
        ("fields", {**EDIT, "editedFieldsInput": {"labelsFields": [{"fieldId": "labels"}]}}),
        ("fields", {**EDIT, "editedFieldsInput": {"x": [{"fieldId": "labels"}]}}),
        ("transition", {"bulkTransitionInputs": [{}]}),
        ("transition", {"bulkTransitionInputs": []}),
        ("move", {"targetToSourcesMapping": {"NOPE,1": {}}}),
        ("move", {"targetToSourcesMapping": {"DEMO,1": {}}}),
        ("move", {"targetToSourcesMapping": {"DEMO,10001": []}}),
        ("delete", {}),
    ],
)
async def test_a_malformed_operation_is_refused(action: str, body: Any) -> None:
    site = new_site()
    async with open_client(site) as client:
        response = await client.post(f"bulk/issues/{action}", json=body)

    assert response.status_code == 400
    assert site.revision == 0


async def test_a_stored_operation_goes_on_after_a_restart(tmp_path: Path) -> None:
    with SiteFile(tmp_path / "a.db") as file:
        site = open_site(file, tickets=250, clock=lambda: NOW)
        names = [issue.key for issue in site]
        async with open_client(site) as client:
            task = await submit(client, "watch", {"selectedIssueIdsOrKeys": names})
            before = await progress(client, task)
    with SiteFile(tmp_path / "a.db") as file:
        async with open_client(open_site(file, clock=lambda: NOW)) as client:
            await client.get("myself")
            after = await progress(client, task)

    assert (before["status"], before["progressPercent"]) == ("RUNNING", 40)
    assert (after["status"], after["progressPercent"]) == ("COMPLETE", 100)


async def test_it_is_told_what_many_issues_have_in_common(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choices, "_PAGE", 3)
    site = new_site()
    site.transition("DEMO-2", catalogue.TO_DO)
    site.transition("DEMO-3", catalogue.TO_DO)
    async with open_client(site) as client:
        both = "issueIdsOrKeys=KIT-3,TEAM-3"
        shared = (await client.get(f"bulk/issues/fields?{both}&searchText=start")).json()
        pages = [(await client.get("bulk/issues/fields?issueIdsOrKeys=KIT-3")).json()]
        while "startingAfter" in pages[-1]:
            query = {"issueIdsOrKeys": "KIT-3", "startingAfter": pages[-1]["startingAfter"]}
            pages.append((await client.get("bulk/issues/fields", params=query)).json())
        edit = (await client.get("issue/KIT-3/editmeta")).json()["fields"]
        steps = (
            await client.get("bulk/issues/transition?issueIdsOrKeys=DEMO-2,DEMO-3,TEAM-3")
        ).json()["availableTransitions"]
        none = await client.get("bulk/issues/fields")

    assert [field["name"] for field in shared["fields"]] == ["Start date"]
    listed = [field["id"] for page in pages for field in page["fields"]]
    assert listed == [name for name, field in edit.items() if field["operations"]]
    assert [group["issues"] for group in steps] == [["DEMO-2", "DEMO-3"], ["TEAM-3"]]
    assert [each["transitionName"] for each in steps[0]["transitions"]] == ["Start work"]
    assert none.status_code == 400


CONFIRM = {"selectedIssueIdsOrKeys": ["DEMO-2"], "sendBulkNotification": False}
SELECTED = {"selectedIssueIdsOrKeys": ["DEMO-2"]}
#: The IDs of tasks begin at 10012.
WALK: list[tuple[str, str, Any, int]] = [
    ("POST", "bulk/issues/fields", EDIT, 201),
    ("GET", "bulk/queue/10012", None, 200),
    ("GET", "bulk/queue/1", None, 400),
    ("GET", "bulk/issues/fields?issueIdsOrKeys=DEMO-2", None, 200),
    ("GET", "bulk/issues/transition?issueIdsOrKeys=DEMO-2", None, 200),
    ("POST", "bulk/issues/transition", {"bulkTransitionInputs": []}, 400),
    (
        "POST",
        "bulk/issues/transition",
        {"bulkTransitionInputs": [{"selectedIssueIdsOrKeys": ["DEMO-2"], "transitionId": "9"}]},
        201,
    ),
    ("POST", "task/10013/cancel", None, 400),
    ("POST", "bulk/issues/watch", SELECTED, 201),
    ("POST", "bulk/issues/unwatch", SELECTED, 201),
    ("POST", "bulk/issues/delete", CONFIRM, 201),
    ("GET", "bulk/queue/10016", None, 200),
]


@pytest.mark.parametrize("version", ["3", "2"])
async def test_requests_and_answers_are_as_documented(version: str) -> None:
    await walk(WALK, new_site(), version)


def test_every_route_of_these_groups_is_walked_with_success() -> None:
    # The document demands keys for a move that it does not allow; a task ends too soon to cancel.
    assert unwalked(WALK, (BulkRoutes, BulkChoiceRoutes)) == [
        "POST bulk/issues/move",
        "POST task/{task_id}/cancel",
    ]


ZOE = USERS[1]


@for_each(
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
