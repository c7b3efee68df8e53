from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.screens import plain
from fakes.states import after, app_state, pressed

from ticketr.app.tickets import Ticket
from ticketr.app.tui.messages import MouseUsed
from ticketr.app.tui.overlays.help import Help
from ticketr.app.tui.screen import screen
from ticketr.app.tui.state import AppState, Panel
from ticketr.app.tui.theme import Theme
from ticketr.app.tui.workspace import WorkspaceView
from ticketr.terminal import MouseAction

MANY = tuple(Ticket(f"Number {at}", f"DEMO-{at}") for at in range(1, 100))


def clicked(state: AppState, x: int, y: int) -> AppState:
    return after(state, MouseUsed(MouseAction.CLICK, x, y))


def selected(state: AppState) -> str:
    assert state.row is not None
    return state.row.key


def test_a_click_selects_a_ticket_and_a_second_one_opens_it() -> None:
    state = clicked(app_state(*MANY), 10, 6)
    assert (selected(state), state.focus) == ("DEMO-3", Panel.TICKETS)
    assert clicked(state, 10, 6).focus is Panel.DETAIL


@pytest.mark.parametrize(
    ("x", "y", "panel"),
    [
        (5, 2, Panel.WORKSPACES),
        (5, 3, Panel.TICKETS),
        (80, 5, Panel.DETAIL),
        (5, 0, Panel.TICKETS),
        (5, 29, Panel.TICKETS),
    ],
)
def test_a_click_goes_to_the_panel_below_it(x: int, y: int, panel: Panel) -> None:
    assert clicked(app_state(*MANY), x, y).focus is panel


def test_the_wheel_moves_in_the_list_and_stops_at_its_ends() -> None:
    state = app_state(*MANY)
    down, up = (MouseUsed(each, 5, 9) for each in (MouseAction.WHEEL_DOWN, MouseAction.WHEEL_UP))
    assert selected(after(state, down)) == "DEMO-4"
    assert selected(after(state, down, down, up)) == "DEMO-4"
    assert selected(after(state, up)) == "DEMO-1"


def test_the_wheel_scrolls_an_overlay_and_a_click_does_nothing_there() -> None:
    state = pressed(app_state(*MANY, height=12), "?")
    down = after(state, MouseUsed(MouseAction.WHEEL_DOWN, 5, 5))
    top = down.overlays[-1]
    assert isinstance(top, Help)
    assert top.top == 3
    assert clicked(state, 5, 5) == state


def test_a_click_goes_to_the_workspace_below_it_where_the_list_is_scrolled() -> None:
    many = tuple(WorkspaceView(f"work-{at}") for at in range(9))
    state = replace(app_state(*MANY), workspaces=many, current=7)
    shown = [plain(row) for row in screen(state, 0.0, Theme())]

    for y in range(2, 6):
        name = shown[y].split()[0 if shown[y][0] == " " else 1]
        assert clicked(state, 5, y).workspace.name == name
