from __future__ import annotations

import math
from dataclasses import replace

import pytest
from fakes.states import after, app_state, plain, pressed, snapshot, tickets_of

from ticketr import JobStatus
from ticketr.app.tickets import Ticket
from ticketr.app.tui import messages
from ticketr.app.tui.effects import JobKind, JobRequest, call, call_in
from ticketr.app.tui.keymap import Context
from ticketr.app.tui.overlays.first_run import FirstRun
from ticketr.app.tui.overlays.pages import Help
from ticketr.app.tui.overlays.questions import LineInput
from ticketr.app.tui.rows import Rows
from ticketr.app.tui.screen import draw_screen
from ticketr.app.tui.services.files import read_detail, read_files
from ticketr.app.tui.services.jobs import cancel_job, start_job
from ticketr.app.tui.state import (
    SELECTION_DELAY_SECONDS,
    SWALLOW_TYPED_WORD_SECONDS,
    AppState,
    OpenTicket,
    Panel,
)
from ticketr.app.tui.styled import Theme
from ticketr.app.tui.update import update
from ticketr.app.tui.workspace import WorkspaceView
from ticketr.terminal import Key, Mouse, MouseAction

NINE = tuple(Ticket(f"Number {at}", f"DEMO-{at}") for at in range(1, 10))
FAMILY = Ticket("Parent", "DEMO-1", tasks=(Ticket("One", "DEMO-2"), Ticket("Two", "DEMO-3")))


def selected(state: AppState) -> str:
    assert state.selected_row is not None
    return state.selected_row.key


@pytest.mark.parametrize(
    ("keys", "key"),
    [
        (("j",), "DEMO-2"),
        (("j", "j", "k"), "DEMO-2"),
        (("G",), "DEMO-9"),
        (("G", "g"), "DEMO-1"),
        (("k",), "DEMO-1"),
        (("KEY_CTRL_D",), "DEMO-9"),
    ],
)
def test_keys_move_the_selection(keys: tuple[str, ...], key: str) -> None:
    assert selected(pressed(app_state(*NINE), *keys)) == key


def test_a_key_that_does_nothing_says_so_and_swallows_what_follows() -> None:
    state, asked = update(app_state(*NINE), Key("z"), 5.0)
    assert state.notice == "z does nothing here; ? lists the keys"
    assert asked == ()

    for at, key in enumerate("psP", start=1):
        state, asked = update(state, Key(key), 5.0 + at * SWALLOW_TYPED_WORD_SECONDS * 0.9)
        assert asked == ()
        assert state.overlays == ()

    state, asked = update(state, Key("P"), 6.0)
    assert asked == (call_in("work", start_job, JobRequest(JobKind.PULL)),)


def test_the_open_ticket_follows_the_cursor_after_a_rest() -> None:
    state = pressed(app_state(*NINE), "j", now=3.0)
    assert state.follow_selection_at == 3.0 + SELECTION_DELAY_SECONDS

    early, asked = update(state, messages.FollowSelectionDue(), 3.0 + SELECTION_DELAY_SECONDS / 2)
    assert (early, asked) == (state, ())

    state, asked = update(state, messages.FollowSelectionDue(), 3.0 + SELECTION_DELAY_SECONDS)
    assert state.follow_selection_at == math.inf
    assert state.ticket == OpenTicket("work", ("DEMO", 2, "DEMO-2.md", 0))
    order = ("DEMO", 2, "DEMO-2.md", 0)
    cells = state.layout.detail_cells
    assert asked == (call_in("work", read_detail, "DEMO-2.md", order, cells),)


def test_escape_closes_then_cancels_then_goes_back() -> None:
    state = after(app_state(*NINE), messages.JobChanged(snapshot()))
    state = pressed(state, "3", "?")
    assert state.overlays == (Help(Context.DETAIL),)

    state, asked = update(state, Key("KEY_ESCAPE"), 9.0)
    assert (state.overlays, asked) == ((), ())
    state, asked = update(state, Key("KEY_ESCAPE"), 9.0)
    assert asked == (call(cancel_job, "1"),)

    state = after(state, messages.JobChanged(snapshot(JobStatus.CANCELLED)))
    state, asked = update(state, Key("KEY_ESCAPE"), 9.0)
    assert (state.focus, asked) == (Panel.TICKETS, ())
    state, _ = update(state, Key("KEY_ESCAPE"), 9.0)
    assert "Esc does nothing here" in state.notice


