"""What holds for each overlay: Esc and q close it, and F1 shows its keys."""

from __future__ import annotations

import pytest
from fakes.app_screens import SCREENS, main_state
from fakes.states import pressed

from ticketr.app.tui import effects, messages
from ticketr.app.tui.keymap import TYPING, Context, KeyMap
from ticketr.app.tui.overlays.help import help_lines
from ticketr.app.tui.update import update

OVERLAYS = [name for name in SCREENS if SCREENS[name](main_state(100, 30)).overlays]


@pytest.mark.parametrize("name", OVERLAYS)
def test_escape_closes_it(name: str) -> None:
    state = SCREENS[name](main_state(100, 30))

    assert pressed(state, "KEY_ESCAPE", now=99.0).overlays == state.overlays[:-1]


@pytest.mark.parametrize("name", OVERLAYS)
def test_f1_shows_its_keys_and_escape_comes_back(name: str) -> None:
    state = SCREENS[name](main_state(100, 30))
    if name == "help":  # the key closes it
        assert pressed(state, "KEY_F1", now=99.0).overlays == state.overlays[:-1]
        return
    opened = pressed(state, "KEY_F1", now=99.0)

    assert len(opened.overlays) == len(state.overlays) + 1
    assert pressed(opened, "KEY_ESCAPE", now=199.0).overlays == state.overlays


@pytest.mark.parametrize("name", OVERLAYS)
def test_q_closes_it_and_does_not_leave_the_app(name: str) -> None:
    state = SCREENS[name](main_state(100, 30))
    if state.context in TYPING:
        return
    closed, asked = update(state, messages.KeyPressed("q"), 99.0)

    assert (closed.overlays, asked) == (state.overlays[:-1], ())
    assert update(state, messages.KeyPressed("KEY_F10"), 99.0)[1] == (effects.Leave(),)


def test_the_help_names_only_the_keys_that_have_the_action_there() -> None:
    def lines(place: Context) -> list[str]:
        return [" ".join(line.split()) for line in help_lines(KeyMap(), place, 80)]

    assert "q F10 leave" in lines(Context.TICKETS)
    assert {"q back, as Esc", "F10 leave"} <= {*lines(Context.JOBS)}
    assert "F10 leave" in lines(Context.INPUT)
