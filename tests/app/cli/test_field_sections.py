"""Test texts: sections of rich-text fields, what Markdown or Jira cannot hold, earlier spellings."""

from __future__ import annotations

import base64
import copy
import json
import shutil
import sqlite3
import subprocess
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fakes.processes import PROGRAM, environment, sandbox_thread
from fakes.ptys import job_on_pty
from fakes.users import Told, User, user_of_all_fields

from jira_sandbox import make_site

ENVIRONMENT, PLAN, LESSONS = "environment", "customfield_10101", "customfield_10120"
KEPT = 'fields = ["Environment", "Rollout Plan", "Lessons"]\n'
SECTIONS = """\
## Field: Environment
The shop by the **fish market**.

## Field: Rollout Plan
### First

- Paint
- Shelves

Then open.

## Field: Lessons
Order the shelves earlier.
"""


def paragraph(words: str, **attrs: str) -> dict[str, Any]:
    more = {"attrs": attrs} if attrs else {}
    return {"type": "paragraph", **more, "content": [{"type": "text", "text": words}]}


def doc(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"type": "doc", "version": 1, "content": list(blocks)}


@pytest.fixture
def owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> User:
    """Return a user who keeps the rich-text fields of the project KIT and has pulled it."""
    user = user_of_all_fields(tmp_path / "work", monkeypatch, capsys, KEPT)
    assert user.runs("pull").code == 0
    return user


def sets(user: User, key: str, **values: Any) -> None:
    """Change rich texts of an issue in Jira, by the IDs of their fields."""
    user.site.edit(key, values={**user.finds(key).values, **values})


def has(user: User, key: str, name: str) -> Any:
    return user.finds(key).values.get(name)


def last_line(told: Told) -> str:
    return told.err.splitlines()[-1]


def test_a_pull_writes_each_field_as_a_section(owner: User) -> None:
    assert owner.files()["KIT-2.md"].endswith(f"\n\n{SECTIONS}")
    assert owner.runs("status").out.startswith("nothing to push; ")
    assert owner.runs("show", "KIT-2").out == owner.files()["KIT-2.md"]
    assert owner.runs("show", "KIT-2", "--json").json["texts"] == {
        "Environment": "The shop by the **fish market**.",
        "Rollout Plan": "### First\n\n- Paint\n- Shelves\n\nThen open.",
        "Lessons": "Order the shelves earlier.",
    }


def test_an_edit_is_sent_and_blocks_beside_it_stay_as_jira_has_them(owner: User) -> None:
    odd = paragraph("Intro", localId="p-1")
    sets(owner, "KIT-2", environment=doc(odd, paragraph("old words")))
    owner.runs("pull")
    owner.edits("KIT-2.md", "old words", "*new* words")

    plan = owner.runs("push", "--dry-run")
    told = owner.runs("push")

    assert "Environment" in plan.out
    assert last_line(told) == "0 created, 1 updated (KIT-2)"
    new = has(owner, "KIT-2", ENVIRONMENT)["content"]
    assert new[0] == odd
    assert new[1]["content"][0]["marks"] == [{"type": "em"}]
    assert owner.runs("status").out.startswith("nothing to push; ")


def test_the_wording_of_the_file_stays(owner: User) -> None:
    owner.edits("KIT-2.md", "- Paint\n- Shelves", "* Paint\n* Shelves\n* Lamps")

    assert owner.runs("push").code == 0
    owner.runs("pull", "--full")

    assert "* Paint\n* Shelves\n* Lamps\n" in owner.files()["KIT-2.md"]
    assert "* Paint" not in str(has(owner, "KIT-2", PLAN))


def test_an_empty_section_empties_the_field_and_then_goes(owner: User) -> None:
    owner.edits("KIT-2.md", "Order the shelves earlier.\n", "")

    assert "KIT-2 (KIT-2.md): Lessons" in owner.runs("status").out
    assert owner.runs("push").code == 0

    assert has(owner, "KIT-2", LESSONS) is None
    assert "Lessons" not in owner.files()["KIT-2.md"]


def test_a_section_that_is_missing_changes_nothing_and_comes_back(owner: User) -> None:
    owner.edits("KIT-2.md", "## Field: Lessons\nOrder the shelves earlier.\n", "")

    told = owner.runs("push")
    sets(owner, "KIT-2", environment=doc(paragraph("Elsewhere.")))
    owner.runs("pull")

    assert last_line(told) == "0 created, 0 updated"
    assert has(owner, "KIT-2", LESSONS) == doc(paragraph("Order the shelves earlier."))
    found = owner.files()["KIT-2.md"]
    assert "## Field: Environment\nElsewhere.\n" in found
    assert "## Field: Lessons\nOrder the shelves earlier.\n" in found


