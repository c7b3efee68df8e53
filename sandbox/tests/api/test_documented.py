"""Validate requests to the sandbox, and its answers, against Atlassian's OpenAPI document of Jira Cloud.

The client of these tests looks at every answer by itself, in all the other tests too.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from rows import for_each
from sandbox_adf import quick_adf_validator
from sandbox_client import NOW, demo_site, open_client
from sandbox_openapi import wrong_request
from sandbox_specs import load, problems, schema_validator
from sandbox_walks import unwalked, walk

from jira_sandbox import Site, make_site
from jira_sandbox.api.bulk.choices import BulkChoiceRoutes
from jira_sandbox.api.bulk.operations import BulkRoutes
from jira_sandbox.api.payload import INVALID, NOT_JSON
from jira_sandbox.api.routes import PLATFORM
from jira_sandbox.data.catalogue import USERS

FIELDS = {
    "project": {"key": "DEMO"},
    "issuetype": {"name": "Story"},
    "summary": "New",
    "labels": ["a"],
    "priority": {"name": "Low"},
}
BODY = {
    "fields": FIELDS,
    "update": {"components": [{"add": {"name": "Platform"}}]},
    "properties": [{"key": "k", "value": {"v": 1}}],
    "historyMetadata": {"type": "x", "actor": {"id": "y"}},
    "transition": {"id": "11"},
    "something": "else",
}
WRITES: list[tuple[str, str, Any, int]] = [
    ("GET", "issue/createmeta/DEMO/issuetypes", None, 200),
    ("GET", "issue/createmeta/10000/issuetypes?startAt=1&maxResults=2", None, 200),
    ("GET", "issue/createmeta/DEMO/issuetypes/10001", None, 200),
    ("GET", "issue/createmeta/DEMO/issuetypes/10004?startAt=3&maxResults=200", None, 200),
    ("GET", "issue/createmeta/NOPE/issuetypes", None, 400),
    ("GET", "issue/DEMO-2/editmeta", None, 200),
    ("GET", "project/DEMO/statuses", None, 200),
    ("GET", "project/NOPE/statuses", None, 404),
    ("GET", "user/search?query=a", None, 200),
    ("GET", "user/search", None, 400),
    ("GET", "user/assignable/search?project=DEMO&query=&startAt=1&maxResults=3", None, 200),
    ("GET", "user/assignable/search?issueKey=DEMO-99&query=", None, 404),
    ("POST", "issue", BODY, 201),
    ("POST", "issue?updateHistory=true", {"fields": FIELDS}, 201),
    ("POST", "issue", {}, 400),
    ("POST", "issue", {"fields": {"project": {"key": "NOPE"}}}, 400),
    ("POST", "issue/bulk", {"issueUpdates": [BODY, {"fields": FIELDS}, {}]}, 201),
    ("POST", "issue/bulk", {"issueUpdates": [{}, {"fields": {}}]}, 400),
    ("POST", "issue/bulk", {}, 400),
    ("PUT", "issue/DEMO-6", {"fields": {"summary": "x"}}, 204),
    ("PUT", "issue/DEMO-6?notifyUsers=false", {"update": {"labels": [{"add": "b"}]}}, 204),
    ("PUT", "issue/DEMO-6?returnIssue=true&expand=names", {"properties": BODY["properties"]}, 200),
    ("PUT", "issue/DEMO-6", {"fields": {"status": {"name": "Done"}}}, 400),
    ("PUT", "issue/DEMO-6?overrideScreenSecurity=true", {"fields": {"summary": "x"}}, 403),
    ("PUT", "issue/DEMO-99", {"fields": {"summary": "x"}}, 404),
    ("GET", "issue/DEMO-6?properties=*all&fields=summary&expand=names,schema", None, 200),
    ("POST", "issue/bulkfetch", {"issueIdsOrKeys": ["DEMO-6"], "properties": ["k"]}, 200),
    ("POST", "search/jql", {"jql": "project = DEMO", "properties": ["k"]}, 200),
    ("GET", "issue/DEMO-6/transitions", None, 200),
    ("GET", "issue/DEMO-6/transitions?includeUnavailableTransitions=true", None, 200),
    ("POST", "issue/DEMO-6/transitions", {"transition": {"id": "31"}}, 400),
    ("POST", "issue/DEMO-6/transitions", {"transition": {"id": "21"}}, 204),
    ("GET", "issue/DEMO-6/transitions?expand=transitions.fields", None, 200),
    (
        "POST",
        "issue/DEMO-6/transitions",
        {"transition": {"id": "31"}, "fields": {"resolution": {"name": "Done"}}},
        204,
    ),
    ("POST", "issue/DEMO-99/transitions", {"transition": {"id": "31"}}, 404),
    ("GET", "issue/DEMO-6/properties", None, 200),
    ("PUT", "issue/DEMO-6/properties/new", [1], 201),
    ("PUT", "issue/DEMO-6/properties/new", {"x": None}, 200),
    ("GET", "issue/DEMO-6/properties/new", None, 200),
    ("DELETE", "issue/DEMO-6/properties/new", None, 204),
    ("GET", "issue/DEMO-6/properties/new", None, 404),
    ("GET", "issue/DEMO-99/properties", None, 404),
    ("DELETE", "issue/DEMO-3", None, 400),
    ("DELETE", "issue/DEMO-3?deleteSubtasks=true", None, 204),
    ("DELETE", "issue/DEMO-3", None, 404),
]
EXAMPLES = [
    ("POST", "issue", "issue"),
    ("POST", "issue/bulk", "issue/bulk"),
    ("PUT", "issue/DEMO-2", "issue/{issueIdOrKey}"),
    ("POST", "issue/DEMO-2/transitions", "issue/{issueIdOrKey}/transitions"),
    ("POST", "issue/bulkfetch", "issue/bulkfetch"),
    ("POST", "search/jql", "search/jql"),
]


@pytest.mark.parametrize(("method", "path", "operation"), EXAMPLES)
async def test_an_example_of_the_document_is_not_refused_for_its_shape(
    method: str, path: str, operation: str
) -> None:
    details = load("jira-openapi.json")["paths"][f"/rest/api/3/{operation}"][method.lower()]
    content = details["requestBody"]["content"]["application/json"]
    examples = [content["example"]] if "example" in content else []
    async with open_client(demo_site(5)) as client:
        for example in examples:
            response = await client.request(method, path, json=example)
            assert INVALID not in response.text
            assert NOT_JSON not in response.text

    assert examples or operation in {"issue/bulkfetch", "search/jql"}


@for_each(
    "body",
    [
        {},
        {"fields": {}},
        {"update": {}},
        {"fields": {"summary": None}, "update": {"labels": []}},
        {"update": {"labels": [{}]}},
        {"update": {"labels": [{"set": 1, "add": 2, "remove": 3, "copy": 4, "edit": 5}]}},
        {"properties": []},
        {"historyMetadata": {}},
        {"transition": {}},
        {"transition": {"id": "11", "looped": True, "fields": {}}},
        {"other": [None, 1.5, "x", {}]},
    ],
)
async def test_a_body_that_the_document_allows_is_not_refused_for_its_shape(body: Any) -> None:
    calls = [
        ("POST", "issue", body),
        ("POST", "issue/bulk", {"issueUpdates": [body]}),
        ("PUT", "issue/DEMO-2", body),
        ("POST", "issue/DEMO-2/transitions", body),
    ]
    async with open_client(demo_site(5)) as client:
        for method, path, sent in calls:
            response = await client.request(method, path, json=sent)
            assert wrong_request(method, str(response.request.url), json.dumps(sent).encode()) == []
            assert response.status_code < 500
            assert INVALID not in response.text
            assert NOT_JSON not in response.text


LINK = {
    "type": {"name": "Blocks"},
    "inwardIssue": {"key": "DEMO-1"},
    "outwardIssue": {"key": "DEMO-2"},
}
STARTED = "2025-09-30T09:00:00.000+0000"
ROLE = {"type": "role", "value": "Administrators"}
#: The IDs of parts begin at 10001, in the order in which the walk makes them.
PARTS: list[tuple[str, str, Any, int]] = [
    ("POST", "issue/DEMO-1/comment?expand=renderedBody", {"body": "TEXT"}, 201),
    ("POST", "issue/DEMO-1/comment", {"body": "TEXT", "visibility": ROLE}, 201),
    ("POST", "issue/DEMO-99/comment", {"body": "TEXT"}, 404),
    ("POST", "issue/DEMO-1/comment", {}, 400),
    ("GET", "issue/DEMO-1/comment?startAt=1&maxResults=1&orderBy=-created", None, 200),
    ("GET", "issue/DEMO-1/comment/10001?expand=renderedBody", None, 200),
    ("GET", "issue/DEMO-1/comment/10009", None, 404),
    ("PUT", "issue/DEMO-1/comment/10001?notifyUsers=false", {"body": "TEXT"}, 200),
    ("POST", "comment/list?expand=renderedBody,properties", {"ids": [10001, 7]}, 200),
    ("PUT", "comment/10001/properties/k", {"x": 1}, 201),
    ("GET", "comment/10001/properties", None, 200),
    ("GET", "comment/10001/properties/k", None, 200),
    ("DELETE", "comment/10001/properties/k", None, 204),
    ("GET", "comment/10001/properties/k", None, 404),
    ("DELETE", "issue/DEMO-1/comment/10002", None, 204),
    ("GET", "issueLinkType", None, 200),
    ("GET", "issueLinkType/10000", None, 200),
    ("POST", "issueLink", {**LINK, "comment": {"body": "TEXT"}}, 201),
    ("POST", "issueLink", {**LINK, "type": {"name": "x"}}, 404),
    ("GET", "issueLink/10003", None, 200),
    ("POST", "issue/DEMO-1/worklog", {"timeSpentSeconds": 60, "started": STARTED}, 201),
    ("POST", "issue/DEMO-1/worklog?adjustEstimate=new&newEstimate=2d", {"timeSpent": "1h"}, 201),
    ("POST", "issue/DEMO-1/worklog", {}, 400),
    ("GET", "issue/DEMO-1/worklog?startAt=0&maxResults=1&startedAfter=1", None, 200),
    ("PUT", "issue/DEMO-1/worklog/10005", {"comment": "TEXT", "visibility": ROLE}, 200),
    ("GET", "issue/DEMO-1/worklog/10005?expand=properties", None, 200),
    ("POST", "worklog/list?expand=properties", {"ids": [10005]}, 200),
    ("POST", "issue/DEMO-1/attachments", {"file": ("a.png", b"x")}, 200),
    ("GET", "attachment/meta", None, 200),
    ("GET", "attachment/10007", None, 200),
    ("GET", "attachment/content/10007?redirect=false", None, 200),
    ("GET", "attachment/content/10007", None, 303),
    ("GET", "attachment/thumbnail/10007?redirect=false", None, 200),
    ("GET", "issue/DEMO-1", None, 200),
    ("GET", "search/jql?jql=project=DEMO&fields=*all", None, 200),
    ("POST", "issue/bulkfetch", {"issueIdsOrKeys": ["DEMO-1"], "fields": ["*all"]}, 200),
    ("DELETE", "attachment/10007", None, 204),
    ("DELETE", "attachment/10007", None, 404),
    ("DELETE", "issue/DEMO-1/worklog/10006?adjustEstimate=leave", None, 204),
    ("DELETE", "issueLink/10003", None, 204),
]


ZOE = USERS[1].account_id
REMOTE = {
    "globalId": "x",
    "object": {"url": "http://x.test", "title": "X", "icon": {"title": "i"}},
    "application": {"name": "A", "type": "b"},
    "relationship": "causes",
}
#: The IDs of parts and records begin at 10012, above those that every site has.
RECORDS: list[tuple[str, str, Any, int]] = [
    ("PUT", "issue/KIT-3/assignee", {"accountId": ZOE}, 204),
    ("PUT", "issue/KIT-99/assignee", {"accountId": ZOE}, 404),
    ("GET", "issue/KIT-3/watchers", None, 200),
    ("POST", "issue/KIT-3/watchers", ZOE, 204),
    ("DELETE", f"issue/KIT-3/watchers?accountId={ZOE}", None, 204),
    ("POST", "issue/KIT-3/votes", None, 204),
    ("GET", "issue/KIT-3/votes", None, 200),
    ("DELETE", "issue/KIT-3/votes", None, 204),
    ("DELETE", "issue/KIT-3/votes", None, 404),
    ("PUT", "issue/KIT-2", {"fields": {"customfield_10108": None, "summary": "New"}}, 204),
    ("GET", "issue/KIT-2/changelog?startAt=0&maxResults=1", None, 200),
    ("POST", "issue/KIT-2/changelog/list", {"changelogIds": [5002001]}, 200),
    ("POST", "changelog/bulkfetch", {"issueIdsOrKeys": ["KIT-2", "DEMO-1"]}, 200),
    ("POST", "issue/KIT-3/remotelink", REMOTE, 201),
    ("POST", "issue/KIT-3/remotelink", REMOTE, 200),
    ("GET", "issue/KIT-3/remotelink", None, 200),
    ("GET", "issue/KIT-3/remotelink?globalId=x", None, 200),
    ("GET", "issue/KIT-3/remotelink/10001", None, 200),
    ("PUT", "issue/KIT-3/remotelink/10001", REMOTE, 204),
    ("DELETE", "issue/KIT-3/remotelink?globalId=x", None, 204),
    ("POST", "issue/KIT-3/remotelink", REMOTE, 201),
    ("DELETE", "issue/KIT-3/remotelink/10002", None, 204),
    ("GET", "issuetype", None, 200),
    ("GET", "issuetype/10010", None, 200),
    ("GET", "issuetype/project?projectId=10003&level=0", None, 200),
    ("GET", "priority", None, 200),
    ("GET", "priority/1", None, 200),
    ("GET", "priority/search?startAt=1&maxResults=2&id=1&id=2&id=4", None, 200),
    ("GET", "resolution", None, 200),
    ("GET", "resolution/10001", None, 200),
    ("GET", "resolution/search?maxResults=1", None, 200),
    ("GET", "status", None, 200),
    ("GET", "status/Done", None, 200),
    ("GET", "statuses?id=10000", None, 200),
    ("GET", "statuses/search?maxResults=2&searchString=do", None, 200),
    ("GET", "statuscategory", None, 200),
    ("GET", "statuscategory/new", None, 200),
    ("GET", "project/KIT/components", None, 200),
    ("GET", "project/TEAM/component?maxResults=1&query=r", None, 200),
    ("POST", "component", {"name": "N", "project": "KIT", "leadAccountId": ZOE}, 201),
    ("POST", "component", {"name": "N", "project": "KIT"}, 400),
    ("GET", "component/10012", None, 200),
    ("PUT", "component/10012", {"description": "D"}, 200),
    ("GET", "component/10012/relatedIssueCounts", None, 200),
    ("DELETE", "component/10012?moveIssuesTo=10000", None, 204),
    ("DELETE", "component/10012", None, 404),
    ("GET", "project/KIT/versions", None, 200),
    ("GET", "project/KIT/version?maxResults=1&status=released,unreleased", None, 200),
    ("POST", "version", {"name": "N", "projectId": 10002, "startDate": "2026-01-01"}, 201),
    ("POST", "version", {"name": "M", "project": "KIT"}, 201),
    ("POST", "version", {"name": "L", "project": "KIT"}, 201),
    ("GET", "version/10013", None, 200),
    ("PUT", "version/10013", {"released": True, "description": "D"}, 200),
    ("GET", "version/10013/relatedIssueCounts", None, 200),
    ("GET", "version/10013/unresolvedIssueCount", None, 200),
    ("PUT", "version/10013/mergeto/10000", None, 204),
    ("POST", "version/10014/removeAndSwap", {"moveFixIssuesTo": 10000}, 204),
    ("DELETE", "version/10015?moveFixIssuesTo=10000", None, 204),
    ("DELETE", "version/10015", None, 404),
    (
        "GET",
        "issue/KIT-2?expand=changelog,transitions,editmeta,operations,renderedFields",
        None,
        200,
    ),
    ("GET", "search/jql?jql=project=KIT&fields=*all&expand=changelog,transitions", None, 200),
]


LOOKUPS: list[tuple[str, str, Any, int]] = [
    ("GET", f"user?accountId={ZOE}", None, 200),
    ("GET", "user?accountId=x", None, 404),
    ("GET", f"user/bulk?accountId={ZOE}&maxResults=1", None, 200),
    ("GET", "user/search?query=z", None, 200),
    ("GET", f"user/picker?query=&maxResults=2&exclude={ZOE}", None, 200),
    ("GET", "user/assignable/search?project=KIT&query=", None, 200),
    ("GET", "user/assignable/multiProjectSearch?projectKeys=KIT,TEAM&query=a", None, 200),
    ("GET", "user/assignable/multiProjectSearch?projectKeys=NOPE&query=a", None, 404),
    ("GET", "users?startAt=1&maxResults=2", None, 200),
    ("GET", "users/search", None, 200),
    ("GET", "groups/picker?query=sell", None, 200),
    ("GET", "groupuserpicker?query=man", None, 200),
    ("GET", "group/bulk?groupName=managers", None, 200),
    ("GET", "group/member?groupname=managers&maxResults=1", None, 200),
    ("GET", "group/member?groupId=x", None, 404),
    ("GET", "role", None, 200),
    ("GET", "role/10002", None, 200),
    ("GET", "role/1", None, 404),
    ("GET", "project/KIT/role", None, 200),
    ("GET", "project/KIT/role/10003", None, 200),
    ("GET", "mypermissions?permissions=BULK_CHANGE,EDIT_ISSUES", None, 200),
    ("GET", "mypermissions", None, 400),
    ("GET", "mypermissions?permissions=FLY", None, 400),
    ("GET", "issue/picker?query=fish&currentProjectId=10002&showSubTasks=false", None, 200),
    ("GET", "issue/createmeta?projectKeys=TEAM&expand=projects.issuetypes.fields", None, 200),
    ("GET", "issue/createmeta?issuetypeNames=Bug", None, 200),
    ("GET", "label?maxResults=2", None, 200),
    ("GET", "field/search?query=budget&type=custom&maxResults=1", None, 200),
    ("GET", "customFieldOption/10161", None, 200),
    ("GET", "customFieldOption/1", None, 404),
    ("GET", "jql/autocompletedata", None, 200),
    ("GET", "configuration", None, 200),
]


async def test_what_is_looked_up_is_found() -> None:
    site = make_site(tickets=5, seed=1, all_fields=True, clock=lambda: NOW)
    async with open_client(site) as client:

        async def get(path: str) -> Any:
            return (await client.get(path)).json()

        issues = (await get("issue/picker?query=door"))["sections"][0]["issues"]
        by_jql = (await get("issue/picker?currentJQL=key=KIT-1"))["sections"][0]["issues"]
        fields = await get("field/search?query=budget")
        metadata = await get("issue/createmeta?projectKeys=KIT&issuetypeNames=Bug")
        picked = await get(f"user/picker?query=zo&exclude={USERS[2].account_id}")
        groups = await get("groups/picker?query=man")
        roles = await get("project/DEMO/role")
        option = await get("customFieldOption/10161")
        many = await get("user/bulk?accountId=x")
        bad = [
            await client.get(path) for path in ("user/bulk", "user/assignable/multiProjectSearch")
        ]

    assert [issue["key"] for issue in issues] == ["KIT-5"]
    assert [issue["key"] for issue in by_jql] == ["KIT-1"]
    assert [field["id"] for field in fields["values"]] == ["customfield_10103", "customfield_10203"]
    assert [kind["name"] for kind in metadata["projects"][0]["issuetypes"]] == ["Bug"]
    assert [user["displayName"] for user in picked["users"]] == ["Zoë Åkesson"]
    assert [group["name"] for group in groups["groups"]] == ["managers"]
    assert list(roles) == ["Administrators", "Developers", "Users"]
    assert option["value"] == "Spain"
    assert many["values"] == []
    assert [response.status_code for response in bad] == [400, 400]


IDS = [f"DEMO-{number}" for number in range(1, 101)]
READS: list[tuple[str, str, Any, int]] = [
    ("GET", "serverInfo", None, 200),
    ("GET", "myself", None, 200),
    ("GET", "field", None, 200),
    ("GET", "project", None, 200),
    ("GET", "project/search?maxResults=1", None, 200),
    ("GET", "project/search?startAt=1", None, 200),
    ("GET", "project/DEMO", None, 200),
    ("GET", "search/jql?jql=project=DEMO", None, 200),
    ("GET", "search/jql?jql=project=DEMO&fields=*all&maxResults=100", None, 200),
    ("GET", "search/jql?jql=project=BLANK&expand=names,schema", None, 200),
    (
        "POST",
        "search/jql",
        {"jql": "project = DEMO", "fields": ["*all"], "expand": "names,schema", "maxResults": 9},
        200,
    ),
    ("POST", "search/approximate-count", {"jql": "project = DEMO"}, 200),
    ("POST", "issue/bulkfetch", {"issueIdsOrKeys": IDS}, 200),
    (
        "POST",
        "issue/bulkfetch",
        {"issueIdsOrKeys": IDS[:9], "fields": ["*all"], "expand": ["names", "schema"]},
        200,
    ),
    ("GET", "issue/DEMO-1?expand=names,schema&properties=x", None, 200),
]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "issue/DEMO-999", 404),
        ("GET", "project/NOPE", 404),
        ("GET", "search", 410),
        ("GET", "search/jql?jql=x=1", 400),
        ("POST", "search/jql", 400),
        ("GET", "nowhere", 404),
    ],
)
async def test_an_error_is_as_documented(method: str, path: str, status: int) -> None:
    validator = schema_validator("ErrorCollection")
    async with open_client() as client:
        response = await client.request(method, path)

    assert response.status_code == status
    assert problems(validator, response.json()) == []


async def test_descriptions_that_are_served_are_valid_adf() -> None:
    validator = quick_adf_validator()
    async with open_client(demo_site(70)) as client:
        body = {"issueIdsOrKeys": IDS[:70], "fields": ["description"]}
        response = await client.post("issue/bulkfetch", json=body)

    for issue in response.json()["issues"]:
        if issue["fields"]["description"] is not None:
            assert problems(validator, issue["fields"]["description"]) == [], issue["key"]


async def test_every_search_key_that_is_documented_is_understood() -> None:
    schemas = load("jira-openapi.json")["components"]["schemas"]
    async with open_client() as client:
        for path, schema, needed in (
            ("search/jql", "SearchAndReconcileRequestBean", {"jql": "key = DEMO-1"}),
            ("issue/bulkfetch", "BulkFetchIssueRequestBean", {"issueIdsOrKeys": ["DEMO-1"]}),
            ("search/approximate-count", "JQLCountRequestBean", {"jql": "key = DEMO-1"}),
        ):
            everything = dict.fromkeys(schemas[schema]["properties"])
            response = await client.post(path, json={**everything, **needed})
            assert response.status_code == 200, response.text


#: Each walk, and the site on which it begins.
WALKS: dict[str, tuple[list[tuple[str, str, Any, int]], Callable[[], Site]]] = {
    "reads": (READS, lambda: demo_site(100)),
    "writes": (WRITES, lambda: demo_site(5)),
    "parts": (PARTS, lambda: demo_site(5)),
    "records": (RECORDS, lambda: make_site(tickets=5, seed=1, all_fields=True, clock=lambda: NOW)),
    "lookups": (LOOKUPS, lambda: make_site(tickets=5, seed=1, all_fields=True, clock=lambda: NOW)),
}


@for_each("version", ["3", "2"])
@for_each("name", WALKS)
async def test_requests_and_answers_are_as_documented(name: str, version: str) -> None:
    """Validate both the request and the response: an undocumented request proves nothing."""
    steps, site = WALKS[name]

    await walk(steps, site(), version)


def test_every_route_is_walked_with_success() -> None:
    steps = [step for walked, _ in WALKS.values() for step in walked]

    # Those of bulk operations are walked beside their tests.
    groups = [group for group in PLATFORM if group not in {BulkRoutes, BulkChoiceRoutes}]
    assert unwalked(steps, groups) == ["GET search", "POST search"]  # which Jira has removed
