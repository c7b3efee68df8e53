"""Every screen at many sizes: against golden frames, and the rules that none breaks."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from fakes.app_screens import SCREENS, main_state
from fakes.states import after, app_state, plain, pressed, snapshot
from hypothesis import given, strategies as st
from rows import for_each

from ticketr import JobSnapshot, JobStatus
from ticketr.app.tickets import Ticket
from ticketr.app.tui import messages
from ticketr.app.tui.keymap import DEFAULT_BINDINGS, Context, KeyAction
from ticketr.app.tui.overlays.questions import Choice, Option
from ticketr.app.tui.screen import draw_screen
from ticketr.app.tui.state import AppState
from ticketr.app.tui.styled import MARK_COLORS, Theme
from ticketr.statusline import LineStyle
from ticketr.terminal import sgr
from ticketr.text import width


def framed(rows: Iterable[str]) -> str:
    """Return a screen as text: no styles, and a bar at the end of each row."""
    return "".join(f"{plain(row)}|\n" for row in rows)


def check_golden(path: Path, frames: Mapping[str, str]) -> None:
    """Compare frames with those in a file; write the file instead if the environment says so.

    Args:
        path: The file.
        frames: Each frame, by its name.
    """
    found = "\n".join(f"== {name}\n{text}" for name, text in frames.items())
    if os.environ.get("TICKETR_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")


HOSTILE = Ticket(
    "\x1b[31mred\x07 \u202e陈美玲 👩‍👩‍👧 " * 5, "DEMO-7", fields={"Assignee": "陈美玲"}
)
TICKETS = (
    Ticket(
        "Search",
        "DEMO-1",
        fields={"Status": "Done", "Assignee": "Priya Raman"},
        tasks=(Ticket("Translate", "DEMO-2", fields={"Status": "In Progress"}),),
    ),
    HOSTILE,
    Ticket("A draft"),
)


def test_a_key_is_hinted_once_with_what_it_does_in_the_panel() -> None:
    bar = plain(draw_screen(pressed(app_state(*TICKETS), "1"), 1.0, Theme())[-2])

    assert bar.count("a add") == 1


def test_the_list_shows_mark_status_key_title_and_assignee() -> None:
    rows = [plain(row) for row in draw_screen(app_state(*TICKETS), 0.0, Theme())]

    assert rows[1].startswith("─ 2 Tickets ")
    assert " 1/4 · by key · f filter · / search ─" in rows[1]
    assert rows[2].startswith("▌+   draft     A draft")
    assert rows[3][:53] == "  ▾● DEMO-1    Search                             PR "
    assert rows[4][:28] == "   ◐ DEMO-2      Translate  "


def test_the_action_bar_names_the_keys_that_have_an_effect_on_the_ticket() -> None:
    state = app_state(*TICKETS, width=120)
    bar = plain(draw_screen(state, 0.0, Theme())[-2])
    assert "c resolve" not in bar
    assert "o browser" not in bar  # the selected one is a draft
    assert bar.rstrip().endswith("? all")
    assert " s sync" in bar

    conflict = messages.FilesRead(
        "work", state.workspace.rows, conflicts_by_key={"DEMO-1": ("DEMO-1: Title",)}
    )
    bar = plain(draw_screen(pressed(after(state, conflict), "j"), 0.0, Theme())[-2])
    assert "c resolve" in bar
    assert "o browser" in bar


@pytest.mark.parametrize(
    ("age", "wide", "narrow"),
    [
        (None, "", ""),
        (59.0, "synced now", "synced now"),
        (-3600.0, "synced now", "synced now"),  # the clock was set back since
        (4 * 60.0 + 59, "synced 4m ago", "4m ago"),
        (3 * 3600.0, "synced 3h ago", "3h ago"),
        (50 * 3600.0, "synced 2d ago", "2d ago"),
    ],
)
def test_a_workspace_says_when_it_was_synced_in_as_many_words_as_fit(
    age: float | None, wide: str, narrow: str
) -> None:
    state = app_state(*TICKETS)
    state = after(
        state, messages.FilesRead("work", state.workspace.rows, complete_pull_age_seconds=age)
    )

    assert workspace_line(state)[26:53].split("+1")[1].strip() == wide
    assert workspace_line(replace(state, width=42))[26:].split("+1")[1].strip() == narrow
    header = plain(draw_screen(state, 1.0, Theme())[0])  # it is alone, so its panel is hidden
    assert header.startswith(" · ".join(filter(None, (" ticketr  work · jira.example", wide))))


def workspace_line(state: AppState, now: float = 1.0) -> str:
    return plain(draw_screen(pressed(state, "1"), now, Theme())[2])


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (snapshot(), "pulling 50%"),
        (replace(snapshot(), progress=None), "pulling..."),
        (snapshot(JobStatus.PENDING), "pull waits"),
        (replace(snapshot(), tags=frozenset({"workspace:work"})), "working 50%"),
    ],
)
def test_a_workspace_says_what_its_job_does(job: JobSnapshot, words: str) -> None:
    state = after(app_state(*TICKETS), messages.JobChanged(job))
    assert workspace_line(state)[:53].rstrip().endswith(f" {words}")


def test_the_hints_of_an_overlay_end_with_the_way_back_at_every_width() -> None:
    state = pressed(app_state(*TICKETS), "p")
    for cells in (100, 60, 40):
        bar = plain(draw_screen(replace(state, width=cells), 1.0, Theme())[-2]).rstrip()
        assert bar.endswith("Esc back  ? all")
    assert plain(draw_screen(pressed(state, "?"), 1.0, Theme())[-2]).strip() == "Esc back"
    assert "Esc back" not in plain(draw_screen(app_state(*TICKETS), 1.0, Theme())[-2])
    typing = plain(draw_screen(pressed(app_state(*TICKETS), "S"), 1.0, Theme())[-2])
    assert typing.rstrip().endswith("Esc back  F1 all")  # a "?" is text there


def test_a_list_over_the_tickets_has_the_only_reversed_row_and_facts_as_far_as_there_is_room() -> (
    None
):
    facts = "not for DEMO-1 and 12 more"
    options = (Option("Done", facts), Option("In a review", ""))
    state = app_state(*TICKETS, width=60, height=24)
    state = state.opened(Choice("Status", options, lambda state, _: (state, ())))
    (row,) = [row for row in draw_screen(state, 1.0, COLORS) if "\x1b[7m" in row]
    assert f" {facts} " in plain(row)


def test_a_notice_without_room_for_it_loses_the_folders_of_a_path_and_not_the_cause() -> None:
    words = "the file '/home/somebody/jira/of a/year.md' cannot be read: its disk is broken"
    state = app_state(width=60).with_notice(words)

    low = [replace(state, width=cells, height=6) for cells in (80, 68)]
    shown = [plain(draw_screen(each, 0.0, Theme())[-2]) for each in low]

    assert [each.strip() for each in shown] == [
        words,
        "the file '…/of a/year.md' cannot be read: its disk is broken",
    ]


def test_a_long_notice_has_more_rows_where_there_is_room_and_is_cut_where_there_is_none() -> None:
    words = "DEMO-9.md holds the comment; p shows what a push sends, u takes it back"
    state = app_state(width=60, height=20).with_notice(words)

    rows = [plain(row).rstrip() for row in draw_screen(state, 0.0, Theme())]
    assert len(rows) == 20
    assert rows[-3:-1] == [
        " DEMO-9.md holds the comment; p shows what a push sends, u",
        " takes it back",
    ]
    longer = plain(draw_screen(state.with_notice(f"{words}; {words}; {words}"), 0.0, Theme())[-2])
    assert longer.strip() == "push sends, u takes it back; DEMO-9.md holds the comment;…"
    low = [plain(row).rstrip() for row in draw_screen(replace(state, height=6), 0.0, Theme())]
    assert low[-2] == " DEMO-9.md holds the comment; p shows what a push sends, u…"
    assert "2 Tickets" in low[1]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (
            "cannot reach a.example (refused): check it (https://a.example/rest/api/3/myself)",
            "cannot reach a.example (refused): check it",
        ),
        (
            "a.example did not answer for 30 s: try again (https://a.example/rest/api/3/myself)",
            "a.example did not answer for 30 s: try again",
        ),
    ],
)
def test_the_address_of_a_request_makes_room_for_the_cause(words: str, shown: str) -> None:
    low = app_state(width=60, height=6).with_notice(words)
    assert plain(draw_screen(low, 0.0, Theme())[-2]).strip() == shown
    assert plain(draw_screen(replace(low, width=100), 0.0, Theme())[-2]).strip() == words


SIZES = ((200, 60), (100, 30), (80, 24), (60, 16), (40, 8))
COLORS = Theme(partial(sgr, colors=True), has_links=False)
BARE = Theme(partial(sgr, colors=False), LineStyle(color=False), has_links=False)
NOW = 3.0
#: A run of text in one style, and the codes of the style.
RUN = re.compile(r"\x1b\[([\d;]+)m([^\x1b]*)")
REVERSE, RED = 7, 31
#: Words that a diff marks with brackets of its own.
CHANGED = re.compile(r"\s*(\[-.*-\]|\{\+.*\+\})\s*")
#: Marks that stand in a colour of their own, beside those of the theme.
BARS = {"▌", "√"}


def runs(row: str) -> list[tuple[set[int], str]]:
    """Return the styled texts of a row, with the numbers of their styles."""
    return [({*map(int, codes.split(";"))}, text) for codes, text in RUN.findall(row)]


def test_no_key_that_opens_a_question_answers_it() -> None:
    asks = {
        KeyAction.PUSH,
        KeyAction.SYNC,
        KeyAction.UNDO,
        KeyAction.RESOLVE,
        KeyAction.CHANGE,
        KeyAction.STATUS,
        KeyAction.ADD,
    }
    answers = {Context.QUESTION, Context.PLAN, Context.CONFLICT, Context.CHOICE, Context.INPUT}
    opening = {key for row in DEFAULT_BINDINGS if row.action in asks for key in row.keys}
    answering = {
        key
        for row in DEFAULT_BINDINGS
        if row.action is KeyAction.ACCEPT and answers & {*row.contexts}
        for key in row.keys
    }

    assert opening
    assert answering == {"KEY_ENTER"}
    assert not opening & answering


@for_each(("width", "height"), SIZES)
@for_each("key", ["1", "2", "3"])
def test_only_the_focused_panel_has_a_reversed_row(key: str, width: int, height: int) -> None:
    state = pressed(main_state(width, height), key)
    rows = draw_screen(state, NOW, COLORS)[1:-2]

    reversed_ = [text for row in rows for styles, text in runs(row) if REVERSE in styles]
    assert len(reversed_) == (key != "3" and not (key == "1" and not state.layout.workspace_rows))
    shown = "\n".join(map(plain, rows))
    if key == "1" and reversed_:
        assert reversed_[0].startswith("▸")
    if key == "2":
        assert reversed_[0].startswith("▌")
    elif state.layout.list_cells:
        assert "▌" in shown  # a bar and bold, where the keys are elsewhere


@for_each("width", range(40, 101, 5))
def test_every_column_of_the_list_is_there_at_every_width(width: int) -> None:
    rows = [plain(row) for row in draw_screen(main_state(width, 24), NOW, COLORS)]

    (row,) = (each for each in rows if " DEMO-9 " in each and "Rebuild" in each)
    assert re.match(r"[▌ ]![▾▸ ]◐ DEMO-9 +Rebuild.* AO ", row)
    assert any(re.search(r"─ 2 Tickets ─.* \d+/\d+ ", each) for each in rows)


@for_each(("width", "height"), SIZES)
@for_each("name", SCREENS)
def test_only_marks_and_words_of_failure_have_a_colour(name: str, width: int, height: int) -> None:
    allowed = MARK_COLORS.keys() | BARS
    for row in draw_screen(SCREENS[name](main_state(width, height)), NOW, COLORS):
        for styles, text in runs(row):
            if styles & {*range(30, 38), *range(40, 48), *range(90, 98)} and text.strip():
                is_mark = text.strip() in allowed or CHANGED.match(text)
                assert is_mark or styles >= {1, RED}, (text, row)


@for_each("name", SCREENS)
def test_no_meaning_is_by_colour_alone(name: str) -> None:
    state = SCREENS[name](main_state(100, 30))

    bare = draw_screen(state, NOW, BARE)

    assert [plain(row) for row in draw_screen(state, NOW, COLORS)] == [plain(row) for row in bare]
    assert not any(styles & {*range(30, 50)} for row in bare for styles, _ in runs(row))


GOLDEN = Path(__file__).parent / "golden"


ASCII = Theme(status_line_style=LineStyle(unicode=False, color=False), has_links=False)


@pytest.fixture(autouse=True, scope="module")
def _utc() -> Iterator[None]:
    """Show times of day in UTC."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@for_each("name", SCREENS)
