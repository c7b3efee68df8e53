"""Test rich-text fields, which have sections of their own in the files."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fakes.users import Told, User, user_of_all_fields

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
    assert "\nRollout Plan\n  ### First\n\n  - Paint\n" in owner.runs("show", "KIT-2").out
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
    assert dict(head.texts) == {"Environment": "Debian"}
    assert dict(task.texts) == {"Rollout Plan": "one\n\ntwo"}
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
    assert "; Lessons is in new.md:3\n" in told.err
    assert "## Field: Lessons\nwords\n" in owner.files()["new.md"]


def test_texts_are_checked_as_descriptions_are(owner: User) -> None:
    owner.edits("KIT-2.md", "Then open.", "Then <!-- soon --> open.")
    owner.edits("KIT-2.md", "Order the shelves earlier.", "x" * 32_768)

    told = owner.runs("push")

    assert told.code == 3
    assert "Rollout Plan: KIT-2.md:" in told.err
    assert "it has 32768 characters; Jira takes 32767" in told.err


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


@pytest.fixture
def earlier(owner: User) -> User:
    """Return a user whose file an earlier version wrote, which had no such sections."""
    owner.site.edit("KIT-3", description=OURS)
    owner.runs("pull")
    owner.edits("KIT-3.md", "\\## Field: x", "## Field: x")
    with closing(sqlite3.connect(owner.root / ".ticketr" / "state.db")) as db, db:
        db.execute("UPDATE ticket SET text = replace(text, '\\## Field: x', '## Field: x')")
    return owner


def test_a_heading_that_an_earlier_version_wrote_is_no_edit(earlier: User) -> None:
    before = earlier.files()["KIT-3.md"]

    assert earlier.runs("status").out.startswith("nothing to push; ")
    assert earlier.runs("push").code == 0

    assert earlier.files()["KIT-3.md"] == before
    assert earlier.finds("KIT-3").description == OURS


def test_a_pull_puts_a_backslash_before_such_a_heading(earlier: User) -> None:
    earlier.edits("KIT-3.md", "Priority: Medium", "Priority: Low")
    earlier.site.edit("KIT-3", summary="Renamed")

    assert earlier.runs("pull").code == 0

    assert "before\n\n\\## Field: x\n\nafter\n" in earlier.files()["KIT-3.md"]
    assert earlier.reads("KIT-3.md").title == "Renamed"
    assert earlier.runs("status").out == "edited    KIT-3 (KIT-3.md): Priority\n"


@pytest.mark.parametrize(("old", "new"), [("before", "then"), ("after", "then")])
@pytest.mark.parametrize("command", ["push", "sync"])
def test_an_edit_of_such_a_description_is_sent_as_one(
    earlier: User, old: str, new: str, command: str
) -> None:
    earlier.edits("KIT-3.md", f"{old}\n", f"{new}\n")
    assert earlier.runs("status").out == "edited    KIT-3 (KIT-3.md): Description\n"

    assert earlier.runs(command).code == 0

    first, last = (new if each == old else each for each in ("before", "after"))
    assert f"{first}\n\n\\## Field: x\n\n{last}\n" in earlier.files()["KIT-3.md"]
    sent = doc(paragraph(first), OURS["content"][1], paragraph(last))
    assert earlier.finds("KIT-3").description == sent
    assert earlier.runs("status").out.startswith("nothing to push; ")


def test_an_edit_of_such_a_heading_itself_is_refused(earlier: User) -> None:
    earlier.edits("KIT-3.md", "## Field: x", "## Field: y")

    told = earlier.runs("push")

    assert told.code == 3
    assert f"y: KIT-3.md:6: {NO_FIELD}" in told.err
    assert earlier.finds("KIT-3").description == OURS
    earlier.edits("KIT-3.md", "## Field: y", "\\## Field: y")
    assert earlier.runs("push").code == 0
    assert earlier.finds("KIT-3").description != OURS


def test_a_picture_on_disk_is_sent_as_text_with_a_warning(owner: User) -> None:
    (owner.root / "shot.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    owner.edits("KIT-2.md", "Then open.", "Then\n\n![shot](shot.png)")
    line = owner.files()["KIT-2.md"].split("\n").index("![shot](shot.png)") + 1

    status, told = owner.runs("status"), owner.runs("push")

    for words in (status.out + status.err, told.err):
        assert f"Rollout Plan: KIT-2.md:{line}: “shot.png” leads nowhere in Jira" in words
    assert told.code == 0
    assert "shot.png" in str(has(owner, "KIT-2", PLAN))
    assert not [each for each in owner.asked if "attachments" in each]