def with_another(state: AppState) -> AppState:
    return replace(state, workspaces=(*state.workspaces, WorkspaceView("other")))


def test_tab_goes_through_the_panels() -> None:
    state = with_another(app_state(*NINE))
    seen = []
    for _ in range(3):
        state = pressed(state, "KEY_TAB")
        seen.append(state.focus)
    assert seen == [Panel.DETAIL, Panel.WORKSPACES, Panel.TICKETS]
    assert pressed(state, "KEY_BTAB").focus is Panel.WORKSPACES


def test_the_panel_of_one_workspace_is_hidden_until_its_key_goes_there() -> None:
    state = app_state(*NINE)
    assert (state.layout.workspace_rows, state.layout.ticket_list_rows) == (0, 25)
    assert pressed(state, "KEY_TAB", "KEY_TAB").focus is Panel.TICKETS
    assert pressed(state, "KEY_BTAB").focus is Panel.DETAIL

    there = pressed(state, "1")
    assert (there.focus, there.layout.workspace_rows) == (Panel.WORKSPACES, 1)
    assert isinstance(pressed(there, "a").overlays[-1], FirstRun)
    assert pressed(there, "2").layout == state.layout
    assert with_another(state).layout.workspace_rows == 2


def test_folding_hides_the_sub_tasks_and_keeps_their_ticket_selected() -> None:
    state = pressed(app_state(FAMILY), "j", "h")
    assert [each.row.key for each in state.workspace.visible.rows] == ["DEMO-1"]
    assert selected(state) == "DEMO-1"
    assert state.workspace.visible.rows[0].hidden_count == 2

    state = pressed(state, "l")
    assert [each.row.key for each in state.workspace.visible.rows] == ["DEMO-1", "DEMO-2", "DEMO-3"]


def test_search_goes_to_hits_as_it_is_typed_and_escape_comes_back() -> None:
    state = pressed(app_state(*NINE), "j", "/")
    assert isinstance(state.overlays[-1], LineInput)
    state = pressed(state, "7")
    assert (selected(state), state.notice) == ("DEMO-7", "1 of 1")
    assert selected(pressed(state, "KEY_ESCAPE")) == "DEMO-2"

    state = pressed(state, "KEY_BACKSPACE", *"number", "KEY_ENTER")
    assert state.overlays == ()
    assert selected(state) == "DEMO-2"
    assert selected(pressed(state, "n")) == "DEMO-3"
    assert selected(pressed(state, "N", "N")) == "DEMO-9"


def test_letters_are_text_while_a_line_is_typed() -> None:
    state, asked = update(pressed(app_state(*NINE), "/"), Key("q"), 9.0)
    assert asked == ()
    overlay = state.overlays[-1]
    assert isinstance(overlay, LineInput)
    assert overlay.input.text == "q"


def test_a_job_reads_the_files_again_when_it_ends() -> None:
    state = app_state(*NINE)
    state = after(state, messages.JobChanged(snapshot()))
    assert [each.id for each in state.jobs.unfinished_jobs_of("work")] == ["1"]

    state, asked = update(state, messages.JobChanged(snapshot(JobStatus.COMPLETED)), 2.0)
    assert state.jobs.unfinished_jobs_of("work") == ()
    assert asked == (call_in("work", read_files),)


def test_the_selection_stays_at_the_top_until_somebody_chooses() -> None:
    state = app_state(*NINE[4:])
    early = messages.SomeTicketRowsRead(
        "work", tuple((row,) for row in app_state(*NINE[:4]).workspace.rows)
    )
    assert selected(after(state, early)) == "DEMO-1"
    assert selected(after(pressed(state, "j"), early)) == "DEMO-6"


def test_a_ticket_whose_file_was_moved_stays_selected() -> None:
    state = pressed(app_state(*NINE), "j", "j")
    rows = Rows.from_unsorted(
        replace(row, key_order=(*row.key_order[:2], "moved.md", row.key_order[3]))
        for row in state.workspace.rows
    )
    assert selected(after(state, messages.FilesRead("work", rows))) == "DEMO-3"


