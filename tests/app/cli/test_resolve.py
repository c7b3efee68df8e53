"""Test ``ticketr resolve`` and ``ticketr undo``, which send no request."""

from __future__ import annotations

import os
import re
from collections.abc import Generator
from contextlib import closing, contextmanager

import pytest
from fakes.users import User

from ticketr.app.sync import (
    FieldSetting,
    IssuePlace,
    ListAction,
    State,
    Store,
    add_drafts_in_new_file,
    carry_out_edits,
    plan_file_edits,
)
from ticketr.app.tickets import Ticket


@pytest.fixture
def torn(someone: User) -> User:
    """Return a user with conflicts in DEMO-2 and DEMO-9."""
    someone.runs("pull")
    for key in ("DEMO-2", "DEMO-9"):
        someone.retitles(key, "Mine")
        someone.site.edit(key, summary="Theirs")
    assert someone.runs("pull").code == 3
    someone.asked.clear()
    return someone


def titles(user: User) -> list[str]:
    return [user.reads(f"{key}.md").title for key in ("DEMO-2", "DEMO-9")]


def test_without_a_key_the_conflicts_are_listed_in_the_order_of_their_keys(torn: User) -> None:
    torn.retitles("DEMO-11", "Mine")
    torn.site.edit("DEMO-11", summary="Theirs")
    torn.runs("pull")
    for key, name in (("DEMO-3", "b.md"), ("DEMO-6", "a.md")):
        torn.retitles(key, "Mine")
        (torn.root / f"{key}.md").rename(torn.root / name)
    torn.writes("c.md", "# TICKET: A draft\n")

    told = torn.runs("resolve")

    conflicts = [f"DEMO-{number} (DEMO-{number}.md): Title" for number in (2, 9, 11)]
    assert told == (0, "".join(f"{line}\n" for line in conflicts), "")
    assert torn.runs("status").out.splitlines() == [
        "edited    DEMO-3 (b.md): Title",
        "edited    DEMO-6 (a.md): Title",
        "draft     A draft (c.md)",
        *(f"conflict  {line}" for line in conflicts),
    ]


def test_without_conflicts_it_says_so(someone: User) -> None:
    assert someone.runs("resolve") == (0, "there is no conflict\n", "")
    assert someone.runs("resolve", "--all", "--take", "mine") == (0, "there is no conflict\n", "")
    assert [each.name for each in someone.root.iterdir()] == ["ticketr.toml"]


@pytest.mark.parametrize(
    ("take", "words", "title"),
    [
        (
            "mine",
            "DEMO-2.md has your version of what clashed; the next push brings that to Jira",
            "Mine",
        ),
        (
            "jira",
            "DEMO-2.md has Jira's version of what clashed; the old text is in {aside}",
            "Theirs",
        ),
    ],
)
def test_a_side_is_taken_and_the_next_sync_makes_both_equal(
    torn: User, take: str, words: str, title: str
) -> None:
    told = torn.runs("resolve", "demo-2", "--take", take)

    what = {"mine": "your version", "jira": "your other edits"}[take]
    hint = f"to bring {what} to Jira: ticketr push; {BACK}"
    words = words.format(aside=".ticketr/trash/DEMO-2.md")
    assert told == (0, f"DEMO-2: {words}\n", f"{hint}\n")
    assert titles(torn) == [title, "Mine"]
    assert torn.asked == []
    assert torn.runs("resolve").out == "DEMO-9 (DEMO-9.md): Title\n"
    torn.runs("sync")
    assert torn.finds("DEMO-2").summary == title


def test_nothing_that_others_have_changed_in_jira_is_taken_back(someone: User) -> None:
    """This holds for the ticket and its sub-tasks, although the local side is taken."""
    someone.runs("pull")
    someone.edits("DEMO-3.md", "Priority: High", "Priority: Low")
    someone.site.edit("DEMO-3", priority=someone.finds("DEMO-9").priority, labels=("theirs",))
    someone.site.edit("DEMO-4", summary="Theirs")
    someone.runs("sync")

    someone.runs("resolve", "DEMO-3", "--take", "mine")
    plan = someone.runs("push", "--dry-run").out.splitlines()

    assert plan == [
        "update DEMO-3 Results jump while the covers load (DEMO-3.md)",
        "    Priority: Lowest -> Low",
    ]
    someone.runs("push")
    assert someone.finds("DEMO-3").labels == ("theirs",)
    assert someone.finds("DEMO-4").summary == "Theirs"


