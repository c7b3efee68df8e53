"""The open ticket: how its parts are rendered, and long ones wrapped in a thread."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.states import after, app_state, detail_read

from ticketr.app.tickets import Ticket, parse
from ticketr.app.tui import messages
from ticketr.app.tui.effects import call
from ticketr.app.tui.keymap import KeyAction, KeyMap
from ticketr.app.tui.main_screen import draw_detail
from ticketr.app.tui.markdown import MAX_MARKDOWN_CHARACTERS
from ticketr.app.tui.panels.detail import MAX_WRAP_CELLS, detail_lines
from ticketr.app.tui.screen import draw_screen
from ticketr.app.tui.services.files import read_detail
from ticketr.app.tui.services.outside import redraw
from ticketr.app.tui.sheet import DetailLine, IssueSheet, sheet_of
from ticketr.app.tui.state import AppState, OpenTicket, Panel
from ticketr.app.tui.styled import Span, Theme, plain
from ticketr.app.tui.update import update
from ticketr.statusline import LineStyle
from ticketr.terminal import Key, Resize
from ticketr.text import width

FILE = """# TICKET: [DEMO-1] Search

## Description
**Goal:** see [the notes](https://x.example).

- [x] one
- two

| a |
|---|
| b |

## Acceptance Criteria
- *first* thing
  that goes on
- second
"""


def drawn(sheet: IssueSheet, cells: int, theme: Theme | None = None, top: int = 0) -> list[str]:
    """Return the rows of a panel of so many cells and nine rows."""
    state = AppState(width=cells, height=13, focus=Panel.DETAIL)
    lines = detail_lines(sheet, cells)
    state = replace(
        state, ticket=OpenTicket("work", ("", 0, "", 0), sheet, top=top, wrapped_lines=lines)
    )
    return draw_detail(state, theme or Theme())


def test_texts_are_rendered_and_know_their_lines_in_the_file() -> None:
    (ticket,) = parse(FILE).tickets

    lines = detail_lines(sheet_of(ticket, "DEMO-1.md"), 16)

    assert [(plain(each.line), each.source_line) for each in lines] == [
        ("Search", 1),
        ("", 0),
        ("Goal: see the", 4),
        ("notes.", 4),
        ("", 6),
        ("☑ one", 6),
        ("• two", 7),
        ("", 9),
        ("┌───┐", 9),
        ("│ a │", 9),
        ("├───┤", 11),
        ("│ b │", 11),
        ("└───┘", 11),
        ("", 0),
        ("Acceptance criteria", 0),
        ("• first thing", 14),
        ("  that goes on", 15),
        ("• second", 16),
    ]
    assert lines[15].line == (Span("• "), Span("first", ("italic",)), Span(" thing"))


def test_ascii_replaces_the_frames() -> None:
    (ticket,) = parse(FILE).tickets
    theme = Theme(status_line_style=LineStyle(unicode=False))

    rows = drawn(sheet_of(ticket, "DEMO-1.md"), 16, theme, top=5)

    assert [row.rstrip() for row in rows[1:]] == [
        *(" x one", " * two", "", " +---+", " | a |", " +---+", " | b |", " +---+")
    ]


def test_a_text_that_is_too_long_to_render_is_shown_as_the_file_holds_it() -> None:
    long = f"**word**\x1b[2J\n{'[' * MAX_MARKDOWN_CHARACTERS}"
    sheet = sheet_of(replace(parse(FILE).tickets[0], description=long, fields={}), "DEMO-1.md")

    lines = detail_lines(sheet, 42)

    assert [(plain(each.line), each.source_line) for each in lines[2:4]] == [
        ("**word**", 4),
        ("[" * 40, 5),
    ]
    assert len(lines) > MAX_MARKDOWN_CHARACTERS // 40


@pytest.mark.parametrize(("brackets", "is_rendered"), [(100, True), (4_000, False)])
def test_a_text_of_thousands_of_brackets_is_not_rendered(brackets: int, is_rendered: bool) -> None:
    long = f"**word**\n{'[a]' * brackets}"
    sheet = sheet_of(replace(parse(FILE).tickets[0], description=long, fields={}), "DEMO-1.md")

    first = plain(detail_lines(sheet, 42)[2].line)

    assert first.startswith("word [a]" if is_rendered else "**word**")


def test_the_parts_that_both_sides_have_changed_stand_below_the_title() -> None:
    sheet = sheet_of(parse(FILE).tickets[0], "DEMO-1.md", clashes=("Title", "DEMO-2: Labels"))

    lines = detail_lines(sheet, 34)

    assert [(plain(each.line), each.source_line) for each in lines[:4]] == [
        ("Search", 1),
        ("! both sides changed Title,", 1),
        ("  DEMO-2: Labels", 1),
        ("", 0),
    ]


@pytest.mark.parametrize(
    ("part", "rows"),
    [
        ("Title", [" ! both sides changed Title   c resolve"]),
        ("Acceptance", [" ! both sides changed Acceptance", "    c resolve"]),
        (
            "Title, Points, Sprint",
            [" ! both sides changed Title, Points,", "   Sprint   c resolve"],
        ),
    ],
)
def test_a_clash_names_the_key_that_settles_it_where_there_is_room(
    part: str, rows: list[str]
) -> None:
    sheet = sheet_of(parse(FILE).tickets[0], "DEMO-1.md", clashes=(part,))

    lines = drawn(sheet, 42)

    assert [row.rstrip() for row in lines[2 : 2 + len(rows)]] == rows
    assert "settle" not in "".join(lines[2 + len(rows) :])


def test_a_clash_names_no_key_where_the_user_has_left_the_action_without_one() -> None:
    sheet = sheet_of(parse(FILE).tickets[0], "DEMO-1.md", clashes=("Title",))
    table = tuple(each for each in KeyMap().table if each.action is not KeyAction.RESOLVE)

    opened = OpenTicket("work", ("", 0, "", 0), sheet, wrapped_lines=detail_lines(sheet, 42))
    state = AppState(width=42, focus=Panel.DETAIL, ticket=opened, keymap=KeyMap(table))
    lines = draw_detail(state, Theme())

    assert lines[2].rstrip() == " ! both sides changed Title"


def test_the_names_of_fields_have_more_room_in_a_wide_panel() -> None:
    fields = {"Fix Versions": "2026.2", "Points": "3"}
    sheet = sheet_of(replace(parse(FILE).tickets[0], fields=fields), "DEMO-1.md")

    lines = (detail_lines(sheet, cells) for cells in (22, 30, 48, 100))
    small, one, two, wide = ([plain(each.line) for each in found[2:4]] for found in lines)

    assert small == ["Points     3", "Fix Versi… 2026.2"]
    assert one == ["Points        3", "Fix Versions  2026.2"]
    assert two[0] == "Points        3        Fix Versions  2026.2"
    assert wide[0] == "Points        3                                  Fix Versions  2026.2"


def test_what_is_read_first_stands_first_and_a_short_field_beside_a_longer_one() -> None:
    fields = ("Labels", "a, b"), ("Team", "Harbour"), ("Type", "Task"), ("Status", "In Progress")
    assert of_fields(*fields) == [
        "Status     ◐ In Progress Type       Task",
        "Team       Harbour       Labels     a, b",
    ]


def test_a_field_that_is_too_long_for_its_column_has_a_line_of_its_own() -> None:
    fields = ("Type", "A type with a long name"), ("Status", "Done"), ("Points", "3")
    assert of_fields(*fields) == [
        "Status     ● Done     Points     3",
        "Type       A type with a long name",
    ]


def of_fields(*fields: tuple[str, str]) -> list[str]:
    sheet = sheet_of(Ticket("x", "DEMO-1", fields=dict(fields)), "DEMO-1.md")
    return [plain(each.line) for each in detail_lines(sheet, 47)[2:-1]]


def test_lines_of_a_wide_screen_are_no_longer_than_can_be_read() -> None:
    sheet = sheet_of(Ticket("x", "DEMO-1", "word " * 90), "DEMO-1.md")
    shown = [plain(each.line) for each in detail_lines(sheet, 250)]
    assert max(map(width, shown)) == MAX_WRAP_CELLS - 1


def test_comments_are_rendered_below_their_authors_and_before_the_sub_tasks() -> None:
    (ticket,) = parse(
        "# TICKET: [DEMO-1] Search\n\n## Comments\n- [7] Mia \x1b[2JChen, 2026-03-01 09:30Z:\n"
        "  Looks *good*\n\n  to me\n\n- new: Thanks\n\n## Tasks\n- Do it\n"
    ).tickets

    lines = detail_lines(sheet_of(ticket, "DEMO-1.md"), 40)

    assert [(plain(each.line), each.source_line) for each in lines[2:]] == [
        ("", 0),
        ("Comments  2", 0),
        ("Mia Chen, 2026-03-01 09:30Z", 5),
        ("  Looks good", 5),
        ("  ", 7),
        ("  to me", 7),
        ("", 0),
        ("* not sent yet", 9),
        ("  Thanks", 9),
        ("", 0),
        ("Sub-tasks  1", 0),
        ("  draft  Do it", 0),
    ]


def test_rich_text_fields_are_rendered_below_their_names_and_before_the_comments() -> None:
    (ticket,) = parse(
        "# TICKET: [DEMO-1] Search\n\n## Description\nwords\n\n## Field: Roll\x1b[2Jout\none *two*\n\n"
        "- three\n\n## Field: Empty\n\n## Comments\n- new: Thanks\n"
    ).tickets

    lines = detail_lines(sheet_of(ticket, "DEMO-1.md"), 40)

    assert [(plain(each.line), each.source_line) for each in lines[2:]] == [
        ("words", 4),
        ("", 0),
        ("Rollout", 6),
        ("one two", 7),
        ("", 9),
        ("• three", 9),
        ("", 0),
        ("Empty", 11),
        ("", 0),
        ("Comments  1", 0),
        ("* not sent yet", 14),
        ("  Thanks", 14),
    ]


LONG = Ticket("Long", "DEMO-1", description="many words, " * 99)
RESIZED = Resize(160, 30)


def opened(width: int = 100) -> AppState:
    """Return a state with the long ticket open."""
    state = replace(app_state(LONG), width=width, height=30, follow_selection_at=0.0)
    state, (read,) = update(state, messages.FollowSelectionDue(), 1.0)
    assert read.function is read_detail
    assert read.args[-1] == state.layout.detail_cells
    return after(state, detail_read(state, sheet_of(LONG, "DEMO-1.md")))


def lines_of(state: AppState) -> tuple[DetailLine, ...]:
    assert state.ticket is not None
    return state.ticket.wrapped_lines


def test_another_width_has_the_lines_wrapped_once_and_draws_the_old_ones_meanwhile() -> None:
    before = opened()

    state, asked = update(before, RESIZED, 1.0)

    (wrap,) = (effect for effect in asked if effect.function is read_detail)
    assert wrap.args[-1] == state.layout.detail_cells != before.layout.detail_cells
    assert lines_of(state) is lines_of(before)
    assert any("many words" in row for row in draw_screen(state, 1.0, Theme()))
    assert update(state, RESIZED, 1.0)[1] == (call(redraw),)

    wrapped = detail_read(state, sheet_of(LONG, "DEMO-1.md"))
    state, asked = update(state, wrapped, 1.0)
    assert asked == ()
    assert lines_of(state) is wrapped.wrapped_lines


def test_lines_of_a_width_that_has_gone_are_wrapped_again() -> None:
    state, (_, wrap) = update(opened(), RESIZED, 1.0)
    assert wrap.function is read_detail
    late = detail_read(state, sheet_of(LONG, "DEMO-1.md"))
    state = after(state, Resize(140, 30))

    state, asked = update(state, late, 1.0)

    assert [effect.args[-1] for effect in asked] == [state.layout.detail_cells]


def test_a_ticket_that_is_zoomed_is_wrapped_to_the_whole_width() -> None:
    (zoomed,) = update(replace(opened(), focus=Panel.DETAIL), Key("KEY_ENTER"), 1.0)[1]

    assert zoomed.function is read_detail
    assert zoomed.args[-1] == 100