def test_a_draft_and_its_sub_task_are_created_with_their_sections(owner: User) -> None:
    owner.writes(
        "new.md",
        "# TICKET: A\n\n## Field: Environment\nDebian\n\n"
        "## Tasks\n- B\n  ## Field: Rollout Plan\n  one\n\n  two\n",
    )

    told = owner.runs("push")

    assert told.code == 0, told.err
    head, task = (owner.reads("new.md"), owner.reads("new.md").tasks[0])
    assert (head.key, task.key) == ("KIT-9", "KIT-10")
    assert dict(head.rich_texts) == {"Environment": "Debian"}
    assert dict(task.rich_texts) == {"Rollout Plan": "one\n\ntwo"}
    assert has(owner, "KIT-9", ENVIRONMENT) == doc(paragraph("Debian"))
    assert has(owner, "KIT-10", PLAN) == doc(paragraph("one"), paragraph("two"))
    assert "  ## Field: Rollout Plan\n  one\n\n  two\n" in owner.files()["new.md"]


def test_changes_of_both_sides_in_different_paragraphs_are_merged(owner: User) -> None:
    sets(owner, "KIT-2", environment=doc(*map(paragraph, ("one", "two", "three"))))
    owner.runs("pull")
    owner.edits("KIT-2.md", "one\n", "1\n")
    sets(owner, "KIT-2", environment=doc(*map(paragraph, ("one", "two", "3"))))

    told = owner.runs("sync")

    assert told.code == 0, told.err
    assert has(owner, "KIT-2", ENVIRONMENT) == doc(*map(paragraph, ("1", "two", "3")))
    assert "## Field: Environment\n1\n\ntwo\n\n3\n" in owner.files()["KIT-2.md"]


@pytest.fixture
def torn(owner: User) -> User:
    """Return a user of whose paragraph Jira has another version, too."""
    sets(owner, "KIT-2", environment=doc(*map(paragraph, ("one", "two"))))
    owner.runs("pull")
    owner.edits("KIT-2.md", "two\n", "mine\n")
    sets(owner, "KIT-2", environment=doc(*map(paragraph, ("one", "Jira's"))))
    assert owner.runs("sync").code == 3
    return owner


def test_a_clash_is_a_conflict_of_that_field(torn: User) -> None:
    assert "conflict  KIT-2 (KIT-2.md): Environment\n" in torn.runs("status").out
    assert has(torn, "KIT-2", ENVIRONMENT) == doc(*map(paragraph, ("one", "Jira's")))
    assert "\none\n\nmine\n" in torn.files()["KIT-2.md"]


def test_both_versions_stand_between_conflict_markers_in_the_section(torn: User) -> None:
    assert torn.runs("resolve", "KIT-2", "--take", "both").code == 0

    found = torn.files()["KIT-2.md"]
    assert "one\n<<<<<<< here\n\nmine\n=======\n\nJira's\n>>>>>>> Jira\n" in found
    refused = torn.runs("push")
    assert refused.code == 3
    assert "this file holds a git conflict" in refused.err


@pytest.mark.parametrize(("side", "words"), [("mine", "mine"), ("jira", "Jira's")])
def test_a_side_is_taken_and_pushed_and_can_be_undone(torn: User, side: str, words: str) -> None:
    before = torn.files()["KIT-2.md"]

    assert torn.runs("resolve", "KIT-2", "--take", side).code == 0
    after = torn.files()["KIT-2.md"]
    assert f"\none\n\n{words}\n" in after
    assert torn.runs("undo").code == 0
    assert torn.files()["KIT-2.md"] == before
    assert torn.runs("resolve", "KIT-2", "--take", side).code == 0
    assert torn.runs("push").code == 0

    assert has(torn, "KIT-2", ENVIRONMENT) == doc(*map(paragraph, ("one", words)))


def test_what_a_file_cannot_hold_is_lost_only_when_that_is_accepted(owner: User) -> None:
    kept = doc(paragraph("# kept \ufdd0 by Jira, old"), paragraph("plain"))
    sets(owner, "KIT-2", environment=kept)
    owner.runs("pull")
    owner.edits("KIT-2.md", "by Jira, old", "by Jira, new")
    line = owner.files()["KIT-2.md"].split("\n").index("## Field: Environment") + 2

    status, plan, refused = (
        owner.runs("status"), owner.runs("push", "--dry-run"), owner.runs("push"),
    )  # fmt: skip

    lost = "a paragraph at “# kept"
    assert f"would lose {lost}" in status.out
    assert f"of Environment (line {line})" in status.out
    assert f"KIT-2 (KIT-2.md): Environment: sending it would lose {lost}" in plan.err
    assert (refused.code, has(owner, "KIT-2", ENVIRONMENT)) == (3, kept)
    assert owner.runs("push", "--accept-loss").code == 0
    assert "new" in str(has(owner, "KIT-2", ENVIRONMENT))


