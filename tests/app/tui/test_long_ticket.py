"""Test that a long ticket is wrapped in a thread, whatever changes its width."""

from __future__ import annotations

from dataclasses import replace

from fakes.states import after, app_state, pressed

from ticketr.app.tickets import Ticket
from ticketr.app.tui import effects, messages
from ticketr.app.tui.panels.detail import SHORT, detail_lines, is_long
from ticketr.app.tui.screen import screen
from ticketr.app.tui.sheet import Sheet, WrappedDetail, sheet_of
from ticketr.app.tui.state import AppState, Panel
from ticketr.app.tui.theme import Theme
from ticketr.app.tui.update import update

LONG = Ticket("Long", "DEMO-1", description="many words, " * SHORT)
RESIZED = messages.Resized(120, 30)


def sheet_and_lines(cells: int, *, as_source: bool = False) -> tuple[Sheet, WrappedDetail]:
    sheet = sheet_of(LONG, "DEMO-1.md")
    lines = detail_lines(sheet, cells, as_source=as_source)
    return sheet, WrappedDetail(cells, as_source, lines)


def opened(width: int = 100) -> AppState:
    """Return a state with the long ticket open."""
    state = replace(app_state(LONG), width=width, height=30, rest_until=0.0)
    state, (read,) = update(state, messages.TimePassed(), 1.0)
    assert isinstance(read, effects.ReadDetail)
    sheet, wrapped = sheet_and_lines(read.cells)
    return after(state, messages.DetailRead("work", read.order, sheet, wrapped))


def test_a_long_ticket_is_drawn_with_the_lines_that_came_with_it() -> None:
    state = opened()

    assert state.ticket is not None
    assert state.ticket.wrapped is not None
    assert state.ticket_lines is state.ticket.wrapped.lines
    assert any("many words" in row for row in screen(state, 1.0, Theme()))


def test_another_width_has_the_lines_wrapped_once_and_draws_the_old_ones_meanwhile() -> None:
    before = opened()
    calls = detail_lines.cache_info()

    state, asked = update(before, RESIZED, 1.0)

    (wrap,) = (each for each in asked if isinstance(each, effects.WrapDetail))
    assert (wrap.cells, wrap.as_source) == (state.layout.right, False)
    assert wrap.cells != before.layout.right
    assert state.ticket_lines is before.ticket_lines
    assert all(len(row) for row in screen(state, 1.0, Theme()))
    assert update(state, RESIZED, 1.0)[1] == (effects.Redraw(),)
    assert detail_lines.cache_info() == calls  # nothing was wrapped here

    lines = detail_lines(wrap.sheet, wrap.cells)
    found = WrappedDetail(wrap.cells, as_source=False, lines=lines)
    state, asked = update(state, messages.DetailWrapped("work", wrap.sheet, found), 1.0)
    assert asked == ()
    assert state.ticket_lines is lines


def test_lines_of_a_width_that_has_gone_are_wrapped_again() -> None:
    state, (_, wrap) = update(opened(), RESIZED, 1.0)
    assert isinstance(wrap, effects.WrapDetail)
    state = after(state, messages.Resized(140, 30))
    late = WrappedDetail(wrap.cells, as_source=False, lines=())

    state, asked = update(state, messages.DetailWrapped("work", wrap.sheet, late), 1.0)

    assert asked == (replace(wrap, cells=state.layout.right),)


def test_lines_of_another_ticket_are_dropped() -> None:
    state = opened()
    sheet, wrapped = sheet_and_lines(33)

    assert update(state, messages.DetailWrapped("work", sheet, wrapped), 1.0) == (state, ())


def test_the_source_and_the_whole_width_of_a_long_ticket_are_wrapped_in_a_thread() -> None:
    state = replace(opened(), focus=Panel.DETAIL)

    (source,) = update(state, messages.KeyPressed("|"), 1.0)[1]
    (zoomed,) = update(state, messages.KeyPressed("KEY_ENTER"), 1.0)[1]

    assert isinstance(source, effects.WrapDetail)
    assert isinstance(zoomed, effects.WrapDetail)
    assert (source.cells, source.as_source) == (state.layout.right, True)
    assert (zoomed.cells, zoomed.as_source) == (100, False)


def test_a_long_ticket_without_lines_scrolls_nowhere() -> None:
    state = opened()
    assert state.ticket is not None
    state = replace(state, focus=Panel.DETAIL, ticket=replace(state.ticket, wrapped=None))

    assert state.ticket_lines == ()
    moved = pressed(state, "G").ticket
    assert moved is not None
    assert moved.top == 0


def test_every_text_counts_for_the_length_of_a_ticket() -> None:
    words = "x" * SHORT
    assert not is_long(sheet_of(Ticket("A", "DEMO-1", description="x"), "DEMO-1.md"))
    for ticket in (
        Ticket("A", "DEMO-1", description=words),
        Ticket("A", "DEMO-1", acceptance_criteria=(words,)),
        Ticket("A", "DEMO-1", fields={"Labels": words}),
        Ticket("A", "DEMO-1", tasks=(Ticket(words, "DEMO-2"),)),
    ):
        assert is_long(sheet_of(ticket, "DEMO-1.md"))
    assert is_long(Sheet("", "a.md", "a.md", error=f"{words}x"))
