"""The rules that no screen breaks, and the tests that hold each of them.

`RULES` names the tests; those that look at all screens at once are here.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pytest
from fakes.app_screens import SCREENS, main_state
from fakes.screens import plain
from fakes.states import pressed

from ticketr.app.tui.keymap import TABLE, Context, KeyAction
from ticketr.app.tui.screen import screen
from ticketr.app.tui.theme import MARKS, Theme
from ticketr.statusline import LineStyle
from ticketr.terminal import sgr

TESTS = Path(__file__).parents[2]
#: Each rule, and the tests that hold it: the file below tests/, then the function's name.
RULES = {
    "one key never writes to Jira, and never discards an edit": (
        "app/tui/test_typed_by_mistake.py::test_no_key_pressed_twice_writes_anything",
        "app/tui/test_typed_by_mistake.py::test_no_typed_word_writes_anything",
        "app/tui/test_typed_by_mistake.py::test_no_paste_of_lines_writes_anything",
        "app/tui/overlays/test_plan.py::test_p_asks_for_a_plan_and_starts_nothing",
        "app/tui/overlays/test_plan.py::test_an_enter_that_was_typed_ahead_does_not",
        "app/tui/overlays/test_diff_and_undo.py::test_u_asks_before_it_takes_anything_back",
        "app/tui/test_screen_rules.py::test_no_key_that_opens_a_question_answers_it",
        (
            "test_end_to_end_newcomer.py"
            "::test_from_the_first_run_to_a_settled_conflict_without_a_manual"
        ),
    ),
    "a key that does nothing here says so, and swallows what follows": (
        "app/tui/test_update.py::test_a_key_that_does_nothing_says_so_and_swallows_what_follows",
        "app/tui/test_app.py::test_keys_typed_before_the_first_frame_are_dropped",
        "app/tui/test_app.py::test_pasted_text_on_the_main_screen_is_refused_with_a_word",
    ),
    "what is shown is what is selected, and the focus is visible": (
        "app/tui/test_update.py::test_the_open_ticket_follows_the_cursor_after_a_rest",
        "app/tui/test_screen_rules.py::test_only_the_focused_panel_has_a_reversed_row",
    ),
    "Esc closes, else cancels what the status line names, else goes back": (
        "app/tui/test_update.py::test_escape_closes_then_cancels_then_goes_back",
        "app/tui/test_app.py::test_an_escape_that_would_cancel_a_job_is_held_longer",
        "app/tui/test_app.py::test_escape_right_after_the_key_of_a_pull_cancels_it",
        "app/tui/overlays/test_every_overlay.py::test_escape_closes_it",
    ),
    "ends are honest": (
        (
            "app/tui/overlays/test_jobs.py"
            "::test_a_push_of_which_something_failed_ends_with_the_cause_first"
        ),
        "app/tui/overlays/test_jobs.py::test_the_end_of_a_job_names_the_key_that_goes_on",
        "app/tui/test_operations.py::test_a_network_that_goes_in_mid_pull_is_named_and_the_count_stays",
    ),
    "the list has mark, status, key, title and assignee from 40 cells on": (
        "app/tui/test_screen.py::test_the_list_shows_mark_status_key_title_and_assignee",
        "app/tui/test_screen_rules.py::test_every_column_of_the_list_is_there_at_every_width",
        "app/tui/test_update.py::test_the_selection_stays_at_the_top_until_somebody_chooses",
        "app/tui/test_update.py::test_a_ticket_whose_file_was_moved_stays_selected",
    ),
    "jobs are queued, not refused": (
        "app/tui/test_app.py::test_a_second_pull_waits_for_the_first",
        (
            "app/tui/test_operations.py"
            "::test_a_confirmed_push_waits_for_the_pull_and_sends_what_was_confirmed"
        ),
    ),
    "colour is on marks alone, and says nothing that they do not say": (
        "app/tui/test_screen_rules.py::test_only_marks_and_words_of_failure_have_a_colour",
        "app/tui/test_screen_rules.py::test_no_meaning_is_by_colour_alone",
        "app/tui/test_golden.py::test_a_screen_is_as_it_was_agreed",
    ),
    "idle, nothing is written, and only changed rows are drawn": (
        "app/tui/test_app.py::test_an_idle_app_draws_nothing",
        "terminal/test_session.py::test_an_unchanged_frame_writes_nothing_and_a_redraw_writes_all",
    ),
}
SIZES = ((200, 60), (100, 30), (80, 24), (60, 16), (40, 8))
COLORS = Theme(partial(sgr, colors=True), links=False)
BARE = Theme(partial(sgr, colors=False), LineStyle(color=False), links=False)
NOW = 3.0
#: A run of text in one style, and the codes of the style.
RUN = re.compile(r"\x1b\[([\d;]+)m([^\x1b]*)")
REVERSE, RED = 7, 31
#: Words that a diff marks with brackets of its own.
CHANGED = re.compile(r"\s*(\[-.*-\]|\{\+.*\+\})\s*")
#: Marks that stand in a colour of their own, beside those of the theme.
BARS = {"▌", "√"}


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_has_its_tests(rule: str) -> None:
    for name in RULES[rule]:
        file, _, function = name.partition("::")
        assert re.search(rf"\bdef {function}\(", (TESTS / file).read_text()), name


def runs(row: str) -> list[tuple[set[int], str]]:
    """Return the styled texts of a row, with the numbers of their styles."""
    return [({*map(int, codes.split(";"))}, text) for codes, text in RUN.findall(row)]


def test_no_key_that_opens_a_question_answers_it() -> None:
    asks = {
        KeyAction.PUSH,
        KeyAction.SYNC,
        KeyAction.UNDO,
        KeyAction.SETTLE,
        KeyAction.CHANGE,
        KeyAction.STATUS,
        KeyAction.ADD,
    }
    answers = {Context.QUESTION, Context.PLAN, Context.CONFLICT, Context.CHOICE, Context.INPUT}
    opening = {key for row in TABLE if row.action in asks for key in row.keys}
    answering = {
        key
        for row in TABLE
        if row.action is KeyAction.ACCEPT and answers & {*row.contexts}
        for key in row.keys
    }

    assert opening
    assert answering == {"KEY_ENTER"}
    assert not opening & answering


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("key", ["1", "2", "3"])
def test_only_the_focused_panel_has_a_reversed_row(key: str, width: int, height: int) -> None:
    state = pressed(main_state(width, height), key)
    rows = screen(state, NOW, COLORS)[1:-2]

    reversed_ = [text for row in rows for styles, text in runs(row) if REVERSE in styles]
    assert len(reversed_) == (key != "3" and not (key == "1" and not state.layout.workspaces))
    shown = "\n".join(map(plain, rows))
    if key == "1" and reversed_:
        assert reversed_[0].startswith("▸")
    if key == "2":
        assert reversed_[0].startswith("▌")
    elif state.layout.left:
        assert "▌" in shown  # a bar and bold, where the keys are elsewhere


@pytest.mark.parametrize("width", range(40, 101, 5))
def test_every_column_of_the_list_is_there_at_every_width(width: int) -> None:
    rows = [plain(row) for row in screen(main_state(width, 24), NOW, COLORS)]

    (row,) = (each for each in rows if " DEMO-9 " in each and "Rebuild" in each)
    assert re.match(r"[▌ ]![▾▸ ]◐ DEMO-9 +Rebuild.* AO ", row)
    assert any(re.search(r"─ 2 Tickets ─.* \d+/\d+ ", each) for each in rows)


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("name", SCREENS)
def test_only_marks_and_words_of_failure_have_a_colour(name: str, width: int, height: int) -> None:
    allowed = MARKS.keys() | BARS
    for row in screen(SCREENS[name](main_state(width, height)), NOW, COLORS):
        for styles, text in runs(row):
            if styles & {*range(30, 38), *range(40, 48), *range(90, 98)} and text.strip():
                is_mark = text.strip() in allowed or CHANGED.match(text)
                assert is_mark or styles >= {1, RED}, (text, row)


@pytest.mark.parametrize("name", SCREENS)
def test_no_meaning_is_by_colour_alone(name: str) -> None:
    state = SCREENS[name](main_state(100, 30))

    bare = screen(state, NOW, BARE)

    assert [plain(row) for row in screen(state, NOW, COLORS)] == [plain(row) for row in bare]
    assert not any(styles & {*range(30, 50)} for row in bare for styles, _ in runs(row))
