from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.states import after, snapshot, tickets_of
from hypothesis import given, strategies as st

from ticketr import JobErrorInfo, JobStatus
from ticketr.config import CONFIRM_ABOVE
from ticketr.sync import Code, Loss, Note, PushResult
from ticketr.tickets import Ticket
from ticketr.tui import effects, messages
from ticketr.tui.job_kind import JobKind
from ticketr.tui.keymap import TABLE
from ticketr.tui.rows import merge, row_of_broken
from ticketr.tui.state import (
    BROKEN,
    JOB_IS_RUNNING,
    NO_CONFLICT,
    NO_NOTES,
    AppState,
    Focus,
    update,
)

KEYS = [key for binding in TABLE for key in binding.keys]


def tickets(*numbers: int) -> messages.TicketsFound:
    return messages.TicketsFound(
        tickets_of(*(Ticket(title=f"T{n}", key=f"DEMO-{n}") for n in numbers))
    )


def press(state: AppState, *names: str) -> AppState:
    return after(state, *(messages.KeyPressed(name) for name in names))


def asked(state: AppState, name: str) -> tuple[effects.Effect, ...]:
    return update(state, messages.KeyPressed(name), 1.0)[1]


@pytest.fixture
def filled() -> AppState:
    return after(AppState(height=8), tickets(*range(1, 21)))


def selected(state: AppState) -> str:
    return state.rows[state.index].key


def test_the_first_row_is_selected_at_first(filled: AppState) -> None:
    assert selected(filled) == "DEMO-1"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["j", "KEY_DOWN"], "DEMO-3"),
        (["j", "k", "KEY_UP"], "DEMO-1"),
        (["KEY_PGDOWN"], "DEMO-6"),
        (["G"], "DEMO-20"),
        (["KEY_END", "j"], "DEMO-20"),
        (["G", "KEY_PGUP"], "DEMO-15"),
        (["G", "g"], "DEMO-1"),
    ],
)
def test_keys_move_the_selection(keys: list[str], expected: str, filled: AppState) -> None:
    assert selected(press(filled, *keys)) == expected


def test_the_selected_row_is_always_in_view(filled: AppState) -> None:
    state = press(filled, "G")
    assert state.top == 20 - state.page

    state = press(state, *["k"] * 7)
    assert state.top == state.index == 12


def test_the_selection_stays_with_its_ticket_when_others_arrive(filled: AppState) -> None:
    state = after(AppState(height=8), tickets(10, 20))
    state = press(state, "j")

    state = after(state, tickets(1, 2, 15))

    assert selected(state) == "DEMO-20"


def test_a_pull_is_asked_for_once_and_refused_while_one_runs(filled: AppState) -> None:
    assert asked(filled, "P") == (effects.StartJob(JobKind.PULL),)

    state = after(filled, messages.JobChanged(snapshot()))
    assert asked(state, "P") == ()
    assert press(state, "P").notice == JOB_IS_RUNNING
    state = after(state, messages.JobChanged(snapshot(JobStatus.COMPLETED)))
    assert asked(state, "KEY_F2") == (effects.StartJob(JobKind.PULL),)


def test_a_push_is_counted_before_it_begins_and_many_writes_are_asked_about(
    filled: AppState,
) -> None:
    assert asked(filled, "p") == (effects.CountWrites(JobKind.PUSH),)
    assert asked(filled, "KEY_F4") == (effects.CountWrites(JobKind.SYNC),)

    few, begun = update(filled, messages.WritesCounted(JobKind.PUSH, CONFIRM_ABOVE), 0.0)
    assert (few.prompt, begun) == (None, (effects.StartJob(JobKind.PUSH),))

    many, begun = update(filled, messages.WritesCounted(JobKind.SYNC, CONFIRM_ABOVE + 1), 0.0)
    assert begun == ()
    assert many.prompt is not None
    assert many.prompt.line == "y yes  n no  Esc later: create or change 21 tickets in Jira?"
    assert asked(many, "j") == ()  # a key that is no answer changes nothing
    assert press(many, "j") == many
    assert asked(many, "y") == (effects.StartJob(JobKind.SYNC),)
    for no in ("n", "KEY_ESCAPE"):
        assert asked(many, no) == ()
        assert press(many, no).prompt is None
    assert asked(many, "q") == (effects.Leave(),)


