"""Validate the sandbox's writes against Atlassian's OpenAPI document of Jira Cloud.

The client of these tests looks at every answer by itself, in all the other tests too.
"""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest
from sandbox_client import demo_site, open_client
from sandbox_openapi import find_operation, wrong_answer, wrong_request
from sandbox_specs import load

from jira_sandbox.api.createmeta import CreateMetaRoutes
from jira_sandbox.api.payload import INVALID, NOT_JSON
from jira_sandbox.api.properties import PropertyRoutes
from jira_sandbox.api.routes import PLATFORM
from jira_sandbox.api.transitions import TransitionRoutes
from jira_sandbox.api.writes import WriteRoutes

PARAGRAPH = {"type": "paragraph", "content": [{"type": "text", "text": "x"}]}
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
WALK: list[tuple[str, str, Any, int]] = [
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


@pytest.mark.parametrize("version", ["3", "2"])
async def test_requests_and_answers_are_as_documented(version: str) -> None:
    """Validate both the request and the response: an undocumented request proves nothing."""
    async with open_client(demo_site(5), version=version) as client:
        for method, path, body, status in WALK:
            response = await client.request(method, path, json=body)
            assert response.status_code == status, (method, path, response.text)
            sent = response.request
            assert wrong_request(method, str(sent.url), sent.content) == []
            assert wrong_answer(response) == []


def test_every_route_of_these_groups_is_walked_with_success() -> None:
    routes = {
        (method, re.sub(r"\{[^}]*\}", "x", f"/rest/api/3/{path}"))
        for group in (WriteRoutes, TransitionRoutes, CreateMetaRoutes, PropertyRoutes)
        for method, path, _ in PLATFORM[group]
    }
    walked = {
        find_operation(method, f"/rest/api/3/{path.partition('?')[0]}")
        for method, path, _, status in WALK
        if status < 300
    }

    assert len(routes) == 14
    for method, path in routes:
        operation = find_operation(method, path)
        assert operation is not None, "a route that Jira does not have"
        assert operation in walked


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


@pytest.mark.parametrize(
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


def test_the_check_itself_notices_what_is_wrong() -> None:
    root = "http://jira.test/rest/api/3"
    request = httpx.Request("POST", f"{root}/issue")

    assert wrong_answer(httpx.Response(200, request=request, json={}))
    assert wrong_answer(httpx.Response(201, request=request, json={"surprise": 1}))
    assert wrong_answer(httpx.Response(400, request=request, json={"errors": {"summary": 1}}))
    assert not wrong_answer(httpx.Response(201, request=request, json={"id": "1"}))
    assert wrong_request("POST", f"{root}/issue", b'{"fields": []}')
    assert wrong_request("POST", f"{root}/issue?x=1", b"{}")
    assert wrong_request("GET", f"{root}/nowhere", None)
    assert wrong_request("DELETE", f"{root}/issue/X-1", b"{}")
    assert not wrong_request("DELETE", f"{root}/issue/X-1?deleteSubtasks=true", b"")
