"""The services that change fields in files, add drafts, and ask Jira for statuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import trio
from fakes.apps import running_app, workspace
from fakes.conflicts import tree
from fakes.frozen import frozen
from fakes.pulls import Bench, inline
from trio.testing import MockClock

from jira_sandbox import make_site
from ticketr.app.sync import Change, FieldChange, IssuePlace, Store
from ticketr.app.tickets import Ticket, parse, render
from ticketr.app.tui import effects, messages
from ticketr.app.tui.keymap import KeyAction
from ticketr.app.tui.messages import Message
from ticketr.app.tui.row_blocks import Rows
from ticketr.app.tui.services import conflicts, edits
from ticketr.app.tui.services.context import Services
from ticketr.app.tui.services.workspaces import OpenWorkspace, Workspaces
from ticketr.app.tui.workspace import NO_COMMENTS

PLACE = IssuePlace("DEMO-9.md", "DEMO-9")
NOTHING = cast("Any", None)


class Reading:
    """A reader that says when it reads."""

    def __init__(self, told: list[Message]) -> None:
        self._told = told

    async def read(self) -> None:
        await trio.lowlevel.checkpoint()
        self._told.append(messages.FilesRead("work", Rows()))


READ = messages.FilesRead("work", Rows())


def services(root: Path, told: list[Message]) -> Services:
    store = Store(root, ".ticketr")
    made = OpenWorkspace("work", store, NOTHING, draft_type="Story")
    opened = Workspaces((made,), lambda _: Reading(told), told.append)
    return Services(NOTHING, NOTHING, opened, told.append, in_thread=inline)


def bench_in(tmp_path: Path) -> Bench:
    return Bench(make_site(tickets=12, seed=1), tmp_path / "work")


async def test_a_changed_status_is_taken_back_to_the_byte(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = bench_in(tmp_path)
    await bench.pull()
    before = tree(bench)
    told: list[Message] = []
    used = services(bench.root, told)
    change = FieldChange("status", "Done")

    await edits.change_field(used, effects.ChangeField("work", PLACE, change))

    words = "DEMO-9: Status is Done in DEMO-9.md"
    assert told == [messages.Told(words, is_error=False, hints=edits.CHANGED), READ]
    old = before["DEMO-9.md"]
    assert tree(bench) == before | {
        "DEMO-9.md": old.replace(b"Status: In Progress\n", b"Status: Done\n")
    }

    told.clear()
    await conflicts.find_undo(used, effects.FindUndo("work"))
    (found,) = told
    assert isinstance(found, messages.UndoFound)
    assert found.words.startswith("DEMO-9 in DEMO-9.md: what was written at ")
    told.clear()
    await conflicts.undo(used, effects.Undo("work", found.key))

    after = tree(bench)
    (aside,) = set(after) - set(before)
    assert {name: after[name] for name in before} == before
    words = f"DEMO-9 is as it was; the text of now is in {aside}"
    assert told == [messages.Told(words, is_error=False), READ]


async def test_a_field_that_says_so_already_is_not_changed(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    (tmp_path / "a.md").write_text(render([Ticket("x", fields={"Status": "Done"})]))
    told: list[Message] = []
    change = effects.ChangeField("work", IssuePlace("a.md", "", 1), FieldChange("Status", "Done"))

    await edits.change_field(services(tmp_path, told), change)

    assert told == [messages.Told("Status is Done already", is_error=False), READ]
    assert not (tmp_path / ".ticketr").exists()


async def test_an_issue_that_is_gone_is_told(tmp_path: Path, autojump_clock: MockClock) -> None:
    (tmp_path / "a.md").write_text(render([Ticket("x")]))
    told: list[Message] = []
    used = services(tmp_path, told)
    place = IssuePlace("a.md", "DEMO-1")
    change = FieldChange("Status", "Done")
    words = "DEMO-1 was not changed: a.md no longer holds it; read the files again"

    await edits.change_field(used, effects.ChangeField("work", place, change))
    await edits.plan_edits(used, effects.PlanEdits("work", ((place, change),)))
    asked = effects.AddTicket("work", "Pay", place)
    await edits.add_ticket(used, asked)

    assert told == [
        messages.Told(words),
        READ,
        messages.EditsRefused("work", ((place, change),), words),
        messages.NotWritten("work", asked, words),
    ]


async def test_what_was_typed_comes_back_if_its_file_cannot_be_written(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    path = tmp_path / "a.md"
    path.write_text(render([Ticket("x", "DEMO-1")]))
    before = path.read_text()
    told: list[Message] = []
    used = services(tmp_path, told)
    made = replace(used.workspaces["work"], keeps_comments=True)
    used = replace(used, opened=Workspaces((made,), lambda _: Reading(told), told.append))
    place = IssuePlace("a.md", "DEMO-1")
    comment = effects.AddComment("work", place, "Looks good")
    task = effects.AddTicket("work", "Pay", place)
    ticket = effects.AddTicket("work", "Pay", None)
    made.store.prepare()

    with frozen(path, tmp_path):
        await edits.add_comment(used, comment)
        await edits.add_ticket(used, task)
        await edits.add_ticket(used, ticket)
    with made.store.lock():  # as a pull does, which may take long
        await edits.add_comment(used, comment)

    refused = "Operation not permitted; let your account write there"
    answers = [each for each in told if each != READ]
    assert answers[:2] == [
        messages.NotWritten("work", each, f"cannot write into {tmp_path}: {refused}")
        for each in (comment, task)
    ]
    assert answers[2] == messages.NotWritten(
        "work", ticket, f"cannot write into {tmp_path}: {refused}"
    )
    assert isinstance(answers[3], messages.NotWritten)
    assert "is being changed by process" in answers[3].words
    assert path.read_text() == before


async def test_leaving_right_after_enter_does_not_lose_what_was_typed(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    (tmp_path / "a.md").write_text(render([Ticket("x", "DEMO-1")]))
    used = services(tmp_path, [])

    with trio.CancelScope() as scope:
        scope.cancel()
        await edits.add_ticket(used, effects.AddTicket("work", "Pay", None))

    assert scope.cancelled_caught
    assert "# TICKET: Pay\n" in (tmp_path / "pay.md").read_text()


async def test_many_changed_tickets_are_taken_back_by_one_undo(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = bench_in(tmp_path)
    await bench.pull()
    before = tree(bench)
    told: list[Message] = []
    used = services(bench.root, told)
    change = FieldChange("Labels", "urgent", Change.ADD)
    changes = tuple((IssuePlace(f"DEMO-{at}.md", f"DEMO-{at}"), change) for at in (1, 3, 9))

    await edits.plan_edits(used, effects.PlanEdits("work", changes))
    (planned,) = told
    assert isinstance(planned, messages.EditsPlanned)
    assert tree(bench) == before
    told.clear()
    await edits.carry_out(used, effects.CarryOutEdits("work", planned.plan))

    changed = messages.Told("3 tickets changed", is_error=False, hints=edits.CHANGED)
    assert told == [changed, READ, messages.EditsDone("work")]
    assert {name for name, text in tree(bench).items() if text != before[name]} == {
        "DEMO-1.md",
        "DEMO-3.md",
        "DEMO-9.md",
    }

    told.clear()
    await conflicts.find_undo(used, effects.FindUndo("work"))
    (found,) = told
    assert isinstance(found, messages.UndoFound)
    assert found.words.startswith("DEMO-1, DEMO-3, DEMO-9: what was written at ")
    told.clear()
    await conflicts.undo(used, effects.Undo("work", found.key))
    assert told == [messages.Told("DEMO-1, DEMO-3, DEMO-9 are as they were", is_error=False), READ]
    assert {name: text for name, text in tree(bench).items() if name in before} == before


async def test_not_too_many_tickets_are_named(tmp_path: Path, autojump_clock: MockClock) -> None:
    many = [Ticket("x", f"DEMO-{at}") for at in range(1, 9)]
    (tmp_path / "a.md").write_text(render(many))
    told: list[Message] = []
    used = services(tmp_path, told)
    change = FieldChange("Status", "Done")
    changes = tuple((IssuePlace("a.md", f"DEMO-{at}"), change) for at in range(1, 9))
    await edits.plan_edits(used, effects.PlanEdits("work", changes))
    planned = told.pop()
    assert isinstance(planned, messages.EditsPlanned)
    await edits.carry_out(used, effects.CarryOutEdits("work", planned.plan))
    told.clear()

    await conflicts.undo(used, effects.Undo("work", "DEMO-8"))

    words = "DEMO-1, DEMO-2, DEMO-3, DEMO-4, DEMO-5 and 3 more are as they were"
    assert told == [messages.Told(words, is_error=False), READ]
    assert (tmp_path / "a.md").read_text() == render(many)


async def test_an_undo_of_many_names_what_was_edited_since(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = bench_in(tmp_path)
    await bench.pull()
    before = tree(bench)
    told: list[Message] = []
    used = services(bench.root, told)
    change = FieldChange("Labels", "urgent", Change.ADD)
    changes = tuple((IssuePlace(f"DEMO-{at}.md", f"DEMO-{at}"), change) for at in (3, 9))
    await edits.plan_edits(used, effects.PlanEdits("work", changes))
    planned = told.pop()
    assert isinstance(planned, messages.EditsPlanned)
    await edits.carry_out(used, effects.CarryOutEdits("work", planned.plan))
    bench.retitles("DEMO-9", "Mine")
    told.clear()

    await conflicts.undo(used, effects.Undo("work", "DEMO-9"))
    await conflicts.undo(used, effects.Undo("work", "DEMO-9"))

    reason = "cannot undo: DEMO-9 was edited in DEMO-9.md since"
    assert told == [
        messages.Told(f"1 taken back, 1 not: {reason}"),
        READ,
        messages.Told(reason),
        READ,
    ]
    assert tree(bench)["DEMO-3.md"] == before["DEMO-3.md"]


async def test_a_plan_of_a_file_that_was_edited_since_is_refused(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    (tmp_path / "a.md").write_text(render([Ticket("x")]))
    told: list[Message] = []
    used = services(tmp_path, told)
    changes = ((IssuePlace("a.md", "", 1), FieldChange("Status", "Done")),)
    await edits.plan_edits(used, effects.PlanEdits("work", changes))
    planned = told.pop()
    assert isinstance(planned, messages.EditsPlanned)
    (tmp_path / "a.md").write_text(render([Ticket("y")]))

    asked = effects.CarryOutEdits("work", planned.plan, changes)
    await edits.carry_out(used, asked)

    words = "a.md was not changed: it was edited since the plan was made; look at the plan again"
    assert told == [messages.NotWritten("work", asked, words), READ]


@pytest.mark.parametrize("is_task", [False, True])
async def test_a_draft_is_added_and_named(
    tmp_path: Path, autojump_clock: MockClock, *, is_task: bool
) -> None:
    (tmp_path / "a.md").write_text(render([Ticket("x", "DEMO-1")]))
    told: list[Message] = []
    parent = IssuePlace("a.md", "DEMO-1") if is_task else None

    await edits.add_ticket(
        services(tmp_path, told), effects.AddTicket("work", "Pay in time", parent)
    )

    path = "a.md" if is_task else "pay-in-time.md"
    assert told == [
        READ,
        messages.TicketAdded("work", path, "Pay in time"),
        messages.Told(
            f"{path} holds the draft",
            is_error=False,
            hints=((KeyAction.EDIT, "edits it"), (KeyAction.UNDO, "takes it back")),
        ),
    ]
    (ticket,) = parse((tmp_path / path).read_text()).tickets
    if is_task:
        assert ticket.tasks == (Ticket("Pay in time"),)
    else:
        assert ticket == Ticket("Pay in time", fields={"Type": "Story"})


async def test_the_app_changes_the_chosen_tickets_and_takes_it_back(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    root = tmp_path / "work"

    async def ask(key: str) -> tuple[str, ...]:
        await trio.lowlevel.checkpoint()
        return ("In Progress", "Done")

    used = replace(workspace(root), draft_type="Bug", read_statuses=ask)
    for key in ("DEMO-1", "DEMO-2"):
        (root / f"{key}.md").write_text(render([Ticket(key, key, fields={"Status": "To Do"})]))
    before = {path.name: path.read_bytes() for path in root.glob("*.md")}

    async with running_app((used,)) as run:
        await run.press(" ", " ", "b", "KEY_DOWN", "KEY_DOWN", "KEY_ENTER")
        assert "In Progress" in run.screen.text
        await run.press("KEY_DOWN", "KEY_ENTER")
        await trio.sleep(1)
        assert "Enter changes 2 tickets in 2 files; nothing" in run.screen.text
        await run.press("KEY_ENTER")
        assert "2 tickets changed; p shows what a push sends, u takes it back" in run.screen.text
        assert run.app.state.workspace.chosen == frozenset()
        for path in root.glob("*.md"):
            assert path.read_bytes() == before[path.name].replace(b"To Do", b"Done")

        await run.press("u")
        await trio.sleep(1)
        await run.press("KEY_ENTER")
        assert "DEMO-1, DEMO-2 are as they were" in run.screen.text
        assert {path.name: path.read_bytes() for path in root.glob("*.md")} == before

        await run.press("a")
        await run.type("Pay")
        await run.press("KEY_ENTER", "KEY_ENTER")
        row = run.app.state.row
        assert row is not None
        assert (row.title, row.path, row.candidate.fields) == ("Pay", "pay.md", {"Type": "Bug"})


async def test_an_added_draft_is_taken_back_and_put_aside(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    told: list[Message] = []
    used = services(tmp_path, told)
    await edits.add_ticket(used, effects.AddTicket("work", "Pay in time", None))
    text = (tmp_path / "pay-in-time.md").read_text()
    told.clear()

    await conflicts.find_undo(used, effects.FindUndo("work"))
    (found,) = told
    assert isinstance(found, messages.UndoFound)
    assert found.words.startswith("pay-in-time.md, which was added at ")
    told.clear()
    await conflicts.undo(used, effects.Undo("work", found.key))

    aside = ".ticketr/trash/draft.md"
    words = f"pay-in-time.md is gone; its text is in {aside}"
    assert told == [messages.Told(words, is_error=False), READ]
    assert not (tmp_path / "pay-in-time.md").exists()
    assert (tmp_path / aside).read_text() == text


async def test_a_comment_is_written_into_the_file_and_taken_back(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = bench_in(tmp_path)
    await bench.pull(comments=True)
    before = tree(bench)
    told: list[Message] = []
    used = services(bench.root, told)
    made = replace(used.workspaces["work"], keeps_comments=True)
    opened = Workspaces((made,), lambda _: Reading(told), told.append)
    used = Services(NOTHING, NOTHING, opened, told.append, in_thread=inline)
    place = IssuePlace("DEMO-3.md", "DEMO-4")

    await edits.add_comment(used, effects.AddComment("work", place, "Looks good"))

    words = "DEMO-3.md holds the comment"
    assert told == [messages.Told(words, is_error=False, hints=edits.CHANGED), READ]
    task = parse((bench.root / "DEMO-3.md").read_text()).tickets[0].tasks[0]
    assert [(each.id, each.text) for each in task.comments] == [("", "Looks good")]
    await bench.push(comments=True)
    assert [each.author.name for each in bench.finds("DEMO-4").comments] == ["Demo User"]
    assert tree(bench).keys() == before.keys()


async def test_a_workspace_without_comments_gets_none(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = bench_in(tmp_path)
    await bench.pull()
    before = tree(bench)
    told: list[Message] = []

    asked = effects.AddComment("work", PLACE, "Looks good")
    await edits.add_comment(services(bench.root, told), asked)

    assert (told, tree(bench)) == ([messages.NotWritten("work", asked, NO_COMMENTS)], before)