def test_losses_of_a_push_are_asked_about_with_their_number(filled: AppState) -> None:
    lost = (Loss("DEMO-1", "DEMO-1.md", "a panel"), Loss("DEMO-2", "DEMO-2.md", "\x1b[2Ja rule"))

    few = after(filled, messages.WritesCounted(JobKind.PUSH, 1, lost[1:]))
    assert few.prompt is not None
    assert few.prompt.text == "lose a rule in Jira, by DEMO-2.md?"
    assert asked(few, "y") == (effects.StartJob(JobKind.PUSH, frozenset(lost[1:])),)
    assert asked(few, "o") == (effects.StartJob(JobKind.PUSH),)
    assert asked(few, "n") == asked(few, "KEY_ESCAPE") == ()

    many = after(filled, messages.WritesCounted(JobKind.SYNC, CONFIRM_ABOVE + 1, lost))
    assert many.prompt is not None
    assert many.prompt.text == (
        "create or change 21 tickets in Jira, and lose a panel (and 1 more) in Jira, by DEMO-1.md?"
    )


def test_no_other_job_starts_while_a_job_runs(filled: AppState) -> None:
    state = after(filled, messages.JobChanged(snapshot()))

    for key in ("p", "s"):
        assert asked(state, key) == ()
        assert press(state, key).notice == JOB_IS_RUNNING


def test_the_files_are_read_again_when_a_job_has_ended(filled: AppState) -> None:
    state = after(filled, messages.JobChanged(snapshot()))

    _, effect = update(state, messages.JobChanged(snapshot(JobStatus.CANCELLED)), 0.0)

    assert effect == (effects.Reload(),)


def test_a_conflict_is_settled_by_a_choice(filled: AppState) -> None:
    key = filled.rows[0].head
    assert press(filled, "r").notice == NO_CONFLICT

    read = messages.FilesRead(filled.rows, conflicts={key: f"{key}: Title"})
    state = after(filled, read)
    state = press(state, "r")

    assert state.prompt is not None
    assert state.prompt.text == f"{key}: Title changed on both sides"
    for letter, take in (("l", "local"), ("r", "remote"), ("m", "merge")):
        assert asked(state, letter) == (effects.Resolve(key, take),)
    assert press(state, "KEY_ESCAPE").prompt is None


def test_a_broken_file_is_shown_with_the_hint_to_edit_it() -> None:
    state = after(AppState(), messages.FilesRead((row_of_broken("a.md", "wrong", has_rows=False),)))

    assert press(state, "r").notice == BROKEN


def test_both_versions_are_shown_while_a_conflict_waits_for_a_choice(filled: AppState) -> None:
    row = filled.rows[0]
    state = after(filled, messages.FilesRead(filled.rows, conflicts={row.head: "Title"}))
    assert asked(state, "r") == (effects.LoadClash(row),)
    clash = messages.ClashLoaded(row, ("-mine", "+theirs") * 9)

    state = after(press(state, "r"), clash)
    assert state.detail is not None
    assert state.detail.lines[:2] == ("-mine", "+theirs")
    scrolled = press(state, "j", "KEY_PGDOWN")
    assert scrolled.prompt == state.prompt is not None
    assert scrolled.detail is not None
    assert scrolled.detail.top > 1

    _, asked_for = update(state, messages.FilesRead(state.rows), 1.0)
    assert asked_for == ()  # they stay until there is an answer
    for key in ("l", "KEY_ESCAPE"):
        assert press(state, key).focus is Focus.LIST
    late = press(after(filled, messages.FilesRead(filled.rows)), "r")
    assert after(late, clash).detail is None


def test_a_question_leaves_the_list_as_it_is(filled: AppState) -> None:
    state = after(filled, messages.WritesCounted(JobKind.PUSH, CONFIRM_ABOVE + 1))

    assert press(state, "j") == state


def test_notes_are_opened_scrolled_and_closed(filled: AppState) -> None:
    notes = tuple(Note(f"DEMO-{n}", "a.md", "why\x1b[2J", Code.REFUSED) for n in range(40))
    ended = replace(snapshot(JobStatus.COMPLETED), result=PushResult(total=40, failed=notes))
    state = after(filled, messages.JobChanged(ended))
    assert state.notice == "40 to look at: n lists them"
    assert state.notes[1] == "failed: DEMO-1 (a.md): why"

    state = press(state, "n", "j", "j", "P")  # no other key works in the meantime
    assert (state.are_notes_open, state.notes_top, state.notice) == (True, 2, "")
    assert press(state, "G").notes_top == len(state.note_lines) - state.page + 1
    assert asked(state, "p") == ()
    assert press(state, "?").is_help_open
    assert not press(state, "?").are_notes_open
    for key in ("n", "KEY_ESCAPE"):
        assert not press(state, key).are_notes_open


