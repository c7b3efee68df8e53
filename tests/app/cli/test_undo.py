"""Test ``ticketr undo``, which sends no request."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import closing, contextmanager

import pytest
from fakes.users import User

from ticketr.app.sync import (
    Change,
    FieldChange,
    IssuePlace,
    State,
    Store,
    add_ticket,
    carry_out_edits,
    plan_file_edits,
)
from ticketr.app.tickets import Ticket

SETTLE = "to settle it again: ticketr resolve DEMO-9 --take mine, jira or both"


@pytest.fixture
def torn(someone: User) -> User:
    """Return a user with a conflict in DEMO-9."""
    someone.runs("pull")
    someone.retitles("DEMO-9", "Mine")
    someone.site.edit("DEMO-9", summary="Theirs")
    assert someone.runs("pull").code == 3
    someone.asked.clear()
    return someone


def test_the_last_settling_is_taken_back(torn: User) -> None:
    torn.runs("resolve", "DEMO-9", "--take", "jira")
    assert torn.reads("DEMO-9.md").title == "Theirs"

    told = torn.runs("undo")

    words = "DEMO-9: DEMO-9.md is as it was before (settled: Jira's version)"
    where = "what stood there is in .ticketr/trash/DEMO-9.2.md"
    assert told == (0, f"{words}; {where}\n", f"{SETTLE}\n")
    assert torn.reads("DEMO-9.md").title == "Mine"
    assert torn.runs("resolve").out == "DEMO-9 (DEMO-9.md): Title\n"
    assert torn.asked == []
    torn.runs("resolve", "DEMO-9", "--take", "mine")
    torn.runs("push")
    assert torn.finds("DEMO-9").summary == "Mine"


def test_where_the_file_stays_as_it_is_nothing_is_put_aside(torn: User) -> None:
    torn.runs("resolve", "DEMO-9", "--take", "mine")

    told = torn.runs("undo", "demo-9")

    words = "DEMO-9: DEMO-9.md is as it was before (settled: your version)"
    assert told == (0, f"{words}\n", f"{SETTLE}\n")


def test_what_a_pull_has_overwritten_comes_back_without_a_conflict(torn: User) -> None:
    torn.runs("undo", "--list")
    torn.runs("pull", "--strategy", "jira")

    told = torn.runs("undo")

    assert told.code == 0
    assert "(a pull or sync took Jira's version); what stood there is in" in told.out
    assert torn.reads("DEMO-9.md").title == "Mine"


def test_what_can_be_taken_back_is_listed(torn: User) -> None:
    torn.runs("resolve", "DEMO-9", "--take", "both")
    before = torn.files()

    told = torn.runs("undo", "--list")

    assert (told.code, told.err) == (0, "")
    words = "settled: both versions between conflict markers; the old text is in "
    line = rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d  DEMO-9 \(DEMO-9.md\): {words}"
    assert re.fullmatch(rf"{line}\.ticketr/trash/DEMO-9\.md\n", told.out)
    assert torn.files() == before
    assert torn.runs("undo", "--list", "DEMO-1").out == "there is nothing to undo\n"


def test_json_has_what_was_taken_back_and_what_is_left(torn: User) -> None:
    torn.runs("resolve", "DEMO-9", "--take", "jira")

    (step,) = torn.runs("undo", "--list", "--json").json["steps"]
    told = torn.runs("undo", "--json").json

    done = step.pop("done")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT.*\+00:00", done)
    assert step == {
        "key": "DEMO-9",
        "path": "DEMO-9.md",
        "kind": "jira",
        "aside": ".ticketr/trash/DEMO-9.md",
    }
    undone = {**step, "done": done, "put_aside": ".ticketr/trash/DEMO-9.2.md"}
    assert told == {"folder": str(torn.root), "undone": [undone], "steps": []}


def test_a_ticket_that_was_edited_since_is_left_alone(torn: User) -> None:
    torn.runs("resolve", "DEMO-9", "--take", "jira")
    torn.retitles("DEMO-9", "Another")

    told = torn.runs("undo")

    reason = "DEMO-9 was edited in DEMO-9.md since; the old text is in .ticketr/trash/DEMO-9.md"
    assert told == (1, "", f"ticketr: cannot undo: {reason}\n")
    assert torn.reads("DEMO-9.md").title == "Another"


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
        path = add_ticket(store, state, Ticket("Pay in time"))

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
    change = (FieldChange("Labels", "urgent", Change.ADD),)
    with opened_workspace(someone) as (store, state), store.lock():
        places = {IssuePlace(f"{key}.md", key): change for key in keys}
        carry_out_edits(store, state, plan_file_edits(store, places))
