"""Changes of chosen tickets in Jira itself: what is asked, the plan, and the count of a deletion."""

from __future__ import annotations

import pytest
from fakes.screens import plain
from fakes.states import after, app_state, pressed

from ticketr.app.sync import BulkChange, BulkIssue, FieldSetting
from ticketr.app.tickets import Ticket
from ticketr.app.tui import effects, messages
from ticketr.app.tui.job_request import BulkRequest, JobKind, JobRequest
from ticketr.app.tui.keymap import Context
from ticketr.app.tui.overlays.bulk_plan import AskingIssues, BulkPlan
from ticketr.app.tui.overlays.reading_time import LOOK
from ticketr.app.tui.screen import screen
from ticketr.app.tui.state import AppState
from ticketr.app.tui.theme import Theme
from ticketr.app.tui.update import update

KEYS = ("DEMO-1", "DEMO-3")
FOUND = (
    BulkIssue("1", "DEMO-1", "One \x1b[2J", "To Do", "10", ("2", "4")),
    BulkIssue("3", "DEMO-3", "Two", "Done", "10"),
)
DELETE = BulkChange(delete=True)


def chosen() -> AppState:
    tickets = (Ticket("One", "DEMO-1", fields={"Status": "To Do"}), Ticket("Two", "DEMO-3"))
    return pressed(app_state(*tickets, Ticket("Idea", line=1)), " ", " ", " ", "b")


def at(state: AppState, option: int) -> AppState:
    return pressed(state, *["KEY_DOWN"] * option)


def entered(state: AppState, now: float = 99.0) -> tuple[AppState, tuple[effects.Effect, ...]]:
    return update(state, messages.KeyPressed("KEY_ENTER"), now)


def asked(option: int, *keys: str) -> AppState:
    state, effect = entered(pressed(at(chosen(), option), *keys))
    assert effect == (effects.AskIssues("work", KEYS),)
    return state


def planned(option: int = 8, *keys: str) -> AppState:
    return after(asked(option, *keys), messages.IssuesRead("work", KEYS, FOUND))


def shown(state: AppState) -> str:
    return "\n".join(plain(row) for row in screen(state, 1.0, Theme()))


def job(change: BulkChange, *issues: BulkIssue) -> effects.StartJob:
    return effects.StartJob("work", JobRequest(JobKind.BULK, bulk=BulkRequest(issues, change)))


def test_the_key_offers_what_is_done_in_jira_beside_what_is_done_in_the_files() -> None:
    text = shown(chosen())
    for words in (
        "move to a status",
        "move under a parent",
        "set a field",
        "delete with sub-tasks",
    ):
        assert any(words in row and "in Jira, at once" in row for row in text.splitlines())


def test_drafts_alone_are_not_changed_in_jira() -> None:
    state = pressed(app_state(Ticket("Idea", line=1)), " ", "b")
    state, effect = entered(at(state, 7))
    assert (effect, state.notice) == ((), "Jira has none of them")


def test_a_status_is_chosen_among_those_that_jira_allows() -> None:
    state, effect = entered(at(chosen(), 5))
    (ask,) = effect
    assert isinstance(ask, effects.AskStatuses)
    answers = dict.fromkeys(ask.keys, ("Done",))
    state = after(state, messages.StatusesRead("work", ask.keys, answers, ""))

    state, effect = entered(state)
    assert effect == (effects.AskIssues("work", KEYS),)
    state = after(state, messages.IssuesRead("work", KEYS, FOUND))
    assert "Enter: move to the status Done, 2 tickets in Jira" in shown(state)
    assert "\x1b[2J" not in shown(state)

    state, effect = entered(pressed(state, "KEY_DOWN", " "))
    assert effect == (job(BulkChange(status="Done"), FOUND[0]),)
    assert state.overlays == ()


def test_the_key_of_a_parent_is_asked_and_checked() -> None:
    state = pressed(at(chosen(), 6), "KEY_ENTER", *"../x", "KEY_ENTER")
    assert (state.context, state.notice) == (
        Context.INPUT,
        "The key of a ticket is needed, such as DEMO-1; Esc goes back",
    )
    state, effect = entered(pressed(state, "KEY_CTRL_U", *"demo-9"))
    assert effect == (effects.AskIssues("work", KEYS),)
    state = after(state, messages.IssuesRead("work", KEYS, FOUND))
    assert entered(state)[1] == (job(BulkChange(parent="DEMO-9"), *FOUND),)


