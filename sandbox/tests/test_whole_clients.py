"""Clients that others have written do a day's work on the sandbox, unchanged: two in Python, jira.js."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest
from atlassian import Jira
from jira import JIRA
from sandbox_child import sandbox_child

from jira_sandbox import EMAIL, TOKEN
from jira_sandbox.data.catalogue import USERS

ZOE = USERS[1]
TEXT = {"type": "paragraph", "content": [{"type": "text", "text": "Hello"}]}
DOCUMENT = {"type": "doc", "version": 1, "content": [TEXT]}
NEW = {"project": {"key": "KIT"}, "issuetype": {"name": "Story"}, "summary": "Made elsewhere"}


@pytest.fixture(scope="module")
def address() -> Generator[str]:
    with sandbox_child(tickets=5, all_fields=True) as (_process, url):
        yield url


@pytest.fixture(params=["2", "3"])
def jira(address: str, request: pytest.FixtureRequest) -> Generator[JIRA]:
    options = {"server": address, "rest_api_version": request.param, "check_update": False}
    client = JIRA(options=options, basic_auth=(EMAIL, TOKEN), max_retries=0)
    yield client
    client.close()  # type: ignore[no-untyped-call]


def test_the_package_jira_does_a_days_work(jira: JIRA) -> None:
    version = str(jira._options["rest_api_version"])
    body = "Hello" if version == "2" else DOCUMENT
    issue = jira.create_issue(fields=NEW)
    issue.update(fields={"summary": "Changed", "customfield_10107": [{"value": "Export"}]})
    comment = jira.add_comment(issue, body)
    jira.assign_issue(issue, ZOE.email)
    jira.transition_issue(issue, "Start work")
    jira.create_issue_link("Blocks", issue.key, "KIT-2")
    jira.add_worklog(issue, timeSpent="2h")
    jira.add_watcher(issue, ZOE.account_id)
    (board,) = jira.boards(projectKeyOrID="KIT")
    dates = {"startDate": "2026-01-05T08:00:00.000Z", "endDate": "2026-01-19T08:00:00.000Z"}
    sprint = jira.create_sprint(f"Sprint {version}", board.id, **dates)
    jira.update_sprint(sprint.id, state="active", name=sprint.name, **dates)
    jira.add_issues_to_sprint(sprint.id, [issue.key])
    jira.add_issues_to_epic("KIT-1", [issue.key])
    jira.rank(issue.key, next_issue="KIT-2")
    jira.add_attachment(issue, io.BytesIO(b"\0content"), "a file.bin")
    jira.add_simple_link(issue.key, {"url": "http://x.test", "title": "X"})
    version_made = jira.create_version(f"V{version}", "KIT")

    found = jira.issue(issue.key, expand="changelog")
    fields = found.raw["fields"]
    assert fields["summary"] == "Changed"
    assert fields["customfield_10107"][0]["value"] == "Export"
    assert [each["id"] for each in fields["comment"]["comments"]] == [comment.id]
    assert fields["comment"]["comments"][0]["body"] == body
    assert fields["assignee"]["displayName"] == ZOE.name
    assert fields["status"]["name"] == "In Progress"
    assert fields["issuelinks"][0]["outwardIssue"]["key"] == "KIT-2"
    assert fields["timespent"] == 7200
    assert ZOE.name in [user.displayName for user in jira.watchers(issue).watchers]
    assert [each["name"] for each in fields["customfield_10020"]] == [f"Sprint {version}"]
    assert fields["parent"]["key"] == "KIT-1"
    content = found.fields.attachment[0].get()  # type: ignore[no-untyped-call]
    assert content == b"\0content"
    assert "status" in str(found.raw["changelog"])
    assert version_made.name in [each.name for each in jira.project_versions("KIT")]
    assert "customfield_10107" in jira.editmeta(issue)["fields"]
    assert [link.object.title for link in jira.remote_links(issue)] == ["X"]
    found.fields.attachment[0].delete()
    comment.delete()
    assert jira.issue(issue.key).fields.comment.comments == []


def test_the_package_atlassian_python_api_does_a_days_work(address: str, tmp_path: Path) -> None:
    client = Jira(url=address, username=EMAIL, password=TOKEN, cloud=True)
    made = client.create_issue(fields=NEW)
    assert made is not None
    key = made["key"]
    client.update_issue_field(key, {"summary": "Changed", "customfield_10103": 2})
    comment = client.issue_add_comment(key, "Hello")
    client.issue_edit_comment(key, comment["id"], "Hello again")
    client.assign_issue(key, ZOE.account_id)
    client.set_issue_status(key, "In Progress")
    client.issue_transition(key, "In Review")
    client.create_issue_link(
        {"type": {"name": "Blocks"}, "inwardIssue": {"key": key}, "outwardIssue": {"key": "KIT-2"}}
    )
    client.issue_worklog(key, "2026-01-01T10:00:00.000+0000", 3600)
    boards = client.get_all_agile_boards(project_key="KIT")
    assert boards is not None
    (board,) = boards["values"]
    dates = ("2026-01-05T08:00:00.000Z", "2026-01-19T08:00:00.000Z")
    sprint = client.create_sprint("Elsewhere", board["id"], *dates, goal="All of it")
    assert sprint is not None
    client.add_issues_to_sprint(sprint["id"], [key])
    file = tmp_path / "größe.txt"
    file.write_bytes(b"content\r\n")
    (attachment,) = client.add_attachment(key, str(file))

    (issue,) = client.enhanced_jql(f"key = {key}", fields="*all")["issues"]
    fields = issue["fields"]
    assert (fields["summary"], fields["customfield_10103"]) == ("Changed", 2.0)
    assert "Hello again" in str(fields["comment"]["comments"])
    assert fields["assignee"]["displayName"] == ZOE.name
    assert fields["status"]["name"] == "In Review"
    assert fields["issuelinks"][0]["outwardIssue"]["key"] == "KIT-2"
    assert fields["timespent"] == 3600
    assert [each["name"] for each in fields["customfield_10020"]] == ["Elsewhere"]
    assert [each["filename"] for each in fields["attachment"]] == ["größe.txt"]
    assert attachment["size"] == 9
    assert client.get_issue_changelog(key)["total"] > 5
    client.delete_issue(key)
    assert not client.issue_exists(key)


PACKAGE = "jira.js@5.4.0"
SCRIPT = Path(__file__).with_name("jira_js.mjs")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which the package is installed; skip without Node.js or a registry."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("node or npm is not installed")
    folder = tmp_path_factory.mktemp("jira_js")
    install = [npm, "install", "--no-audit", "--no-fund", PACKAGE]
    done = subprocess.run(
        install, cwd=folder, capture_output=True, text=True, timeout=600, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"npm cannot install {PACKAGE}: {done.stderr[-300:]}")
    shutil.copy(SCRIPT, folder)
    return folder


@pytest.mark.stress
def test_jira_js_does_a_days_work(folder: Path) -> None:
    with sandbox_child(tickets=5) as (_process, url):
        done = subprocess.run(
            ["node", SCRIPT.name, url, EMAIL, TOKEN],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "summary": "Changed",
        "labels": ["js"],
        "status": "In Progress",
        "isMine": True,
        "hasComment": [True],
        "links": ["DEMO-1"],
        "found": ["Changed"],
    }
