"""Other Jira clients work against the sandbox unchanged."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
from jira import JIRA, Issue, JIRAError
from sandbox_child import sandbox_child

from jira_sandbox import EMAIL, TOKEN


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


def test_it_is_reported_when_the_token_is_wrong(address: str) -> None:
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


def test_it_is_reported_what_is_wrong_with_a_query(jira: JIRA) -> None:
    with pytest.raises(JIRAError, match="The value 'NOPE' does not exist") as caught:
        jira.enhanced_search_issues("project = NOPE")

    assert caught.value.status_code == 400


def new(jira: JIRA, **fields: Any) -> Issue:
    """Create a story for one client, so that the tests do not interfere."""
    given = {"project": {"key": "BLANK"}, "issuetype": {"name": "Story"}, "summary": "Made here"}
    return jira.create_issue(fields=given | fields)


def test_it_makes_an_issue_and_a_sub_task(jira: JIRA) -> None:
    story = new(jira, labels=["b", "a"], priority={"name": "High"})
    task = new(jira, issuetype={"name": "Sub-task"}, parent={"key": story.key})

    assert story.fields.summary == "Made here"
    assert story.fields.labels == ["a", "b"]
    assert [link.key for link in jira.issue(story.key).fields.subtasks] == [task.key]
    assert task.fields.parent.key == story.key


def test_it_makes_several_and_is_reported_which_failed(jira: JIRA) -> None:
    good = {"project": {"key": "BLANK"}, "issuetype": {"name": "Bug"}, "summary": "x"}
    made = jira.create_issues([good, {**good, "summary": ""}, good])

    assert [one["status"] for one in made] == ["Success", "Error", "Success"]
    assert made[1]["error"] == {"summary": "You must specify a summary of the issue."}
    assert made[2]["issue"].fields.summary == "x"


def test_it_is_reported_what_is_wrong_with_a_new_issue(jira: JIRA) -> None:
    with pytest.raises(JIRAError, match="The priority selected is invalid") as caught:
        new(jira, priority={"name": "Urgent"})

    assert caught.value.status_code == 400


def test_it_edits_an_issue(jira: JIRA) -> None:
    issue = new(jira, labels=["a"])
    issue.update(summary="Changed", labels=[{"add": "c"}, {"remove": "a"}])

    assert issue.fields.summary == "Changed"
    assert issue.fields.labels == ["c"]


def test_it_edits_a_description_in_the_form_of_its_version(jira: JIRA) -> None:
    issue = new(jira)
    text = {"type": "text", "text": "Hello"}
    paragraph = {"type": "paragraph", "content": [text]}
    document = {"type": "doc", "version": 1, "content": [paragraph]}
    forms: dict[str, Any] = {"2": "Hello", "3": document}
    right = str(jira._options["rest_api_version"])
    issue.update(fields={"description": forms[right]})
    with pytest.raises(JIRAError, match="Operation value must be a"):
        issue.update(fields={"description": forms["23".replace(right, "")]})

    assert jira.issue(issue.key).raw["fields"]["description"] == forms[right]


def test_it_goes_through_the_workflow_by_the_names_of_the_steps(jira: JIRA) -> None:
    issue = new(jira)
    with pytest.raises(JIRAError, match="Invalid transition name"):
        jira.transition_issue(issue, "Approve")
    for step in ("Start work", "Ask for review", "Approve"):
        jira.transition_issue(issue, step)

    done = jira.issue(issue.key)
    assert done.fields.status.name == "Done"
    assert done.raw["fields"]["resolution"]["name"] == "Done"
    assert [step["name"] for step in jira.transitions(issue)] == ["Reopen"]


def test_it_deletes_an_issue_with_its_sub_tasks(jira: JIRA) -> None:
    story = new(jira)
    task = new(jira, issuetype={"name": "Sub-task"}, parent={"key": story.key})
    with pytest.raises(JIRAError, match="deleteSubtasks"):
        story.delete()  # type: ignore[no-untyped-call]
    story.delete(deleteSubtasks=True)  # type: ignore[no-untyped-call]

    for key in (story.key, task.key):
        with pytest.raises(JIRAError, match="does not exist"):
            jira.issue(key)


def test_it_finds_people(jira: JIRA) -> None:
    (priya,) = jira.search_assignable_users_for_issues(query="priya", project="BLANK")
    issue = new(jira, assignee={"accountId": priya.accountId})

    assert issue.raw["fields"]["assignee"]["displayName"] == "Priya Raman"
    assert [user.displayName for user in jira.search_users(query="zo")] == ["Zoë Åkesson"]


def test_it_keeps_properties_with_an_issue(jira: JIRA) -> None:
    issue = new(jira)
    jira.add_issue_property(issue.key, "ticketr", {"x": 1})

    assert [entry.key for entry in jira.issue_properties(issue.key)] == ["ticketr"]
    assert jira.issue_property(issue.key, "ticketr").value.x == 1
    jira.issue_property(issue.key, "ticketr").delete()
    assert jira.issue_properties(issue.key) == []
