"""What holds for each overlay: Esc closes it, and F1 shows its keys."""

from __future__ import annotations

import pytest
from fakes.app_screens import SCREENS, main_state
from fakes.states import pressed

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
