"""The search in the text of the open ticket."""

from __future__ import annotations

import re
from functools import partial

import pytest
from fakes.screens import plain
from fakes.states import after, app_state, pressed

from ticketr.app.tickets import Ticket
from ticketr.app.tui import messages
from ticketr.app.tui.panels.matches import find_matches, with_marks
from ticketr.app.tui.screen import screen
from ticketr.app.tui.sheet import DetailLine, sheet_of
from ticketr.app.tui.state import AppState
from ticketr.app.tui.styled import Span
from ticketr.app.tui.theme import Theme
from ticketr.app.tui.update import update
from ticketr.terminal import sgr

TEXT = "\n\n".join(f"Paragraph {at} is short." for at in range(40))
TICKET = Ticket("A title", "DEMO-1", f"{TEXT}\n\nThe Café is the only one.")
COLORS = Theme(partial(sgr, colors=True), links=False)


def opened(ticket: Ticket = TICKET, *, width: int = 60, height: int = 20) -> AppState:
    """Return the ticket at full width, above another one in the list."""
    state = app_state(ticket, Ticket("Paragraph of another", "DEMO-2"), width=width, height=height)
    state, _ = update(state, messages.FilesRead("work", state.workspace.rows), 1.0)
    assert state.ticket is not None
    read = messages.DetailRead("work", state.ticket.order, sheet_of(ticket, "DEMO-1.md"))
    return pressed(after(state, read), "3")


def lines(*texts: str) -> list[DetailLine]:
    return [DetailLine((Span(text),)) for text in texts]


def marked(state: AppState) -> list[str]:
    rows = screen(state, 9.0, COLORS)
    return [plain(row).strip() for row in rows if re.search(r"\x1b\[(\d+;)*7[;m]", row)]


def top(state: AppState) -> int:
    assert state.ticket is not None
    return state.ticket.top


def test_the_text_of_the_open_ticket_is_searched_and_not_the_list() -> None:
    state = pressed(opened(), "/", *"paragraph 3")

    assert state.workspace.search == ""
    assert state.notice == "1 of 11"
    assert "Paragraph 3 is short." in marked(state)
    assert "/ paragraph 3" in plain(screen(state, 9.0, Theme())[-2])


def test_n_goes_to_the_next_match_and_from_the_last_to_the_first() -> None:
    state = pressed(opened(), "/", *"paragraph 3", "KEY_ENTER")
    notices = []
    for key in ("n", "N", "N", "n"):
        state = pressed(state, key)
        notices.append(state.notice)

    assert notices == ["2 of 11", "1 of 11", "11 of 11", "1 of 11"]


def test_a_match_off_the_screen_is_scrolled_to_the_top_and_one_on_it_is_not() -> None:
    state = pressed(opened(), "/", *"paragraph 20", "KEY_ENTER")
    assert plain(screen(state, 9.0, Theme())[2]).strip() == "Paragraph 20 is short."

    before = top(state)
    state = pressed(opened(), "/", *"paragraph 2", "KEY_ENTER", "n", "n")
    assert (state.notice, top(state)) == ("3 of 11", before)
    state = pressed(state, *"nnnnnnn")
    assert (state.notice, top(state)) == ("10 of 11", before + 16)


def test_after_scrolling_n_goes_on_from_what_is_on_the_screen() -> None:
    state = pressed(opened(), "/", *"paragraph", "KEY_ENTER", "G")
    assert plain(screen(state, 9.0, Theme())[2]).strip() == "Paragraph 33 is short."
    assert pressed(state, "n").notice == "34 of 40"
    assert pressed(state, "N").notice == "33 of 40"
    state = pressed(opened(), "/", *"paragraph 1", "KEY_ENTER", "G")
    assert pressed(state, "n").notice == "1 of 11"
    assert pressed(state, "N").notice == "11 of 11"


def test_escape_ends_the_search_then_goes_back() -> None:
    state = pressed(opened(), "/", *"short", "KEY_ENTER")
    assert len(marked(state)) > 3

    state = pressed(state, "KEY_ESCAPE")
    assert (marked(state), state.focus, state.ticket and state.ticket.search) == (
        [],
        opened().focus,
        "",
    )
    assert pressed(state, "n").notice == "Nothing was searched yet; / searches"
    assert pressed(state, "KEY_ESCAPE").focus is not state.focus


def test_escape_while_typing_goes_back_to_where_it_began() -> None:
    state = pressed(opened(), "j", "j")
    before = top(state)
    state = pressed(state, "/", *"paragraph 30")
    assert top(state) != before

    assert pressed(state, "KEY_ESCAPE").ticket == pressed(opened(), "j", "j").ticket


def test_what_is_not_found_says_so() -> None:
    state = pressed(opened(), "/", *"zebra")
    assert state.notice == "nothing found"
    assert pressed(state, "KEY_ENTER", "n").notice == "nothing found for “zebra”"


def test_the_list_is_searched_where_it_has_the_focus() -> None:
    state = pressed(opened(), "2", "/", *"another")
    assert state.workspace.search == "another"
    assert state.row is not None
    assert state.row.key == "DEMO-2"


def test_case_and_accents_do_not_matter() -> None:
    assert pressed(opened(), "/", *"cafe is").notice == "1 of 1"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("strasse", [((0, 4, 10),)]),
        ("one  two", [((1, 0, 3), (2, 2, 5))]),
        ("e", [((0, 2, 3),), ((0, 9, 10),), ((1, 2, 3),), ((3, 0, 1),)]),
        ("", []),
        ("  ", []),
        (".", []),
    ],
)
def test_matches_are_found_in_their_lines(
    words: str, found: list[tuple[tuple[int, int, int], ...]]
) -> None:
    assert list(find_matches(lines("Die Straße", "one", "  two", "é"), words)) == found


def test_marks_keep_the_styles_below_them() -> None:
    line = (Span("ab", ("bold",)), Span("cd"))
    assert with_marks(line, [(1, 3)], "reverse") == (
        Span("a", ("bold",)),
        Span("b", ("bold", "reverse")),
        Span("c", ("reverse",)),
        Span("d"),
    )
