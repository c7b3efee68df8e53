"""What git brings back from before the last pull is not an edit: two people, real git, one site."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes.users import User

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

REASON = (
    "Title: older than the last pull, so it is not sent; a pull brings the file forward. If you "
    "typed it yourself: ticketr resolve DEMO-9 --take mine, then push"
)


FORWARD = (
    "Title: older than the last pull, so the file has Jira's now. If you typed it yourself: "
    "ticketr undo DEMO-9, then push"
)


def git(user: User, *arguments: str, code: int = 0) -> str:
    """Run git in the folder of a user."""
    env = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    words = ["git", *who, *arguments]
    ended = subprocess.run(
        words, cwd=user.root, env=env, capture_output=True, text=True, check=False
    )
    assert ended.returncode == code, ended.stderr
    return ended.stdout


def commits(user: User, message: str) -> None:
    git(user, "add", "--all")
    git(user, "commit", "--quiet", "--allow-empty", "--message", message)


def begin(user: User) -> None:
    """Pull and commit."""
    user.runs("pull")
    git(user, "init", "--quiet", "--initial-branch", "main")
    commits(user, "As pulled")


def colleague(user: User, key: str = "DEMO-9", **fields: Any) -> None:
    """A colleague changes an issue in Jira; the user pulls and commits."""
    user.site.edit(key, **fields)
    assert user.runs("pull").code == 0
    commits(user, f"Pull {key}")


def titles(user: User) -> tuple[str, str]:
    """Return the title of DEMO-9 in Jira and in its file."""
    return user.finds("DEMO-9").summary, user.reads("DEMO-9.md").title


@pytest.fixture
def old(someone: User) -> User:
    """Return a user who has checked out the commit before a colleague's title."""
    begin(someone)
    colleague(someone, summary="Theirs")
    git(someone, "checkout", "--quiet", "HEAD~1")
    return someone


def test_an_older_title_is_named_and_no_push_sends_it(old: User) -> None:
    was = old.reads("DEMO-9.md").title
    told = old.runs("status")

    assert told.out.splitlines() == ["older     DEMO-9 (DEMO-9.md): Title"]
    assert told.err == (
        "1 older\nno push sends what is older than the last pull; to bring the files forward: "
        "ticketr pull; if you typed it yourself: ticketr resolve KEY --take mine, then push\n"
    )
    pushed = old.runs("push", "--yes")
    assert pushed.code == 3
    assert pushed.err.splitlines()[-2:] == [
        "0 created, 0 updated, 1 left alone",
        f"left alone: DEMO-9 (DEMO-9.md): {REASON}",
    ]
    assert titles(old) == ("Theirs", was)


def test_scripts_are_told_of_older_values(old: User) -> None:
    assert old.runs("status", "--json").json["edited"] == []
    assert old.runs("status", "--json").json["older"] == [
        {"key": "DEMO-9", "path": "DEMO-9.md", "parts": ["Title"]}
    ]
    for arguments in (("--dry-run",), ("--yes",)):
        (left,) = old.runs("push", "--json", *arguments).json["left"]
        assert (left["key"], left["code"], left["reason"]) == ("DEMO-9", "older", REASON)
    assert old.runs("push", "--json", "--yes", "DEMO-3").json["left"] == []


def test_a_diff_shows_it_and_says_what_it_is(old: User) -> None:
    told = old.runs("diff")

    assert "-# TICKET: [DEMO-9] Theirs" in told.out.splitlines()
    assert told.err == f"DEMO-9 (DEMO-9.md): {REASON}\n"
    assert old.runs("diff", "DEMO-3").err == ""


@pytest.mark.parametrize("command", [("pull",), ("pull", "DEMO-9"), ("sync", "--yes")])
def test_a_pull_and_a_sync_bring_it_forward(old: User, command: tuple[str, ...]) -> None:
    told = old.runs(*command)

    assert told.code == 0
    assert "0 new, 1 updated, " in told.err
    assert "merged" not in told.err
    assert f"brought forward: DEMO-9 (DEMO-9.md): {FORWARD}" in told.err.splitlines()
    assert titles(old) == ("Theirs", "Theirs")
    assert git(old, "diff", "main") == ""
    assert old.runs("status").out.startswith("nothing to push")


def test_it_comes_forward_to_what_jira_has_changed_since(old: User) -> None:
    """Neither a conflict nor an edit, though Jira has changed the same part again."""
    old.site.edit("DEMO-9", summary="Newest")

    told = old.runs("sync", "--strategy", "mine", "--yes")

    assert (told.code, titles(old)) == (0, ("Newest", "Newest"))


def test_what_is_edited_beside_it_goes_and_the_older_value_comes_forward(old: User) -> None:
    old.edits("DEMO-9.md", "Labels: ", "Labels: mine, ")
    lines = old.runs("status").out.splitlines()
    assert lines == ["edited    DEMO-9 (DEMO-9.md): Labels", "older     DEMO-9 (DEMO-9.md): Title"]

    told = old.runs("push", "--yes")

    assert told.code == 3
    assert "0 created, 1 updated (DEMO-9), 1 left alone" in told.err
    assert titles(old) == ("Theirs", "Theirs")
    assert "mine" in old.finds("DEMO-9").labels
    assert f"left alone: DEMO-9 (DEMO-9.md): {FORWARD}" in told.err.splitlines()


