"""Test ``ticketr push`` of texts that Markdown or Jira cannot hold: each is reported."""

from __future__ import annotations

import base64
import json
import subprocess
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from fakes.processes import PROGRAM, environment, sandbox_process
from fakes.ptys import job_on_pty
from fakes.users import User

TABLE = """\
# TICKET: A table

## Description
| a | b |
| --- | --- |
| 1 |

## Tasks
- Part
  ## Description
  first

  | a | b |
  | --- | --- |
  | 1 | 2 | 3 |
"""


def test_a_row_with_too_many_cells_is_refused_with_its_line_in_the_file(someone: User) -> None:
    someone.writes("new.md", TABLE)

    told = someone.runs("push")

    assert told.code == 3
    assert "new.md:15: this row has 3 cells where its table has 2" in told.err
    assert '"| 1 | 2 | 3 |"' in told.err


def test_a_row_with_too_few_cells_is_filled_in_jira_and_in_the_file(someone: User) -> None:
    someone.writes("new.md", TABLE.partition("\n## Tasks")[0])

    assert someone.runs("push").code == 0

    assert "| a | b |\n| --- | --- |\n| 1 |" in someone.files()["new.md"]
    document = someone.finds("DEMO-13").description
    assert document is not None
    assert document["content"][0]["type"] == "table"


def test_a_line_of_rich_text_is_refused_in_the_plan_and_by_the_push(someone: User) -> None:
    someone.writes("new.md", "# TICKET: A\n\n## Fields\nEnvironment: Debian 12\n")

    for command in (("push", "--dry-run"), ("push",)):
        told = someone.runs(*command)
        assert told.code == 3
        assert "Environment: it holds rich text; this workspace does not keep it; add " in told.err


def document(*words: str) -> dict[str, Any]:
    """Return a paragraph for which Markdown has no escape, and a list beside it."""
    item = {"type": "listItem", "content": plain("first")["content"]}
    items = {"type": "bulletList", "content": [item]}
    return {"type": "doc", "version": 1, "content": [*plain(*words)["content"], items]}


HASHED = "# kept \ufdd0 by Jira, "
LOST = "a paragraph at “# kept"


@pytest.fixture
def editor(someone: User) -> User:
    """Return a user who has edited a paragraph that the file cannot hold."""
    someone.site.edit("DEMO-9", description=document(f"{HASHED}old words"))
    someone.runs("pull")
    someone.edits("DEMO-9.md", "old words", "new words")
    return someone


def test_what_stands_beside_an_edit_goes_back_as_jira_has_it(someone: User) -> None:
    sent = document(f"{HASHED}old words")
    someone.site.edit("DEMO-9", description=sent)
    someone.runs("pull")
    someone.edits("DEMO-9.md", "- first\n", "- first\n- second\n")

    assert someone.runs("push").code == 0

    more = {"type": "listItem", "content": plain("second")["content"]}
    sent["content"][1]["content"].append(more)
    assert someone.finds("DEMO-9").description == sent


def heading_in_quote(*words: str) -> dict[str, Any]:
    """Return what Jira may have from older days and refuses today."""
    kept, *texts = ({"type": "text", "text": each} for each in ("kept by Jira", *words))
    heading = {"type": "heading", "attrs": {"level": 2}, "content": [kept]}
    quote = {"type": "blockquote", "content": [*plain("a")["content"], heading]}
    paragraph = {"type": "paragraph", "content": texts}
    return {"type": "doc", "version": 1, "content": [quote, paragraph]}


def test_what_jira_refuses_of_its_own_is_sent_as_the_file_has_it_if_that_is_accepted(
    someone: User,
) -> None:
    someone.site.edit("DEMO-9", description=heading_in_quote("old words"))
    someone.runs("pull")
    someone.edits("DEMO-9.md", "old words", "new words")

    told = someone.runs("push")
    assert told.code == 3
    assert "Jira may refuse text that it has itself: a heading cannot be in" in told.err
    assert someone.finds("DEMO-9").description == heading_in_quote("old words")

    told = someone.runs("push", "--accept-loss")
    assert told.code == 0
    assert "is lost in Jira: a heading at “kept by Jira”" in told.err
    assert "new words" in str(someone.finds("DEMO-9").description)


