from __future__ import annotations

from dataclasses import replace

from fakes.screens import plain
from fakes.states import after, app_state, pressed

from ticketr.app.tickets import Ticket
from ticketr.app.tui import effects, messages
from ticketr.app.tui.overlays.diff import Diff
from ticketr.app.tui.overlays.reading_time import LOOK
from ticketr.app.tui.screen import screen
from ticketr.app.tui.sheet import Edit, sheet_of
from ticketr.app.tui.state import AppState, OpenTicket
from ticketr.app.tui.theme import Theme
from ticketr.app.tui.update import update

TICKET = Ticket("Rebuild faster", "DEMO-9")
EDITS = (Edit("Title", "Rebuild the index", "Rebuild faster"), Edit("Priority", "High", "Low"))


def with_open_ticket(*edits: Edit) -> AppState:
    state = app_state(TICKET)
    row = state.row
    assert row is not None
    ticket = OpenTicket("work", row.order, sheet_of(TICKET, "DEMO-9.md", edits))
    return replace(state, ticket=ticket)


def test_d_shows_each_change_word_by_word() -> None:
    rows = [
        plain(row).rstrip() for row in screen(pressed(with_open_ticket(*EDITS), "d"), 1.0, Theme())
    ]
    assert rows[1].startswith("─ Title ")
    assert rows[2] == "   Rebuild [-the index-]{+faster+}"
    assert (rows[3], rows[4][:12]) == ("", "─ Priority ─")
    assert rows[5] == "   [-High-]{+Low+}"


def test_d_on_a_ticket_without_edits_says_so() -> None:
    state = pressed(with_open_ticket(), "d")
    assert (state.overlays, state.notice) == (
        (),
        "Nothing to compare: it is as at the last sync",
    )


def test_e_in_a_diff_edits_the_file() -> None:
    _, asked = update(pressed(with_open_ticket(*EDITS), "d"), messages.KeyPressed("e"), 9.0)
    assert asked == (effects.OpenEditor("work", "DEMO-9.md", 1),)


def test_u_asks_before_it_takes_anything_back() -> None:
    state, asked = update(app_state(TICKET), messages.KeyPressed("u"), 1.0)
    assert asked == (effects.FindUndo("work"),)

    state, _ = update(state, messages.UndoFound("work", "DEMO-9", "what was written goes"), 2.0)
    early, asked = update(state, messages.KeyPressed("KEY_ENTER"), 2.0 + LOOK / 2)
    assert (early.overlays, asked) == (state.overlays, ())

    state, asked = update(state, messages.KeyPressed("KEY_ENTER"), 2.0 + LOOK)
    assert (state.overlays, asked) == ((), (effects.Undo("work", "DEMO-9"),))


def test_escape_leaves_everything_as_it_is() -> None:
    state = after(app_state(TICKET), messages.UndoFound("work", "DEMO-9", "what was written goes"))
    state, asked = update(state, messages.KeyPressed("KEY_ESCAPE"), 9.0)
    assert (state.overlays, asked) == ((), ())


def test_a_diff_below_the_help_shows_the_ticket_as_it_was_read_again() -> None:
    state = pressed(with_open_ticket(*EDITS), "d", "?")
    assert state.ticket is not None
    newer = sheet_of(TICKET, "DEMO-9.md", EDITS[:1])

    again = after(state, messages.DetailRead("work", state.ticket.order, newer))

    (diff, shown_help) = again.overlays
    assert diff == Diff("work", newer)
    assert shown_help == state.overlays[1]
    # The files were read as the window got the focus: the diff stays.
    assert after(again, messages.FilesRead("work", state.workspace.rows)).overlays == again.overlays


def test_a_diff_of_nothing_closes_itself_alone() -> None:
    state = pressed(with_open_ticket(*EDITS), "d", "?")
    assert state.ticket is not None

    same = sheet_of(TICKET, "DEMO-9.md")
    again = after(state, messages.DetailRead("work", state.ticket.order, same))

    assert again.overlays == state.overlays[1:]


def test_another_ticket_does_not_change_a_diff() -> None:
    state = pressed(with_open_ticket(*EDITS), "d")
    assert state.ticket is not None
    other = sheet_of(Ticket("Other", "DEMO-8"), "DEMO-8.md")

    for sheet in (other, None):
        read = messages.DetailRead("work", state.ticket.order, sheet)
        assert after(state, read).overlays == state.overlays


def test_a_question_that_comes_late_does_not_open_over_a_typed_line() -> None:
    state = pressed(app_state(TICKET), "/", "x")
    late = after(state, messages.UndoFound("work", "DEMO-9", "what was written goes"))
    assert late.overlays == state.overlays