def test_both_versions_are_written_between_markers_to_be_edited(torn: User) -> None:
    told = torn.runs("resolve", "DEMO-2", "--take", "both")

    words = "DEMO-2.md has both versions of what clashed between conflict markers"
    where = "the old text is in .ticketr/trash/DEMO-2.md"
    hint = f"once no marker is left in the file: ticketr sync; {BACK}"
    assert told == (0, f"DEMO-2: {words}; edit it, then sync; {where}\n", f"{hint}\n")
    text = torn.files()["DEMO-2.md"]
    assert text.startswith("<<<<<<< here\n# TICKET: [DEMO-2] Mine\n=======\n")
    assert torn.runs("push").code == 3
    torn.writes("DEMO-2.md", "# TICKET: [DEMO-2] Ours\n" + text.split(">>>>>>> Jira\n")[1])
    what = "it is in conflict with Jira (DEMO-9: Title); run ticketr resolve DEMO-9"
    take = "--take mine, jira or both"
    assert torn.runs("push").err.splitlines()[-3:] == [
        "0 created, 1 updated (DEMO-2), 1 in conflict",
        f"conflict: DEMO-9 (DEMO-9.md): {what}",
        f"to resolve a conflict: ticketr diff DEMO-9; ticketr resolve DEMO-9 {take}",
    ]
    assert torn.finds("DEMO-2").summary == "Ours"


#: The end of the last line.
BACK = "to take this back: ticketr undo"
STAND = "this file has conflict markers; edit it until none is left, then sync"


def test_files_with_markers_are_listed_until_the_markers_are_gone(torn: User) -> None:
    torn.runs("resolve", "DEMO-2", "--take", "both")
    torn.writes("sub/git.md", "# TICKET: [DEMO-1] A\n\n>>>>>>> theirs\n")
    torn.writes("notes.md", "<<<<<<< not a ticket\n")
    torn.writes("broken.md", "# TICKET: A\n\n```\n<<<<<<<<< no marker\n")

    listed = torn.runs("resolve")
    as_json = torn.runs("resolve", "--json").json

    lines = [f"DEMO-2.md:1: {STAND}", f"sub/git.md:3: {STAND}"]
    assert listed == (0, "\n".join(["DEMO-9 (DEMO-9.md): Title", *lines, ""]), "")
    assert as_json["marked"] == [
        {"path": "DEMO-2.md", "line": 1},
        {"path": "sub/git.md", "line": 3},
    ]
    text = torn.files()["DEMO-2.md"]
    torn.writes("DEMO-2.md", "# TICKET: [DEMO-2] Ours\n" + text.split(">>>>>>> Jira\n")[1])
    (torn.root / "sub" / "git.md").unlink()
    assert torn.runs("resolve").out == "DEMO-9 (DEMO-9.md): Title\n"


def test_a_ticket_whose_markers_still_stand_is_not_just_without_a_conflict(torn: User) -> None:
    torn.runs("resolve", "DEMO-2", "--take", "both")

    told = torn.runs("resolve", "DEMO-2", "--take", "mine")

    assert told.code == 1
    assert told.err == f"ticketr: DEMO-2 has no conflict any more, but DEMO-2.md:1: {STAND}\n"


@pytest.mark.parametrize("take", ["mine", "jira", "both", "local", "remote", "merge"])
def test_the_key_of_a_sub_task_resolves_its_ticket(someone: User, take: str) -> None:
    someone.runs("pull")
    someone.edits("DEMO-3.md", "Agree on the wording", "Mine")
    someone.site.edit("DEMO-5", summary="Theirs")
    someone.runs("pull")

    told = someone.runs("resolve", "demo-5", "DEMO-3", "DEMO-4", "--take", take)

    assert told.code == 0
    assert told.err.endswith(f"; {BACK}\n")
    assert told.err.count("\n") == 1
    assert told.out.startswith("DEMO-3: DEMO-3.md has ")
    assert told.out.count("\n") == 1
    assert "DEMO-3 (" not in someone.runs("resolve").out


def test_all_are_settled_at_once(torn: User) -> None:
    told = torn.runs("resolve", "--all", "--take", "jira")

    assert told.code == 0
    assert titles(torn) == ["Theirs", "Theirs"]
    assert torn.runs("sync").code == 0


def test_one_that_cannot_be_settled_does_not_hold_up_the_others(torn: User) -> None:
    told = torn.runs("resolve", "DEMO-1", "DEMO-9", "--take", "jira")

    assert told.code == 1
    assert told.err.splitlines() == [
        "ticketr: DEMO-1 has no conflict; these have: DEMO-2, DEMO-9",
        f"to bring your other edits to Jira: ticketr push; {BACK}",
    ]
    assert titles(torn) == ["Mine", "Theirs"]


