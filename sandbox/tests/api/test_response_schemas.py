"""Validate the sandbox's responses against Atlassian's OpenAPI document of Jira Cloud."""

from __future__ import annotations

import pytest
from sandbox_adf import quick_adf_validator
from sandbox_client import demo_site, open_client
from sandbox_specs import (
    answer_validator,
    load,
    problems,
    schema_validator,
)

IDS = [f"DEMO-{number}" for number in range(1, 101)]
ANSWERS = [
    ("GET", "serverInfo", "serverInfo", None),
    ("GET", "myself", "myself", None),
    ("GET", "field", "field", None),
    ("GET", "project", "project", None),
    ("GET", "project/search?maxResults=1", "project/search", None),
    ("GET", "project/search?startAt=1", "project/search", None),
    ("GET", "project/DEMO", "project/{projectIdOrKey}", None),
    ("GET", "search/jql?jql=project=DEMO", "search/jql", None),
    ("GET", "search/jql?jql=project=DEMO&fields=*all&maxResults=100", "search/jql", None),
    ("GET", "search/jql?jql=project=BLANK&expand=names,schema", "search/jql", None),
    (
        "POST",
        "search/jql",
        "search/jql",
        {"jql": "project = DEMO", "fields": ["*all"], "expand": "names,schema", "maxResults": 9},
    ),
    ("POST", "search/approximate-count", "search/approximate-count", {"jql": "project = DEMO"}),
    ("POST", "issue/bulkfetch", "issue/bulkfetch", {"issueIdsOrKeys": IDS}),
    (
        "POST",
        "issue/bulkfetch",
        "issue/bulkfetch",
        {"issueIdsOrKeys": IDS[:9], "fields": ["*all"], "expand": ["names", "schema"]},
    ),
    ("GET", "issue/DEMO-1?expand=names,schema&properties=x", "issue/{issueIdOrKey}", None),
]


@pytest.mark.parametrize("version", ["3", "2"])
@pytest.mark.parametrize(("method", "path", "operation", "body"), ANSWERS)
async def test_an_answer_is_as_documented(
    method: str, path: str, operation: str, body: object, version: str
) -> None:
    validator = answer_validator(method, operation)
    async with open_client(demo_site(100), version=version) as client:
        response = await client.request(method, path, json=body)

    assert response.status_code == 200
    assert problems(validator, response.json()) == []


@pytest.mark.parametrize(
    ("field", "schema"),
    [
        ("issuetype", "IssueTypeDetails"),
        ("project", "Project"),
        ("status", "StatusDetails"),
        ("priority", "Priority"),
        ("assignee", "User"),
        ("reporter", "User"),
        ("creator", "User"),
        ("customfield_10033", "User"),
        ("resolution", "Resolution"),
        ("comment", "PageOfComments"),
        ("worklog", "PageOfWorklogs"),
        ("votes", "Votes"),
        ("watches", "Watchers"),
        ("components", "ProjectComponent"),
        ("fixVersions", "Version"),
    ],
)
async def test_a_record_inside_an_issue_is_as_documented(field: str, schema: str) -> None:
    validator = schema_validator(schema)
    async with open_client(demo_site(100)) as client:
        body = {"issueIdsOrKeys": IDS, "fields": [field]}
        response = await client.post("issue/bulkfetch", json=body)

    values = [issue["fields"][field] for issue in response.json()["issues"]]
    flat = [part for value in values for part in (value if isinstance(value, list) else [value])]
    found = [value for value in flat if value is not None]
    assert found
    for value in found:
        assert problems(validator, value) == []


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


def test_the_check_itself_notices_an_extra_key() -> None:
    validator = answer_validator("GET", "serverInfo")

    assert problems(validator, {"baseUrl": "http://x", "surprise": 1}) != []
    assert problems(validator, {"buildNumber": "x"}) != []
