"""The path of somebody who writes a whole ticket by hand, and of a colleague in Jira."""

from __future__ import annotations

import base64
import json
import subprocess
import urllib.request
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from fakes.processes import environment, sandbox_process, ticketr

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)
DRAFT = """\
# TICKET: Let a buyer pay by bank transfer

## Description
| Country | Days |
|---|---|
| Germany | 1 |
| Austria | 2 |

> [!WARNING]
> Ask @[demo@example.com] before {2026-03-01}.

![The form](pics/form.png){wide}

The order waits until the money is there.

## Fields
Type: Story

## Comments
- new: Have a look at the *form*, please.
"""


@pytest.fixture
def site() -> Generator[str]:
    with sandbox_process(tickets=3) as url:
        yield url


class Jira:
    """What a person sees and does at the page of an issue in Jira."""

    def __init__(self, site: str, key: str) -> None:
        self._url = f"{site}/rest/api/3/issue/{key}"

    def look(self) -> dict[str, Any]:
        return self._ask("GET", "?expand=renderedFields", None)

    def describe(self, document: dict[str, Any]) -> None:
        self._ask("PUT", "", {"fields": {"description": document}})

    def _ask(self, method: str, query: str, body: object) -> dict[str, Any]:
        login = base64.b64encode(b"demo@example.com:demo").decode()
        headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(self._url + query, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as response:
            answer = response.read()
        found: dict[str, Any] = json.loads(answer) if answer else {}
        return found


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.unmeasured
def test_a_ticket_written_by_hand_is_seen_and_edited_in_jira_and_comes_back(
    site: str, tmp_path: Path
) -> None:
    env = environment(site)
    (tmp_path / "ticketr.toml").write_text("comments = true\n")
    assert ticketr("pull", folder=tmp_path, env=env).returncode == 0
    (tmp_path / "pics").mkdir()
    (tmp_path / "pics" / "form.png").write_bytes(PNG)
    path = tmp_path / "transfer.md"
    path.write_text(DRAFT)

    planned = ticketr("push", "--dry-run", folder=tmp_path, env=env)
    assert "New attachment: pics/form.png, 68 bytes" in planned.stdout + planned.stderr
    pushed = ticketr("push", "--json", folder=tmp_path, env=env)

    result = json.loads(pushed.stdout)
    assert (pushed.returncode, result["failed"], result["warnings"]) == (0, [], []), pushed.stderr
    (created,) = result["created"]
    key = created["key"]
    jira = Jira(site, key)
    seen = jira.look()
    (attachment,) = seen["fields"]["attachment"]
    assert (attachment["filename"], attachment["size"]) == ("form.png", len(PNG))
    document = seen["fields"]["description"]
    table, panel, picture, words = document["content"]
    assert [each["type"] for each in (table, panel, picture, words)] == [
        *("table", "panel", "mediaSingle", "paragraph")
    ]
    assert [each["type"] for each in panel["content"][0]["content"]] == [
        *("text", "mention", "text", "date", "text")
    ]
    rendered = seen["renderedFields"]["description"]
    for piece in (
        "<td><p>Austria</p></td>",
        f'<img src="{attachment["content"]}" alt="The form"/>',
        "The order waits until the money is there.",
    ):
        assert piece in rendered
    (comment,) = seen["fields"]["comment"]["comments"]
    assert comment["body"]["content"][0]["content"][1]["marks"] == [{"type": "em"}]

    # The file has what Jira has, in the words of its author.
    written = path.read_text()
    assert written.startswith(f"# TICKET: [{key}] Let a buyer pay by bank transfer\n")
    assert "![The form](attachment:form.png){wide}\n" in written
    assert "> [!WARNING]\n> Ask @[" in written
    assert "Have a look at the *form*, please.\n" in written
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "--", "*.md")
    git(tmp_path, "commit", "-q", "-m", "first")
    assert ticketr("pull", folder=tmp_path, env=env).returncode == 0
    assert git(tmp_path, "diff") == ""

    # A colleague edits it in Jira, and just that edit comes back.
    words["content"][0]["text"] = "The order waits for the money."
    jira.describe(document)
    assert ticketr("pull", folder=tmp_path, env=env).returncode == 0

    changed = [
        line
        for line in git(tmp_path, "diff", "--unified=0").splitlines()
        if line.startswith(("+", "-")) and not line.startswith(("+++", "---"))
    ]
    assert changed == [
        "-The order waits until the money is there.",
        "+The order waits for the money.",
    ]
    assert json.loads(ticketr("push", "--json", folder=tmp_path, env=env).stdout)["total"] == 0