def test_a_deletion_names_the_count_with_sub_tasks_and_needs_it_typed() -> None:
    state = planned()
    text = " ".join(shown(state).split())
    assert "Enter deletes 2 tickets in Jira and 2 sub-tasks of theirs. This cannot" in text
    rows = [row.rstrip() for row in shown(state).splitlines() if "DEMO-" in row]
    assert rows[-2:] == ["▌ * DEMO-1  To Do  One   with 2 sub-tasks", "  * DEMO-3  Done   Two"]

    state, effect = entered(state)
    assert (effect, state.context) == ((), Context.INPUT)
    assert "type 4 to delete 4 tickets for ever:" in shown(state)
    wrong, effect = entered(pressed(state, "2"))
    assert (effect, wrong.notice) == ((), "Nothing was deleted: that is not 4")
    assert isinstance(wrong.overlays[-1], BulkPlan)
    assert entered(pressed(state))[1] == ()
    assert isinstance(pressed(state, "KEY_ESCAPE").overlays[-1], BulkPlan)

    state, effect = entered(pressed(state, "4"))
    assert (effect, state.overlays) == ((job(DELETE, *FOUND),), ())


def test_an_issue_that_is_left_out_takes_its_sub_tasks_out_of_the_count() -> None:
    state = pressed(planned(), " ")
    assert "Enter deletes 1 ticket in Jira. This cannot be undone" in shown(state)
    assert "type 1 to delete 1 ticket for ever:" in shown(entered(state)[0])

    state = pressed(state, "KEY_DOWN", " ")
    assert "every ticket is left out" in shown(state)
    state, effect = entered(state)
    assert (effect, state.notice) == ((), "Nothing to change; Esc goes back")


def test_keys_that_come_before_the_plan_was_read_do_nothing() -> None:
    state = planned()
    plan = state.overlays[-1]
    assert isinstance(plan, BulkPlan)
    early, effect = entered(state, plan.shown_at + LOOK / 2)
    assert (effect, early.notice) == ((), "Read the plan first; then Enter carries it out")
    waiting, effect = entered(asked(8))
    assert (effect, waiting.notice) == ((), "Jira has not answered yet; Esc goes back")
    assert "Asking Jira for 2 tickets..." in shown(waiting)
    unknown = pressed(state, "e")
    assert "does nothing here" in unknown.notice
    assert update(asked(8), messages.KeyPressed("KEY_ESCAPE"), 9.0)[1] == (
        effects.StopAsking("work"),
    )


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (messages.IssuesRead("work", KEYS, (), "Jira does not have DEMO-3"), "not have DEMO-3"),
        (messages.IssuesRead("work", KEYS), "Jira has none of them"),
    ],
)
def test_without_the_issues_nothing_is_changed(answer: messages.IssuesRead, words: str) -> None:
    state = after(asked(8), answer)
    assert (state.overlays, state.is_notice_bad) == ((), True)
    assert state.notice.startswith("Nothing was changed: ")
    assert state.notice.endswith(words)
    other = messages.IssuesRead("work", ("DEMO-9",), FOUND)
    assert isinstance(after(asked(8), other).overlays[-1], AskingIssues)


@pytest.mark.parametrize(("width", "height"), [(20, 5), (40, 10), (200, 60)])
def test_the_plan_fits_every_size(width: int, height: int) -> None:
    state = after(planned(), messages.Resized(width, height))
    assert len(screen(state, 1.0, Theme())) == height


@pytest.mark.parametrize(
    ("typed", "shown_as"),
    [
        ("Priority=High", "set Priority=High"),
        ("Fix versions+=2026.1", "set Fix versions+=2026.1"),
        ("Due date=", "set Due date="),
    ],
)
def test_any_field_is_set_in_jira_after_the_plan(typed: str, shown_as: str) -> None:
    state = planned(7, "KEY_ENTER", *typed)

    assert f"Enter: {shown_as}, 2 tickets in Jira" in shown(state)
    setting = FieldSetting.read(typed)
    assert setting is not None
    _, effect = entered(state)
    assert effect == (job(BulkChange(settings=(setting,)), *FOUND),)


def test_what_is_no_field_and_value_can_be_typed_again() -> None:
    state, effect = entered(pressed(at(chosen(), 7), "KEY_ENTER", *"Priority"))

    assert effect == ()
    assert (
        state.notice == "Write it like Priority=High, Labels+=urgent or Labels-=old; Esc goes back"
    )
    state, effect = entered(pressed(state, *"=Low"))
    assert effect == (effects.AskIssues("work", KEYS),)
