"""The services that write into files, and start an editor or a browser."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import trio
from fakes.apps import running_app, services, workspace
from fakes.conflicts import tree
from fakes.frozen import frozen
from fakes.pulls import Bench
from fakes.states import FakeScreen
from trio.testing import MockClock

from jira_sandbox import make_site
from ticketr.app.config import SavedListView
from ticketr.app.sync import FieldSetting, IssuePlace, read_template
from ticketr.app.tickets import Ticket, parse, render
from ticketr.app.tui import messages
from ticketr.app.tui.effects import call_in
from ticketr.app.tui.keymap import KeyAction
from ticketr.app.tui.messages import Message
from ticketr.app.tui.rows import Rows
from ticketr.app.tui.services import edits, outside, setting_up
from ticketr.app.tui.services.context import Services
from ticketr.app.tui.services.edits import add_comment_to_file, add_ticket, ask_to_undo, undo
from ticketr.app.tui.services.files import remember_list_view
from ticketr.app.tui.services.outside import (
    browser_commands,
    copy_addresses,
    open_browser,
    open_editor,
)
from ticketr.app.tui.setup import Setup
from ticketr.terminal import Resize

PLACE = IssuePlace("DEMO-9.md", "DEMO-9")


class Reading:
    """A reader that says when it reads."""

    def __init__(self, told: list[Message]) -> None:
        self._told = told

    async def read_and_compare(self) -> None:
        await trio.lowlevel.checkpoint()
        self._told.append(messages.FilesRead("work", Rows()))


READ = messages.FilesRead("work", Rows())


def editing(root: Path, told: list[Message], **options: Any) -> Services:
    return services(root, told, reader=Reading(told), default_draft_type="Story", **options)


def bench_in(tmp_path: Path) -> Bench:
    return Bench(make_site(tickets=12, seed=1), tmp_path / "work")


async def test_a_changed_status_is_taken_back_to_the_byte(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = bench_in(tmp_path)
    await bench.pull()
    before = tree(bench)
    told: list[Message] = []
    used = editing(bench.root, told)
    change = FieldSetting("status", "Done")

    await edits.change_field(used, "work", PLACE, change)

    words = "DEMO-9: Status is Done in DEMO-9.md"
    assert told == [messages.Notice(words, is_error=False, hints=edits.AFTER_CHANGE_HINTS), READ]
    old = before["DEMO-9.md"]
    assert tree(bench) == before | {
        "DEMO-9.md": old.replace(b"Status: In Progress\n", b"Status: Done\n")
    }

    told.clear()
    await used.carry_out(call_in("work", ask_to_undo))
    (found,) = told
    assert isinstance(found, messages.YesNoAsked)
    assert found.question.startswith("DEMO-9 in DEMO-9.md: the text that was there before ")
    told.clear()
    (effect,) = found.calls_on_yes
    assert effect.function is undo
    await effect.function(used, *effect.args)

    after = tree(bench)
    (aside,) = set(after) - set(before)
    assert {name: after[name] for name in before} == before
    words = f"DEMO-9 is as it was; the text that it had is in {aside}"
    assert told == [messages.Notice(words, is_error=False), READ]


async def test_what_a_workspace_is_connected_to_is_read_without_its_token(tmp_path: Path) -> None:
    told: list[Message] = []
    address = "https://harbour.example"
    used = editing(tmp_path, told, site_url=address, email="a@harbour.example", project="DEMO")

    asked = call_in("work", setting_up.read_login_form_values)
    await used.carry_out(asked)  # an app that adds no workspaces
    await replace(used, workspace_adder=cast("Setup", object())).carry_out(asked)

    refused, read = told
    assert isinstance(refused, messages.CallEnded)
    assert refused.problem == "This app stores no login; ticketr workspace add does"
    assert isinstance(read, messages.CallEnded)
    assert [*read.value_or_typed.values()] == [address, "a@harbour.example", "DEMO", str(tmp_path)]


async def test_only_what_can_be_taken_back_is_offered(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = bench_in(tmp_path)
    await bench.pull()
    told: list[Message] = []
    used = editing(bench.root, told)
    for key in ("DEMO-9", "DEMO-1"):
        place = IssuePlace(f"{key}.md", key)
        await edits.change_field(used, "work", place, FieldSetting("Status", "Done"))
    bench.edits("DEMO-1", "Status: Done", "Status: Blocked")
    told.clear()

    await used.carry_out(call_in("work", ask_to_undo))

    (asked,) = told
    assert isinstance(asked, messages.YesNoAsked)
    assert [step.key for step in asked.calls_on_yes[0].args[1]] == ["DEMO-9"]
    bench.path("DEMO-9").unlink()
    told.clear()
    await used.carry_out(call_in("work", ask_to_undo))
    words = "There is nothing to take back: DEMO-1 was edited in DEMO-1.md since"
    assert told == [messages.Notice(words, is_error=False)]


async def test_a_draft_that_was_pushed_is_not_offered(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = bench_in(tmp_path)
    await bench.pull()
    told: list[Message] = []
    used = editing(bench.root, told)
    for title in ("Keep", "Pay"):
        await edits.add_ticket(used, "work", title, None)
    await bench.push(keys=["pay.md"])
    told.clear()

    await used.carry_out(call_in("work", ask_to_undo))

    (asked,) = told
    assert isinstance(asked, messages.YesNoAsked)
    assert asked.question.startswith("keep.md, which was added at ")
    (effect,) = asked.calls_on_yes
    await effect.function(used, *effect.args)
    assert not (bench.root / "keep.md").exists()
    told.clear()
    await used.carry_out(call_in("work", ask_to_undo))
    words = "There is nothing to take back: pay.md was edited, pushed or removed since"
    assert told == [messages.Notice(words, is_error=False)]


async def test_an_issue_that_is_gone_is_told(tmp_path: Path, autojump_clock: MockClock) -> None:
    (tmp_path / "a.md").write_text(render([Ticket("x")]))
    told: list[Message] = []
    used = editing(tmp_path, told)
    place = IssuePlace("a.md", "DEMO-1")
    change = FieldSetting("Status", "Done")
    words = "DEMO-1 was not changed: a.md no longer holds it; read the files again"

    calls = (
        call_in("work", edits.change_field, place, change),
        call_in("work", edits.plan_edits, ((place, change),)),
        call_in("work", add_ticket, "Pay", place),
    )
    for asked in calls:
        await used.carry_out(asked)

    changing, planning, adding = (messages.CallEnded(asked, problem=words) for asked in calls)
    assert told == [READ, changing, planning, READ, adding]


async def test_what_was_typed_comes_back_if_its_file_cannot_be_written(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    path = tmp_path / "a.md"
    path.write_text(render([Ticket("x", "DEMO-1")]))
    before = path.read_text()
    told: list[Message] = []
    used = editing(tmp_path, told, keeps_comments=True)
    store = used.workspaces["work"].store
    place = IssuePlace("a.md", "DEMO-1")
    comment = call_in("work", add_comment_to_file, place, "Looks good")
    task = call_in("work", add_ticket, "Pay", place)
    ticket = call_in("work", add_ticket, "Pay", None)
    store.make_state_folder()

    with frozen(path, tmp_path):
        for asked in (comment, task, ticket):
            await used.carry_out(asked)
    with store.lock():  # as a pull does, which may take long
        await used.carry_out(comment)

    refused = "Operation not permitted; let your account write there"
    assert told.count(READ) == 4  # after each of them
    *answers, locked = (message for message in told if message != READ)
    problem = f"cannot write into {tmp_path}: {refused}"
    assert answers == [
        messages.CallEnded(call, problem=problem) for call in (comment, task, ticket)
    ]
    assert isinstance(locked, messages.CallEnded)
    assert "is being changed by process" in locked.problem
    assert path.read_text() == before


async def test_leaving_right_after_enter_does_not_lose_what_was_typed(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    (tmp_path / "a.md").write_text(render([Ticket("x", "DEMO-1")]))
    used = editing(tmp_path, [])

    with trio.CancelScope() as scope:
        scope.cancel()
        await edits.add_ticket(used, "work", "Pay", None)

    assert scope.cancelled_caught
    assert "# TICKET: Pay\n" in (tmp_path / "pay.md").read_text()


@pytest.mark.parametrize("is_task", [False, True])
async def test_a_draft_is_added_and_named(
    tmp_path: Path, autojump_clock: MockClock, *, is_task: bool
) -> None:
    (tmp_path / "a.md").write_text(render([Ticket("x", "DEMO-1")]))
    told: list[Message] = []
    parent = IssuePlace("a.md", "DEMO-1") if is_task else None

    asked = call_in("work", add_ticket, "Pay in time", parent)
    await editing(tmp_path, told).carry_out(asked)

    path = "a.md" if is_task else "pay-in-time.md"
    assert told == [
        READ,
        messages.DraftAdded("work", path, "Pay in time"),
        messages.Notice(
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


async def test_the_drafts_of_a_template_are_in_one_file(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "two.md").write_text("# TICKET: Do {What}\n\n# TICKET: Test {What}\n")
    told: list[Message] = []
    template = read_template(folder / "two.md")

    asked = call_in("work", edits.add_drafts_from_template, template, ("it",))
    await editing(tmp_path, told).carry_out(asked)

    assert told[1] == messages.DraftAdded("work", "do-it.md", "Do it")
    assert isinstance(told[2], messages.Notice)
    assert told[2].text == "do-it.md holds the drafts"
    assert (tmp_path / "do-it.md").read_text() == "# TICKET: Do it\n\n# TICKET: Test it\n"


async def test_the_app_changes_the_chosen_tickets_and_takes_it_back(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    root = tmp_path / "work"

    async def ask(*_: object) -> tuple[str, ...]:
        await trio.lowlevel.checkpoint()
        return ("In Progress", "Done")

    used = replace(workspace(root), default_draft_type="Bug", ask_jira=ask)
    for key in ("DEMO-1", "DEMO-2"):
        (root / f"{key}.md").write_text(render([Ticket(key, key, fields={"Status": "To Do"})]))
    before = {path.name: path.read_bytes() for path in root.glob("*.md")}

    async with running_app((used,)) as run:
        await run.press(" ", " ", "b", *"status", "KEY_ENTER")
        assert "In Progress" in run.screen.text
        await run.press("KEY_DOWN", "KEY_ENTER")
        await trio.sleep(1)
        assert "Enter changes 2 tickets in 2 files; nothing" in run.screen.text
        await run.press("KEY_ENTER")
        assert "2 tickets changed; p shows what a push sends, u takes it back" in run.screen.text
        assert run.app.state.workspace.chosen_ids == frozenset()
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
        row = run.app.state.selected_row
        assert row is not None
        assert (row.title_or_error, row.path, row.candidate.fields) == (
            "Pay",
            "pay.md",
            {"Type": "Bug"},
        )
        await run.press("u")
        await trio.sleep(1)
        await run.press("KEY_ENTER")
        assert "pay.md is gone; its text is in .ticketr/trash/draft.md" in run.screen.text


async def test_a_comment_is_written_into_the_file_and_taken_back(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = bench_in(tmp_path)
    await bench.pull(comments=True)
    before = tree(bench)
    told: list[Message] = []
    used = editing(bench.root, told, keeps_comments=True)
    place = IssuePlace("DEMO-3.md", "DEMO-4")

    await edits.add_comment_to_file(used, "work", place, "Looks good")

    words = "DEMO-3.md holds the comment"
    assert told == [messages.Notice(words, is_error=False, hints=edits.AFTER_CHANGE_HINTS), READ]
    task = parse((bench.root / "DEMO-3.md").read_text()).tickets[0].tasks[0]
    assert [(each.id, each.text) for each in task.comments] == [("", "Looks good")]
    await bench.push(comments=True)
    assert [each.author.name for each in bench.finds("DEMO-4").comments] == ["Demo User"]
    assert tree(bench).keys() == before.keys()


async def test_how_a_list_is_shown_is_stored_or_it_is_said_why_not(tmp_path: Path) -> None:
    told: list[Message] = []
    used = services(tmp_path, told)
    shown = call_in("work", remember_list_view, SavedListView("late", "key"))

    await used.carry_out(shown)
    assert told == []
    (tmp_path / ".ticketr" / "app.json").unlink()
    (tmp_path / ".ticketr" / "app.json").mkdir()
    await used.carry_out(shown)
    (failed,) = told
    assert isinstance(failed, messages.CallEnded)
    assert failed.problem.startswith("cannot remember the filter: ")
    assert "app.json is a folder" in failed.problem


SITE = "https://jira.example"
URL = f"{SITE}/browse/DEMO-1"
EDIT = call_in("work", open_editor, "DEMO-1.md", 3)
BROWSE = call_in("work", open_browser, ("DEMO-1",))


class Reader:
    """Counts how often the files are read."""

    def __init__(self) -> None:
        self.reads = 0

    async def read_and_compare(self) -> None:
        self.reads += 1


@pytest.fixture
def told() -> list[Message]:
    return []


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def used(tmp_path: Path, told: list[Message], reader: Reader) -> Services:
    (tmp_path / "DEMO-1.md").write_text("# TICKET: [DEMO-1] One\n")
    return services(tmp_path, told, reader=reader, terminal=FakeScreen(), site_url=SITE)


def program(code: str) -> str:
    return shlex.join([sys.executable, "-c", code])


@pytest.mark.parametrize(
    ("editor", "words"),
    [
        (program("raise SystemExit(3)"), f"the editor {sys.executable} failed with exit code 3"),
        (
            program("import os; os.kill(os.getpid(), 15)"),
            f"the editor {sys.executable} was ended by SIGTERM",
        ),
        (
            "/nowhere/editor",
            "cannot start /nowhere/editor: No such file or directory; set EDITOR to your editor",
        ),
    ],
)
async def test_an_editor_that_fails_is_told(
    used: Services,
    told: list[Message],
    reader: Reader,
    monkeypatch: pytest.MonkeyPatch,
    editor: str,
    words: str,
) -> None:
    monkeypatch.setenv("VISUAL", editor)

    await open_editor(used, *EDIT.args)

    assert told == [Resize(80, 12), messages.Notice(words)]
    assert reader.reads == 1


async def test_after_the_editor_the_files_are_read(
    used: Services, told: list[Message], reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", program("import os, sys; os.unlink(sys.argv[1])"))

    await open_editor(used, *EDIT.args)

    resized: list[object] = [Resize(80, 12)]
    assert told == resized
    assert reader.reads == 1


@pytest.mark.parametrize("broken", [False, True])
async def test_what_is_typed_in_the_editor_is_an_edit_though_jira_had_it_once(
    broken: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a file that could not be read before, it cannot be known what was typed."""
    bench = bench_in(tmp_path)
    await bench.pull()
    old = parse(bench.text("DEMO-9")).tickets[0].title
    bench.site.edit("DEMO-9", summary="Theirs")
    await bench.pull()
    if broken:
        bench.edits("DEMO-9", "# TICKET: [DEMO-9] ", "# TICKET: [demo9] ")
    code = "import sys; path = sys.argv[1]; text = open(path).read()"
    code += f"; open(path, 'w').write(text.replace('Theirs', {old!r}).replace('demo9', 'DEMO-9'))"
    monkeypatch.setenv("VISUAL", program(code))
    told: list[Message] = []
    used = services(bench.root, told, reader=Reader(), terminal=FakeScreen())

    await open_editor(used, "work", "DEMO-9.md", 1)

    assert [entry.key for entry in bench.plan().entries] == ([] if broken else ["DEMO-9"])
    assert [note.code for note in bench.plan().left_alone] == (["older"] if broken else [])