def test_text_that_a_file_cannot_hold_is_never_lost_silently(editor: User) -> None:
    for options in ((), ("--dry-run",), ("--yes",)):
        told = editor.runs("push", *options)

        assert told.code == 3
        assert f"Description: sending it would lose {LOST}" in told.err
        assert "--accept-loss" in told.err
    assert editor.finds("DEMO-9").description == document(f"{HASHED}old words")
    assert "new words" in editor.files()["DEMO-9.md"]


def test_a_loss_is_in_json_and_in_the_status(editor: User) -> None:
    (note,) = editor.runs("push", "--dry-run", "--json").json["failed"]
    assert (note["key"], note["code"]) == ("DEMO-9", "loss")
    assert LOST in note["reason"]
    losses = editor.runs("status", "--json").json["losses"]
    (loss,) = losses
    assert (loss["key"], loss["path"], loss["line"]) == ("DEMO-9", "DEMO-9.md", 4)
    assert loss["what"].startswith(LOST)
    told = editor.runs("status").out
    assert f"loss      DEMO-9 (DEMO-9.md): a push would lose {LOST}" in told
    assert "(line 4) in Jira" in told


@pytest.mark.parametrize("command", ["push", "sync"])
def test_an_accepted_loss_is_sent_and_reported(editor: User, command: str) -> None:
    told = editor.runs(command, "--accept-loss")

    assert told.code == 0
    assert f"is lost in Jira: {LOST}" in told.err
    sent = editor.finds("DEMO-9").description
    assert sent is not None
    assert "new words" in str(sent)
    assert sent["content"][0]["type"] == "heading"


def test_a_sync_refuses_a_loss_too(editor: User) -> None:
    told = editor.runs("sync")

    assert told.code == 3
    assert LOST in told.err
    assert editor.finds("DEMO-9").description == document(f"{HASHED}old words")


def test_other_parts_are_sent_without_a_question(someone: User) -> None:
    someone.site.edit("DEMO-9", description=document(f"{HASHED}old words"))
    someone.runs("pull")
    someone.retitles("DEMO-9", "Mine")

    assert someone.runs("push").code == 0
    assert someone.finds("DEMO-9").description == document(f"{HASHED}old words")


def test_text_that_the_edit_contains_is_not_lost(editor: User) -> None:
    editor.edits("DEMO-9.md", "# kept", "\\# kept")

    assert editor.runs("push").code == 0


@pytest.mark.parametrize(("answer", "code", "words"), [("n", 3, "1 failed"), ("y", 0, "1 updated")])
def test_in_a_terminal_a_loss_is_asked_about(
    answer: str, code: int, words: str, tmp_path: Path
) -> None:
    with sandbox_process(tickets=2) as site:
        # A noncharacter, for which ticketr's Markdown has no escape.
        put_description(site, "DEMO-1", document=plain("# kept \ufdd0 old words"))
        command = [*PROGRAM, "push", "--folder", str(tmp_path), "--yes"]
        subprocess.run(
            [*PROGRAM, "pull", "--folder", str(tmp_path)],
            env=environment(site),
            check=True,
            capture_output=True,
        )
        path = tmp_path / "DEMO-1.md"
        path.write_text(path.read_text().replace("old words", "new words"))

        with job_on_pty(command, size=(100, 24), environ=environment(site)) as pty:
            pty.wait_for(r"a push would lose a paragraph")
            pty.wait_for(r"lose that in Jira\? \[y/N\]: ")
            pty.type(f"{answer}\r")
            pty.wait_for(words)
            assert pty.wait_for_end() == code