def test_without_a_side_it_is_wrong_usage(torn: User) -> None:
    told = torn.runs("resolve", "DEMO-2")

    assert (told.code, told.out) == (2, "")
    assert "say --take mine, --take jira or --take both" in told.err
    assert torn.runs("resolve", "--take", "yours", "DEMO-2").code == 2


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_side_alone_does_not_say_which_ticket(torn: User, more: tuple[str, ...]) -> None:
    told = torn.runs("resolve", "--take", "mine", *more)

    assert (told.code, told.out) == (2, "")
    assert "say which: 'ticketr resolve KEY --take mine', or --all for each" in told.err
    assert titles(torn) == ["Mine", "Mine"]


def test_json_has_the_same_keys_for_every_result(torn: User) -> None:
    listed = torn.runs("resolve", "--json")
    settled = torn.runs("resolve", "DEMO-2", "DEMO-1", "--take", "mine", "--json")

    both = [
        {"key": key, "path": f"{key}.md", "parts": [f"{key}: Title"]}
        for key in ("DEMO-2", "DEMO-9")
    ]
    assert (listed.code, settled.code) == (0, 1)
    nothing = {"folder": str(torn.root), "resolved": [], "failed": []}
    assert listed.json == {**nothing, "conflicts": both, "marked": []}
    assert settled.json == {
        "folder": str(torn.root),
        "conflicts": both[1:],
        "marked": [],
        "resolved": [
            {
                "key": "DEMO-2",
                "path": "DEMO-2.md",
                "aside": "",
                "can_undo": True,
                "brought_forward": [],
                "take": "mine",
            }
        ],
        "failed": [{"key": "DEMO-1", "reason": "DEMO-1 has no conflict; these have: DEMO-9"}],
    }


def test_while_another_process_changes_the_workspace_nothing_is_settled(torn: User) -> None:
    with Store(torn.root, ".ticketr").lock():
        told = torn.runs("resolve", "--all", "--take", "jira")

    assert told.code == 1
    assert f"is being changed by process {os.getpid()}; wait until it has ended" in told.err
    assert titles(torn) == ["Mine", "Mine"]


RESOLVE = "to resolve it again: ticketr resolve DEMO-9 --take mine, jira or both"


@pytest.fixture
def clashed(someone: User) -> User:
    """Return a user with a conflict in DEMO-9."""
    someone.runs("pull")
    someone.retitles("DEMO-9", "Mine")
    someone.site.edit("DEMO-9", summary="Theirs")
    assert someone.runs("pull").code == 3
    someone.asked.clear()
    return someone


def test_the_last_settling_is_taken_back(clashed: User) -> None:
    clashed.runs("resolve", "DEMO-9", "--take", "jira")
    assert clashed.reads("DEMO-9.md").title == "Theirs"

    told = clashed.runs("undo")

    words = "DEMO-9: DEMO-9.md is as it was before (resolved: Jira's version)"
    where = "what stood there is in .ticketr/trash/DEMO-9.2.md"
    assert told == (0, f"{words}; {where}\n", f"{RESOLVE}\n")
    assert clashed.reads("DEMO-9.md").title == "Mine"
    assert clashed.runs("resolve").out == "DEMO-9 (DEMO-9.md): Title\n"
    assert clashed.asked == []
    clashed.runs("resolve", "DEMO-9", "--take", "mine")
    clashed.runs("push")
    assert clashed.finds("DEMO-9").summary == "Mine"


def test_where_the_file_stays_as_it_is_nothing_is_put_aside(clashed: User) -> None:
    clashed.runs("resolve", "DEMO-9", "--take", "mine")

    told = clashed.runs("undo", "demo-9")

    words = "DEMO-9: DEMO-9.md is as it was before (resolved: your version)"
    assert told == (0, f"{words}\n", f"{RESOLVE}\n")


def test_what_a_pull_has_overwritten_comes_back_without_a_conflict(clashed: User) -> None:
    clashed.runs("undo", "--list")
    clashed.runs("pull", "--strategy", "jira")

    told = clashed.runs("undo")

    assert told.code == 0
    assert "(a pull or sync took Jira's version); what stood there is in" in told.out
    assert clashed.reads("DEMO-9.md").title == "Mine"


def test_what_can_be_taken_back_is_listed(clashed: User) -> None:
    clashed.runs("resolve", "DEMO-9", "--take", "both")
    before = clashed.files()

    told = clashed.runs("undo", "--list")

    assert (told.code, told.err) == (0, "")
    words = "resolved: both versions between conflict markers; the old text is in "
    line = rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d  DEMO-9 \(DEMO-9.md\): {words}"
    assert re.fullmatch(rf"{line}\.ticketr/trash/DEMO-9\.md\n", told.out)
    assert clashed.files() == before
    assert clashed.runs("undo", "--list", "DEMO-1").out == "there is nothing to undo\n"


