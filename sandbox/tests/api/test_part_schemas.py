"""Validate requests and answers about comments, links, attachments and worklogs."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_client import demo_site
from sandbox_walks import unwalked, walk

from jira_sandbox.api.attachments import AttachmentRoutes
from jira_sandbox.api.comments import CommentRoutes
from jira_sandbox.api.links import LinkRoutes
from jira_sandbox.api.worklogs import WorklogRoutes

LINK = {
    "type": {"name": "Blocks"},
    "inwardIssue": {"key": "DEMO-1"},
    "outwardIssue": {"key": "DEMO-2"},
}
STARTED = "2025-09-30T09:00:00.000+0000"
ROLE = {"type": "role", "value": "Administrators"}
#: The IDs of parts begin at 10001, in the order in which the walk makes them.
WALK: list[tuple[str, str, Any, int]] = [
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
GROUPS = (CommentRoutes, LinkRoutes, AttachmentRoutes, WorklogRoutes)


@pytest.mark.parametrize("version", ["3", "2"])
async def test_requests_and_answers_are_as_documented(version: str) -> None:
    await walk(WALK, demo_site(5), version)


def test_every_route_of_these_groups_is_walked_with_success() -> None:
    assert unwalked(WALK, GROUPS) == []
