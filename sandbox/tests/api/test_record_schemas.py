"""Validate requests and answers about people, histories, constants and a project's records."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_client import NOW
from sandbox_walks import unwalked, walk

from jira_sandbox import make_site
from jira_sandbox.api.changelog import ChangelogRoutes
from jira_sandbox.api.components import ComponentRoutes
from jira_sandbox.api.constants import ConstantRoutes
from jira_sandbox.api.participants import ParticipantRoutes
from jira_sandbox.api.remote_links import RemoteLinkRoutes
from jira_sandbox.api.versions import VersionRoutes
from jira_sandbox.data.catalogue import USERS

ZOE = USERS[1].account_id
REMOTE = {
    "globalId": "x",
    "object": {"url": "http://x.test", "title": "X", "icon": {"title": "i"}},
    "application": {"name": "A", "type": "b"},
    "relationship": "causes",
}
#: The IDs of parts and records begin at 10012, above those that every site has.
WALK: list[tuple[str, str, Any, int]] = [
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
GROUPS = (
    ChangelogRoutes,
    ComponentRoutes,
    ConstantRoutes,
    ParticipantRoutes,
    RemoteLinkRoutes,
    VersionRoutes,
)


@pytest.mark.parametrize("version", ["3", "2"])
async def test_requests_and_answers_are_as_documented(version: str) -> None:
    await walk(WALK, make_site(tickets=5, seed=1, all_fields=True, clock=lambda: NOW), version)


def test_every_route_of_these_groups_is_walked_with_success() -> None:
    assert unwalked(WALK, GROUPS) == []