def test_why_a_job_failed_can_be_read_in_full(filled: AppState) -> None:
    error = JobErrorInfo("Refused", "the token was refused\x1b[2J,\nmake another", "Traceback ...")
    ended = replace(snapshot(JobStatus.FAILED), error=error)

    state = after(filled, messages.JobChanged(ended))

    assert state.notes == ("failed: the token was refused,", "make another")
    assert state.notice == "2 to look at: n lists them"


def test_a_job_without_notes_has_none(filled: AppState) -> None:
    state = filled
    for result in (None, 7, PushResult(total=1)):
        ended = replace(snapshot(JobStatus.COMPLETED), result=result)
        state = after(replace(filled, notes=("old",)), messages.JobChanged(ended))
        assert (state.notes, state.notice) == ((), "")
    assert press(state, "n").notice == NO_NOTES


def test_a_list_of_all_tickets_replaces_the_old_one(filled: AppState) -> None:
    state = after(filled, messages.FilesRead(merge((), tickets(3).tickets)))

    assert [row.key for row in state.rows] == ["DEMO-3"]


def test_an_edit_is_marked_as_soon_as_its_row_is_there(filled: AppState) -> None:
    state = after(filled, messages.TicketsFound((), frozenset({"DEMO-1"})))
    state = after(state, messages.TicketsFound((), frozenset({"DEMO-2"})))

    assert state.edited == {"DEMO-1", "DEMO-2"}
    assert after(state, messages.FilesRead(state.rows)).edited == frozenset()


def test_a_broken_file_is_reported_once_and_listed_until_it_is_repaired(filled: AppState) -> None:
    state = after(filled, messages.FilesRead(filled.rows, broken=("a.md:2:1: why",)))
    assert state.notice == "a.md:2:1: why"
    state = press(state, "j")

    state = after(state, messages.FilesRead(filled.rows, broken=("a.md:2:1: why",)))
    assert state.notice == ""
    assert press(state, "n").note_lines == ("broken: a.md:2:1: why",)

    state = after(state, messages.FilesRead(filled.rows, broken=("a.md:2:1: why", "b.md: no")))
    assert state.notice == "2 broken files, n lists them: a.md:2:1: why"
    state = after(press(state, "j"), messages.FilesRead(filled.rows))
    assert press(state, "n").notice == NO_NOTES


def test_a_job_requested_twice_starts_and_asks_once(filled: AppState) -> None:
    counted = messages.WritesCounted(JobKind.SYNC, CONFIRM_ABOVE + 1)
    state = after(filled, messages.JobChanged(snapshot()), counted)

    assert (state.prompt, state.notice) == (None, JOB_IS_RUNNING)
    assert update(state, counted, 1.0)[1] == ()


def test_a_conflict_is_not_settled_while_a_job_runs(filled: AppState) -> None:
    conflicts = {filled.rows[0].head: "Title"}
    state = after(filled, messages.FilesRead(filled.rows, conflicts=conflicts))
    state = press(after(state, messages.JobChanged(snapshot())), "r")

    assert (state.prompt, state.notice) == (None, JOB_IS_RUNNING)


def test_nothing_is_pushed_while_a_file_is_broken_and_the_file_is_named(filled: AppState) -> None:
    state = after(filled, messages.FilesRead(filled.rows, broken=("a.md:2:1: why",)))
    state = press(state, "j")

    state, effect = update(state, messages.WritesCounted(JobKind.PUSH, 1), 1.0)

    assert (state.notice, effect) == ("a.md:2:1: why", ())


def test_a_notice_is_removed_by_the_next_key(filled: AppState) -> None:
    state = after(filled, messages.Failed("No."))

    assert state.notice == "No."
    assert press(state, "j").notice == ""


def test_escape_does_one_thing_at_a_time_in_this_order(filled: AppState) -> None:
    row = filled.rows[0]
    state = after(
        filled, messages.DetailLoaded(row, ("x",)), messages.JobChanged(snapshot(job="7"))
    )
    state = press(state, "?")

    assert asked(state, "KEY_ESCAPE") == ()
    state = press(state, "KEY_ESCAPE")
    assert not state.is_help_open

    assert asked(state, "KEY_ESCAPE") == (effects.CancelJob("7"),)
    state = press(state, "KEY_ESCAPE")
    assert state.focus is Focus.DETAIL

    state = after(state, messages.JobChanged(snapshot(JobStatus.CANCELLED, job="7")))
    assert asked(state, "KEY_ESCAPE") == ()
    assert press(state, "KEY_ESCAPE").focus is Focus.LIST


def test_going_back_by_an_arrow_never_cancels(filled: AppState) -> None:
    state = after(filled, messages.JobChanged(snapshot()))

    assert asked(state, "KEY_LEFT") == asked(state, "h") == ()


