"""Clients that know nothing of ticketr work against the sandbox unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes.sandbox_child import sandbox_child
from jira import JIRA, JIRAError

from ticketr.sandbox import EMAIL, TOKEN

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.fixture(scope="module")
def address() -> Generator[str]:
    with sandbox_child(tickets=230) as (_process, url):
        yield url


@pytest.fixture(params=["2", "3"])
def jira(address: str, request: pytest.FixtureRequest) -> Generator[JIRA]:
    options = {"server": address, "rest_api_version": request.param, "check_update": False}
    client = JIRA(options=options, basic_auth=(EMAIL, TOKEN), max_retries=0, validate=True)
    yield client
    client.close()  # type: ignore[no-untyped-call]


def test_it_logs_in(jira: JIRA) -> None:
    assert jira.myself()["displayName"] == "Demo User"
    assert jira._is_cloud


def test_it_is_told_when_the_token_is_wrong(address: str) -> None:
    options = {"server": address, "check_update": False}
    with pytest.raises(JIRAError, match="Client must be authenticated") as caught:
        JIRA(options=options, basic_auth=(EMAIL, "wrong"), max_retries=0, validate=True)

    assert caught.value.status_code == 401


def test_it_searches_all_pages(jira: JIRA) -> None:
    for use_post in (False, True):
        found = jira.enhanced_search_issues(
            "project = DEMO ORDER BY key", maxResults=0, fields="summary", use_post=use_post
        )
        assert [issue.key for issue in found] == [f"DEMO-{n}" for n in range(1, 231)]


def test_it_searches_by_the_old_name_too(jira: JIRA) -> None:
    found = jira.search_issues("type = Epic", maxResults=False)

    assert {issue.fields.issuetype.name for issue in found} == {"Epic"}


def test_it_counts(jira: JIRA) -> None:
    assert jira.approximate_issue_count("project = DEMO") == 230


def test_it_fetches_an_issue_with_its_parent_and_fields(jira: JIRA) -> None:
    (sub_task,) = jira.enhanced_search_issues("type = Sub-task", maxResults=1)
    issue = jira.issue(sub_task.key)
    parent = jira.issue(issue.fields.parent.key)

    assert issue.key in [link.key for link in parent.fields.subtasks]
    assert issue.fields.status.name in {"To Do", "In Progress", "In Review", "Done"}
    assert hasattr(parent.fields, "customfield_10016")
    link = issue.permalink()  # type: ignore[no-untyped-call]
    assert link == f"{jira.server_url}/browse/{issue.key}"


def test_it_finds_fields_and_projects(jira: JIRA) -> None:
    assert "Story Points" in {field["name"] for field in jira.fields()}
    assert [project.key for project in jira.projects()] == ["DEMO", "BLANK"]
    assert jira.project("DEMO").name == "Harbour Books"


def test_it_is_told_what_is_wrong_with_a_query(jira: JIRA) -> None:
    with pytest.raises(JIRAError, match="The value 'NOPE' does not exist") as caught:
        jira.enhanced_search_issues("project = NOPE")

    assert caught.value.status_code == 400
