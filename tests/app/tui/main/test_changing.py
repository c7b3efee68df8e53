"""The keys of the main screen: what they change, ask, list and refuse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from drawing.states import job
from fakes.states import after, app_state, detail_read, plain, pressed
from rows import for_each

from ticketr.app.config import SavedListView
from ticketr.app.sync import FieldSetting, IssuePlace, Template
from ticketr.app.sync.templates import PlaceholderAndLine
from ticketr.app.tickets import Comment, Ticket, UserAndFieldNames, parse, parse_filter, render
from ticketr.app.tui import messages, text_input
from ticketr.app.tui.effects import JobKind, JobRequest, call, call_in
from ticketr.app.tui.keymap import DEFAULT_BINDINGS, Context, KeyAction
from ticketr.app.tui.main.table import main_screen_step
from ticketr.app.tui.overlays.jobs import Jobs
from ticketr.app.tui.overlays.questions import Choice
from ticketr.app.tui.rows import Rows, row_of_broken
from ticketr.app.tui.screen import draw_screen
from ticketr.app.tui.services.asking import ask_statuses, stop_asking
from ticketr.app.tui.services.edits import (
    add_comment_to_file,
    add_drafts_from_template,
    add_ticket,
    change_field,
)
from ticketr.app.tui.services.files import read_detail, remember_list_view
from ticketr.app.tui.services.jobs import start_job
from ticketr.app.tui.services.outside import add_comment_from_editor, open_editor
from ticketr.app.tui.sheet import EditedPart, sheet_of
from ticketr.app.tui.state import AppState, OpenTicket, Panel
from ticketr.app.tui.styled import Theme
from ticketr.app.tui.update import update
from ticketr.app.tui.workspace import COMMENTS_NOT_KEPT_MESSAGE
from ticketr.terminal import Key, Paste
from ticketr.text import width

ONE = Ticket("One", "DEMO-1", fields={"Status": "To Do"}, tasks=(Ticket("Sub", "DEMO-2"),))
TWO = Ticket("Two", "DEMO-3", fields={"Status": "Done"})
THREE = Ticket("Three", "DEMO-4", fields={"Status": "Done"})
DRAFT = Ticket("Idea", fields={"Status": "To Do"}, line=1)
PLACES = (IssuePlace("DEMO-1.md", "DEMO-1"), IssuePlace("DEMO-3.md", "DEMO-3"))


def shown(state: AppState) -> list[str]:
    return [plain(row).rstrip() for row in draw_screen(state, 1.0, Theme())]


def typed(state: AppState, text: str) -> AppState:
    return pressed(state, *text)


def options(state: AppState) -> list[tuple[str, str, str]]:
    top = state.overlays[-1]
    assert isinstance(top, Choice)
    return [(each.label, each.facts, each.refusal) for each in top.options]


# --- t


def statuses(
    keys: tuple[str, ...], answer: Mapping[str, tuple[str, ...]], problem: str = ""
) -> messages.CallEnded:
    return messages.CallEnded(call_in("work", ask_statuses, keys), answer, problem)


def asked(state: AppState) -> AppState:
    state, effect = update(state, Key("t"), 1.0)
    assert effect == (call_in("work", ask_statuses, ("DEMO-1",)),)
    return state


def test_t_lists_the_statuses_that_jira_allows_and_writes_the_one_that_is_taken() -> None:
    state = asked(app_state(ONE, TWO))
    assert any("Asking Jira..." in row for row in shown(state))
    early, effect = update(state, Key("KEY_ENTER"), 2.0)
    assert (early.notice, effect) == ("Jira has not answered yet; Esc goes back", ())

    state = after(state, statuses(("DEMO-1",), {"DEMO-1": ("to do", "In Progress")}))
    assert options(state) == [("to do", "now", ""), ("In Progress", "", "")]
    state, effect = update(pressed(state, "KEY_DOWN"), Key("KEY_ENTER"), 9.0)

    change = FieldSetting("Status", "In Progress")
    assert effect == (call_in("work", change_field, PLACES[0], change),)
    assert state.overlays == ()


def test_esc_stops_asking_and_a_late_answer_opens_nothing() -> None:
    state, effect = update(asked(app_state(ONE)), Key("KEY_ESCAPE"), 2.0)
    assert (state.overlays, effect) == ((), (call(stop_asking, "work"),))
    assert after(state, statuses(("DEMO-1",), {"DEMO-1": ("Done",)})) == state


def test_without_an_answer_the_statuses_of_the_files_are_listed_and_it_is_said() -> None:
    state = asked(app_state(ONE, TWO, THREE))
    answer = statuses(("DEMO-1",), {}, "cannot reach it")
    other = call_in("work", ask_statuses, ("DEMO-9",))
    assert after(state, replace(answer, request=other)).overlays == state.overlays

    state = after(state, answer)

    assert options(state) == [("Done", "", ""), ("To Do", "now", "")]
    assert state.notice == "These are the values in your files; Jira gave none: cannot reach it"
    assert state.is_notice_bad


def test_without_an_answer_and_a_status_in_a_file_there_is_nothing_to_choose() -> None:
    state = asked(app_state(Ticket("One", "DEMO-1")))
    state = after(state, statuses(("DEMO-1",), {}, "cannot reach it"))
    assert (state.overlays, state.notice) == ((), "cannot reach it")


@pytest.mark.parametrize("allowed", [("Done", "in review"), ("Done",), ()])
def test_the_status_of_the_last_sync_can_be_taken_again(allowed: tuple[str, ...]) -> None:
    state = app_state(ONE)
    assert state.selected_row is not None
    sheet = sheet_of(ONE, "DEMO-1.md", (EditedPart("Status", "In Review", "To Do"),))
    state = asked(replace(state, ticket=OpenTicket("work", state.selected_row.key_order, sheet)))
    state = after(state, statuses(("DEMO-1",), {"DEMO-1": allowed}))

    names = [words for words, _, _ in options(state)]
    assert names == [*allowed] if "in review" in allowed else [*allowed, "In Review"]
    if names[-1] == "In Review":
        assert options(state)[-1][1] == "at the last sync"
        _, effect = update(pressed(state, *"in rev"), Key("KEY_ENTER"), 9.0)
        change = FieldSetting("Status", "In Review")
        assert effect == (call_in("work", change_field, PLACES[0], change),)


def test_the_status_of_the_last_sync_is_that_of_the_selected_ticket() -> None:
    state = pressed(app_state(TWO, ONE), "g")
    assert state.selected_row is not None
    sheet = sheet_of(TWO, "DEMO-3.md", (EditedPart("Status", "In Review", "Done"),))
    state = asked(replace(state, ticket=OpenTicket("work", ("DEMO", 3, "DEMO-3.md", 0), sheet)))
    state = after(state, statuses(("DEMO-1",), {"DEMO-1": ("Done",)}))
    assert options(state) == [("Done", "", "")]


def test_an_issue_that_cannot_change_its_status_says_so() -> None:
    state = after(asked(app_state(ONE)), statuses(("DEMO-1",), {"DEMO-1": ()}))
    assert (state.overlays, state.notice) == ((), "Jira allows no other status from here")


def test_t_on_a_draft_lists_the_statuses_of_the_files() -> None:
    state, effect = update(app_state(DRAFT, TWO), Key("t"), 1.0)
    assert (options(state), effect) == ([("To Do", "now", ""), ("Done", "", "")], ())

    _, effect = update(state, Key("KEY_ENTER"), 2.0)
    place = IssuePlace("draft.md", "", 1)
    assert effect == (call_in("work", change_field, place, FieldSetting("Status", "To Do")),)


def broken() -> AppState:
    state = app_state()
    rows = Rows.from_unsorted([row_of_broken("a.md", "it is broken", has_ticket_rows=False)])
    return state.with_workspace(replace(state.workspace, rows=rows))


# --- a


@pytest.mark.parametrize(("down", "parent"), [(0, None), (1, IssuePlace("DEMO-1.md", "DEMO-1"))])
@pytest.mark.parametrize("on_task", [False, True])
def test_a_asks_for_a_title_and_what_it_is_to_be(
    down: int, parent: IssuePlace | None, *, on_task: bool
) -> None:
    state = pressed(app_state(ONE), "j") if on_task else app_state(ONE)

    state = typed(pressed(state, "a"), " Pay ")
    assert state.context is Context.INPUT
    state = pressed(state, "KEY_ENTER")
    assert options(state) == [
        ("a ticket", "in a file of its own", ""),
        ("a sub-task of DEMO-1", "in its file", ""),
    ]
    state, effect = update(pressed(state, *["KEY_DOWN"] * down), Key("KEY_ENTER"), 9.0)

    assert (state.overlays, effect) == ((), (call_in("work", add_ticket, "Pay", parent),))


def test_a_ticket_without_a_title_is_not_added() -> None:
    state = pressed(app_state(ONE), "a", " ", "KEY_ENTER")
    assert (state.overlays, state.notice) == ((), "A ticket needs a title; nothing was added")


@pytest.mark.parametrize("state", [app_state(), broken()])
def test_a_sub_task_needs_a_ticket(state: AppState) -> None:
    state = pressed(typed(pressed(state, "a"), "Pay"), "KEY_ENTER", "KEY_DOWN", "KEY_ENTER")
    assert state.notice == "Select a ticket first"
    assert options(state)[1] == ("a sub-task", "", "Select a ticket first")


def test_a_offers_the_templates_and_asks_for_their_values() -> None:
    asks = (
        PlaceholderAndLine("What", 1, "# TICKET: Do {What}"),
        PlaceholderAndLine("When", 3, "By {When}"),
    )
    template = Template("feature", "templates/feature.md", (Ticket("Do {What}"),), asks)
    fixed = replace(template, name="fixed", placeholders=())
    templates: dict[str, Template | str]
    templates = {"feature": template, "fixed": fixed, "torn": "torn.md:1: no title"}
    state = app_state(ONE)
    read = messages.FilesRead("work", state.workspace.rows, templates=templates)

    state = pressed(after(state, read), "a")

    assert options(state) == [
        ("a ticket or a sub-task", "asks for its title", ""),
        ("feature", "templates/feature.md", ""),
        ("fixed", "templates/feature.md", ""),
        ("torn", "cannot be read", "torn.md:1: no title"),
    ]
    assert shown(pressed(state, "KEY_ENTER"))[-2].startswith(" title:")
    last = typed(pressed(state, "KEY_DOWN", "KEY_ENTER"), " Pay")
    assert shown(last)[-2].startswith(" What:  Pay")
    last = typed(pressed(last, "KEY_ENTER"), "now")
    asked = call_in("work", add_drafts_from_template, template, ("Pay", "now"))
    enter = Key("KEY_ENTER")
    effect = update(last, enter, 9.0)[1]
    assert effect == (asked,)
    again = after(app_state(ONE), messages.CallEnded(effect[0], problem="no room"))
    assert shown(again)[-2].startswith(" When: now")
    assert update(again, enter, 9.0)[1] == (asked,)
    bare = call_in("work", add_drafts_from_template, fixed, ())
    assert update(pressed(state, "KEY_DOWN", "KEY_DOWN"), enter, 9.0)[1] == (bare,)
    assert after(state, messages.CallEnded(bare, problem="no room")).notice == "no room"


def test_what_was_added_is_selected_though_a_filter_would_hide_it() -> None:
    state = app_state(ONE, TWO, Ticket("Pay", line=3), Ticket("Pay", line=7))
    workspace = replace(
        state.workspace, filter=parse_filter("Two"), folded_ids=frozenset(("DEMO-1",))
    )
    state = state.with_workspace(workspace)

    state = after(state, messages.DraftAdded("work", "draft.md", "Pay"))

    assert state.selected_row is not None
    assert (state.selected_row.title_or_error, state.selected_row.line) == ("Pay", 7)
    assert state.workspace.filter.text == ""


# --- m


def test_m_asks_for_a_comment_and_writes_it() -> None:
    state = typed(pressed(app_state(ONE, TWO), "m"), "Looks good ")
    assert any("comment:" in row for row in shown(state))

    state, effect = update(state, Key("KEY_ENTER"), 1.0)

    assert effect == (call_in("work", add_comment_to_file, PLACES[0], "Looks good"),)
    assert state.overlays == ()


LINES = "Steps:\r\n- one\r\n  - \x1b[2Jtwo\n"


@pytest.mark.parametrize(("width", "height"), [(60, 20), (140, 45)])
def test_a_pasted_comment_keeps_its_lines(width: int, height: int) -> None:
    state = pressed(app_state(ONE, width=width, height=height), "m", "!", " ")
    state = after(state, Paste(LINES))
    rows = shown(state)
    at = rows.index(" ! Steps:")
    assert rows[at + 1 : at + 3] == [" - one", "   - two"]
    assert any(row.startswith(" comment: ! Steps:↵- one↵  - two▏") for row in rows)

    _, effect = update(state, Key("KEY_ENTER"), 9.0)
    assert effect == (call_in("work", add_comment_to_file, PLACES[0], "! Steps:\n- one\n  - two"),)


def test_a_long_text_is_measured_around_its_cursor_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[int] = []

    def width_of(text: str) -> int:
        measured.append(len(text))
        return width(text)

    monkeypatch.setattr(text_input, "width", width_of)
    typed = text_input.TextInput(keeps_pasted_lines=True).with_typed("漢" * text_input.MAX_TEXT)

    assert typed.visible_part(20) == f"{'漢' * 9}▏"
    assert sum(measured) < text_input.MAX_TEXT


def test_a_key_opens_the_comment_in_the_editor() -> None:
    state = pressed(app_state(ONE, width=140), "m", *"So")
    assert any("Ctrl+O opens $EDITOR" in row for row in shown(state))
    state, effect = update(state, Key("KEY_CTRL_O"), 9.0)
    assert (state.overlays, effect) == (
        (),
        (call_in("work", add_comment_from_editor, PLACES[0], "So"),),
    )
    elsewhere = pressed(app_state(ONE), "/", "KEY_CTRL_O")
    assert elsewhere.notice.startswith("Ctrl+O does nothing here")


COMMENTS = (
    Comment("First\n\nand more", "1", "Priya Raman", "2026-03-01 09:30Z"),
    Comment("Mine", "2", "Demo User", "2026-03-02 09:30Z"),
    Comment("Not sent"),
)


def commented(*comments: Comment) -> AppState:
    ticket = replace(ONE, comments=comments)
    (read,) = parse(render([ticket])).tickets
    state = app_state(ONE)
    workspace = replace(state.workspace, filter_names=UserAndFieldNames("Demo User"))
    assert state.selected_row is not None
    opened = OpenTicket("work", state.selected_row.key_order, sheet_of(read, "DEMO-1.md"))
    return replace(state.with_workspace(workspace), ticket=opened)


def test_a_reply_begins_with_the_author_and_the_newest_comment_is_first() -> None:
    state = pressed(commented(*COMMENTS), "M")
    assert [words for words, _, _ in options(state)] == ["Not sent", "Mine", "First"]
    state = typed(pressed(state, *"fir", "KEY_ENTER"), "Yes")
    _, effect = update(state, Key("KEY_ENTER"), 9.0)
    assert effect == (call_in("work", add_comment_to_file, PLACES[0], "@Priya Raman Yes"),)


@pytest.mark.parametrize("words", ["Mine", "Not sent"])
def test_ones_own_comment_is_edited_at_its_line(words: str) -> None:
    state = commented(*COMMENTS)
    assert state.ticket is not None
    assert state.ticket.sheet is not None
    (line,) = [text.text_line for text in state.ticket.sheet.issue.comments if text.text == words]
    _, effect = update(pressed(state, "M", *words), Key("KEY_ENTER"), 9.0)
    assert effect == (call_in("work", open_editor, "DEMO-1.md", line),)


def test_without_a_comment_there_is_nothing_to_reply_to() -> None:
    assert pressed(commented(), "M").notice == "This ticket has no comment here; m writes one"
    assert pressed(app_state(ONE), "M").notice == "DEMO-1 is still being read"


def test_a_comment_without_a_text_is_not_written() -> None:
    state, effect = update(pressed(app_state(ONE), "m"), Key("KEY_ENTER"), 1.0)

    assert (effect, state.notice) == ((), "A comment needs a text; nothing was added")


def test_t_on_the_list_changes_the_chosen_tickets_and_in_a_ticket_that_one() -> None:
    state = pressed(app_state(ONE, TWO, THREE), "G", " ", "g", " ", "g")
    asking, effect = update(state, Key("t"), 9.0)
    assert effect == (call_in("work", ask_statuses, ("DEMO-1", "DEMO-4")),)
    assert any("Status of 2 chosen tickets" in row for row in shown(asking))

    _, effect = update(pressed(state, "KEY_ENTER"), Key("t"), 9.0)
    assert effect == (call_in("work", ask_statuses, ("DEMO-1",)),)


def listed() -> AppState:
    return after(
        asked(app_state(ONE, TWO)),
        statuses(("DEMO-1",), {"DEMO-1": ("Big job", "A job", "C")}),
    )


def test_arrows_and_page_keys_move_in_a_list_to_choose_from() -> None:
    state = listed()
    for key, at in (("KEY_DOWN", 1), ("KEY_PGDOWN", 2), ("KEY_UP", 1), ("KEY_PGUP", 0)):
        state = pressed(state, key)
        top = state.overlays[-1]
        assert isinstance(top, Choice)
        assert top.option_index == at


def test_letters_find_in_a_list_to_choose_from_and_its_box_keeps_its_height() -> None:
    state = listed()
    height = [row[30:32] for row in shown(state)]
    state = pressed(state, "KEY_DOWN", *"job")
    rows = shown(state)
    assert [row[30:32] for row in rows].count(" │") == [*height].count(" │")
    assert sum("job" in row for row in rows if ">" not in row) == 2
    state = pressed(state, "KEY_CTRL_U", *"a jo")
    _, effect = update(state, Key("KEY_ENTER"), 9.0)
    change = FieldSetting("Status", "A job")
    assert effect == (call_in("work", change_field, PLACES[0], change),)

    typed = pressed(state, "KEY_CTRL_U", *"a-JO")  # with the hyphen for the blank
    assert update(typed, Key("KEY_ENTER"), 9.0)[1] == effect

    only_hyphen = pressed(state, "KEY_CTRL_U", "-", "KEY_ENTER")
    assert only_hyphen.notice == "Nothing of that name"
    state = pressed(state, *"zz", "KEY_ENTER")
    assert state.notice == "Nothing of that name"
    assert len(state.overlays) == 1
    assert pressed(state, "KEY_ESCAPE").overlays == ()


def test_what_is_typed_while_jira_is_asked_finds_in_its_answer() -> None:
    state = pressed(asked(app_state(ONE)), *"dx", "KEY_BACKSPACE")
    assert any("Asking Jira..." in row for row in shown(state))
    assert any("> d" in row for row in shown(state))
    answer = {"DEMO-1": ("To Do", "Done")}
    state = after(state, statuses(("DEMO-1",), answer))
    state, effect = update(pressed(state, "o", "n"), Key("KEY_ENTER"), 9.0)
    change = FieldSetting("Status", "Done")
    assert effect == (call_in("work", change_field, PLACES[0], change),)


def test_the_list_of_statuses_names_the_status_of_now() -> None:
    assert any("Status of DEMO-1, now To Do" in row for row in shown(asked(app_state(ONE))))


def test_where_no_comments_are_kept_m_says_so_before_one_is_typed() -> None:
    state = app_state(ONE)
    opened = messages.WorkspaceOpened("work", "jira.example", "DEMO", keeps_comments=False)
    state = pressed(after(state, opened), "m")
    assert (state.overlays, state.notice) == ((), COMMENTS_NOT_KEPT_MESSAGE)
    assert "start again" in state.notice  # the app reads ticketr.toml when it starts
    kept = messages.WorkspaceOpened("work", "jira.example", "DEMO", keeps_comments=True)
    assert pressed(after(state, kept), "m").context is Context.INPUT


def test_a_line_to_type_names_its_keys_and_what_can_be_typed_as_far_as_there_is_room() -> None:
    state = pressed(app_state(ONE), "f")
    assert shown(state)[-2].endswith(
        "words  status=Done  @person  edited   Tab lists   Enter takes it   Esc leaves"
    )
    title = pressed(app_state(ONE), "a", *"New")
    assert shown(title)[-2].startswith(" title: New")
    assert shown(title)[-2].endswith("  Enter takes it   Esc leaves")
    assert shown(replace(state, width=50))[-2].endswith("words  status=Done  @person  edited")
    assert shown(replace(title, width=20))[-2] == " title: New▏"


# --- what could not be written


FAILED = f"cannot write {'a/' * 30}DEMO-1.md: Operation not permitted; let your account write it"


def test_a_title_that_could_not_be_written_is_there_again_with_the_error() -> None:
    asked_for = call_in("work", add_ticket, "Pay in time", PLACES[0])

    adding = typed(pressed(app_state(ONE, TWO), "a"), "Pay in time")
    choosing = pressed(adding, "KEY_ENTER", "KEY_DOWN")
    state, effect = update(choosing, Key("KEY_ENTER"), 1.0)
    assert effect == (asked_for,)

    state = after(state, messages.CallEnded(effect[0], problem=FAILED))

    assert state.context is Context.INPUT
    rows = shown(state)
    assert rows[-2].startswith(" title: Pay in time▏")
    assert " ".join(f"{rows[-5]}{rows[-4]}".split()) == FAILED
    changed = typed(state, "!")
    assert "cannot write" not in "".join(shown(changed))
    again = pressed(state, "KEY_ENTER")
    assert [words for words, _, _ in options(again)] == ["a ticket", "a sub-task of DEMO-1"]
    _, effect = update(pressed(again, "KEY_DOWN"), Key("KEY_ENTER"), 1.0)
    assert effect == (asked_for,)


def test_a_comment_comes_back_below_what_was_opened_since() -> None:
    asked_for = call_in("work", add_comment_to_file, PLACES[0], "Looks good")
    commenting = typed(pressed(app_state(ONE, TWO), "m"), "Looks good")
    state, effect = update(commenting, Key("KEY_ENTER"), 1.0)
    assert effect == (asked_for,)
    state = pressed(state, "a", "x")

    state = after(state, messages.CallEnded(effect[0], problem="no"))

    assert " title: x▏" in shown(state)[-2]
    state = pressed(state, "KEY_ESCAPE")
    assert " comment: Looks good▏" in shown(state)[-2]
    _, effect = update(state, Key("KEY_ENTER"), 1.0)
    assert effect == (asked_for,)


TASKS = (Ticket("Sub one", "DEMO-2"), Ticket("Sub two", "DEMO-3"))
FAMILY = Ticket("Parent", "DEMO-1", description="word\n\n" * 40, tasks=TASKS)
LAST = Ticket("Last", "DEMO-9")
EVERYWHERE = (KeyAction.ESCAPE, KeyAction.HELP, KeyAction.QUIT, KeyAction.REDRAW)
BOUND = sorted(
    {
        row.action
        for row in DEFAULT_BINDINGS
        if {Context.MAIN, Context.TICKETS} & set(row.contexts) and row.action not in EVERYWHERE
    },
    key=lambda action: action.name,
)


def opened(state: AppState, ticket: Ticket = FAMILY) -> AppState:
    row = state.selected_row
    assert row is not None
    sheet = sheet_of(ticket, row.path, (EditedPart("Title", "a", "b"),))
    state = replace(state, ticket=OpenTicket("work", row.key_order))
    return after(state, detail_read(state, sheet))


@for_each("action", BOUND)
@for_each("panel", [Panel.TICKETS, Panel.DETAIL])
def test_no_key_of_the_main_screen_is_without_an_answer(panel: Panel, action: KeyAction) -> None:
    state = replace(opened(app_state(FAMILY, LAST)), focus=panel)
    step = main_screen_step(state, action, 1.0)
    assert step is not None
    assert step != (state, ()) or action in {
        KeyAction.UP,
        KeyAction.TOP,
        KeyAction.PAGE_UP,
        KeyAction.HALF_UP,
        KeyAction.PANEL_2,
        KeyAction.PANEL_3,
    }


@for_each("key", ["e", "c", "t", "d", "o", "y", "Y", "KEY_ENTER"])
def test_a_key_of_a_ticket_says_that_none_is_selected(key: str) -> None:
    state, asked = update(app_state(), Key(key), 1.0)
    assert (state.notice, state.overlays, asked) == ("Select a ticket first", (), ())


@pytest.mark.parametrize("key", ["c", "t", "d", "o", "y", "Y"])
def test_a_broken_file_is_no_ticket(key: str) -> None:
    state = broken()
    row = state.selected_row
    assert row is not None
    sheet = replace(sheet_of(LAST, "a.md"), key="", error="it is broken")
    state = replace(state, ticket=OpenTicket("work", row.key_order, sheet))
    state, asked = update(state, Key(key), 1.0)
    assert (state.notice, state.overlays, asked) == ("Select a ticket first", (), ())


@for_each(
    ("keys", "notice"),
    [
        (("G", "]"), "This is the last ticket"),
        (("[",), "This is the first ticket"),
        (("n",), "Nothing was searched yet; / searches"),
        (("N",), "Nothing was searched yet; / searches"),
        (("G", "h"), "There are no sub-tasks to hide"),
        (("l",), "There are no sub-tasks to show"),
        (("1", "/"), "Only tickets are searched; 2 goes to them"),
        (("1", "f"), "Only tickets are filtered; 2 goes to them"),
        (("1", "S"), "Only tickets are sorted; 2 goes to them"),
        (("1", " "), "Only tickets in the list that can be read are chosen; 2 goes to them"),
    ],
)
def test_a_key_that_is_not_possible_now_says_why(keys: tuple[str, ...], notice: str) -> None:
    state = pressed(app_state(FAMILY, LAST), *keys)
    assert (state.notice, state.overlays) == (notice, ())
    swallowed, asked = update(state, Key("J"), float(len(keys)) + 0.05)
    assert (swallowed.overlays, asked) == ((), ())
    assert pressed(state, "J", now=99.0).overlays == (Jobs(),)


def zoomed(ticket: Ticket = FAMILY) -> AppState:
    state = replace(app_state(ticket, LAST, height=20), focus=Panel.DETAIL, is_detail_wide=True)
    return opened(state, ticket)


def marked(state: AppState) -> list[str]:
    return [row for row in shown(state) if row.startswith("▌")]


def test_tab_goes_through_the_sub_tasks_of_a_ticket_of_full_width() -> None:
    state = zoomed()
    assert marked(state) == []
    assert not any("DEMO-3" in row for row in shown(state))

    state = pressed(state, "KEY_TAB")
    assert marked(state) == ["▌  DEMO-2  Sub one"]
    state = pressed(state, "KEY_TAB")
    assert marked(state) == ["▌  DEMO-3  Sub two"]
    state = pressed(state, "KEY_TAB")
    assert (marked(state), state.is_detail_wide, state.focus) == ([], True, Panel.DETAIL)
    state = pressed(state, "KEY_BTAB")
    assert marked(state) == ["▌  DEMO-3  Sub two"]


def test_enter_on_a_sub_task_opens_it() -> None:
    state = pressed(zoomed(), "KEY_TAB", "KEY_TAB", now=5.0)
    workspace = replace(state.workspace, folded_ids=frozenset(("DEMO-1",)))
    state = state.with_workspace(workspace)

    state = pressed(state, "KEY_ENTER", now=8.0)

    row = state.selected_row
    assert row is not None
    assert (row.key, state.is_detail_wide, state.focus) == ("DEMO-3", True, Panel.DETAIL)
    assert state.follow_selection_at == 8.0
    state, asked = update(state, messages.FollowSelectionDue(), 8.0)
    assert asked == (
        call_in("work", read_detail, "DEMO-1.md", row.key_order, state.layout.detail_cells),
    )
    assert state.ticket is not None
    assert state.ticket.selected_subtask_index == -1


@pytest.mark.parametrize("key", ["KEY_TAB", "KEY_BTAB"])
def test_tab_leaves_a_ticket_without_sub_tasks_and_one_beside_the_list(key: str) -> None:
    assert pressed(zoomed(LAST), key).focus is Panel.TICKETS
    assert pressed(replace(zoomed(), is_detail_wide=False), key).focus is Panel.TICKETS
    assert pressed(replace(zoomed(), ticket=None), key).focus is Panel.TICKETS


def test_esc_shows_all_tickets_again_and_keeps_the_selected_one() -> None:
    state = pressed(app_state(FAMILY, LAST), "f", *"Last", "KEY_ENTER")
    assert [each.row.key for each in state.workspace.visible.rows] == ["DEMO-9"]
    assert " Esc back  " in shown(state)[-2]

    state, effect = update(state, Key("KEY_ESCAPE"), 99.0)

    assert len(state.workspace.visible) == 4
    assert state.selected_row is not None
    assert state.selected_row.key == "DEMO-9"
    assert state.notice == "All tickets are shown, no longer only Last"
    assert effect == (call_in("work", remember_list_view, SavedListView("", "key")),)
    assert " Esc back  " not in shown(pressed(state, "g"))[-2]
    assert pressed(state, "KEY_ESCAPE").notice == "Esc does nothing here; ? lists the keys"


def test_esc_that_cancels_a_job_is_named_by_the_status_line_alone() -> None:
    state = pressed(app_state(FAMILY), "f", *"a", "KEY_ENTER")
    running = after(state, messages.JobChanged(job("pull")))
    assert "Esc back" not in shown(running)[-2]
    assert "esc cancel" in shown(running)[-1]


def test_a_ticket_alone_is_headed_by_its_place_and_the_keys_to_those_beside_it() -> None:
    state = replace(opened(app_state(FAMILY, LAST)), focus=Panel.DETAIL, is_detail_wide=True)
    assert shown(state)[0].startswith(" ticketr  work › DEMO-1  ")
    assert shown(state)[0].endswith("  1/4   [ previous   ] next")
    narrow = replace(state, width=34)
    assert shown(narrow)[0].endswith("  1/4")
    task = pressed(replace(state, focus=Panel.TICKETS), "j")
    assert shown(replace(task, focus=Panel.DETAIL))[0].startswith(
        " ticketr  work › DEMO-1 › DEMO-2"
    )


def test_an_empty_list_says_that_tickets_come_while_a_pull_runs() -> None:
    state = app_state()
    assert "Press P to pull from Jira" in "".join(shown(state))
    state = after(state, messages.JobChanged(job("pull", workspace="work")))
    assert "They appear as they arrive" in "".join(shown(state))


def test_nothing_is_pulled_into_a_folder_that_is_gone() -> None:
    gone = messages.WorkspaceNotOpened("work", "the folder /w is gone")
    state = after(app_state(), messages.FilesRead("work", Rows()), gone)
    state, asked = update(state, Key("P"), 9.0)
    assert (asked, state.notice) == ((), "the folder /w is gone; r reads it again")

    back = after(state, messages.FilesRead("work", Rows()))
    pull = call_in("work", start_job, JobRequest(JobKind.PULL))
    assert update(back, Key("P"), 9.0)[1] == (pull,)
    closed = after(app_state(), gone)
    closed = closed.with_workspace(replace(closed.workspace, are_files_read=False))
    assert update(closed, Key("P"), 9.0)[1] == (pull,)