@pytest.mark.parametrize("command", ["pull", "sync", "push"])
def test_what_came_forward_is_sent_after_an_undo(old: User, command: str) -> None:
    was = old.reads("DEMO-9.md").title
    if command == "push":  # something else of the ticket goes
        old.edits("DEMO-9.md", "Labels: ", "Labels: mine, ")
    told = old.runs(command, "--json", *(() if command == "pull" else ("--yes",))).json

    notes = told["left"] if command == "push" else told.get("pull", told)["brought_forward"]
    (note,) = notes
    assert (note["key"], note["code"], note["reason"]) == ("DEMO-9", "brought_forward", FORWARD)
    assert old.runs("undo", "DEMO-9").code == 0
    assert old.runs("status").out == "edited    DEMO-9 (DEMO-9.md): Title\n"
    assert old.runs("push", "--yes").code == 0
    assert titles(old) == (was, was)


def test_a_value_that_is_typed_again_is_sent_once_it_is_taken_in(old: User) -> None:
    was = old.reads("DEMO-9.md").title

    told = old.runs("resolve", "DEMO-9", "--take", "mine")

    assert (
        told.out
        == "DEMO-9: what was older in DEMO-9.md is your edit now; the next push brings it to Jira\n"
    )
    assert told.err == "to bring your version to Jira: ticketr push\n"
    assert old.runs("status").out == "edited    DEMO-9 (DEMO-9.md): Title\n"
    assert old.runs("push", "--yes").code == 0
    assert titles(old) == (was, was)
    assert old.runs("resolve", "DEMO-9", "--take", "mine").code == 1


@pytest.mark.parametrize("take", ["mine", "jira", "both"])
def test_a_resolved_conflict_names_what_came_forward(old: User, take: str) -> None:
    was = old.reads("DEMO-9.md").title
    old.edits("DEMO-9.md", "Story Points: 3", "Story Points: 5")
    old.site.edit("DEMO-9", story_points=8)
    assert old.runs("pull").code == 3
    assert titles(old) == ("Theirs", was)

    told = old.runs("resolve", "DEMO-9", "--take", take)

    hint = "write it again, ticketr resolve DEMO-9 --take mine"
    assert told.out.splitlines()[1:] == [f"DEMO-9: {FORWARD.replace('ticketr undo DEMO-9', hint)}"]
    assert "# TICKET: [DEMO-9] Theirs" in (old.root / "DEMO-9.md").read_text()
    if take == "mine":  # the way that it names
        old.retitles("DEMO-9", was)
        assert old.runs("resolve", "DEMO-9", "--take", "mine").code == 0
        assert old.runs("push", "--yes").code == 0
        assert titles(old) == (was, was)


def test_all_conflicts_are_not_all_older_values(old: User) -> None:
    old.runs("resolve", "--all", "--take", "mine")

    assert old.runs("status").out.startswith("older")


def test_an_editor_of_ours_types_an_old_value_on_purpose(old: User, tmp_path: Path) -> None:
    was = old.reads("DEMO-9.md").title
    old.runs("pull")
    script = tmp_path / "editor.sh"
    script.write_text(f'#!/bin/sh\nsed -i.bak "s/Theirs/{was}/" "$1" && rm -f "$1.bak"\n')
    script.chmod(0o755)
    old.monkeypatch.setenv("EDITOR", str(script))
    old.monkeypatch.delenv("VISUAL", raising=False)

    assert old.runs("edit", "DEMO-9").code == 0

    assert old.runs("status").out == "edited    DEMO-9 (DEMO-9.md): Title\n"


def stashes(user: User) -> None:
    git(user, "stash", "push", "--quiet")
    git(user, "stash", "pop", "--quiet")


def rebases(user: User) -> None:
    """Rebase a branch on a commit that takes the colleague's change out of the files."""
    git(user, "checkout", "--quiet", "-b", "work", "main~1")
    user.writes("notes.md", "Notes\n")
    commits(user, "Notes")
    git(user, "checkout", "--quiet", "main")
    git(user, "revert", "--no-edit", "HEAD")
    git(user, "rebase", "--quiet", "main", "work")


def merges(user: User) -> None:
    """Merge an old branch and keep its side."""
    git(user, "checkout", "--quiet", "-b", "old", "main~1")
    git(user, "commit", "--quiet", "--allow-empty", "-m", "Else")
    git(user, "checkout", "--quiet", "main")
    git(user, "merge", "--quiet", "--strategy", "ours", "--no-edit", "old")
    git(user, "checkout", "--quiet", "old", "--", ".")


