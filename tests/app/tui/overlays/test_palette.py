from __future__ import annotations

import pytest
from fakes.bytecodes import Bytecodes
from fakes.screens import plain
from fakes.states import after, app_state, pressed

from ticketr.app.tickets import Ticket
from ticketr.app.tui import effects, messages
from ticketr.app.tui.job_request import JobKind, JobRequest
from ticketr.app.tui.keymap import Context
from ticketr.app.tui.overlays.entries import MOST_TICKETS, entries_of
from ticketr.app.tui.overlays.palette import Palette
from ticketr.app.tui.overlays.plan import Plan
from ticketr.app.tui.screen import screen
from ticketr.app.tui.state import AppState
from ticketr.app.tui.theme import Theme
from ticketr.app.tui.update import update

TICKETS = (
    Ticket("Search", "DEMO-1", fields={"Status": "Done", "Assignee": "Priya Raman"}),
    Ticket("Café", "DEMO-2", fields={"Status": "In Progress", "Assignee": "Priya Raman"}),
)


def typed(text: str, *keys: str) -> AppState:
    return pressed(app_state(*TICKETS), ":", *text, *keys)


def ran(text: str) -> tuple[AppState, tuple[effects.Effect, ...]]:
    return update(typed(text), messages.KeyPressed("KEY_ENTER"), 99.0)


def test_a_command_is_found_by_its_words_and_run() -> None:
    state, asked = ran("pull from")
    assert (state.overlays, asked) == (
        (),
        (effects.StartJob("work", JobRequest(JobKind.PULL)),),
    )


def test_a_push_from_the_palette_shows_its_plan_first() -> None:
    state, asked = ran("push demo-1")
    assert state.overlays == (Plan(JobKind.PUSH, "work", ("DEMO-1",)),)
    assert asked == (effects.ReadPlan("work", JobKind.PUSH, ("DEMO-1",)),)


def test_a_ticket_is_found_by_its_title_without_accents() -> None:
    state, _ = ran("#cafe")
    assert state.row is not None
    assert state.row.key == "DEMO-2"


@pytest.mark.parametrize(
    ("text", "wanted"), [("@pri", 'assignee="Priya Raman"'), ("=prog", 'status="In Progress"')]
)
def test_a_person_or_a_status_becomes_a_filter(text: str, wanted: str) -> None:
    state, asked = ran(text)
    assert state.workspace.filter.text == wanted
    assert asked == (effects.Remember("work", wanted, "key"),)


def test_the_keys_in_the_palette_are_text() -> None:
    for key in "qpP?:":
        state, asked = update(typed(""), messages.KeyPressed(key), 99.0)
        assert asked == ()
        top = state.overlays[-1]
        assert isinstance(top, Palette)
        assert top.input.text == key


def test_pasted_lines_run_nothing() -> None:
    state, asked = update(typed(""), messages.Pasted("pull\npush\n"), 99.0)
    assert asked == ()
    top = state.overlays[-1]
    assert isinstance(top, Palette)
    assert top.input.text == "pull push "


def test_tab_completes_and_escape_closes() -> None:
    state = typed("~", "KEY_TAB")
    top = state.overlays[-1]
    assert isinstance(top, Palette)
    assert top.input.text == "~work"
    assert after(state, messages.KeyPressed("KEY_ESCAPE")).overlays == ()


def test_the_palette_lies_over_the_main_screen() -> None:
    rows = [plain(row) for row in screen(typed("push"), 1.0, Theme())]
    box = [row for row in rows if "│ > push▏" in row]
    assert len(box) == 1
    assert {len(row) for row in rows} == {100}


def test_a_ticket_that_begins_with_the_words_comes_first_and_draft_is_a_name() -> None:
    tickets = (
        Ticket("About DEMO-11", "DEMO-1"),
        Ticket("One", "DEMO-11"),
        Ticket("Mine"),
        *(Ticket("Spare", f"DEMO-{number}") for number in range(100, 180)),
    )

    def found(text: str) -> list[str]:
        state = app_state(*tickets)
        return [each.name for each in entries_of(state, text, lambda *_: None)]

    spare = [f"DEMO-{number}  Spare" for number in range(110, 120)]
    assert found("#demo-11") == ["DEMO-11  One", *spare, "DEMO-1  About DEMO-11"]
    assert found("#draft mine") == ["draft  Mine"]
    assert found("#mine one") == []
    assert len(found("#")) == len(found("#spare")) == MOST_TICKETS


def test_a_letter_in_the_palette_costs_little_in_a_long_list() -> None:
    def cost(count: int) -> int:
        tickets = [Ticket(f"Ticket {at}", f"DEMO-{at}") for at in range(1, count)]
        state = app_state(*tickets)
        state.workspace.rows.prepare()
        bytecodes = Bytecodes()
        with bytecodes.counted():
            for text in ("#", "#ti", "@p", "=d", "push"):
                entries_of(state, text, lambda *_: None)
        return bytecodes.count

    assert cost(4_000) < 4 * cost(500)


def test_a_command_is_found_by_the_name_of_its_action_too() -> None:
    def first(text: str) -> str:
        return entries_of(app_state(Ticket("One", "DEMO-1")), text, lambda *_: None)[0].name

    assert first("quit") == first("q") == "leave"
    assert first("reload") == "read the files again"
    assert first("push") == "show what a push would write"


def test_leaving_help_and_drawing_again_are_commands() -> None:
    _, asked = update(typed("quit"), messages.KeyPressed("KEY_ENTER"), 99.0)
    assert asked == (effects.Leave(),)
    _, asked = update(typed("redraw"), messages.KeyPressed("KEY_ENTER"), 99.0)
    assert asked == (effects.Redraw(),)
    assert pressed(typed("help"), "KEY_ENTER").context is Context.HELP


def test_a_page_key_moves_by_a_page() -> None:
    top = typed("", "KEY_PGDOWN").overlays[-1]
    assert isinstance(top, Palette)
    assert top.at == 8
