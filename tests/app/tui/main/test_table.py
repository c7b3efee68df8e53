"""Every key of the main screen does something, or says why not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.picture_states import job
from fakes.screens import plain
from fakes.states import after, app_state, pressed

from ticketr.app.tickets import Ticket
from ticketr.app.tui import effects, messages
from ticketr.app.tui.job_request import JobKind, JobRequest
from ticketr.app.tui.keymap import TABLE, Context, KeyAction
from ticketr.app.tui.main.table import on_main
from ticketr.app.tui.overlays.log import Log
from ticketr.app.tui.row_blocks import Rows
from ticketr.app.tui.rows import row_of_broken
from ticketr.app.tui.screen import screen
from ticketr.app.tui.sheet import Edit, sheet_of
from ticketr.app.tui.state import AppState, OpenTicket, Panel
from ticketr.app.tui.theme import Theme
from ticketr.app.tui.update import update

TASKS = (Ticket("Sub one", "DEMO-2"), Ticket("Sub two", "DEMO-3"))
FAMILY = Ticket("Parent", "DEMO-1", description="word\n\n" * 40, tasks=TASKS)
LAST = Ticket("Last", "DEMO-9")
EVERYWHERE = (KeyAction.ESCAPE, KeyAction.HELP, KeyAction.QUIT, KeyAction.REDRAW)
BOUND = sorted(
    {
        row.action
        for row in TABLE
        if {Context.MAIN, Context.TICKETS} & set(row.contexts) and row.action not in EVERYWHERE
    },
    key=lambda action: action.name,
)


def opened(state: AppState, ticket: Ticket = FAMILY) -> AppState:
    row = state.row
    assert row is not None
    sheet = sheet_of(ticket, row.path, (Edit("Title", "a", "b"),))
    return replace(state, ticket=OpenTicket("work", row.order, sheet))


def shown(state: AppState) -> list[str]:
    return [plain(row).rstrip() for row in screen(state, 1.0, Theme())]


@pytest.mark.parametrize("action", BOUND)
@pytest.mark.parametrize("panel", [Panel.TICKETS, Panel.DETAIL])
def test_no_key_of_the_main_screen_is_without_an_answer(panel: Panel, action: KeyAction) -> None:
    state = replace(opened(app_state(FAMILY, LAST)), focus=panel)
    step = on_main(state, action, 1.0)
    assert step is not None
    assert step != (state, ()) or action in {
        KeyAction.UP,
        KeyAction.TOP,
        KeyAction.PAGE_UP,
        KeyAction.HALF_UP,
        KeyAction.PANEL_2,
        KeyAction.PANEL_3,
    }


def broken() -> AppState:
    state = app_state()
    rows = Rows.of([row_of_broken("a.md", "it is broken", has_rows=False)])
    return state.with_workspace(replace(state.workspace, rows=rows))


@pytest.mark.parametrize("key", ["e", "c", "t", "d", "o", "y", "Y", "|", "KEY_ENTER"])
def test_a_key_of_a_ticket_says_that_none_is_selected(key: str) -> None:
    state, asked = update(app_state(), messages.KeyPressed(key), 1.0)
    assert (state.notice, state.overlays, asked) == ("Select a ticket first", (), ())


@pytest.mark.parametrize("key", ["c", "t", "d", "o", "y", "Y"])
def test_a_broken_file_is_no_ticket(key: str) -> None:
    state = broken()
    row = state.row
    assert row is not None
    sheet = replace(sheet_of(LAST, "a.md"), key="", error="it is broken")
    state = replace(state, ticket=OpenTicket("work", row.order, sheet))
    state, asked = update(state, messages.KeyPressed(key), 1.0)
    assert (state.notice, state.overlays, asked) == ("Select a ticket first", (), ())


@pytest.mark.parametrize(
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
    swallowed, asked = update(state, messages.KeyPressed("L"), float(len(keys)) + 0.05)
    assert (swallowed.overlays, asked) == ((), ())
    assert pressed(state, "L", now=99.0).overlays == (Log(),)


def zoomed(ticket: Ticket = FAMILY) -> AppState:
    state = opened(app_state(ticket, LAST, height=20), ticket)
    return replace(state, focus=Panel.DETAIL, is_zoomed=True)


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
    assert (marked(state), state.is_zoomed, state.focus) == ([], True, Panel.DETAIL)
    state = pressed(state, "KEY_BTAB")
    assert marked(state) == ["▌  DEMO-3  Sub two"]


def test_enter_on_a_sub_task_opens_it() -> None:
    state = pressed(zoomed(), "KEY_TAB", "KEY_TAB", now=5.0)
    workspace = replace(state.workspace, folded=frozenset(("DEMO-1",)))
    state = state.with_workspace(workspace)

    state = pressed(state, "KEY_ENTER", now=8.0)

    row = state.row
    assert row is not None
    assert (row.key, state.is_zoomed, state.focus) == ("DEMO-3", True, Panel.DETAIL)
    assert state.rest_until == 8.0
    state, asked = update(state, messages.TimePassed(), 8.0)
    assert asked == (effects.ReadDetail("work", "DEMO-1.md", row.order),)
    assert state.ticket is not None
    assert state.ticket.task == -1


@pytest.mark.parametrize("key", ["KEY_TAB", "KEY_BTAB"])
def test_tab_leaves_a_ticket_without_sub_tasks_and_one_beside_the_list(key: str) -> None:
    other = {"KEY_TAB": Panel.WORKSPACES, "KEY_BTAB": Panel.TICKETS}[key]
    assert pressed(zoomed(LAST), key).focus is other
    assert pressed(replace(zoomed(), is_zoomed=False), key).focus is other
    assert pressed(replace(zoomed(), ticket=None), key).focus is other
    assert pressed(zoomed(), "|", key).focus is other


def test_a_sub_task_that_is_gone_is_not_selected_any_more() -> None:
    state = pressed(zoomed(), "KEY_TAB", "KEY_TAB")
    assert state.ticket is not None
    less = sheet_of(replace(FAMILY, tasks=TASKS[:1]), "DEMO-1.md")
    for sheet, task in ((less, 0), (None, -1)):
        read = messages.DetailRead("work", state.ticket.order, sheet)
        now = after(state, read).ticket
        assert now is not None
        assert now.task == task


def test_esc_shows_all_tickets_again_and_keeps_the_selected_one() -> None:
    state = pressed(app_state(FAMILY, LAST), "f", *"Last", "KEY_ENTER")
    assert [each.row.key for each in state.workspace.visible] == ["DEMO-9"]
    assert " Esc back  " in shown(state)[-2]

    state, effect = update(state, messages.KeyPressed("KEY_ESCAPE"), 99.0)

    assert len(state.workspace.visible) == 4
    assert state.row is not None
    assert state.row.key == "DEMO-9"
    assert state.notice == "All tickets are shown, no longer only Last"
    assert effect == (effects.Remember("work", "", "key"),)
    assert " Esc back  " not in shown(pressed(state, "g"))[-2]
    assert pressed(state, "KEY_ESCAPE").notice == "Esc does nothing here; ? lists the keys"


def test_esc_lets_chosen_tickets_go_before_it_shows_all_tickets() -> None:
    state = pressed(app_state(FAMILY, LAST), "f", *"Last", "KEY_ENTER", " ", "KEY_ESCAPE")
    assert (state.workspace.chosen, state.workspace.filter.text) == (frozenset(), "Last")


def test_esc_that_cancels_a_job_is_named_by_the_status_line_alone() -> None:
    state = pressed(app_state(FAMILY), "f", *"a", "KEY_ENTER")
    running = after(state, messages.JobChanged(job("pull")))
    assert "Esc back" not in shown(running)[-2]
    assert "esc cancel" in shown(running)[-1]


def test_a_ticket_alone_is_headed_by_its_place_and_the_keys_to_those_beside_it() -> None:
    state = replace(opened(app_state(FAMILY, LAST)), focus=Panel.DETAIL, is_zoomed=True)
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


def test_the_source_of_a_ticket_that_a_narrow_screen_hides_is_opened() -> None:
    hidden = replace(zoomed(), is_zoomed=False, focus=Panel.TICKETS, width=60)
    assert not hidden.layout.right
    shown = pressed(hidden, "|")
    assert shown.ticket is not None
    assert (shown.focus, shown.ticket.as_source) == (Panel.DETAIL, True)
    again = pressed(pressed(shown, "|"), "KEY_ESCAPE", "|")
    assert again.ticket is not None
    assert (again.focus, again.ticket.as_source) == (Panel.DETAIL, True)

    beside = pressed(replace(hidden, width=100), "|")
    assert beside.ticket is not None
    assert (beside.focus, beside.ticket.as_source) == (Panel.TICKETS, True)


def test_nothing_is_pulled_into_a_folder_that_is_gone() -> None:
    gone = messages.WorkspaceFailed("work", "the folder /w is gone")
    state = after(app_state(), messages.FilesRead("work", Rows()), gone)
    state, asked = update(state, messages.KeyPressed("P"), 9.0)
    assert (asked, state.notice) == ((), "the folder /w is gone; r reads it again")

    back = after(state, messages.FilesRead("work", Rows()))
    pull = effects.StartJob("work", JobRequest(JobKind.PULL))
    assert update(back, messages.KeyPressed("P"), 9.0)[1] == (pull,)
    closed = after(app_state(), gone)
    closed = closed.with_workspace(replace(closed.workspace, is_read=False))
    assert update(closed, messages.KeyPressed("P"), 9.0)[1] == (pull,)