@pytest.mark.parametrize("key", ["/", "f"])
def test_escape_from_a_search_or_filter_keeps_what_was_found_meanwhile(key: str) -> None:
    state = pressed(app_state(*NINE), "j", key, "7")
    new = Ticket("Number 10", "DEMO-10")
    state = after(state, messages.SomeTicketRowsRead("work", tickets_of(new)))

    state = pressed(state, "KEY_ESCAPE")

    assert [each.row.key for each in state.workspace.visible.rows][-1] == "DEMO-10"
    assert selected(state) == "DEMO-2"
    assert (state.workspace.search, state.workspace.filter.text) == ("", "")


def test_the_first_ticket_of_a_first_pull_is_read_at_once() -> None:
    found = messages.SomeTicketRowsRead("work", tickets_of(NINE[0]))
    state, asked = update(app_state(), found, 1.0)
    assert [each.function for each in asked] == [read_detail]

    later = messages.SomeTicketRowsRead("work", tickets_of(NINE[1]))
    assert update(state, later, 1.0)[1] == ()


def test_the_list_is_read_again_when_the_file_of_the_open_ticket_is_gone() -> None:
    state = app_state(*NINE)
    assert state.selected_row is not None
    gone = messages.DetailRead("work", state.selected_row.key_order, None, is_file_gone=True)
    assert update(state, gone, 1.0)[1] == (call_in("work", read_files),)
    assert update(state, replace(gone, is_file_gone=False), 1.0)[1] == ()


MANY = tuple(Ticket(f"Number {at}", f"DEMO-{at}") for at in range(1, 100))


def clicked(state: AppState, x: int, y: int) -> AppState:
    return after(state, Mouse(MouseAction.LEFT_PRESS, x, y))


def test_a_click_selects_a_ticket_and_a_second_one_opens_it() -> None:
    state = clicked(app_state(*MANY), 10, 4)
    assert (selected(state), state.focus) == ("DEMO-3", Panel.TICKETS)
    assert clicked(state, 10, 4).focus is Panel.DETAIL


@pytest.mark.parametrize(
    ("x", "y", "panel"),
    [
        (5, 2, Panel.WORKSPACES),
        (5, 4, Panel.TICKETS),
        (80, 5, Panel.DETAIL),
        (5, 0, Panel.TICKETS),
        (5, 29, Panel.TICKETS),
    ],
)
def test_a_click_goes_to_the_panel_below_it(x: int, y: int, panel: Panel) -> None:
    assert clicked(with_another(app_state(*MANY)), x, y).focus is panel


def test_the_wheel_moves_in_the_list_and_stops_at_its_ends() -> None:
    state = app_state(*MANY)
    down, up = (Mouse(action, 5, 9) for action in (MouseAction.WHEEL_DOWN, MouseAction.WHEEL_UP))
    assert selected(after(state, down)) == "DEMO-4"
    assert selected(after(state, down, down, up)) == "DEMO-4"
    assert selected(after(state, up)) == "DEMO-1"


def test_the_wheel_scrolls_an_overlay_and_a_click_does_nothing_there() -> None:
    state = pressed(app_state(*MANY, height=12), "?")
    down = after(state, Mouse(MouseAction.WHEEL_DOWN, 5, 5))
    top = down.overlays[-1]
    assert isinstance(top, Help)
    assert top.top == 3
    assert clicked(state, 5, 5) == state


def test_a_click_goes_to_the_workspace_below_it_where_the_list_is_scrolled() -> None:
    many = tuple(WorkspaceView(f"work-{at}") for at in range(9))
    state = replace(app_state(*MANY), workspaces=many, workspace_index=7)
    shown = [plain(row) for row in draw_screen(state, 0.0, Theme())]

    for y in range(2, 6):
        name = shown[y].split()[0 if shown[y][0] == " " else 1]
        assert clicked(state, 5, y).workspace.name == name


def test_the_cursor_stays_on_a_draft_that_has_become_a_ticket() -> None:
    others = (Ticket("Pay", "DEMO-1"), Ticket("Other", "DEMO-2"))
    state = pressed(app_state(*others, Ticket("Pay", line=1)), "g")
    assert state.selected_row is not None
    assert state.selected_row.is_draft

    rows = app_state(*others, Ticket("Pay", "DEMO-3")).workspace.rows
    assert selected(after(state, messages.FilesRead("work", rows))) == "DEMO-3"
    gone = app_state(Ticket("Other", "DEMO-2")).workspace.rows
    assert selected(after(state, messages.FilesRead("work", gone))) == "DEMO-2"
    same = messages.FilesRead("work", state.workspace.rows)
    assert after(state, same).selected_row == state.selected_row