def test_enter_requests_the_selected_ticket_and_shows_it_when_it_is_read(filled: AppState) -> None:
    state = press(filled, "j")
    assert asked(state, "KEY_ENTER") == (effects.LoadDetail(state.rows[1]),)

    state = after(state, messages.DetailLoaded(state.rows[1], tuple("abcdefgh")))

    assert state.focus is Focus.DETAIL
    state = press(state, "j", "j")
    assert state.detail is not None
    assert state.detail.top == 2
    assert press(state, "G").detail == replace(state.detail, top=3)
    assert selected(state) == "DEMO-2"


def test_an_open_ticket_is_read_again_with_the_files_and_stays_where_it_was_scrolled(
    filled: AppState,
) -> None:
    row = filled.rows[2]
    state = after(filled, messages.DetailLoaded(row, ("old",) * 20))
    state = press(state, "j", "j", "h")

    state, asked_for = update(state, messages.FilesRead(filled.rows), 1.0)
    assert asked_for == (effects.RereadDetail(row),)
    state = after(state, messages.DetailReread(row, ("new",) * 20))
    assert state.detail is not None
    assert (state.detail.lines[0], state.detail.top, state.focus) == ("new", 2, Focus.LIST)

    other = messages.DetailReread(filled.rows[0], ("other",))  # requested before this one was open
    assert after(state, other) == state


def test_an_open_ticket_whose_file_breaks_says_so(filled: AppState) -> None:
    row = filled.rows[2]
    state = after(filled, messages.DetailLoaded(row, ("old",)))
    broken = row_of_broken(row.path, "why", has_rows=False)
    assert broken.order == row.order

    read = messages.FilesRead((*filled.rows[:2], broken, *filled.rows[3:]), broken=("why",))
    state, asked_for = update(state, read, 1.0)

    assert asked_for == ()
    assert state.detail is not None
    assert state.detail.text == ("why",)


def test_a_long_line_is_broken_to_its_panel_and_again_when_that_changes(filled: AppState) -> None:
    line = "some words " * 10
    state = after(filled, messages.Resized(40, 8), messages.DetailLoaded(filled.rows[0], (line,)))
    assert state.detail is not None
    assert len(state.detail.lines) == 3

    wide = after(state, messages.Resized(99, 8))
    assert wide.detail is not None
    assert len(wide.detail.lines) == 2


def test_enter_on_a_broken_file_shows_every_error(filled: AppState) -> None:
    row = row_of_broken("a.md", "a.md:2:1: " + "words " * 30, has_rows=False)
    state = after(filled, messages.FilesRead((row, *filled.rows), broken=(row.title,)))
    state = press(state, "g")

    assert asked(state, "KEY_ENTER") == ()
    state = press(state, "KEY_ENTER")

    assert state.focus is Focus.DETAIL
    assert state.detail is not None
    assert " ".join(state.detail.lines) == row.title.strip()


def test_nothing_to_open_opens_nothing() -> None:
    assert asked(AppState(), "KEY_ENTER") == ()


def test_while_the_help_is_open_the_keys_behind_it_sleep(filled: AppState) -> None:
    state = press(filled, "?")

    assert asked(state, "P") == ()
    assert selected(press(state, "j")) == "DEMO-1"
    assert asked(state, "q") == (effects.Leave(),)


def test_another_size_keeps_the_selection_in_view(filled: AppState) -> None:
    state = press(filled, *["j"] * 4)

    state, asked_for = update(state, messages.Resized(40, 5), 1.0)

    assert (state.width, state.height) == (40, 5)
    assert state.top <= state.index < state.top + state.page
    assert asked_for == (effects.Redraw(),)


def test_no_key_has_two_meanings() -> None:
    assert len(KEYS) == len(set(KEYS))


@given(
    st.lists(
        st.one_of(
            st.sampled_from([*KEYS, "x"]).map(messages.KeyPressed),
            st.lists(st.integers(1, 40), max_size=5).map(lambda n: tickets(*n)),
            st.tuples(st.integers(1, 120), st.integers(1, 30)).map(
                lambda size: messages.Resized(*size)
            ),
            st.sampled_from(list(JobStatus)).map(lambda s: messages.JobChanged(snapshot(s))),
        ),
        max_size=40,
    )
)
def test_the_selection_is_always_a_visible_row(each: list[messages.Message]) -> None:
    state = after(AppState(), *each)

    if state.rows:
        assert 0 <= state.top <= state.index < state.top + state.page
        assert state.rows[state.index].order == state.selected
