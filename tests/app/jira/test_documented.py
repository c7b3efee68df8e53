"""Test the client's requests against Atlassian's OpenAPI document of Jira Cloud."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import pytest
import trio.testing
from fakes.jira_app import SITE, Answer, Asked, ScriptedApp
from jsonschema import Draft4Validator
from rows import for_each
from sandbox_specs import load, problems

from ticketr.app.jira import Credentials, JiraClient, JiraError, open_jira

ACCOUNT = Credentials(SITE, "mia@example.com", "a-token")
Clock = trio.testing.MockClock
CALLS: dict[str, Callable[[JiraClient], Awaitable[object]]] = {
    "myself": lambda jira: jira.myself(),
    "fields": lambda jira: jira.fields(),
    "project": lambda jira: jira.project("DEMO"),
    "search_ids": lambda jira: jira.search_ids("a = 1"),
    "highest_key": lambda jira: jira.highest_key("DEMO"),
    "bulk_fetch": lambda jira: jira.bulk_fetch(["1"], fields=["summary"], properties=["a"]),
    "top_matching_users": lambda jira: jira.top_matching_users("mia"),
    "top_assignable_users": lambda jira: jira.top_assignable_users("DEMO", "mia"),
    "creatable_issue_types": lambda jira: jira.creatable_issue_types("DEMO"),
    "status_names_by_type_id": lambda jira: jira.status_names_by_type_id("DEMO"),
    "fields_for_create": lambda jira: jira.fields_for_create("DEMO", "1"),
    "create": lambda jira: jira.create_issue({"summary": "x"}, properties={"a": 1, "b": None}),
    "create_bare": lambda jira: jira.create_issue({}),
    "edit": lambda jira: jira.edit_issue("A-1", {"summary": "x"}),
    "transitions": lambda jira: jira.transitions("A-1"),
    "transition": lambda jira: jira.transition_issue("A-1", "31"),
}


@cache
def document() -> Any:
    return load("jira-openapi.json")


def operation_of(asked: Asked) -> Any:
    """Find the operation of a request: the matching path with the fewest placeholders."""
    paths = document()["paths"]
    fitting = [
        path
        for path in paths
        if asked.method.lower() in paths[path]
        and re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", path), asked.path)
    ]
    assert fitting, f"no operation {asked.method} {asked.path}"
    return paths[min(fitting, key=lambda path: path.count("{"))][asked.method.lower()]


def query_problems(operation: Any, query: str) -> list[str]:
    schemas = {
        parameter["name"]: parameter["schema"]
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "query"
    }
    found = []
    for name, text in parse_qsl(query, keep_blank_values=True):
        if name not in schemas:
            found.append(f"{name} is not a parameter")
            continue
        value = int(text) if schemas[name]["type"] == "integer" else text
        found += problems(Draft4Validator(schemas[name]), value)
    return found


def body_problems(operation: Any, body: object) -> list[str]:
    if "requestBody" not in operation:
        return [] if body is None else ["a body where none belongs"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    components = document()["components"]
    return problems(Draft4Validator({**schema, "components": components}), body)


@for_each("call", CALLS.values())
async def test_a_request_is_as_documented(
    call: Callable[[JiraClient], Awaitable[object]], autojump_clock: Clock
) -> None:
    app = ScriptedApp(Answer({}, status=418))
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        with pytest.raises(JiraError):
            await call(jira)
    (asked,) = app.asked
    operation = operation_of(asked)
    assert not operation.get("deprecated")
    assert query_problems(operation, asked.query) == []
    assert body_problems(operation, asked.body) == []


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        (("GET", "issue/A-1/transitions", "nope=1", None), "nope is not a parameter"),
        (("DELETE", "issue/A-1", "deleteSubtasks=yes", None), "'yes' is not one of"),
        (("GET", "issue/createmeta/A/issuetypes", "maxResults=201", None), "201 is greater"),
        (("POST", "issue/bulkfetch", "", {"nope": 1}), "'nope' was unexpected"),
        (("GET", "myself", "", {}), "a body where none belongs"),
    ],
    ids=["parameter", "value", "maximum", "key", "body"],
)
def test_a_request_that_is_not_as_documented_would_be_found(
    asked: tuple[str, str, str, object], problem: str
) -> None:
    method, path, query, body = asked
    operation = operation_of(Asked(method, f"/rest/api/3/{path}", query, body, {}, 0.0))
    found = query_problems(operation, query) + body_problems(operation, body)
    assert any(problem in one for one in found), found