def test_json_has_what_was_taken_back_and_what_is_left(clashed: User) -> None:
    clashed.runs("resolve", "DEMO-9", "--take", "jira")

    (step,) = clashed.runs("undo", "--list", "--json").json["steps"]
    told = clashed.runs("undo", "--json").json

    done = step.pop("done")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT.*\+00:00", done)
    assert step == {
        "key": "DEMO-9",
        "path": "DEMO-9.md",
        "kind": "jira",
        "aside": ".ticketr/trash/DEMO-9.md",
    }
    undone = {**step, "done": done, "put_aside": ".ticketr/trash/DEMO-9.2.md"}
    assert told == {"folder": str(clashed.root), "undone": [undone], "steps": []}


def test_a_ticket_that_was_edited_since_is_left_alone(clashed: User) -> None:
    clashed.runs("resolve", "DEMO-9", "--take", "jira")
    clashed.retitles("DEMO-9", "Another")

    told = clashed.runs("undo")

    reason = "DEMO-9 was edited in DEMO-9.md since; the old text is in .ticketr/trash/DEMO-9.md"
    assert told == (1, "", f"ticketr: cannot undo: {reason}\n")
    assert clashed.reads("DEMO-9.md").title == "Another"


def test_where_there_is_nothing_to_undo_no_state_is_made(someone: User) -> None:
    before = sorted(someone.root.rglob("*"))

    told = someone.runs("undo")

    assert told == (1, "", "ticketr: there is nothing to undo here\n")
    assert sorted(someone.root.rglob("*")) == before


def test_the_key_of_a_sub_task_stands_for_its_ticket(someone: User) -> None:
    someone.runs("pull")
    someone.edits("DEMO-3.md", "Agree on the wording", "Mine")
    someone.site.edit("DEMO-5", summary="Theirs")
    someone.runs("pull")
    before = someone.files()["DEMO-3.md"]
    someone.runs("resolve", "DEMO-5", "--take", "jira")

    assert someone.runs("undo", "demo-5").out.startswith("DEMO-3: DEMO-3.md is as it was before")
    assert someone.files()["DEMO-3.md"] == before
    assert someone.runs("undo", "DEMO-5").err == "ticketr: there is nothing to undo of DEMO-5\n"


def test_a_change_of_several_tickets_is_taken_back_in_all_of_them(someone: User) -> None:
    someone.runs("pull")
    before = someone.files()
    label(someone, "DEMO-1", "DEMO-3", "DEMO-9")
    assert someone.files() != before

    told = someone.runs("undo")

    assert told.code == 0
    assert re.findall(r"^DEMO-\d+", told.out, re.MULTILINE) == ["DEMO-9", "DEMO-3", "DEMO-1"]
    assert {name: text for name, text in someone.files().items() if name in before} == before


def test_with_a_key_the_change_is_taken_back_in_that_ticket_alone(someone: User) -> None:
    someone.runs("pull")
    before = someone.files()
    label(someone, "DEMO-1", "DEMO-3")

    told = someone.runs("undo", "DEMO-1")

    assert re.findall(r"^DEMO-\d+", told.out, re.MULTILINE) == ["DEMO-1"]
    assert someone.files()["DEMO-1.md"] == before["DEMO-1.md"]
    assert someone.files()["DEMO-3.md"] != before["DEMO-3.md"]


def test_what_could_not_be_taken_back_is_told_after_what_was(someone: User) -> None:
    someone.runs("pull")
    before = someone.files()
    label(someone, "DEMO-1", "DEMO-3")
    someone.retitles("DEMO-1", "Another")

    told = someone.runs("undo")

    assert (told.code, told.out.partition(":")[0]) == (1, "DEMO-3")
    assert told.err == "ticketr: cannot undo: DEMO-1 was edited in DEMO-1.md since\n"
    assert someone.files()["DEMO-3.md"] == before["DEMO-3.md"]


def test_a_file_that_the_app_has_added_goes(someone: User) -> None:
    someone.runs("pull")
    with opened_workspace(someone) as (store, state), store.lock():
        path = add_drafts_in_new_file(store, state, [Ticket("Pay in time")])

    told = someone.runs("undo")

    words = "draft: pay-in-time.md is gone (added in the app)"
    assert told.out == f"{words}; what stood there is in .ticketr/trash/draft.md\n"
    assert not (someone.root / path).exists()


@contextmanager
def opened_workspace(someone: User) -> Generator[tuple[Store, State]]:
    store = Store(someone.root, ".ticketr")
    with closing(State(store.state_path, store.mark)) as state:
        yield store, state


def label(someone: User, *keys: str) -> None:
    """Add a label to tickets, as one change in the app."""
    change = FieldSetting("Labels", "urgent", ListAction.ADD)
    with opened_workspace(someone) as (store, state), store.lock():
        places = {IssuePlace(f"{key}.md", key): change for key in keys}
        carry_out_edits(store, state, plan_file_edits(store, places))