NO_FIELD = (
    "there is no such field of rich text here; put a backslash before ## if this is a heading of "
    "the text above"
)
WRONG = [
    ("Environmnt", f"{NO_FIELD}; did you mean Environment?"),
    ("Priority", "it is not rich text; write a line Priority: below ## Fields"),
    ("Programme", 'this workspace does not keep it; add "Programme" to fields in ticketr.toml'),
]


@pytest.mark.parametrize(("name", "reason"), WRONG)
def test_a_section_of_no_kept_field_is_refused_with_its_line(
    owner: User, name: str, reason: str
) -> None:
    owner.edits(
        "KIT-2.md", "## Field: Environment", f"## Field: {name}\nwords\n\n## Field: Environment"
    )
    line = owner.files()["KIT-2.md"].split("\n").index(f"## Field: {name}") + 1
    owner.writes("new.md", f"# TICKET: A\n\n## Field: {name}\nwords\n")

    for command in (("push", "--dry-run"), ("push",)):
        told = owner.runs(*command)
        assert told.code == 3
        assert f"KIT-2 (KIT-2.md): {name}: KIT-2.md:{line}: {reason}" in told.err
        assert f"new.md:3: {reason}" in told.err
    assert f"## Field: {name}\nwords\n" in owner.files()["KIT-2.md"]


def test_a_line_of_rich_text_is_refused_and_its_section_named(owner: User) -> None:
    owner.edits("KIT-2.md", "Priority: High\n", "Priority: High\nEnvironment: Debian\n")

    told = owner.runs("push")

    assert told.code == 3
    assert "Environment: it holds rich text; write it below a heading ## Field: Env" in told.err


def test_a_section_that_is_on_no_screen_is_refused_by_jira(owner: User) -> None:
    owner.writes("new.md", "# TICKET: A\n\n## Field: Lessons\nwords\n")

    told = owner.runs("push")

    assert told.code == 3
    assert "Field 'Lessons (customfield_10120)' cannot be set." in told.err
    assert "## Field: Lessons\nwords\n" in owner.files()["new.md"]


def test_literal_text_and_mentions_are_told_with_their_line(owner: User) -> None:
    owner.edits("KIT-2.md", "Then open.", "Ask @[Mia Chen], then open `DONE`{gren}.")
    line = owner.files()["KIT-2.md"].split("\n").index("- Shelves") + 3

    told = owner.runs("push")

    assert told.code == 0, told.err
    assert f"Rollout Plan: KIT-2.md:{line}: “{{gren}}” makes no status" in told.err
    assert f"Rollout Plan: KIT-2.md:{line}: “@[Mia Chen]” goes to Jira as text" in told.err


def test_a_workspace_that_kept_no_sections_gets_them_and_shows_no_edit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    user = user_of_all_fields(tmp_path / "work", monkeypatch, capsys, "")
    user.runs("pull")
    before = user.files()
    user.edits("KIT-2.md", "Priority: High", "Priority: Low")
    user.writes("ticketr.toml", KEPT)

    told = user.runs("pull")

    assert told.code == 0
    assert "## Field:" not in before["KIT-2.md"]
    assert SECTIONS in user.files()["KIT-2.md"]
    assert user.runs("status").out.splitlines()[0] == "edited    KIT-2 (KIT-2.md): Priority"
    user.writes("ticketr.toml", "")
    assert user.runs("pull").code == 0
    assert "## Field:" not in user.files()["KIT-2.md"]


OURS = doc(
    paragraph("before"),
    {"type": "heading", "attrs": {"level": 2}, "content": [{"type": "text", "text": "Field: x"}]},
    paragraph("after"),
)


def test_a_heading_of_a_description_that_looks_like_a_section_is_escaped(owner: User) -> None:
    owner.site.edit("KIT-2", description=OURS)
    sets(owner, "KIT-2", environment=OURS)
    owner.runs("pull")

    text = owner.files()["KIT-2.md"]
    assert text.count("before\n\n\\## Field: x\n\nafter\n") == 2
    owner.edits("KIT-2.md", "after", "then")
    assert owner.runs("push").code == 0
    assert owner.finds("KIT-2").description == doc(*OURS["content"][:2], paragraph("then"))


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