def plain(*lines: str) -> dict[str, Any]:
    texts = ([{"type": "text", "text": each}] for each in lines)
    paragraphs = [{"type": "paragraph", "content": each} for each in texts]
    return {"type": "doc", "version": 1, "content": paragraphs}


def put_description(site: str, key: str, *, document: dict[str, Any]) -> None:
    request = urllib.request.Request(
        f"{site}/rest/api/3/issue/{key}",
        data=json.dumps({"fields": {"description": document}}).encode(),
        headers={
            "Authorization": f"Basic {base64.b64encode(b'demo@example.com:demo').decode()}",
            "Content-Type": "application/json",
        },
        method="PUT",
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 204


def test_markup_sent_as_text_is_reported_in_the_plan_and_after_the_push(someone: User) -> None:
    text = "# TICKET: A\n\n## Description\n> [!NOTICE]\n> x\n\n## Acceptance Criteria\n- ask @Mia\n"
    someone.writes("new.md", text)

    for command in (("push", "--dry-run"), ("push",)):
        told = someone.runs(*command)
        assert told.code == 0
        assert 'warning: draft "A" (new.md): Description: new.md:4: “[!NOTICE]” goes' in told.err
        assert "Acceptance Criteria: new.md:8: “@Mia” goes to Jira as text" in told.err
    assert "warning" not in someone.runs("push").err


def test_warnings_are_not_repeated_for_unchanged_text(someone: User) -> None:
    path = someone.writes("new.md", "# TICKET: A\n\n## Description\nask @Mia\n")
    someone.runs("push")
    path.write_text(path.read_text().replace("ask @Mia", "ask @Mia\n\nmore :tadaa:"))

    (note,) = someone.runs("push", "--json").json["warnings"]

    assert (note["key"], note["code"]) == ("DEMO-13", "literal")
    assert ":tadaa:" in note["reason"]


def test_people_are_mentioned_by_name_and_looked_up_in_jira(someone: User) -> None:
    ann = someone.site.users[0]
    path = someone.writes(
        "new.md", f"# TICKET: A\n\n## Description\nask @[{ann.name}] and @{ann.email}\n"
    )

    assert someone.runs("push").code == 0

    mention = f"@[{ann.name}]({ann.account_id})"
    assert f"ask {mention} and {mention}\n" in path.read_text()
    document = someone.finds("DEMO-13").description
    assert document is not None
    mentions = [each for each in document["content"][0]["content"] if each["type"] == "mention"]
    assert [each["attrs"]["id"] for each in mentions] == [ann.account_id] * 2
    assert someone.runs("status").out.count("DEMO-13") == 0


def test_a_name_of_several_people_is_refused_and_one_of_nobody_is_a_warning(someone: User) -> None:
    letters = Counter(
        letter for each in someone.site.users for letter in {word[0] for word in each.name.split()}
    )
    ((first, count),) = letters.most_common(1)
    assert count > 1
    someone.writes("new.md", "# TICKET: A\n\n## Description\nask @[Zoltan Nobody]\n")
    someone.writes("b.md", f"# TICKET: B\n\n## Description\nb\n\nask @[{first}]\n")

    told = someone.runs("push")

    assert told.code == 3
    assert "b.md:6" in told.err
    assert "is the name of several people; write @[" in told.err
    assert "new.md:4: “@[Zoltan Nobody]” goes to Jira as text" in told.err


@pytest.mark.parametrize("inherit", [True, False])
def test_what_a_sub_task_takes_over_is_in_the_plan_unless_the_workspace_says_no(
    someone: User, *, inherit: bool
) -> None:
    someone.writes("ticketr.toml", "" if inherit else "inherit = false\n")
    someone.writes("new.md", "# TICKET: A\n\n## Fields\nPriority: High\n\n## Tasks\n- B\n")

    told = someone.runs("push", "--dry-run")
    someone.runs("push")

    assert ('Priority: High (from draft "A")' in told.out) is inherit
    assert someone.finds("DEMO-14").priority.name == ("High" if inherit else "Medium")