def test_a_screen_is_as_it_was_agreed(name: str) -> None:
    frames = {
        f"{cells}x{height}": framed(
            draw_screen(SCREENS[name](main_state(cells, height)), NOW, COLORS)
        )
        for cells, height in SIZES
    }
    frames["ascii"] = framed(draw_screen(SCREENS[name](main_state(80, 24)), NOW, ASCII))

    check_golden(GOLDEN / f"{name}.txt", frames)


@pytest.mark.parametrize("count", [0, 1, 3, 40])
def test_the_main_screen_is_as_it_was_agreed(count: int) -> None:
    frames = {
        f"{cells}x{height}": framed(draw_screen(main_state(cells, height, count), NOW, COLORS))
        for cells, height in SIZES
    }
    frames["ascii"] = framed(draw_screen(main_state(80, 24, count), NOW, ASCII))

    check_golden(GOLDEN / f"main-{count}.txt", frames)


def assert_fits(rows: list[str], cells: int, height: int) -> None:
    assert len(rows) == height
    assert {width(plain(row)) for row in rows} == {cells}
    assert not any(mark in plain(row) for row in rows for mark in "\x1b\x07\x9b\u202e")


@given(
    name=st.sampled_from(["main", *SCREENS]),
    cells=st.integers(1, 210),
    height=st.integers(1, 64),
    ascii_only=st.booleans(),
)
def test_every_row_of_every_screen_is_exactly_as_wide_as_asked(
    name: str, cells: int, height: int, *, ascii_only: bool
) -> None:
    state = main_state(cells, height, 3)
    state = SCREENS[name](state) if name in SCREENS else state

    rows = draw_screen(state, NOW, ASCII if ascii_only else COLORS)

    assert_fits(rows, cells, height)
    if ascii_only:
        assert all(row.isascii() for row in rows)


@pytest.mark.parametrize("size", [(19, 4), (20, 3), (5, 2), (1, 1)])
def test_a_screen_that_is_too_small_says_what_is_needed(size: tuple[int, int]) -> None:
    rows = draw_screen(main_state(*size), NOW, Theme())

    assert_fits(rows, *size)
    words = "ticketr needs 20x4"
    assert rows[0].rstrip() == (words if size[0] >= len(words) else words[: size[0] - 1] + "…")
    assert not any(row.strip() for row in rows[1:])