async def test_a_file_that_is_gone_is_not_made_by_an_editor(
    used: Services, told: list[Message], reader: Reader, tmp_path: Path
) -> None:
    (tmp_path / "DEMO-1.md").unlink()

    await open_editor(used, *EDIT.args)

    assert told == [messages.Notice("DEMO-1.md is gone, so there is nothing to edit")]
    assert reader.reads == 1
    assert cast("FakeScreen", used.terminal).handovers == 0


async def test_a_second_press_starts_no_second_editor(
    used: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", program("pass"))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(open_editor, used, *EDIT.args)
        nursery.start_soon(open_editor, used, *EDIT.args)

    assert cast("FakeScreen", used.terminal).handovers == 1


async def test_a_browser_that_runs_on_is_left_alone(
    used: Services, told: list[Message], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(outside, "BROWSER_OPENED_AFTER_SECONDS", 0.0)
    started, go, ended = tmp_path / "started", tmp_path / "go", tmp_path / "ended"
    for each in (started, go, ended):
        os.mkfifo(each)
    code = f"open({str(started)!r}, 'w'); open({str(go)!r}); open({str(ended)!r}, 'w').write('yes')"
    monkeypatch.setenv("BROWSER", program(code))
    programs: list[trio.Process] = []
    start = trio.lowlevel.open_process

    async def remembering(*args: Any, **options: Any) -> trio.Process:
        programs.append(await start(*args, **options))
        return programs[-1]

    monkeypatch.setattr(trio.lowlevel, "open_process", remembering)

    await open_browser(used, *BROWSE.args)

    assert told == [messages.Notice(f"opened {SITE}/browse/DEMO-1", is_error=False)]
    await trio.to_thread.run_sync(started.read_text)
    await trio.to_thread.run_sync(go.write_text, "")
    assert await trio.to_thread.run_sync(ended.read_text) == "yes"
    assert await programs[0].wait() == 0


@pytest.mark.parametrize(
    ("browser", "commands"),
    [
        ("firefox", [["firefox", URL]]),
        ("firefox --new-tab %s", [["firefox", "--new-tab", URL]]),
        ("'my browser' --url=%s &", [["my browser", f"--url={URL}"]]),
        ("firefox:'unclosed: :w3m %s", [["firefox", URL], ["w3m", URL]]),
        ("", [[outside.DEFAULT_BROWSER_COMMAND, URL]]),
    ],
)
def test_the_variable_of_the_browser_is_read_as_other_programs_read_it(
    browser: str, commands: list[list[str]]
) -> None:
    assert list(browser_commands({"BROWSER": browser}, URL)) == commands


async def test_a_second_browser_is_tried_where_the_first_is_missing(
    used: Services, told: list[Message], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code = "import sys; open(sys.argv[1], 'w').write(sys.argv[2])"
    record = tmp_path / "address"
    monkeypatch.setenv("BROWSER", f"/nowhere/browser:{program(code)} {record} <%s>")

    await open_browser(used, *BROWSE.args)

    assert record.read_text() == f"<{URL}>"
    await open_browser(used, "work", ("DEMO-1", "DEMO-2"))

    said = (f"opened {URL}", "opened 2 tickets in the browser")
    assert told == [messages.Notice(words, is_error=False) for words in said]


async def test_addresses_are_copied_one_a_line(used: Services, told: list[Message]) -> None:
    await copy_addresses(used, "work", ("DEMO-1", "DEMO-2"))
    await copy_addresses(used, "work", ("DEMO-1",))

    screen = cast("FakeScreen", used.terminal)
    assert screen.copied == [f"{URL}\n{SITE}/browse/DEMO-2", URL]
    said = ("copied the addresses of 2 tickets", f"copied {URL}")
    assert told == [messages.Notice(words, is_error=False) for words in said]


@pytest.mark.parametrize("browser", ["/nowhere/browser", "'", program("raise SystemExit(1)")])
async def test_a_browser_that_fails_is_told_with_the_address(
    used: Services, told: list[Message], monkeypatch: pytest.MonkeyPatch, browser: str
) -> None:
    monkeypatch.setenv("BROWSER", browser)

    await open_browser(used, *BROWSE.args)
    await open_browser(used, "work", ("DEMO-1", "DEMO-2"))

    words = f"no browser could be opened; the address is {URL}"
    assert told == [messages.Notice(words)] * 2