@pytest.mark.parametrize(("answer", "code", "words"), [("n", 3, "1 failed"), ("y", 0, "1 updated")])
def test_in_a_terminal_a_loss_is_asked_about(
    answer: str, code: int, words: str, tmp_path: Path
) -> None:
    with sandbox_thread(tickets=2) as site:
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


Json = dict[str, Any]

#: Written by commit 686a1ef: addresses in angle brackets, blank lines in lists, sizes of tables.
OLD = Path(__file__).with_name("old_spelling")
DOCUMENT: Json = json.loads((OLD / "document.json").read_text())


@pytest.fixture
def upgraded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> User:
    """Return a user whose folder the earlier version has pulled."""
    user = User(tmp_path / "work", make_site(tickets=2, seed=1), monkeypatch, capsys)
    user.site.edit("DEMO-1", description=copy.deepcopy(DOCUMENT))
    for path in OLD.glob("*.md"):
        shutil.copy(path, user.root)
    (user.root / ".ticketr").mkdir()
    with closing(sqlite3.connect(user.root / ".ticketr" / "state.db")) as database:
        database.executescript((OLD / "state.sql").read_text())
    assert user.runs("workspace", "trust").code == 0
    return user


def changed_lines(before: str, after: str) -> list[str]:
    """Return the lines of a text that another one does not have."""
    known = before.split("\n")
    return [line for line in after.split("\n") if line not in known]


def blocks(document: Json, kind: str) -> Iterator[Json]:
    return (block for block in document["content"] if block["type"] == kind)


def test_the_first_pull_changes_nothing_and_asks_nothing(upgraded: User) -> None:
    before = upgraded.files()
    assert "](<https://e.com/a_b?c=d>)" in before["DEMO-1.md"]

    assert "DEMO-1" not in upgraded.runs("status").out
    assert upgraded.runs("push", "--dry-run").out == ""
    assert upgraded.runs("pull").code == 0
    assert "DEMO-1" not in upgraded.runs("status").out
    synced = upgraded.runs("sync", "--json")
    assert (synced.code, synced.json["pull"]["conflicts"], synced.json["push"]["updated"]) == (
        0,
        [],
        [],
    )
    assert not any(each.startswith("PUT") for each in upgraded.asked)
    assert upgraded.files() == before
    assert upgraded.finds("DEMO-1").description == DOCUMENT


def test_a_change_in_jira_changes_its_own_lines_only(upgraded: User) -> None:
    before = upgraded.files()["DEMO-1.md"]
    document = copy.deepcopy(DOCUMENT)
    document["content"][0]["content"][0]["text"] = "Read "
    upgraded.site.edit("DEMO-1", description=document)

    assert upgraded.runs("pull").code == 0

    after = upgraded.files()["DEMO-1.md"]
    (line,) = changed_lines(before, after)
    assert line.startswith('Read [the docs](https://e.com/a_b?c=d), [a page](https://e.com/x_(y) "')
    assert line.endswith('") and [a file](<https://e.com/a b>).')
    assert len(before.split("\n")) == len(after.split("\n"))
    assert "DEMO-1" not in upgraded.runs("status").out


def test_edits_on_both_sides_of_it_do_not_clash(upgraded: User) -> None:
    upgraded.edits("DEMO-1.md", "- two", "- two and a half")
    upgraded.edits("DEMO-1.md", "| b | 2 |", "| b | 3 |")
    document = copy.deepcopy(DOCUMENT)
    document["content"][0]["content"][0]["text"] = "Read "
    upgraded.site.edit("DEMO-1", description=document)

    synced = upgraded.runs("sync", "--json")

    assert (synced.code, synced.json["pull"]["conflicts"]) == (0, []), synced
    sent = upgraded.finds("DEMO-1").description
    assert sent is not None
    expected = json.dumps(document).replace('"two"', '"two and a half"').replace('"2"', '"3"')
    assert json.loads(expected) == sent


def test_a_width_that_was_written_by_hand_is_sent(upgraded: User) -> None:
    upgraded.edits("DEMO-1.md", '"width":900', '"width":800')

    assert upgraded.runs("push").code == 0

    sent = upgraded.finds("DEMO-1").description
    assert sent is not None
    (table,) = blocks(sent, "table")
    assert table["attrs"]["width"] == 800
    assert table["content"] == next(blocks(DOCUMENT, "table"))["content"]
