"""What is done with all chosen tickets: what it asks Jira, its plan, and the count of a deletion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.states import after, app_state, plain, pressed
from rows import for_each

from ticketr.app.jira import Credentials
from ticketr.app.sync import (
    BulkChange,
    BulkIssue,
    FieldSetting,
    FileEdit,
    FileEditPlan,
    IssuePlace,
    ListAction,
    LogWorkJob,
)
from ticketr.app.tickets import Ticket, UserAndFieldNames
from ticketr.app.tui import messages
from ticketr.app.tui.effects import JobKind, JobRequest, ServiceCall, call, call_in
from ticketr.app.tui.keymap import Context
from ticketr.app.tui.overlays.base import ENTER_IGNORED_SECONDS
from ticketr.app.tui.overlays.questions import Choice, Loading
from ticketr.app.tui.overlays.review import Deletion, FileEdits
from ticketr.app.tui.rows import Rows, row_of_broken
from ticketr.app.tui.screen import draw_screen
from ticketr.app.tui.services.asking import (
    ask_allowed_values_and_if_all,
    ask_bulk_issues,
    ask_statuses,
    stop_asking,
)
from ticketr.app.tui.services.edits import (
    IssueFieldPairs,
    carry_out_edits,
    change_field,
    plan_edits,
)
from ticketr.app.tui.services.jobs import ask_to_attach, start_job
from ticketr.app.tui.services.outside import copy_addresses, copy_text, open_browser, open_editor
from ticketr.app.tui.services.workspaces import job_for
from ticketr.app.tui.state import SWALLOW_TYPED_WORD_SECONDS, AppState
from ticketr.app.tui.styled import Theme
from ticketr.app.tui.update import update
from ticketr.terminal import Key

ONE = Ticket("One", "DEMO-1", fields={"Status": "To Do"}, tasks=(Ticket("Sub", "DEMO-2"),))
TWO = Ticket("Two", "DEMO-3", fields={"Status": "Done"})
THREE = Ticket("Three", "DEMO-4", fields={"Status": "Done"})
PLACES = (IssuePlace("DEMO-1.md", "DEMO-1"), IssuePlace("DEMO-3.md", "DEMO-3"))
EDITS = tuple(
    FileEdit(each.key, title, each.path, 1, "Labels", "", "x")
    for each, title in zip(PLACES, ("One", "Two"), strict=True)
)
PLAN = FileEditPlan(EDITS, {"DEMO-1.md": "d1", "DEMO-3.md": "d3"})


def shown(state: AppState) -> list[str]:
    return [plain(row).rstrip() for row in draw_screen(state, 1.0, Theme())]


def typed(state: AppState, text: str) -> AppState:
    return pressed(state, *text)


def options(state: AppState) -> list[tuple[str, str, str]]:
    top = state.overlays[-1]
    assert isinstance(top, Choice)
    return [(each.label, each.facts, each.refusal) for each in top.options]


def two_chosen() -> AppState:
    return pressed(app_state(ONE, TWO, THREE), " ", "j", " ")


def change(
    field: str = "Labels", text: str = "x", how: ListAction = ListAction.ADD
) -> FieldSetting:
    return FieldSetting(field, text, how)


CHANGES = tuple((each, FieldSetting("Labels", "x", ListAction.ADD)) for each in PLACES)


def edits_planned(
    changes: IssueFieldPairs, plan: FileEditPlan | None, problem: str = ""
) -> messages.CallEnded:
    return messages.CallEnded(call_in("work", plan_edits, changes), plan, problem)


def issues_read(
    keys: tuple[str, ...], issues: tuple[BulkIssue, ...] = (), problem: str = ""
) -> messages.CallEnded:
    return messages.CallEnded(call_in("work", ask_bulk_issues, keys), issues, problem)


def statuses(keys: tuple[str, ...], answer: Mapping[str, tuple[str, ...]]) -> messages.CallEnded:
    return messages.CallEnded(call_in("work", ask_statuses, keys), answer)


def planned() -> AppState:
    state = pressed(two_chosen(), "L", "x")
    state, effect = update(state, Key("KEY_ENTER"), 9.0)
    changes = tuple((each, change()) for each in PLACES)
    assert effect == (call_in("work", plan_edits, changes),)
    assert shown(state)[1] == " Reading the files..."
    assert pressed(state, "KEY_ENTER").overlays == state.overlays
    state, effect = update(state, edits_planned(changes, PLAN), 10.0)
    assert effect == ()
    return state


def test_space_says_how_many_are_chosen() -> None:
    state = two_chosen()
    assert state.workspace.chosen_ids == {"DEMO-1", "DEMO-3"}
    assert state.notice == "2 chosen; b changes them, Esc lets them go"
    for at_one in (pressed(state, "g"), pressed(state, "G")):  # also below the cursor
        assert sum(row.startswith("√") for row in shown(at_one)) == 2
    state = pressed(pressed(app_state(ONE), " "), "g", " ")
    assert (state.workspace.chosen_ids, state.notice) == (frozenset(), "")


def test_b_without_chosen_tickets_changes_the_selected_one() -> None:
    state = pressed(app_state(ONE, TWO), "G", "b")
    assert any("Change DEMO-3" in row for row in shown(state))

    state = pressed(state, *"add or", "KEY_ENTER")
    state, effect = entered(typed(state, "x"))
    assert (state.overlays, effect) == ((), (call_in("work", change_field, PLACES[1], change()),))


@for_each("key", ["b", "i", "L", "!", "I", "U", "v", "t", "m", "F", "w"])
def test_a_verb_without_a_ticket_says_so(key: str) -> None:
    state = pressed(app_state(), key)
    assert (state.overlays, state.notice) == ((), "Select a ticket first")


@pytest.mark.parametrize(
    ("key", "text", "wanted"),
    [
        ("L", " x ", change()),
        ("i", "nobody", change("Assignee", "", ListAction.REPLACE)),
        ("i", "Amara Okafor", change("Assignee", "Amara Okafor", ListAction.REPLACE)),
        ("!", "High", change("Priority", "High", ListAction.REPLACE)),
        ("v", "2026.1", change("Fix Version", "2026.1")),
        ("I", "no sp", change("Sprint", "", ListAction.REPLACE)),
        ("U", "demo-4", change("Parent", "DEMO-4", ListAction.REPLACE)),
    ],
)
def test_a_verb_changes_all_chosen_tickets_after_a_plan(
    key: str, text: str, wanted: FieldSetting
) -> None:
    state, effect = entered(typed(pressed(two_chosen(), key), text))
    changes = tuple((each, wanted) for each in PLACES)
    assert effect == (call_in("work", plan_edits, changes),)
    assert state.overlays == (FileEdits("work", changes),)


def test_a_verb_changes_the_file_of_the_selected_ticket_at_once() -> None:
    state, effect = entered(typed(pressed(app_state(ONE, TWO), "!"), "High"))
    wanted = change("Priority", "High", ListAction.REPLACE)
    assert (state.overlays, effect) == ((), (call_in("work", change_field, PLACES[0], wanted),))


def test_in_the_open_ticket_a_verb_changes_that_one_alone() -> None:
    state, effect = entered(typed(pressed(two_chosen(), "3", "L"), "x"))
    assert state.overlays == ()
    assert effect == (call_in("work", change_field, IssuePlace("DEMO-4.md", "DEMO-4"), change()),)


SIX = tuple(Ticket(f"Number {at}", f"DEMO-{at}") for at in range(1, 7))
DRAFT = Ticket("Idea", line=1)


def test_chosen_tickets_are_opened_and_copied_together() -> None:
    chosen = pressed(app_state(*SIX[:5], DRAFT), "A")
    keys = tuple(ticket.key or "" for ticket in SIX[:5])
    copied = call(copy_text, "DEMO-1 DEMO-2 DEMO-3 DEMO-4 DEMO-5", "the keys of 5 tickets")
    for key, wanted in (
        ("o", (call_in("work", open_browser, keys),)),
        ("y", (copied,)),
        ("Y", (call_in("work", copy_addresses, keys),)),
    ):
        state, effect = update(chosen, Key(key), 9.0)
        assert (state.overlays, effect) == ((), wanted)

    here = pressed(chosen, "3")  # in the open ticket: that one
    assert update(pressed(here, "]"), Key("y"), 9.0)[1] == (call(copy_text, "DEMO-1", "DEMO-1"),)
    draft = pressed(app_state(DRAFT), "y")
    words = "Jira does not have this ticket yet; p shows what a push would create"
    assert draft.notice == words


def test_many_tickets_are_opened_after_a_question() -> None:
    state = pressed(app_state(*SIX), "A", "o")
    assert "6 tickets are opened in the browser" in " ".join(screen_text(state).split())
    assert pressed(state, "KEY_ESCAPE").overlays == ()
    state, effect = entered(state, 99.0)
    keys = tuple(ticket.key or "" for ticket in SIX)
    assert (state.overlays, effect) == ((), (call_in("work", open_browser, keys),))


@pytest.mark.parametrize("key", ["F", "w"])
def test_what_goes_to_jira_at_once_needs_a_ticket_that_jira_has(key: str) -> None:
    state = pressed(app_state(Ticket("Idea", line=1)), key)
    words = "Jira does not have this ticket yet; p shows what a push would create"
    assert state.notice == words


def test_work_is_logged_after_a_question() -> None:
    state, effect = entered(typed(pressed(two_chosen(), "w"), "1d 4H wrote the tests"), 8.0)
    assert (effect, state.context) == ((), Context.QUESTION)
    text = " ".join(screen_text(state).split())
    assert "1d 4h “wrote the tests” is logged on each of 2 tickets in Jira" in text

    early, effect = entered(state, 1.0)
    assert (effect, early.notice) == ((), "Read the question first")
    _, effect = entered(state)
    requests = [
        JobRequest(
            JobKind.WORKLOG,
            (key,),
            {"key": key, "time_spent": "1d 4h", "comment": "wrote the tests"},
        )
        for key in KEYS
    ]
    assert effect == tuple(call_in("work", start_job, request) for request in requests)
    login = Credentials("https://h.example", "p@h.example", "token")
    for request in requests:  # its options are those that the job takes
        made = job_for({"root": Path(), "credentials": login}, request, lambda _: None)
        assert isinstance(made, LogWorkJob)
        assert (made.key, made.time_spent, made.comment) == tuple(request.options.values())


def test_work_without_a_time_can_be_typed_again() -> None:
    state, effect = entered(typed(pressed(app_state(ONE), "w"), "soon"))
    assert (effect, state.context) == ((), Context.INPUT)
    assert "write the time like 2h, 1d 4h or 1h 30m" in screen_text(state)
    assert "time, and a text: soon" in screen_text(state)
    state = pressed(state, "KEY_CTRL_U", *"2h")
    assert " 2h is logged on DEMO-1" in screen_text(entered(state)[0])


def test_a_file_to_attach_is_looked_for_and_can_be_typed_again() -> None:
    state = pressed(app_state(ONE), "F")
    assert (entered(state)[1], entered(state)[0].notice) == ((), "Nothing was attached")
    state, effect = entered(typed(state, "~/shot.png"))
    asked = call_in("work", ask_to_attach, ("DEMO-1",), "~/shot.png")
    assert effect == (asked,)

    state = after(state, messages.CallEnded(effect[0], problem="there is no file /shot.png"))
    assert "file for DEMO-1: ~/shot.png" in screen_text(state)
    assert "there is no file /shot.png" in screen_text(state)


def test_a_label_with_a_blank_can_be_typed_again() -> None:
    state, effect = entered(typed(pressed(two_chosen(), "L"), "two words"))
    assert (state.context, state.notice, effect) == (Context.CHOICE, "A label has no blanks", ())
    assert any(" > two words" in row for row in shown(state))


def test_a_sub_task_has_no_parent_to_choose() -> None:
    state = pressed(app_state(ONE), "j", "U")
    assert state.overlays == ()
    assert state.notice.startswith("The parent of a sub-task is the ticket of its file")


def test_a_parent_is_not_offered_itself_as_its_parent() -> None:
    state = app_state(ONE, replace(TWO, fields={"Parent": "DEMO-1"}))
    own, other = options(pressed(state, "U")), options(pressed(state, "j", "j", "U"))
    assert not [label for label, _, _ in own if label.startswith("DEMO-1")]
    assert [label for label, _, _ in other if label.startswith("DEMO-1")] == ["DEMO-1  One"]


def test_without_sprints_in_the_tickets_the_ticket_can_leave_its_sprint() -> None:
    assert options(pressed(app_state(ONE), "I")) == [("no sprint", "", "")]
    moved = app_state(ONE, replace(TWO, fields={"Sprint": "Harbour 7, Harbour 8"}))
    sprints = [words for words, _, _ in options(pressed(moved, "I"))]
    assert sprints == ["Harbour 7", "Harbour 8", "no sprint"]  # an issue moves to one of them


def test_the_plan_shows_each_edit_and_enter_carries_it_out() -> None:
    state = planned()

    rows = shown(state)
    assert rows[0].startswith(" ticketr  Change tickets of work")
    assert rows[0].endswith("nothing is written until Enter")
    assert rows[1] == " Enter changes 2 tickets in 2 files; nothing goes to Jira"
    assert rows[2].split() == ["▌", "*", "DEMO-1", "One", "DEMO-1.md:1"]
    assert rows[3].strip() == "Labels: none → x"
    early, effect = update(state, Key("KEY_ENTER"), 10.0 + ENTER_IGNORED_SECONDS / 2)
    assert (early.notice, effect) == ("Read the plan first; then Enter carries it out", ())
    state, effect = update(state, Key("KEY_ENTER"), 10.0 + ENTER_IGNORED_SECONDS)
    assert (state.overlays, effect) == ((), (call_in("work", carry_out_edits, PLAN),))
    assert state.workspace.chosen_ids == {"DEMO-1", "DEMO-3"}
    assert after(state, messages.CallEnded(effect[0], True)).workspace.chosen_ids == frozenset()


def test_an_enter_of_a_typed_word_carries_no_edits_out() -> None:
    state = pressed(planned(), "z", now=20.0)  # a key without a meaning: somebody types

    early, effect = update(
        state, Key("KEY_ENTER"), 20.0 + SWALLOW_TYPED_WORD_SECONDS + ENTER_IGNORED_SECONDS / 2
    )
    assert (early.overlays, effect) == (state.overlays, ())
    _, effect = update(
        state, Key("KEY_ENTER"), 20.0 + SWALLOW_TYPED_WORD_SECONDS + ENTER_IGNORED_SECONDS
    )
    assert effect == (call_in("work", carry_out_edits, PLAN),)


def test_space_leaves_an_edit_of_the_plan_out() -> None:
    state = pressed(planned(), "KEY_DOWN", " ", now=11.0)
    assert shown(state)[1] == " Enter changes 1 ticket in 1 file; nothing goes to Jira"
    assert shown(state)[5] == "     left out; Space takes it in again"

    _, effect = update(state, Key("KEY_ENTER"), 20.0)
    kept = FileEditPlan(EDITS[:1], {"DEMO-1.md": "d1"})
    assert effect == (call_in("work", carry_out_edits, kept),)

    moved = FileEditPlan(
        (EDITS[0], replace(EDITS[1], title_line=5, value_before="y")), PLAN.digests_by_path
    )
    assert shown(after(state, edits_planned(CHANGES, moved)))[5].startswith("     left out;")


def test_a_plan_that_could_not_be_carried_out_keeps_what_was_chosen() -> None:
    state, (asked,) = update(planned(), Key("KEY_ENTER"), 20.0)
    assert state.overlays == ()

    failed = messages.CallEnded(asked, problem="cannot write DEMO-3.md: no")
    state, effect = update(state, failed, 21.0)

    assert effect == ()
    assert state.notice == "cannot write DEMO-3.md: no"
    assert state.workspace.chosen_ids == {"DEMO-1", "DEMO-3"}


def test_e_edits_the_file_of_the_plan_and_it_is_made_again() -> None:
    state, effect = update(planned(), Key("e"), 11.0)
    assert effect == (call_in("work", open_editor, "DEMO-1.md", 1),)

    read = messages.FilesRead("work", state.workspace.rows)
    changes = tuple((each, change()) for each in PLACES)
    state, effect = update(state, read, 12.0)
    assert call_in("work", plan_edits, changes) in effect

    same = after(state, edits_planned(changes, PLAN)).overlays[-1]
    assert same == state.overlays[-1]
    state, _ = update(state, edits_planned(changes, FileEditPlan((), {})), 13.0)
    assert shown(state)[1] == " Nothing to change; 2 say so already"
    assert pressed(state, "e", now=14.0).notice == "e does nothing here; ? lists the keys"


def test_a_plan_that_cannot_be_made_closes_and_says_why() -> None:
    state = planned()
    changes = tuple((each, change()) for each in PLACES)
    state = after(state, edits_planned(changes, None, "a.md is gone"))
    assert (state.overlays, state.notice, state.is_notice_bad) == ((), "a.md is gone", True)


def test_other_messages_leave_the_plan() -> None:
    state = planned()
    assert after(state, messages.FollowSelectionDue()).overlays == state.overlays


def valued() -> AppState:
    """Return three chosen tickets with fields; two of them are alike for Jira."""
    one = Ticket(
        "One", "DEMO-1", fields={"Type": "Bug", "Status": "To Do", "Assignee": "Amara Okafor"}
    )
    two = replace(one, title="Two", key="DEMO-2", fields={**one.fields, "Labels": "a, b"})
    three = Ticket("Three", "DEMO-3", fields={"Status": "Done", "Labels": "a", "Priority": "High"})
    four = Ticket("Four", "DEMO-4", fields={"Labels": "c", "Priority": "Low", "Assignee": "Zoë"})
    return pressed(app_state(one, two, three, four), " ", " ", " ")


VALUED = tuple(IssuePlace(f"DEMO-{at}.md", f"DEMO-{at}") for at in (1, 2, 3))


def read(state: AppState, key: str, field: str, *values: str, is_whole: bool = True) -> AppState:
    return after(
        state,
        messages.CallEnded(
            call_in("work", ask_allowed_values_and_if_all, (key, field)), (values, is_whole)
        ),
    )


@pytest.mark.parametrize(
    ("key", "listed", "down", "wanted"),
    [
        ("L", [("a", "2 tickets"), ("b", "1 ticket"), ("c", "1 ticket")], 1, change(text="b")),
        (
            "i",
            [
                ("Amara Okafor", "in 2 tickets here"),
                ("Zoë", "in 1 ticket here"),
                ("nobody", ""),
            ],
            1,
            change("Assignee", "Zoë", ListAction.REPLACE),
        ),
        (
            "!",
            [("High", "in 1 ticket here"), ("Low", "in 1 ticket here")],
            1,
            change("Priority", "Low", ListAction.REPLACE),
        ),
    ],
)
def test_the_values_of_the_tickets_are_listed_at_once(
    key: str, listed: list[tuple[str, str]], down: int, wanted: FieldSetting
) -> None:
    state = pressed(valued(), key)
    assert [each[:2] for each in options(state)] == listed

    _, effect = entered(pressed(state, *["KEY_DOWN"] * down))
    assert effect == (call_in("work", plan_edits, tuple((each, wanted) for each in VALUED)),)


def test_a_label_that_all_have_is_removed() -> None:
    state = pressed(valued(), "KEY_ESCAPE", "g", "j", "L")
    assert options(state)[:2] == [("a", "Enter removes it", ""), ("b", "Enter removes it", "")]
    _, effect = entered(pressed(state, "b"))
    removed = change(text="b", how=ListAction.REMOVE)
    assert effect == (call_in("work", change_field, VALUED[1], removed),)


def test_the_user_is_the_first_person_then_the_present_one() -> None:
    state = app_state(ONE, replace(TWO, fields={"Assignee": "Amara Okafor"}))
    workspace = replace(state.workspace, filter_names=UserAndFieldNames("Demo User"))
    state = pressed(state.with_workspace(workspace), "G", "i")
    assert options(state) == [
        ("Demo User", "me", ""),
        ("Amara Okafor", "now", ""),
        ("nobody", "", ""),
    ]
    mine = change("Assignee", "Demo User", ListAction.REPLACE)
    assert entered(state)[1] == (call_in("work", change_field, PLACES[1], mine),)


def test_what_jira_lists_takes_the_place_of_what_is_in_the_files() -> None:
    state, effect = update(valued(), Key("!"), 9.0)
    assert effect == (call_in("work", ask_allowed_values_and_if_all, ("DEMO-1", "Priority")),)
    assert read(state, "DEMO-9", "Priority", "High").overlays == state.overlays
    state = pressed(state, "KEY_DOWN")  # Low

    state = read(state, "DEMO-1", "Priority", "Highest", "High", "Medium", "Low")

    assert options(state) == [
        ("High", "1 ticket", ""),
        ("Highest", "", ""),
        ("Medium", "", ""),
        ("Low", "1 ticket", ""),
    ]
    _, effect = entered(state)
    low = tuple((each, change("Priority", "Low", ListAction.REPLACE)) for each in VALUED)
    assert effect == (call_in("work", plan_edits, low),)
    state, effect = entered(typed(state, "Urgent"))
    assert (effect, state.notice) == ((), "Nothing of that name")


def test_a_person_beyond_the_list_of_jira_can_be_typed() -> None:
    state = read(pressed(valued(), "i"), "DEMO-1", "Assignee", "Zoë", is_whole=False)
    _, effect = entered(typed(state, "Yasmin"))
    changes = tuple((each, change("Assignee", "Yasmin", ListAction.REPLACE)) for each in VALUED)
    assert effect == (call_in("work", plan_edits, changes),)


def test_without_an_answer_the_values_of_the_files_stay() -> None:
    state = pressed(valued(), "!")
    failed = messages.CallEnded(
        call_in("work", ask_allowed_values_and_if_all, ("DEMO-1", "Priority")), problem="no network"
    )
    refused = after(state, failed)
    assert refused.overlays == state.overlays
    assert refused.notice == ("These are the values in your files; Jira gave none: no network")
    assert read(state, "DEMO-1", "Priority").overlays == state.overlays
    assert update(state, Key("KEY_ESCAPE"), 9.0)[1] == (call(stop_asking, "work"),)


def test_any_field_of_the_tickets_can_be_changed() -> None:
    points = replace(ONE, fields={"Status": "To Do", "Story Points": "3"})
    state = pressed(app_state(points, TWO), "b", *"another", "KEY_ENTER")
    assert options(state) == [("Story Points", "", "")]
    state = pressed(state, "KEY_ENTER")
    assert options(state) == [("3", "now", ""), ("nothing", "", "")]
    five = change("Story Points", "5", ListAction.REPLACE)
    assert entered(typed(state, "5"))[1] == (call_in("work", change_field, PLACES[0], five),)


def test_jira_is_asked_what_one_ticket_of_each_type_and_status_can_become() -> None:
    state = pressed(valued(), "b", *"set the status")
    state, effect = entered(state, 9.0)
    keys = ("DEMO-1", "DEMO-3")
    assert effect == (call_in("work", ask_statuses, keys),)
    assert any("Asking Jira..." in row for row in shown(state))

    answer = {"DEMO-1": ("In Progress", "Done"), "DEMO-3": ("To Do", "Reopened")}
    state = after(state, statuses(keys, answer))

    assert options(state) == [
        ("In Progress", "not for DEMO-3", ""),
        ("Done", "", ""),
        ("To Do", "", ""),
        ("Reopened", "not for DEMO-1", ""),
    ]
    state, effect = update(pressed(state, "KEY_DOWN"), Key("KEY_ENTER"), 9.0)
    done = tuple((each, change("Status", "Done", ListAction.REPLACE)) for each in VALUED)
    assert (state.overlays, effect) == (
        (FileEdits("work", done),),
        (call_in("work", plan_edits, done),),
    )


def test_a_status_that_several_cannot_take_says_of_how_many() -> None:
    many = [
        Ticket(str(at), f"DEMO-{at}", fields={"Type": f"T{at}", "Status": "To Do"})
        for at in range(1, 8)
    ]
    state = pressed(app_state(*many), *[" "] * 7)
    state, (asked,) = update(state, Key("t"), 9.0)
    keys = tuple(f"DEMO-{at}" for at in range(1, 6))
    assert asked == call_in("work", ask_statuses, keys)

    answer = {key: ("Done",) if key == "DEMO-1" else ("Open",) for key in keys}
    state = after(state, statuses(keys, answer))

    assert options(state) == [
        ("Done", "not for DEMO-2 and 3 more", ""),
        ("Open", "not for DEMO-1", ""),
    ]


def test_for_drafts_the_statuses_of_the_files_are_listed() -> None:
    done = Ticket("One", "DEMO-1", fields={"Status": "Done"})
    state = pressed(app_state(Ticket("Draft"), done), " ", "t")
    assert options(state) == [("Done", "", "")]


KEYS = ("DEMO-1", "DEMO-3")
FOUND = (
    BulkIssue("1", "DEMO-1", "One \x1b[2J", "To Do", "10", ("2", "4")),
    BulkIssue("3", "DEMO-3", "Two", "Done", "10"),
)
DELETE = BulkChange(delete=True)


def chosen() -> AppState:
    tickets = (Ticket("One", "DEMO-1", fields={"Status": "To Do"}), Ticket("Two", "DEMO-3"))
    return pressed(app_state(*tickets, Ticket("Idea", line=1)), " ", " ", " ", "b")


def entered(state: AppState, now: float = 99.0) -> tuple[AppState, tuple[ServiceCall, ...]]:
    return update(state, Key("KEY_ENTER"), now)


def asked() -> AppState:
    state, effect = entered(typed(chosen(), "delete"))
    assert effect == (call_in("work", ask_bulk_issues, KEYS),)
    return state


def plan_of_jira() -> AppState:
    return after(asked(), issues_read(KEYS, FOUND))


def screen_text(state: AppState) -> str:
    return "\n".join(plain(row) for row in draw_screen(state, 1.0, Theme()))


def job(change: BulkChange, *issues: BulkIssue) -> ServiceCall:
    return call_in(
        "work", start_job, JobRequest(JobKind.BULK, options={"issues": issues, "change": change})
    )


def test_the_key_offers_what_is_done_in_jira_beside_what_is_done_in_the_files() -> None:
    rows = screen_text(chosen()).splitlines()
    assert any("delete with sub-tasks" in row and "in Jira, at once" in row for row in rows)


def test_drafts_alone_are_not_changed_in_jira() -> None:
    state = pressed(app_state(Ticket("Idea", line=1)), " ", "b")
    state, effect = entered(typed(state, "delete"))
    assert (effect, state.notice) == ((), "Jira has none of them")


def test_a_deletion_names_the_count_with_sub_tasks_and_needs_it_typed() -> None:
    state = plan_of_jira()
    text = " ".join(screen_text(state).split())
    assert "Enter deletes 2 tickets in Jira and 2 sub-tasks of theirs. This cannot" in text
    rows = [row.rstrip() for row in screen_text(state).splitlines() if "DEMO-" in row]
    assert rows[-2:] == ["▌ * DEMO-1  To Do  One   with 2 sub-tasks", "  * DEMO-3  Done   Two"]

    state, effect = entered(state)
    assert (effect, state.context) == ((), Context.INPUT)
    assert "type 4 to delete 4 tickets for ever:" in screen_text(state)
    wrong, effect = entered(pressed(state, "2"))
    assert (effect, wrong.notice) == ((), "Nothing was deleted: that is not 4")
    assert isinstance(wrong.overlays[-1], Deletion)
    assert entered(pressed(state))[1] == ()
    assert isinstance(pressed(state, "KEY_ESCAPE").overlays[-1], Deletion)

    state, effect = entered(pressed(state, "4"))
    assert (effect, state.overlays) == ((job(DELETE, *FOUND),), ())


def test_an_issue_that_is_left_out_takes_its_sub_tasks_out_of_the_count() -> None:
    state = pressed(plan_of_jira(), " ")
    assert "Enter deletes 1 ticket in Jira. This cannot be undone" in screen_text(state)
    assert "type 1 to delete 1 ticket for ever:" in screen_text(entered(state)[0])

    state = pressed(state, "KEY_DOWN", " ")
    assert "every ticket is left out" in screen_text(state)
    state, effect = entered(state)
    assert (effect, state.notice) == ((), "Nothing to delete; Esc goes back")


def test_keys_that_come_before_the_plan_was_read_do_nothing() -> None:
    state = plan_of_jira()
    plan = state.overlays[-1]
    assert isinstance(plan, Deletion)
    early, effect = entered(state, plan.shown_at + ENTER_IGNORED_SECONDS / 2)
    assert (effect, early.notice) == ((), "Read the plan first; then Enter carries it out")
    waiting, effect = entered(asked())
    assert (effect, waiting.notice) == ((), "Jira has not answered yet; Esc goes back")
    assert "Asking Jira for 2 tickets..." in screen_text(waiting)
    unknown = pressed(state, "e")
    assert "does nothing here" in unknown.notice
    assert update(asked(), Key("KEY_ESCAPE"), 9.0)[1] == (call(stop_asking, "work"),)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (issues_read(KEYS, (), "Jira does not have DEMO-3"), "not have DEMO-3"),
        (issues_read(KEYS), "Jira has none of them"),
    ],
)
def test_without_the_issues_nothing_is_changed(answer: messages.CallEnded, words: str) -> None:
    state = after(asked(), answer)
    assert (state.overlays, state.is_notice_bad) == ((), True)
    assert state.notice.startswith("Nothing was deleted: ")
    assert state.notice.endswith(words)
    other = issues_read(("DEMO-9",), FOUND)
    assert isinstance(after(asked(), other).overlays[-1], Loading)


def test_a_plan_that_comes_while_the_help_is_read_is_below_it() -> None:
    state = after(pressed(asked(), "KEY_F1"), issues_read(KEYS, FOUND))
    assert state.context is Context.HELP
    assert isinstance(pressed(state, "KEY_ESCAPE").overlays[-1], Deletion)


def test_all_that_the_filter_shows_are_chosen_and_let_go_by_one_key() -> None:
    state = pressed(app_state(ONE, TWO, THREE), "f", *"status=done", "KEY_ENTER", "A")
    assert state.workspace.chosen_ids == {"DEMO-3", "DEMO-4"}
    assert state.notice == "2 chosen; b changes them, Esc lets them go"
    assert pressed(state, "A").workspace.chosen_ids == frozenset()


def test_a_parent_that_is_only_above_a_hit_and_a_broken_file_are_not_chosen() -> None:
    state = pressed(app_state(ONE, TWO), "f", *"sub", "KEY_ENTER", "A")
    assert state.workspace.chosen_ids == {"DEMO-2"}
    broken = row_of_broken("bad.md", "bad.md:1: no title", has_ticket_rows=False)
    files = messages.FilesRead("work", Rows.from_unsorted([*app_state(TWO).workspace.rows, broken]))
    assert pressed(after(app_state(), files), "A").workspace.chosen_ids == {"DEMO-3"}


def test_where_no_ticket_is_listed_none_is_chosen() -> None:
    words = "Only tickets in the list that can be read are chosen; 2 goes to them"
    assert pressed(app_state(), "A").notice == words
    assert pressed(app_state(ONE), "1", "A").notice == words
