"""``ticketr resolve``: it asks nobody."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ticketr.sync import Store

if TYPE_CHECKING:
    from fakes.users import User


@pytest.fixture
def torn(someone: User) -> User:
    """A user with conflicts in DEMO-2 and DEMO-9."""
    someone.runs("pull")
    for key in ("DEMO-2", "DEMO-9"):
        someone.retitles(key, "Mine")
        someone.site.edit(key, summary="Theirs")
    assert someone.runs("pull").code == 3
    someone.asked.clear()
    return someone


def titles(user: User) -> list[str]:
    return [user.reads(f"{key}.md").title for key in ("DEMO-2", "DEMO-9")]


def test_without_a_key_the_conflicts_are_listed(torn: User) -> None:
    told = torn.runs("resolve")

    assert told == (0, "DEMO-2 (DEMO-2.md): Title\nDEMO-9 (DEMO-9.md): Title\n", "")


def test_where_there_is_none_it_says_so(someone: User) -> None:
    assert someone.runs("resolve") == (0, "there is no conflict\n", "")
    assert someone.runs("resolve", "--all", "--take", "local") == (0, "there is no conflict\n", "")
    assert [*someone.root.iterdir()] == []


@pytest.mark.parametrize(
    ("take", "words", "title"),
    [
        (
            "local",
            "DEMO-2.md has your version of what clashed; the next push brings that to Jira",
            "Mine",
        ),
        (
            "remote",
            "DEMO-2.md has Jira's version of what clashed; the old text is in .ticketr/trash",
            "Theirs",
        ),
    ],
)
def test_a_side_is_taken_and_the_next_sync_makes_both_equal(
    torn: User, take: str, words: str, title: str
) -> None:
    told = torn.runs("resolve", "demo-2", "--take", take)

    assert told == (0, f"DEMO-2: {words}\n", "")
    assert titles(torn) == [title, "Mine"]
    assert torn.asked == []
    assert torn.runs("resolve").out == "DEMO-9 (DEMO-9.md): Title\n"
    torn.runs("sync")
    assert torn.finds("DEMO-2").summary == title


def test_nothing_that_others_have_changed_in_jira_is_taken_back(someone: User) -> None:
    """Neither in the ticket nor in its sub-tasks, though this side is to count."""
    someone.runs("pull")
    someone.edits("DEMO-3.md", "Priority: High", "Priority: Low")
    someone.site.edit("DEMO-3", priority=someone.finds("DEMO-9").priority, labels=("theirs",))
    someone.site.edit("DEMO-4", summary="Theirs")
    someone.runs("sync")

    someone.runs("resolve", "DEMO-3", "--take", "local")
    plan = someone.runs("push", "--dry-run").out.splitlines()

    assert plan == [
        "update DEMO-3 Results jump while the covers load (DEMO-3.md)",
        "    Priority: Lowest -> Low",
    ]
    someone.runs("push")
    assert someone.finds("DEMO-3").labels == ("theirs",)
    assert someone.finds("DEMO-4").summary == "Theirs"


def test_both_versions_are_written_between_markers_to_be_edited(torn: User) -> None:
    told = torn.runs("resolve", "DEMO-2", "--take", "merge")

    words = "DEMO-2.md has both versions between conflict markers; edit it, then push"
    assert told == (0, f"DEMO-2: {words}\n", "")
    text = torn.files()["DEMO-2.md"]
    assert text.startswith("<<<<<<< here\n# TICKET: [DEMO-2] Mine\n=======\n")
    assert torn.runs("push").code == 1
    torn.writes("DEMO-2.md", "# TICKET: [DEMO-2] Ours\n" + text.split(">>>>>>> Jira\n")[1])
    what = "it is in conflict with Jira (DEMO-9: Title); run ticketr resolve DEMO-9"
    take = "--take local, remote or merge"
    assert torn.runs("push").err.splitlines()[-3:] == [
        "0 created, 1 updated (DEMO-2)",
        f"conflict: DEMO-9 (DEMO-9.md): {what}",
        f"to settle a conflict: ticketr diff DEMO-9; ticketr resolve DEMO-9 {take}",
    ]
    assert torn.finds("DEMO-2").summary == "Ours"


def test_all_are_settled_at_once(torn: User) -> None:
    told = torn.runs("resolve", "--all", "--take", "remote")

    assert told.code == 0
    assert titles(torn) == ["Theirs", "Theirs"]
    assert torn.runs("sync").code == 0


def test_one_that_cannot_be_settled_does_not_hold_up_the_others(torn: User) -> None:
    told = torn.runs("resolve", "DEMO-1", "DEMO-9", "--take", "remote")

    assert told.code == 1
    assert told.err == "ticketr: DEMO-1 has no conflict; these have: DEMO-2, DEMO-9\n"
    assert titles(torn) == ["Mine", "Theirs"]


def test_two_in_one_file_are_marked_one_after_the_other(someone: User) -> None:
    someone.runs("pull", "-o", "all.md")
    for key in ("DEMO-2", "DEMO-9"):
        someone.edits("all.md", someone.finds(key).summary, f"Mine {key}")
        someone.site.edit(key, summary="Theirs")
    someone.runs("pull")

    first = someone.runs("resolve", "--all", "--take", "merge")
    text = someone.files()["all.md"]
    head, rest = text.split("<<<<<<< here\n")
    mine, rest = rest.split("=======\n")
    someone.writes("all.md", head + mine + rest.split(">>>>>>> Jira\n")[1])
    second = someone.runs("resolve", "--all", "--take", "merge")

    assert first.code == 1
    assert first.out.startswith("DEMO-2: all.md has both versions")
    assert "all.md:" in first.err
    assert second.code == 0
    assert second.out.startswith("DEMO-9: all.md has both versions")


def test_without_a_side_it_is_wrong_usage(torn: User) -> None:
    told = torn.runs("resolve", "DEMO-2")

    assert (told.code, told.out) == (2, "")
    assert "say --take local, --take remote or --take merge" in told.err
    assert torn.runs("resolve", "--take", "mine", "DEMO-2").code == 2


def test_json_has_the_same_keys_whatever_was_done(torn: User) -> None:
    listed = torn.runs("resolve", "--json")
    settled = torn.runs("resolve", "DEMO-2", "DEMO-1", "--take", "local", "--json")

    both = [
        {"key": key, "path": f"{key}.md", "parts": [f"{key}: Title"]}
        for key in ("DEMO-2", "DEMO-9")
    ]
    assert (listed.code, settled.code) == (0, 1)
    nothing = {"folder": str(torn.root), "resolved": [], "failed": []}
    assert listed.json == {**nothing, "conflicts": both}
    assert settled.json == {
        "folder": str(torn.root),
        "conflicts": both[1:],
        "resolved": [{"key": "DEMO-2", "path": "DEMO-2.md", "take": "local"}],
        "failed": [{"key": "DEMO-1", "reason": "DEMO-1 has no conflict; these have: DEMO-9"}],
    }


def test_while_another_process_changes_the_workspace_nothing_is_settled(torn: User) -> None:
    with Store(torn.root, ".ticketr").lock():
        told = torn.runs("resolve", "--all", "--take", "remote")

    assert told.code == 1
    assert f"is being changed by process {os.getpid()}; wait until it has ended" in told.err
    assert titles(torn) == ["Mine", "Mine"]