@pytest.mark.parametrize("bring_back", [stashes, rebases, merges])
def test_whole_files_of_several_tickets_that_git_brought_back(
    someone: User, bring_back: Callable[[User], None]
) -> None:
    someone.runs("pull")
    names = ("DEMO-9.md", "DEMO-3.md")  # DEMO-3 has the sub-tasks DEMO-4 and DEMO-5
    someone.writes("many.md", "\n".join((someone.root / name).read_text() for name in names))
    for name in names:
        (someone.root / name).unlink()
    git(someone, "init", "--quiet", "--initial-branch", "main")
    commits(someone, "As pulled")
    someone.site.edit("DEMO-9", summary="Theirs", labels=("theirs",))
    someone.site.edit("DEMO-4", summary="Their part", labels=("parts",))
    colleague(someone, "DEMO-3", description=None)
    newest = someone.files()
    git(someone, "checkout", "--quiet", "main~1", "--", "many.md")

    bring_back(someone)

    assert someone.files()["many.md"] != newest["many.md"]
    told = someone.runs("status").out.splitlines()
    assert [line.split(" (")[0] for line in told] == [
        "older     DEMO-3",
        "older     DEMO-4",
        "older     DEMO-9",
    ]
    assert "0 created, 0 updated, 3 left alone" in someone.runs("push", "--yes").err
    assert someone.runs("pull").code == 0
    assert someone.files()["many.md"] == newest["many.md"]
    assert someone.runs("status").out.startswith("nothing to push")


def test_criteria_that_are_edited_do_not_take_an_older_description_along(someone: User) -> None:
    """Both are one document in Jira."""
    someone.runs("pull")
    body = {"type": "paragraph", "content": [{"type": "text", "text": "Theirs"}]}
    begin(someone)
    colleague(someone, description={"type": "doc", "version": 1, "content": [body]})
    git(someone, "checkout", "--quiet", "HEAD~1")
    someone.edits("DEMO-9.md", "## Fields\n", "## Acceptance Criteria\n- Mine\n\n## Fields\n")

    told = someone.runs("push", "--yes")

    assert "1 updated (DEMO-9), 1 left alone" in told.err
    ticket = someone.reads("DEMO-9.md")
    assert (ticket.description, ticket.acceptance_criteria) == ("Theirs", ("Mine",))
    assert "Theirs" in str(someone.finds("DEMO-9").description)


def test_a_field_that_is_empty_in_jira_now_does_not_come_back(someone: User) -> None:
    someone.site.edit("DEMO-9", labels=("old",))
    begin(someone)
    colleague(someone, labels=())
    git(someone, "checkout", "--quiet", "HEAD~1")

    assert someone.runs("status").out == "older     DEMO-9 (DEMO-9.md): Labels\n"
    someone.runs("pull")

    assert git(someone, "diff", "main") == ""


def test_two_clones_of_one_repository(someone: User, tmp_path: Path) -> None:
    """The colleague's clone pushes a title; mine pulls it, and takes an old branch."""
    begin(someone)
    (someone.root / ".git/info/exclude").write_text("")
    git(someone, "clone", "--quiet", str(someone.root), str(tmp_path / "theirs"))
    theirs = User(tmp_path / "theirs", someone.site, someone.monkeypatch, someone.capsys)
    theirs.runs("pull")
    theirs.retitles("DEMO-9", "Theirs")
    assert theirs.runs("push", "--yes").code == 0
    commits(theirs, "Retitle")
    someone.monkeypatch.chdir(someone.root)
    git(someone, "branch", "before")
    git(someone, "pull", "--quiet", str(theirs.root), "main")
    assert someone.runs("sync", "--yes").code == 0  # Jira has what git brought
    git(someone, "checkout", "--quiet", "before")

    assert someone.runs("status").out == "older     DEMO-9 (DEMO-9.md): Title\n"
    assert someone.runs("push", "--yes").code == 3
    assert titles(someone)[0] == "Theirs"
    # Nor does the one who has pushed it send the title of before.
    theirs.monkeypatch.chdir(theirs.root)
    git(theirs, "checkout", "--quiet", "HEAD~1")
    assert theirs.runs("status").out == "older     DEMO-9 (DEMO-9.md): Title\n"
    assert theirs.runs("sync", "--yes").code == 0
    assert titles(theirs) == ("Theirs", "Theirs")


def test_an_undo_puts_back_what_can_be_sent(someone: User) -> None:
    """A sync took Jira's version of a conflict; the text that comes back is an edit as before."""
    begin(someone)
    colleague(someone, summary="Theirs")
    someone.retitles("DEMO-9", "Mine")
    someone.site.edit("DEMO-9", summary="Newest")
    assert someone.runs("pull", "--strategy", "jira").code == 0
    assert titles(someone) == ("Newest", "Newest")

    assert someone.runs("undo").code == 0

    assert someone.runs("status").out == "edited    DEMO-9 (DEMO-9.md): Title\n"
    assert someone.runs("sync", "--strategy", "mine", "--yes").code == 0
    assert titles(someone) == ("Mine", "Mine")
