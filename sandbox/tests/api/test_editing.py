"""Issues are edited and deleted, with comments, links and work; people watch and vote."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sandbox_client import demo_site, keys, open_client

from jira_sandbox.data import catalogue
from jira_sandbox.data.catalogue import DEMO_USER, EPIC, STORY, TO_DO, USERS

UNKNOWN = "Field '{}' cannot be set. It is not on the appropriate screen, or unknown."


async def fields_of(client: httpx.AsyncClient, key: str) -> Any:
    return (await client.get(f"issue/{key}")).json()["fields"]


async def edit(client: httpx.AsyncClient, key: str, status: int = 204, **body: Any) -> Any:
    response = await client.put(f"issue/{key}", json=body)
    assert response.status_code == status, response.text
    return response.json() if response.content else None


async def test_an_edit_changes_what_it_names_and_the_time_and_nothing_else() -> None:
    async with open_client(demo_site(5)) as client:
        before = await fields_of(client, "DEMO-2")
        answer = await edit(client, "demo-2", fields={"summary": "Other"})
        after = await fields_of(client, "DEMO-2")

    assert answer is None
    assert after["summary"] == "Other"
    assert after["updated"] > before["updated"]
    unchanged = before.keys() - {"summary", "updated"}
    assert {name: after[name] for name in unchanged} == {name: before[name] for name in unchanged}


async def test_updated_rises_by_every_edit_though_the_clock_stands_still() -> None:
    seen = []
    async with open_client(demo_site(5)) as client:
        for _ in range(5):
            await edit(client, "10002", fields={"labels": ["same"]})
            seen.append((await fields_of(client, "DEMO-2"))["updated"])

    assert seen == sorted(set(seen))
    assert seen[0].endswith("17:30:00.000+0530")
    assert seen[-1].endswith("17:30:00.004+0530")


async def test_the_edited_issue_is_returned_if_asked_for() -> None:
    async with open_client(demo_site(5)) as client:
        response = await client.put(
            "issue/DEMO-2?returnIssue=true&expand=names", json={"fields": {"summary": "Other"}}
        )
        expected = (await client.get("issue/DEMO-2?expand=names")).json()

    assert response.status_code == 200
    assert response.json() == expected
    assert expected["fields"]["summary"] == "Other"


async def test_lists_are_added_to_and_taken_from() -> None:
    async with open_client(demo_site(5)) as client:
        components = [{"name": "Checkout"}, {"name": "Accounts"}]
        await edit(client, "DEMO-2", fields={"labels": ["a", "b"], "components": components})
        update = {
            "labels": [{"add": "c"}, {"remove": "a"}, {"remove": "never"}],
            "components": [{"remove": {"name": "Checkout"}}, {"add": {"name": "Platform"}}],
            "fixVersions": [{"set": [{"name": "2026.2"}]}, {"add": {"id": "10001"}}],
        }
        await edit(client, "DEMO-2", update=update)
        fields = await fields_of(client, "DEMO-2")

    assert fields["labels"] == ["b", "c"]
    assert [part["name"] for part in fields["components"]] == ["Accounts", "Platform"]
    assert [part["name"] for part in fields["fixVersions"]] == ["2026.1", "2026.2"]


@pytest.mark.parametrize(
    ("operations", "complaint"),
    [
        ([{"add": "x"}], "Field 'summary' does not support update 'add'"),
        ([{"edit": "x"}], "Field 'summary' does not support update 'edit'"),
        ([{}], "An operation is an object with one key."),
        ([{"set": "a", "add": "b"}], "An operation is an object with one key."),
        (["set"], "An operation is an object with one key."),
        ({"set": "x"}, "The operations of an update are a list of objects."),
        ([], "The operations of an update are a list of objects."),
    ],
)
async def test_an_operation_must_be_one_that_the_field_knows(
    operations: Any, complaint: str
) -> None:
    async with open_client(demo_site(5)) as client:
        answer = await edit(client, "DEMO-2", 400, update={"summary": operations})

    assert answer == {"errorMessages": [], "errors": {"summary": complaint}}


async def test_a_field_cannot_be_in_fields_and_in_update() -> None:
    async with open_client(demo_site(5)) as client:
        both = {"fields": {"labels": ["a"]}, "update": {"labels": [{"add": "b"}]}}
        answer = await edit(client, "DEMO-2", 400, **both)

    assert answer["errors"] == {"labels": "Field 'labels' is in both 'fields' and 'update'."}


async def test_one_wrong_value_keeps_the_rest_from_being_written() -> None:
    async with open_client(demo_site(5)) as client:
        before = await fields_of(client, "DEMO-2")
        wrong = {"summary": "Other", "priority": {"name": "Urgent"}}
        answer = await edit(client, "DEMO-2", 400, fields=wrong)
        after = await fields_of(client, "DEMO-2")

    assert answer["errors"] == {"priority": "The priority selected is invalid."}
    assert after == before


@pytest.mark.parametrize("field", ["status", "project", "resolution", "subtasks", "nonsense"])
async def test_what_an_edit_cannot_set_is_refused(field: str) -> None:
    async with open_client(demo_site(5)) as client:
        answer = await edit(client, "DEMO-2", 400, fields={field: {"name": "Done"}})

    assert answer["errors"] == {field: UNKNOWN.format(field)}


async def test_a_standard_issue_becomes_one_of_another_standard_type() -> None:
    async with open_client(demo_site(5)) as client:
        await edit(client, "DEMO-2", fields={"issuetype": {"name": "Bug"}})
        fields = await fields_of(client, "DEMO-2")

    assert fields["issuetype"]["name"] == "Bug"


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        ({"name": "Epic"}, "The issue type selected is invalid."),
        ({"name": "Sub-task"}, "The issue type selected is invalid."),
        ({"name": "Feature"}, "Specify a valid issue type"),
        ("Bug", "Specify a valid issue type"),
        (None, "Specify a valid issue type"),
    ],
)
async def test_an_issue_becomes_no_other_type(kind: Any, complaint: str) -> None:
    async with open_client(demo_site(5)) as client:
        answer = await edit(client, "DEMO-2", 400, fields={"issuetype": kind})

    assert answer["errors"] == {"issuetype": complaint}


async def test_a_parent_is_changed_and_taken_away() -> None:
    site = demo_site(60)
    one, two = [issue for issue in site if issue.type == EPIC][:2]
    story = next(issue for issue in site if issue.type == STORY and issue.parent == one.id)
    async with open_client(site) as client:
        await edit(client, story.key, fields={"parent": {"key": two.key}})
        moved = await keys(client, f"key = {story.key} AND parent = {two.key}")
        await edit(client, story.key, update={"parent": [{"set": {"none": True}}]})
        fields = await fields_of(client, story.key)

    assert moved == [story.key]
    assert fields["parent"] is None


async def test_a_sub_task_cannot_lose_its_parent() -> None:
    site = demo_site(20)
    child = next(issue for issue in site if issue.type.subtask)
    async with open_client(site) as client:
        answer = await edit(client, child.key, 400, fields={"parent": None})

    assert list(answer["errors"]) == ["parent"]


async def test_an_edit_of_a_sub_task_shows_in_its_parent() -> None:
    site = demo_site(20)
    child = next(issue for issue in site if issue.type.subtask)
    async with open_client(site) as client:
        await fields_of(client, str(child.parent))
        await edit(client, child.key, fields={"summary": "New words"})
        parent = await fields_of(client, str(child.parent))

    links = {link["key"]: link["fields"]["summary"] for link in parent["subtasks"]}
    assert links[child.key] == "New words"


async def test_past_sprints_stay_when_another_is_set_or_none() -> None:
    async with open_client(demo_site(5)) as client:
        seen = []
        for sprint in (2, 8, 7, None):
            await edit(client, "DEMO-2", fields={"customfield_10020": sprint})
            fields = await fields_of(client, "DEMO-2")
            seen.append([entry["id"] for entry in fields["customfield_10020"]])

    before = [entry.id for entry in next(i for i in demo_site(5) if i.number == 2).sprints]
    past = [*(number for number in before if number < 7 and number != 2), 2]
    assert seen == [past, [*past, 8], [*past, 7], past]


async def test_a_delete_removes_an_issue_for_good() -> None:
    site = demo_site(20)
    lonely = next(issue for issue in site if issue.type.subtask)
    async with open_client(site) as client:
        response = await client.delete(f"issue/{lonely.key}")
        again = await client.delete(f"issue/{lonely.key}")
        gone = await client.get(f"issue/{lonely.id}")
        parent = await fields_of(client, str(lonely.parent))

    assert (response.status_code, response.content) == (204, b"")
    assert (again.status_code, gone.status_code) == (404, 404)
    assert lonely.key not in [link["key"] for link in parent["subtasks"]]


async def test_sub_tasks_are_deleted_only_if_one_says_so() -> None:
    site = demo_site(20)
    parent = next(issue for issue in site if any(c.type.subtask for c in site.children(issue)))
    count = len(site.children(parent))
    async with open_client(site) as client:
        refused = await client.delete(f"issue/{parent.key}")
        still = len(site)
        deleted = await client.delete(f"issue/{parent.key}?deleteSubtasks=true")

    assert refused.status_code == 400
    assert "deleteSubtasks" in refused.json()["errorMessages"][0]
    assert still == 20
    assert deleted.status_code == 204
    assert len(site) == 20 - 1 - count


TEXT = {"type": "paragraph", "content": [{"type": "text", "text": "Hi"}]}
DOCUMENT = {"type": "doc", "version": 1, "content": [TEXT]}
UPDATE: dict[str, Any] = {
    "comment": [{"add": {"body": DOCUMENT}}],
    "worklog": [{"add": {"timeSpent": "1h"}}],
    "issuelinks": [
        {"add": {"type": {"name": "Blocks"}, "outwardIssue": {"key": "DEMO-1"}}},
        {"add": {"type": {"name": "Blocks"}, "inwardIssue": {"key": "DEMO-3"}}},
    ],
}
NEW = {"project": {"key": "DEMO"}, "issuetype": {"name": "Task"}, "summary": "x"}


@pytest.mark.parametrize("way", ["create", "edit", "transition"])
async def test_an_update_comments_links_and_logs_work(way: str) -> None:
    site = demo_site(3)
    site.transition("DEMO-2", catalogue.TO_DO)
    async with open_client(site) as client:
        if way == "create":
            made = await client.post("issue", json={"fields": NEW, "update": UPDATE})
            key = made.json()["key"]
        elif way == "edit":
            made = await client.put("issue/DEMO-2?returnIssue=true", json={"update": UPDATE})
            key = "DEMO-2"
            assert made.json()["fields"]["comment"]["total"] == 1
        else:
            body = {"transition": {"id": "11"}, "update": UPDATE}
            made = await client.post("issue/DEMO-2/transitions", json=body)
            key = "DEMO-2"

    issue = site.existing(key)
    assert made.is_success
    assert [comment.body for comment in issue.comments] == [DOCUMENT]
    assert [worklog.seconds for worklog in issue.worklogs] == [3600]
    assert [(link.source, link.target) for link in issue.links] == [
        (issue.id, 10_001),
        (10_003, issue.id),
    ]


@pytest.mark.parametrize(
    ("update", "field"),
    [
        ({"comment": [{"add": {}}]}, "comment"),
        ({"comment": [{"set": {}}]}, "comment"),
        ({"comment": "x"}, "comment"),
        ({"comment": [{"remove": {"id": "1"}}]}, "comment"),
        ({"worklog": [{"add": {"timeSpent": "x"}}]}, "timeLogged"),
        ({"issuelinks": [{"add": {"type": {"name": "x"}}}]}, "issuelinks"),
        ({"issuelinks": [{"remove": {}}]}, "issuelinks"),
    ],
)
async def test_a_wrong_update_changes_nothing(update: Any, field: str) -> None:
    site = demo_site(3)
    async with open_client(site) as client:
        body = {"fields": {"summary": "x"}, "update": update}
        response = await client.put("issue/DEMO-2", json=body)

    assert (response.status_code, [*response.json()["errors"]]) == (400, [field])
    assert site.revision == 0


async def test_expansions_describe_an_issue_further() -> None:
    names = "renderedFields,transitions,editmeta,changelog,operations,names,nothing"
    async with open_client(demo_site(3)) as client:
        await client.put("issue/DEMO-2", json={"fields": {"description": DOCUMENT}})
        await client.post("issue/DEMO-2/comment", json={"body": DOCUMENT})
        issue = (await client.get(f"issue/DEMO-2?fields=summary&expand={names}")).json()
        body = {"jql": "key = DEMO-2", "fields": ["summary"], "expand": "transitions,changelog"}
        (found,) = (await client.post("search/jql", json=body)).json()["issues"]
        many = {"issueIdsOrKeys": ["DEMO-2"], "expand": ["renderedFields"]}
        (fetched,) = (await client.post("issue/bulkfetch", json=many)).json()["issues"]

    assert issue["renderedFields"]["description"] == "<p>Hi</p>"
    assert issue["renderedFields"]["comment"]["comments"][0]["body"] == "<p>Hi</p>"
    assert issue["editmeta"]["fields"]["summary"]["required"] is True
    assert issue["operations"] == {"linkGroups": []}
    assert issue["names"] == {"summary": "Summary"}
    assert issue["transitions"] == found["transitions"]
    assert issue["changelog"]["histories"] == found["changelog"]["histories"]
    assert fetched["renderedFields"]["description"] == "<p>Hi</p>"


ZOE, PRIYA = USERS[1], USERS[2]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"accountId": ZOE.account_id}, ZOE),
        ({"accountId": None}, None),
        ({"accountId": "-1"}, None),
        ({"name": None}, None),
        ({"name": "-1"}, None),
    ],
)
async def test_an_issue_is_assigned(body: Any, expected: Any) -> None:
    site = demo_site(3)
    site.edit("DEMO-2", assignee=PRIYA)
    async with open_client(site) as client:
        response = await client.put("issue/DEMO-2/assignee", json=body)

    assert response.status_code == 204
    assert site.existing("DEMO-2").assignee == expected


async def test_nobody_unknown_is_assigned() -> None:
    async with open_client() as client:
        response = await client.put("issue/DEMO-2/assignee", json={"accountId": "x"})

    assert response.status_code == 400
    assert response.json()["errors"] == {"assignee": "User 'x' does not exist."}


async def test_watchers_come_and_go_without_a_trace() -> None:
    site = demo_site(3)
    before = site.edit("DEMO-2", reporter=PRIYA)
    async with open_client(site) as client:
        path = "issue/DEMO-2/watchers"
        first = (await client.get(path)).json()
        await client.post(path)
        await client.post(path, json=ZOE.account_id)
        await client.post(path, json=ZOE.account_id)
        watched = (await client.get(path)).json()
        field = (await client.get("issue/DEMO-2?fields=watches")).json()["fields"]["watches"]
        await client.delete(path, params={"accountId": ZOE.account_id})
        await client.delete(path, params={"accountId": PRIYA.account_id})
        last = (await client.get(path)).json()
        unknown = await client.post(path, json="x")
        wrong = await client.post(path, json={})

    assert [user["displayName"] for user in first["watchers"]] == [PRIYA.name]
    assert first["isWatching"] is False
    assert [user["accountId"] for user in watched["watchers"]] == [
        PRIYA.account_id,
        DEMO_USER.account_id,
        ZOE.account_id,
    ]
    assert (field["watchCount"], field["isWatching"]) == (3, True)
    assert (last["watchCount"], last["isWatching"]) == (1, True)
    assert (unknown.status_code, wrong.status_code) == (404, 400)
    assert site.existing("DEMO-2").updated == before.updated
    assert site.existing("DEMO-2").history == before.history


async def test_a_vote_is_given_once_and_taken_back() -> None:
    site = demo_site(40)
    site.edit("DEMO-2", reporter=PRIYA)
    site.transition("DEMO-2", TO_DO)
    site.edit("DEMO-3", reporter=DEMO_USER)
    async with open_client(site) as client:
        (done,) = (await keys(client, "status = Done AND reporter != currentUser()"))[:1]
        path = "issue/DEMO-2/votes"
        given = [await client.post(path) for _ in range(2)]
        votes = (await client.get(path)).json()
        field = (await client.get("issue/DEMO-2?fields=votes")).json()["fields"]["votes"]
        back = [(await client.delete(path)).status_code for _ in range(2)]
        own = await client.post("issue/DEMO-3/votes")
        late = await client.post(f"issue/{done}/votes")

    assert [response.status_code for response in given] == [204, 204]
    assert (votes["votes"], votes["hasVoted"]) == (1, True)
    assert [user["displayName"] for user in votes["voters"]] == ["Demo User"]
    assert (field["votes"], field["hasVoted"]) == (1, True)
    assert back == [204, 404]
    assert (own.status_code, late.status_code) == (404, 404)
    assert "reported" in own.text
    assert "resolved" in late.text
