"""The plan of a push, made from the files and the last sync without a request."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import trio
from fakes.lossy import Lossy
from fakes.pulls import Bench

from jira_sandbox import create_app
from ticketr.app.sync import (
    Code,
    Note,
    PlanEntry,
    PushPlan,
    Store,
    UnknownTicket,
    read_state,
)
from ticketr.app.sync.compare.diff import Change, CorePart
from ticketr.app.tickets import parse


async def test_an_unedited_workspace_has_an_empty_plan(bench: Bench) -> None:
    await bench.pull()

    assert bench.plan() == PushPlan((), (), ())


async def test_edits_and_drafts_are_entries_with_their_parts(bench: Bench) -> None:
    await bench.pull()
    bench.retitles("DEMO-1", "Mine")
    bench.edits("DEMO-1.md", "Status: To Do", "Status: Done")
    bench.edits("DEMO-3.md", "- [DEMO-4] Translate", "- Sub-task\n- [DEMO-4] Rephrase")
    (bench.root / "new.md").write_text(
        "Above.\n\n# TICKET: New\n\n## Acceptance Criteria\n- One\n  more\n- Two\n"
    )
    asked = list(bench.asked)

    plan = bench.plan()

    assert bench.asked == asked
    old = parse((bench.root / "DEMO-3.md").read_text()).tickets[0]
    line = next(each.line for each in old.tasks if each.key == "DEMO-4")
    assert plan.entries == (
        PlanEntry(
            "",
            "Sub-task",
            "DEMO-3.md",
            line - 1,
            (
                Change(CorePart.TITLE, "", "Sub-task"),
                Change("Priority", "", "High (from DEMO-3)"),
                Change("Assignee", "", "Tomás O’Brien (from DEMO-3)"),
                Change("Labels", "", "größe-m, quick-win, search (from DEMO-3)"),
                Change("Components", "", "Shop front (from DEMO-3)"),
            ),
            "DEMO-3",
        ),
        PlanEntry(
            "",
            "New",
            "new.md",
            3,
            (
                Change(CorePart.TITLE, "", "New"),
                Change(CorePart.CRITERIA, "", "One\rmore\nTwo"),
            ),
        ),
        PlanEntry(
            "DEMO-1",
            "Mine",
            "DEMO-1.md",
            1,
            (
                Change(CorePart.TITLE, bench.finds("DEMO-1").summary, "Mine"),
                Change("Status", "To Do", "Done"),
            ),
        ),
        PlanEntry(
            "DEMO-4",
            "Rephrase the new texts (de, fr, pt-BR)",
            "DEMO-3.md",
            line,
            (
                Change(
                    CorePart.TITLE,
                    "Translate the new texts (de, fr, pt-BR)",
                    "Rephrase the new texts (de, fr, pt-BR)",
                ),
            ),
        ),
    )
    assert [each.action for each in plan.entries] == ["create", "create", "update", "update"]
    assert [each.name for each in plan.entries] == [
        'draft "Sub-task"',
        'draft "New"',
        "DEMO-1",
        "DEMO-4",
    ]
    assert [each.status_change for each in plan.entries] == [None, None, ("To Do", "Done"), None]
    assert (plan.left_alone, plan.losses) == ((), ())


def test_a_fingerprint_covers_what_is_asked_for_and_not_where_it_stands() -> None:
    part = Change(CorePart.TITLE, "Old", "New")
    entry = PlanEntry("DEMO-1", "New", "a.md", 1, (part,))
    same = PlanEntry("DEMO-1", "New", "b.md", 7, (replace(part, old="Other"),))

    assert entry.fingerprint == same.fingerprint
    others = [
        replace(entry, key="DEMO-2"),
        replace(entry, parent_key_or_title="DEMO-9"),
        replace(entry, changes=(replace(part, new="Newer"),)),
        replace(entry, changes=(replace(part, part="Summary"),)),
        replace(entry, changes=()),
    ]
    assert len({entry.fingerprint, *(each.fingerprint for each in others)}) == 6


async def test_a_ticket_in_conflict_is_left_until_its_file_has_what_jira_changed(
    bench: Bench,
) -> None:
    await bench.pull()
    bench.retitles("DEMO-1", "Mine")
    bench.edits("DEMO-1.md", "Priority: Low", "Priority: High")
    bench.site.edit("DEMO-1", summary="Theirs")
    await bench.pull()

    reason = "it is in conflict with Jira (Title); run ticketr resolve DEMO-1"
    left = Note("DEMO-1", "DEMO-1.md", reason, Code.CONFLICT, "Mine", 1)
    assert bench.plan() == PushPlan((), (left,))
    assert left.key_title_or_path == "DEMO-1"
    bench.retitles("DEMO-1", "Theirs")
    (entry,) = bench.plan().entries
    assert Change("Priority", "Low", "High") in entry.changes


async def test_a_file_that_cannot_be_read_is_left_with_its_line(bench: Bench) -> None:
    await bench.pull()
    text = (bench.root / "DEMO-1.md").read_text()
    (bench.root / "a.md").write_text("# TICKET: Fine\n\n<<<<<<< mine\n")
    (bench.root / "b.md").write_text(text)

    left = bench.plan().left_alone

    assert [
        (each.key, each.path, each.line, each.code, each.key_title_or_path) for each in left
    ] == [
        ("", "a.md", 3, Code.BROKEN, "a.md"),
        ("DEMO-1", "b.md", None, Code.BROKEN, "DEMO-1"),
    ]
    assert left[0].reason.startswith("a.md:3:1: ")


@pytest.mark.parametrize("answered", [False, True])
async def test_a_draft_that_jira_was_asked_for_is_left_with_its_sub_tasks(
    bench: Bench, answered: bool
) -> None:
    bench.root.mkdir()
    (bench.root / "new.md").write_text("# TICKET: New\n\n## Tasks\n- One\n\n# TICKET: Other\n")
    both = itertools.count(1)  # the drafts are sent in any order
    with trio.CancelScope() as scope:

        def lose(method: str, path: str) -> str | None:
            if (method, path) != ("POST", "issue"):
                return None
            if next(both) == 2:
                scope.cancel()
            return "answer"

        await bench.push(transport=Lossy(create_app(bench.site), lose), keys=None)
    assert scope.cancelled_caught
    store = Store(bench.root, ".ticketr")
    with read_state(store) as state:
        creation = next(each for each in state.creations.read_in_no_file() if each.title == "New")
        if answered:
            state.creations.put(creation.answered("10099", "DEMO-13"))

    plan = bench.plan()

    reason = (
        "it was created as DEMO-13; the next push or pull writes that key into its file"
        if answered
        else "an earlier push asked for it and got no answer; the next push finds out if it exists"
    )
    assert plan.left_alone[:2] == (
        Note("", "new.md", reason, Code.MAYBE_CREATED, "New", 1),
        Note("", "new.md", reason, Code.MAYBE_CREATED, "One", 4),
    )
    (bench.root / "new.md").rename(bench.root / "moved.md")
    assert [each.path for each in bench.plan().left_alone[:2]] == ["moved.md", "moved.md"]
    (bench.root / "moved.md").write_text("# TICKET: Nothing of the kind\n")
    assert [each.title for each in bench.plan().entries] == ["Nothing of the kind"]


async def test_a_ticket_that_was_never_pulled_here_is_left(bench: Bench) -> None:
    bench.root.mkdir()
    (bench.root / "x.md").write_text("# TICKET: [DEMO-1] Mine\n")

    reason = "it was never pulled into this folder; it is compared with Jira first"
    left = Note("DEMO-1", "x.md", reason, Code.NEVER_PULLED, "Mine", 1)
    assert bench.plan() == PushPlan((), (left,))
    await bench.pull()
    (now,) = bench.plan().left_alone
    assert (now.key, now.code) == ("DEMO-1", Code.CONFLICT)


async def test_keys_name_tickets_with_their_sub_tasks_or_a_sub_task_alone(bench: Bench) -> None:
    await bench.pull()
    bench.retitles("DEMO-1", "Mine")
    bench.retitles("DEMO-3", "Mine too")
    bench.edits("DEMO-3.md", "- [DEMO-4] Translate", "- New\n- [DEMO-4] Rephrase")
    (bench.root / "drafts.md").write_text("# TICKET: Draft\n")

    whole, task = bench.plan(["DEMO-3"]), bench.plan({"DEMO-4"})

    assert [each.name for each in whole.entries] == ['draft "New"', "DEMO-3", "DEMO-4"]
    assert [(each.key_title_or_path, each.reason, each.code) for each in whole.left_alone] == [
        ("DEMO-1", "it was not named", Code.NOT_NAMED_BY_USER),
        ('draft "Draft"', "it was not named", Code.NOT_NAMED_BY_USER),
    ]
    assert [each.name for each in task.entries] == ["DEMO-4"]
    assert bench.plan(["DEMO-2"]).entries == ()


async def test_a_named_ticket_that_is_in_no_file_is_left_and_an_unknown_one_refused(
    bench: Bench,
) -> None:
    await bench.pull()
    (bench.root / "DEMO-2.md").unlink()

    (left,) = bench.plan(["DEMO-2"]).left_alone
    assert (left.key, left.path, left.code) == ("DEMO-2", "DEMO-2.md", Code.NOT_FOUND)
    with pytest.raises(UnknownTicket) as caught:
        bench.plan(["DEMO-1", "DEMO-77"])
    assert str(caught.value) == (
        "DEMO-77 was never pulled into this folder, nor is it in a file; did you mean DEMO-7 or DEMO-9 or DEMO-8?"
    )


async def refused(bench: Bench) -> str:
    """Push, and give the reason why nothing was; nothing was sent."""
    before = bench.site.revision
    result = await bench.push()
    assert bench.site.revision == before
    (note,) = result.failed
    assert note.code is Code.BROKEN
    return note.reason


@pytest.mark.parametrize("heading", ["DEMO-9 Mine", "[DEMO 9] Mine", "[DEMO9] Mine", "demo-9: x"])
async def test_a_title_that_begins_like_a_key_of_the_project_is_refused_with_its_place(
    bench: Bench, heading: str
) -> None:
    bench.root.mkdir()
    (bench.root / "a.md").write_text(f"Notes.\n\n# TICKET: {heading}\n")

    reason = await refused(bench)

    assert reason.startswith("a.md:3:11: this begins like the key of DEMO-9; write [DEMO-9] before")
    assert reason.endswith(f'"# TICKET: {heading}"')


async def test_so_is_a_sub_task_that_begins_like_a_key_of_a_pulled_project(bench: Bench) -> None:
    await bench.pull()
    bench.edits("DEMO-3.md", "- [DEMO-4] ", "- DEMO-4 ")

    reason = await refused(bench)

    assert reason.startswith("DEMO-3.md:")
    assert ":3: this begins like the key of DEMO-4" in reason


async def test_titles_like_those_of_no_project_here_are_created(bench: Bench) -> None:
    bench.root.mkdir()
    (bench.root / "a.md").write_text("# TICKET: UTF-8 is broken\n\n# TICKET: [P1] COVID-19 leave\n")

    assert len((await bench.push()).created) == 2


@pytest.mark.parametrize("new", ["", "Another title: ", "[TODO] "])
async def test_a_pulled_ticket_that_has_lost_its_key_is_not_created_again(
    bench: Bench, new: str
) -> None:
    await bench.pull()
    bench.edits("DEMO-3.md", "[DEMO-3] ", new)

    reason = await refused(bench)

    assert reason.startswith(
        "DEMO-3.md:1:11: the heading of DEMO-3 has lost its key; write [DEMO-3]"
    )


async def test_a_sub_task_that_has_lost_its_key_is_not_created_again(bench: Bench) -> None:
    await bench.pull()
    bench.edits("DEMO-3.md", "- [DEMO-4] ", "- ")

    assert "the line of DEMO-4 has lost its key; write [DEMO-4] again" in await refused(bench)


async def test_a_copy_in_another_file_and_one_beside_the_ticket_are_created(bench: Bench) -> None:
    await bench.pull()
    text = (bench.root / "DEMO-9.md").read_text()
    copy = text.replace("[DEMO-9] ", "")
    (bench.root / "copy.md").write_text(copy)
    (bench.root / "DEMO-9.md").write_text(f"{copy}\n{text}")

    assert len((await bench.push()).created) == 2


async def test_a_new_ticket_in_the_file_of_one_that_is_missing_is_created(bench: Bench) -> None:
    await bench.pull()
    (bench.root / "DEMO-9.md").write_text("# TICKET: Something else\n\n## Fields\nType: Task\n")

    assert len((await bench.push()).created) == 1
