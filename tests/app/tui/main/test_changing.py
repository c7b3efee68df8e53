"""Keys that change fields and add tickets: what they ask, list and refuse."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.screens import plain
from fakes.states import after, app_state, pressed

from ticketr.app.sync import FieldChange, FileEdit, FileEditPlan, IssuePlace
from ticketr.app.tickets import Ticket, parse_filter
from ticketr.app.tui import effects, messages
from ticketr.app.tui.keymap import Context
from ticketr.app.tui.overlays.choice import Choice
from ticketr.app.tui.row_blocks import Rows
from ticketr.app.tui.rows import row_of_broken
from ticketr.app.tui.screen import screen
from ticketr.app.tui.sheet import Edit, sheet_of
from ticketr.app.tui.state import AppState, OpenTicket
from ticketr.app.tui.theme import Theme
from ticketr.app.tui.update import update
from ticketr.app.tui.workspace import NO_COMMENTS

ONE = Ticket("One", "DEMO-1", fields={"Status": "To Do"}, tasks=(Ticket("Sub", "DEMO-2"),))
TWO = Ticket("Two", "DEMO-3", fields={"Status": "Done"})
THREE = Ticket("Three", "DEMO-4", fields={"Status": "Done"})
DRAFT = Ticket("Idea", fields={"Status": "To Do"}, line=1)
PLACES = (IssuePlace("DEMO-1.md", "DEMO-1"), IssuePlace("DEMO-3.md", "DEMO-3"))
EDITS = tuple(
    FileEdit(each.key, title, each.path, 1, "Labels", "", "x")
    for each, title in zip(PLACES, ("One", "Two"), strict=True)
)
PLAN = FileEditPlan(EDITS, {"DEMO-1.md": "d1", "DEMO-3.md": "d3"})


def shown(state: AppState) -> list[str]:
    return [plain(row).rstrip() for row in screen(state, 1.0, Theme())]


def typed(state: AppState, text: str) -> AppState:
    return pressed(state, *text)


def options(state: AppState) -> list[tuple[str, str, str]]:
    top = state.overlays[-1]
    assert isinstance(top, Choice)
    return [(each.words, each.facts, each.refused) for each in top.options]


# --- t


def asked(state: AppState) -> AppState:
    state, effect = update(state, messages.KeyPressed("t"), 1.0)
    assert effect == (effects.AskStatuses("work", ("DEMO-1",)),)
    return state


def test_t_lists_the_statuses_that_jira_allows_and_writes_the_one_that_is_taken() -> None:
    state = asked(app_state(ONE, TWO))
    assert any("Asking Jira what it can become..." in row for row in shown(state))
    early, effect = update(state, messages.KeyPressed("KEY_ENTER"), 2.0)
    assert (early.notice, effect) == ("Jira has not answered yet; Esc goes back", ())

    state = after(
        state, messages.StatusesRead("work", ("DEMO-1",), {"DEMO-1": ("to do", "In Progress")})
    )
    assert options(state) == [("to do", "now", ""), ("In Progress", "", "")]
    state, effect = update(pressed(state, "KEY_DOWN"), messages.KeyPressed("KEY_ENTER"), 9.0)

    change = FieldChange("Status", "In Progress")
    assert effect == (effects.ChangeField("work", PLACES[0], change),)
    assert state.overlays == ()


def test_other_messages_do_not_answer_what_jira_was_asked() -> None:
    state = asked(app_state(ONE))
    assert after(state, messages.HistoryRead(())).overlays == state.overlays


def test_esc_stops_asking_and_a_late_answer_opens_nothing() -> None:
    state, effect = update(asked(app_state(ONE)), messages.KeyPressed("KEY_ESCAPE"), 2.0)
    assert (state.overlays, effect) == ((), (effects.StopAsking("work"),))
    assert after(state, messages.StatusesRead("work", ("DEMO-1",), {"DEMO-1": ("Done",)})) == state


def test_without_an_answer_the_statuses_of_the_files_are_listed_and_it_is_said() -> None:
    state = asked(app_state(ONE, TWO, THREE))
    answer = messages.StatusesRead("work", ("DEMO-1",), {}, "cannot reach it")
    assert after(state, replace(answer, keys=("DEMO-9",))) == state

    state = after(state, answer)

    assert options(state) == [("Done", "", ""), ("To Do", "now", "")]
    assert state.notice == (
        "These are the statuses in your files; Jira was not asked: cannot reach it"
    )
    assert state.is_notice_bad


def test_without_an_answer_and_a_status_in_a_file_there_is_nothing_to_choose() -> None:
    state = asked(app_state(Ticket("One", "DEMO-1")))
    state = after(state, messages.StatusesRead("work", ("DEMO-1",), {}, "cannot reach it"))
    assert (state.overlays, state.notice) == ((), "cannot reach it")


@pytest.mark.parametrize("allowed", [("Done", "in review"), ("Done",), ()])
def test_the_status_of_the_last_sync_can_be_taken_again(allowed: tuple[str, ...]) -> None:
    state = app_state(ONE)
    assert state.row is not None
    sheet = sheet_of(ONE, "DEMO-1.md", (Edit("Status", "In Review", "To Do"),))
    state = asked(replace(state, ticket=OpenTicket("work", state.row.order, sheet)))
    state = after(state, messages.StatusesRead("work", ("DEMO-1",), {"DEMO-1": allowed}))

    names = [words for words, _, _ in options(state)]
    assert names == [*allowed] if "in review" in allowed else [*allowed, "In Review"]
    if names[-1] == "In Review":
        assert options(state)[-1][1] == "at the last sync"
        _, effect = update(pressed(state, "G"), messages.KeyPressed("KEY_ENTER"), 9.0)
        change = FieldChange("Status", "In Review")
        assert effect == (effects.ChangeField("work", PLACES[0], change),)


def test_the_status_of_the_last_sync_is_that_of_the_selected_ticket() -> None:
    state = pressed(app_state(TWO, ONE), "g")
    assert state.row is not None
    sheet = sheet_of(TWO, "DEMO-3.md", (Edit("Status", "In Review", "Done"),))
    state = asked(replace(state, ticket=OpenTicket("work", ("DEMO", 3, "DEMO-3.md", 0), sheet)))
    state = after(state, messages.StatusesRead("work", ("DEMO-1",), {"DEMO-1": ("Done",)}))
    assert options(state) == [("Done", "", "")]


def test_an_issue_that_cannot_change_its_status_says_so() -> None:
    state = after(asked(app_state(ONE)), messages.StatusesRead("work", ("DEMO-1",), {"DEMO-1": ()}))
    assert (state.overlays, state.notice) == ((), "Jira allows no other status from here")


def test_t_on_a_draft_lists_the_statuses_of_the_files() -> None:
    state, effect = update(app_state(DRAFT, TWO), messages.KeyPressed("t"), 1.0)
    assert (options(state), effect) == ([("To Do", "now", ""), ("Done", "", "")], ())

    _, effect = update(state, messages.KeyPressed("KEY_ENTER"), 2.0)
    place = IssuePlace("draft.md", "", 1)
    assert effect == (effects.ChangeField("work", place, FieldChange("Status", "To Do")),)


def test_t_on_a_draft_where_no_file_has_a_status_says_so() -> None:
    state = pressed(app_state(Ticket("Idea")), "t")
    assert (state.overlays, state.notice) == ((), "No file has a status yet; e edits this one")


def broken() -> AppState:
    state = app_state()
    rows = Rows.of([row_of_broken("a.md", "it is broken", has_rows=False)])
    return state.with_workspace(replace(state.workspace, rows=rows))


@pytest.mark.parametrize("state", [app_state(), broken()])
def test_t_without_a_ticket_says_so(state: AppState) -> None:
    state = pressed(state, "t")
    assert (state.overlays, state.notice) == ((), "Select a ticket first")


def test_other_keys_do_nothing_while_jira_is_asked() -> None:
    state = pressed(asked(app_state(ONE, TWO)), "KEY_DOWN")
    assert state.notice == "↓ does nothing here; ? lists the keys"


# --- a


@pytest.mark.parametrize(("down", "parent"), [(0, None), (1, IssuePlace("DEMO-1.md", "DEMO-1"))])
@pytest.mark.parametrize("on_task", [False, True])
def test_a_asks_for_a_title_and_what_it_is_to_be(
    down: int, parent: IssuePlace | None, *, on_task: bool
) -> None:
    state = pressed(app_state(ONE), "j") if on_task else app_state(ONE)

    state = typed(pressed(state, "a"), " Pay ")
    assert state.context is Context.INPUT
    state = pressed(state, "KEY_ENTER")
    assert options(state) == [
        ("a ticket", "in a file of its own", ""),
        ("a sub-task of DEMO-1", "in its file", ""),
    ]
    state, effect = update(
        pressed(state, *["KEY_DOWN"] * down), messages.KeyPressed("KEY_ENTER"), 9.0
    )

    assert (state.overlays, effect) == ((), (effects.AddTicket("work", "Pay", parent),))


def test_a_ticket_without_a_title_is_not_added() -> None:
    state = pressed(app_state(ONE), "a", " ", "KEY_ENTER")
    assert (state.overlays, state.notice) == ((), "A ticket needs a title; nothing was added")


@pytest.mark.parametrize("state", [app_state(), broken()])
def test_a_sub_task_needs_a_ticket(state: AppState) -> None:
    state = pressed(typed(pressed(state, "a"), "Pay"), "KEY_ENTER", "KEY_DOWN", "KEY_ENTER")
    assert state.notice == "Select a ticket first"
    assert options(state)[1] == ("a sub-task", "", "Select a ticket first")


def test_a_needs_a_workspace() -> None:
    state = pressed(AppState(), "a")
    assert state.notice == "a does nothing here; ? lists the keys"


def test_what_was_added_is_selected_though_a_filter_would_hide_it() -> None:
    state = app_state(ONE, TWO, Ticket("Pay", line=3), Ticket("Pay", line=7))
    workspace = replace(state.workspace, filter=parse_filter("Two"), folded=frozenset(("DEMO-1",)))
    state = state.with_workspace(workspace)

    state = after(state, messages.TicketAdded("work", "draft.md", "Pay"))

    assert state.row is not None
    assert (state.row.title, state.row.line) == ("Pay", 7)
    assert state.workspace.filter.text == ""


def test_a_filter_that_shows_what_was_added_stays() -> None:
    state = app_state(ONE, Ticket("Pay", line=3))
    state = state.with_workspace(replace(state.workspace, filter=parse_filter("Pay")))
    state = after(state, messages.TicketAdded("work", "draft.md", "Pay"))
    assert (state.workspace.filter.text, state.row and state.row.title) == ("Pay", "Pay")


@pytest.mark.parametrize(
    "added",
    [
        messages.TicketAdded("other", "draft.md", "Pay"),
        messages.TicketAdded("work", "gone.md", "Pay"),
    ],
)
def test_what_is_not_there_is_not_selected(added: messages.TicketAdded) -> None:
    state = app_state(ONE, Ticket("Pay", line=3))
    assert after(state, added).workspace == state.workspace


# --- m


def test_m_asks_for_a_comment_and_writes_it() -> None:
    state = typed(pressed(app_state(ONE, TWO), "m"), "Looks good ")
    assert any("comment:" in row for row in shown(state))

    state, effect = update(state, messages.KeyPressed("KEY_ENTER"), 1.0)

    assert effect == (effects.AddComment("work", PLACES[0], "Looks good"),)
    assert state.overlays == ()


def test_a_comment_without_a_text_is_not_written() -> None:
    state, effect = update(pressed(app_state(ONE), "m"), messages.KeyPressed("KEY_ENTER"), 1.0)

    assert (effect, state.notice) == ((), "A comment needs a text; nothing was added")


@pytest.mark.parametrize("state", [app_state(), broken()])
def test_a_comment_needs_a_ticket(state: AppState) -> None:
    assert pressed(state, "m").overlays == ()


def test_t_on_the_list_changes_the_chosen_tickets_and_in_a_ticket_that_one() -> None:
    state = pressed(app_state(ONE, TWO, THREE), "G", " ", "g", " ", "g")
    asking, effect = update(state, messages.KeyPressed("t"), 9.0)
    assert effect == (effects.AskStatuses("work", ("DEMO-1", "DEMO-4")),)
    assert any("Status of 2 chosen tickets" in row for row in shown(asking))

    _, effect = update(pressed(state, "KEY_ENTER"), messages.KeyPressed("t"), 9.0)
    assert effect == (effects.AskStatuses("work", ("DEMO-1",)),)


def test_j_k_g_and_page_keys_move_in_a_list_to_choose_from() -> None:
    state = after(
        asked(app_state(ONE, TWO)),
        messages.StatusesRead("work", ("DEMO-1",), {"DEMO-1": ("A", "B", "C")}),
    )
    for key, at in (("j", 1), ("G", 2), ("k", 1), ("g", 0), ("KEY_PGDOWN", 2)):
        state = pressed(state, key)
        top = state.overlays[-1]
        assert isinstance(top, Choice)
        assert top.at == at


def test_the_list_of_statuses_names_the_status_of_now() -> None:
    assert any("Status of DEMO-1, now To Do" in row for row in shown(asked(app_state(ONE))))


def test_where_no_comments_are_kept_m_says_so_before_one_is_typed() -> None:
    state = app_state(ONE)
    opened = messages.WorkspaceOpened("work", "jira.example", "DEMO", keeps_comments=False)
    state = pressed(after(state, opened), "m")
    assert (state.overlays, state.notice) == ((), NO_COMMENTS)
    kept = messages.WorkspaceOpened("work", "jira.example", "DEMO", keeps_comments=True)
    assert pressed(after(state, kept), "m").context is Context.INPUT


def test_a_line_to_type_names_its_keys_and_what_can_be_typed_as_far_as_there_is_room() -> None:
    state = pressed(app_state(ONE), "f")
    assert shown(state)[-2].endswith(
        "words  status=Done  @person  edited   Tab lists   Enter takes it   Esc leaves"
    )
    title = pressed(app_state(ONE), "a", *"New")
    assert shown(title)[-2].startswith(" title: New")
    assert shown(title)[-2].endswith("  Enter takes it   Esc leaves")
    assert shown(replace(state, width=50))[-2].endswith("words  status=Done  @person  edited")
    assert shown(replace(title, width=20))[-2] == " title: New▏"


# --- what could not be written


FAILED = f"cannot write {'a/' * 30}DEMO-1.md: Operation not permitted; let your account write it"


def test_a_title_that_could_not_be_written_is_there_again_with_the_error() -> None:
    asked_for = effects.AddTicket("work", "Pay in time", PLACES[0])

    state = after(app_state(ONE, TWO), messages.NotWritten("work", asked_for, FAILED))

    assert state.context is Context.INPUT
    rows = shown(state)
    assert rows[-2].startswith(" title: Pay in time▏")
    assert " ".join(f"{rows[-5]}{rows[-4]}".split()) == FAILED
    assert state.log[-1] == FAILED
    changed = typed(state, "!")
    assert "cannot write" not in "".join(shown(changed))
    again = pressed(state, "KEY_ENTER")
    assert [words for words, _, _ in options(again)] == ["a ticket", "a sub-task of DEMO-1"]
    _, effect = update(pressed(again, "KEY_DOWN"), messages.KeyPressed("KEY_ENTER"), 1.0)
    assert effect == (asked_for,)


@pytest.mark.parametrize("parent", [None, IssuePlace("gone.md", "DEMO-99")])
def test_a_title_whose_ticket_is_gone_can_still_become_a_ticket(parent: IssuePlace | None) -> None:
    failed = messages.NotWritten("work", effects.AddTicket("work", "Pay", parent), "no")

    state = pressed(after(app_state(), failed), "KEY_ENTER")

    assert [refused for _, _, refused in options(state)] == ["", "Select a ticket first"]
    _, effect = update(state, messages.KeyPressed("KEY_ENTER"), 1.0)
    assert effect == (effects.AddTicket("work", "Pay", None),)


def test_a_comment_comes_back_below_what_was_opened_since() -> None:
    asked_for = effects.AddComment("work", PLACES[0], "Looks good")
    state = pressed(app_state(ONE, TWO), "a", "x")

    state = after(state, messages.NotWritten("work", asked_for, "no"))

    assert " title: x▏" in shown(state)[-2]
    state = pressed(state, "KEY_ESCAPE")
    assert " comment: Looks good▏" in shown(state)[-2]
    _, effect = update(state, messages.KeyPressed("KEY_ENTER"), 1.0)
    assert effect == (asked_for,)
