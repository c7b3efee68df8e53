from __future__ import annotations

import math
from dataclasses import replace

import pytest
from fakes.job_snapshots import EARLIER
from fakes.states import after, app_state, plain, pressed, snapshot
from rows import for_each

from ticketr import FinishedJob, JobErrorInfo, JobSnapshot, JobStatus
from ticketr.app.sync import BulkResult, Code, Note, PullResult, PushResult, SyncResult, ticket_tags
from ticketr.app.sync.jobs.syncing import left_out_counts
from ticketr.app.sync.notes import conflict_reason
from ticketr.app.tui import messages
from ticketr.app.tui.effects import JobKind, JobRequest, ServiceCall, call, call_in
from ticketr.app.tui.jobs_state import EndedJobsOfAllRuns, JobEnd, end_of
from ticketr.app.tui.keymap import KeyMap
from ticketr.app.tui.overlays.plan import Plan
from ticketr.app.tui.rows import Rows
from ticketr.app.tui.screen import draw_screen, next_change_time
from ticketr.app.tui.services.jobs import (
    cancel_job,
    read_history,
    read_plan,
    run_before_others,
    set_priority,
    start_job,
)
from ticketr.app.tui.services.outside import copy_text
from ticketr.app.tui.state import AppState
from ticketr.app.tui.styled import Theme
from ticketr.app.tui.update import update
from ticketr.app.tui.workspace import WorkspaceView
from ticketr.terminal import Key, Resize

CLASH = Code.CONFLICT
RUNNING = snapshot(job="1")
WAITING = replace(snapshot(JobStatus.PENDING, job="2"), waiting_for="key", started_at=None)
FAILED = replace(
    snapshot(JobStatus.FAILED, job="3"),
    error=JobErrorInfo("Unreachable", "cannot reach harbour.example: refused", ""),
)


def jobs(*snapshots: JobSnapshot) -> AppState:
    state = after(app_state(), *map(messages.JobChanged, snapshots))
    return pressed(state, "J")


def asked(state: AppState, key: str) -> tuple[ServiceCall, ...]:
    return update(state, Key(key), 50.0)[1]


def test_the_jobs_are_listed_by_how_far_they_are() -> None:
    rows = [
        plain(row).rstrip() for row in draw_screen(jobs(RUNNING, WAITING, FAILED), 9.0, Theme())
    ]

    assert rows[0].endswith("1 running · 1 waiting · 1 ended")
    assert rows[2] == (
        "▌ ⠋ Pull DEMO        [██████████░░░░░░░░░░] 50% (1/2) Pulling | 9s | ETA --:--"
    )
    assert "for the job before it, in the same workspace" in rows[5]
    assert rows[5].endswith("priority 0   queued 9s")
    assert (
        "Pull DEMO        cannot reach harbour.example: refused · 1/2 done · P goes on" in rows[8]
    )


@pytest.mark.parametrize(
    ("job", "key", "effect"),
    [
        (RUNNING, "x", call(cancel_job, "1")),
        (WAITING, "x", call(cancel_job, "2")),
        (WAITING, "+", call(set_priority, "2", 1)),
        (WAITING, "-", call(set_priority, "2", -1)),
        (WAITING, "!", call(run_before_others, "2")),
        (FAILED, "R", call_in("work", start_job, JobRequest(JobKind.PULL))),
        (FAILED, "y", call(copy_text, "cannot reach harbour.example: refused", "the error")),
    ],
)
def test_a_key_acts_on_the_selected_job(job: JobSnapshot, key: str, effect: ServiceCall) -> None:
    assert asked(jobs(job), key) == (effect,)


@pytest.mark.parametrize(("job", "key"), [(RUNNING, "R"), (RUNNING, "+"), (FAILED, "x")])
def test_a_key_that_does_not_suit_the_job_says_so(job: JobSnapshot, key: str) -> None:
    state, effect = update(jobs(job), Key(key), 50.0)
    assert (effect, state.notice) == ((), f"{key} does nothing here; ? lists the keys")


def test_a_push_runs_again_by_a_new_plan() -> None:
    job = replace(FAILED, tags=frozenset({"workspace:work", "kind:push"}))
    state, effect = update(jobs(job), Key("R"), 50.0)
    assert effect == (call_in("work", read_plan, JobKind.PUSH, ()),)
    assert state.overlays[-1] == Plan("work", JobKind.PUSH)


def test_a_push_of_which_something_failed_ends_with_the_cause_first() -> None:
    note = Note("DEMO-14", "DEMO-14.md", '"Urgent" is not a priority', Code.BAD_VALUE)
    result = PushResult(total=2, updated=("DEMO-2",), failed=(note,))
    end = end_of(replace(snapshot(JobStatus.COMPLETED), result=result), KeyMap())

    assert end.mark == "!"
    assert end.text == 'DEMO-14: "Urgent" is not a priority · Pulling'
    assert [each.mark for each in end.tickets] == ["✗", "✓"]


def test_a_ticket_in_conflict_names_no_command_in_the_app() -> None:
    note = Note("DEMO-9", "DEMO-9.md", conflict_reason("DEMO-9", "Title"), Code.CONFLICT)
    ended = replace(snapshot(JobStatus.COMPLETED), result=PushResult(conflicts=(note,)))
    (ticket,) = end_of(ended, KeyMap()).tickets
    assert ticket.text == "it is in conflict with Jira (Title)"


@pytest.mark.parametrize("result", [PushResult(total=1), BulkResult()])
def test_a_job_of_which_all_failed_ends_as_failed(result: PushResult | BulkResult) -> None:
    note = Note("DEMO-14", "DEMO-14.md", '"Urgent" is not a priority', Code.BAD_VALUE)
    ended = replace(snapshot(JobStatus.COMPLETED), result=replace(result, failed=(note,)))

    assert end_of(ended, KeyMap()).mark == "✗"
    earlier = with_earlier(replace(EARLIER, message="Push complete: 0 tickets, 1 failed"))
    assert plain(draw_screen(earlier, 9.0, Theme())[2]).startswith("▌ ✗ ")


@pytest.mark.parametrize(
    ("keymap", "cells", "way_out"),
    [(KeyMap(), 60, "C logs in"), (KeyMap(()), 80, "ticketr workspace add")],
)
def test_a_refused_login_says_the_cause_and_the_way_out(
    keymap: KeyMap, cells: int, way_out: str
) -> None:
    error = JobErrorInfo("ticketr.app.jira.errors.AuthenticationFailed", "x" * 200, "")
    state = replace(app_state(), keymap=keymap, width=cells)

    last = draw_screen(
        after(state, messages.JobChanged(replace(FAILED, error=error))), 9.0, Theme()
    )[-1]

    words = f"✗ Login refused: wrong or expired token · {way_out}"
    assert plain(last).startswith(words)
    earlier = replace(EARLIER, status=JobStatus.FAILED, error_type=error.type, error_message="x")
    assert "Login refused: wrong or expired token" in plain(
        draw_screen(with_earlier(earlier), 9.0, Theme())[2]
    )


def test_no_key_goes_on_after_an_error_that_every_run_has() -> None:
    error = JobErrorInfo("ticketr.app.jira.errors.LoginBlocked", "blocked", "")

    assert end_of(replace(FAILED, error=error), KeyMap()).text == "blocked · 1/2 done"


def test_a_job_that_was_cancelled_before_it_began_says_so() -> None:
    job = replace(snapshot(JobStatus.CANCELLED), started_at=None)
    assert end_of(job, KeyMap()) == JobEnd("⊘", "Cancelled before it began · P asks for it again")


def test_a_pull_lists_what_jira_found_and_did_not_give() -> None:
    result = PullResult(total=1, unchanged=1, left_out=("10009",))
    end = end_of(replace(snapshot(JobStatus.COMPLETED), result=result), KeyMap())
    (ticket,) = end.tickets
    assert (end.mark, ticket.mark, ticket.ticket_name) == ("✓", "·", "ID 10009")
    assert ticket.text.endswith("Jira did not give it; the next pull asks again")


def test_a_running_job_says_how_long_it_will_take_once_that_is_known() -> None:
    state = jobs()
    assert RUNNING.progress is not None
    for at in range(6):
        progress = replace(RUNNING.progress, current=at, total=10)
        state = update(state, messages.JobChanged(replace(RUNNING, progress=progress)), at * 1.0)[0]
    assert plain(draw_screen(state, 5.0, Theme())[2]).rstrip().endswith("Pulling | 5s | ETA 5s")
    cancelling = replace(state.jobs.unfinished[0], cancel_requested=True)
    state = after(state, messages.JobChanged(cancelling))
    assert plain(draw_screen(state, 5.0, Theme())[2]).rstrip().endswith("   cancelling")


def test_a_job_that_waits_to_ask_a_server_again_has_no_time_left() -> None:
    state = jobs()
    assert RUNNING.progress is not None
    steps = [replace(RUNNING.progress, current=at, total=10) for at in range(6)]
    waiting = replace(steps[-1], message="Waiting 8s: cannot reach harbour.example")
    for at, progress in enumerate((*steps, waiting)):
        state = update(state, messages.JobChanged(replace(RUNNING, progress=progress)), at * 1.0)[0]

    rows = [plain(row).rstrip() for row in draw_screen(state, 8.0, Theme())]
    assert rows[2].endswith("50% (5/10) Waiting 8s: cannot reach ha… | 8s | ETA --:--")
    assert rows[-1].startswith("[██████████░░░░░░░░░░] 50% (5/10) Waiting 8s: cannot reach")
    assert "| 8s | ETA --:--" in rows[-1]


def test_the_status_line_says_esc_cancels_only_where_it_does() -> None:
    state = after(app_state(), messages.JobChanged(RUNNING))
    assert "esc cancel" in plain(draw_screen(state, 9.0, Theme())[-1])
    for keys in ("J", "?", "p", "S", ":"):
        assert "esc cancel" not in plain(draw_screen(pressed(state, keys), 9.0, Theme())[-1])


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (PullResult(total=5, unchanged=5), "nothing new"),
        (PullResult(total=5, new=2, unchanged=3), "2 new"),
        (PullResult(total=5, updated=1, merged=2, unchanged=2), "3 changed"),
        (
            SyncResult(PullResult(total=5, new=1, updated=4), PushResult()),
            "1 new, 4 changed from Jira",
        ),
    ],
)
def test_a_pull_or_sync_ends_with_what_is_new(result: PullResult | SyncResult, words: str) -> None:
    end = end_of(replace(snapshot(JobStatus.COMPLETED), result=result), KeyMap())
    assert (end.mark, end.text) == ("✓", f"Pulling · {words}")


OLD = "Title: older than the last pull"
FORWARD = (Note("DEMO-9", "a.md", OLD, Code.OLDER_REPLACED),)


@for_each(
    ("result", "words"),
    [
        (
            PullResult(conflicts=(Note("DEMO-9", "a.md", "changed here: DEMO-9: Title", CLASH),)),
            "DEMO-9: changed here: Title · Pulling · c resolves",
        ),
        (
            PushResult(conflicts=(Note("DEMO-9", "a.md", "clash", CLASH),)),
            "DEMO-9: clash · Pulling · c resolves",
        ),
        (
            PushResult(
                conflicts=(Note("DEMO-9", "a.md", "changed in Jira", Code.CHANGED_IN_JIRA),)
            ),
            "DEMO-9: changed in Jira · Pulling · P gets Jira's",
        ),
        (
            PushResult(failed=(Note("", "a.md", "broken", Code.BROKEN),) * 2),
            "a.md: broken (and 1 more) · Pulling · J lists them",
        ),
        (
            PushResult(failed=(Note("", "a.md", "a.md:3:1: odd", Code.BROKEN),)),
            "a.md:3:1: odd · Pulling",
        ),
        (PullResult(brought_forward=FORWARD), f"DEMO-9: {OLD} · Pulling · u takes that back"),
        (PushResult(left_alone=FORWARD), f"DEMO-9: {OLD} · Pulling · u takes that back"),
        (
            PushResult(left_alone=(Note("DEMO-9", "a.md", OLD, Code.OLDER),)),
            f"DEMO-9: {OLD} · Pulling",
        ),
        (
            PushResult(created=("DEMO-9",), warnings=(Note("DEMO-9", "a.md", "@X", Code.LITERAL),)),
            "DEMO-9: @X · Pulling · DEMO-9",
        ),
    ],
)
def test_the_end_of_a_job_names_the_key_that_goes_on(
    result: PullResult | PushResult, words: str
) -> None:
    end = end_of(replace(snapshot(JobStatus.COMPLETED), result=result), KeyMap())
    assert (end.mark in "!✗", end.text) == (True, words)


def test_the_key_that_settles_is_named_as_long_as_the_conflict_is_there() -> None:
    note = Note("DEMO-9", "a.md", "changed here: DEMO-9: Title", CLASH)
    job = replace(snapshot(JobStatus.COMPLETED), result=PullResult(conflicts=(note,)))
    there = messages.FilesRead("work", Rows(), conflicts_by_key={"DEMO-9": ("DEMO-9: Title",)})
    other = messages.FilesRead("work", Rows(), conflicts_by_key={"DEMO-7": ("DEMO-7: Title",)})

    state = after(app_state(), there, messages.JobChanged(job))
    assert "c resolves" in draw_screen(state, 9.0, Theme())[-1]
    assert "c resolves" in "".join(draw_screen(pressed(state, "J"), 9.0, Theme())[:5])

    settled = after(state, other)
    assert "DEMO-9: changed here: Title · Pulling | 1s" in draw_screen(settled, 9.0, Theme())[-1]
    assert "resolves" not in "".join(draw_screen(pressed(settled, "J"), 9.0, Theme()))
    assert "c resolves" in draw_screen(after(settled, there), 9.0, Theme())[-1]


MANY = tuple(f"DEMO-{number}" for number in range(1, 13))
NAMED = "DEMO-1, DEMO-2, DEMO-3 and 9 more"


def with_earlier(job: FinishedJob) -> AppState:
    """Return the jobs with one of an earlier run, which is selected."""
    names = {"/work": "work", "/gone": "gone"}
    return after(
        jobs(), messages.CallEnded(call(read_history), EndedJobsOfAllRuns((job,), None, names))
    )


def test_escape_closes_the_jobs_also_where_one_of_an_earlier_run_is_selected() -> None:
    state = with_earlier(EARLIER)

    assert pressed(state, "KEY_ESCAPE").overlays == ()
    assert len(pressed(state, "?").overlays) == 2


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("Pull work", ()),
        ("Pull DEMO", ()),
        ("Pull DEMO-9", ("DEMO-9",)),
        ("Pull DEMO-2, DEMO-9", ("DEMO-2", "DEMO-9")),
    ],
)
def test_a_pull_of_an_earlier_run_runs_again_for_the_same_tickets(
    name: str, keys: tuple[str, ...]
) -> None:
    state = with_earlier(replace(EARLIER, name=name, tags=ticket_tags(keys)))

    assert asked(state, "R") == (call_in("work", start_job, JobRequest(JobKind.PULL, keys)),)
    assert "R run again" in plain(draw_screen(state, 9.0, Theme())[-2])


@pytest.mark.parametrize(
    ("name", "kind", "keys"),
    [
        ("Push work", JobKind.PUSH, ()),
        ("Push DEMO-9", JobKind.PUSH, ("DEMO-9",)),
        ("Sync by query", JobKind.SYNC, ()),
    ],
)
def test_a_push_or_sync_of_an_earlier_run_runs_again_by_a_new_plan(
    name: str, kind: JobKind, keys: tuple[str, ...]
) -> None:
    job = replace(EARLIER, name=name, tags=ticket_tags(keys))
    state, effect = update(with_earlier(job), Key("R"), 50.0)

    assert effect == (call_in("work", read_plan, kind, keys),)
    assert state.overlays[-1] == Plan("work", kind, keys)


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (replace(EARLIER, key=None), "The workspace of this job is not among those of the app"),
        (replace(EARLIER, key="/gone"), "The workspace of this job is not among those of the app"),
        (replace(EARLIER, key="/moved"), "The workspace of this job is not among those of the app"),
        (
            replace(EARLIER, name="Change 3 tickets"),
            "A change in Jira is not run again unseen; b asks again",
        ),
        (
            replace(EARLIER, name=f"Push {NAMED}", tags=ticket_tags(MANY[:-1])),
            "Only 11 of the 12 tickets of this job are known",
        ),
        (
            replace(EARLIER, name="Pull by query"),
            "The query that this job pulled by is not known any more; P pulls the workspace",
        ),
    ],
)
def test_a_job_of_an_earlier_run_that_cannot_run_again_says_why(
    job: FinishedJob, words: str
) -> None:
    state, effect = update(with_earlier(job), Key("R"), 50.0)

    assert (effect, state.notice) == ((), words)
    assert "R run again" not in plain(draw_screen(with_earlier(job), 9.0, Theme())[-2])


def test_a_push_of_an_earlier_run_is_planned_again_for_all_of_its_tickets() -> None:
    job = replace(EARLIER, name=f"Push {NAMED}", tags=ticket_tags(MANY))
    assert asked(with_earlier(job), "R") == (call_in("work", read_plan, JobKind.PUSH, MANY),)


def test_a_job_of_this_run_runs_again_for_all_of_its_tickets() -> None:
    job = replace(FAILED, name=f"Pull {NAMED}", tags=FAILED.tags | ticket_tags(MANY))
    request = JobRequest(JobKind.PULL, MANY)
    assert asked(jobs(job), "R") == (call_in("work", start_job, request),)


def test_a_workspace_that_is_named_like_a_ticket_is_pulled_whole() -> None:
    state = with_earlier(replace(EARLIER, name="Pull DEMO-2"))
    workspaces = (replace(state.workspace, name="DEMO-2"),)
    jobs_ = replace(
        state.jobs, history=state.jobs.history._replace(workspace_by_job_key={"/work": "DEMO-2"})
    )
    state = replace(state, workspaces=workspaces, jobs=jobs_)
    assert asked(state, "R") == (call_in("DEMO-2", start_job, JobRequest(JobKind.PULL)),)


@pytest.mark.parametrize(
    ("result", "mark"),
    [
        (PullResult(total=3, unchanged=2, in_conflict=1), "!"),
        (PullResult(total=3, unchanged=1, left_alone=2), "✓"),
        (PullResult(total=3, unchanged=2), "!"),
        (PushResult(left_alone=(Note("A-1", "a.md", "no", Code.NOT_IN_PLAN),)), "!"),
        (PushResult(failed=(Note("A-1", "a.md", "3 failed", Code.REFUSED_BY_JIRA),)), "!"),
        (PullResult(total=3, unchanged=3), "✓"),
    ],
)
def test_a_job_of_an_earlier_run_that_left_something_has_the_mark_for_it(
    result: PullResult | PushResult, mark: str
) -> None:
    pulled = result if isinstance(result, PullResult) else None
    pushed = result if isinstance(result, PushResult) else None
    words = f"Sync complete: 3 tickets pulled{left_out_counts(pulled=pulled, pushed=pushed)}"
    state = with_earlier(replace(EARLIER, message=words))
    assert plain(draw_screen(state, 9.0, Theme())[2]).startswith(f"▌ {mark} ")
    failed = replace(EARLIER, status=JobStatus.FAILED, error_message=words)
    assert plain(draw_screen(with_earlier(failed), 9.0, Theme())[2]).startswith("▌ ✗ ")


def test_the_whole_error_of_a_job_of_an_earlier_run_stands_below_the_list() -> None:
    error = (
        "cannot reach a.example (refused): check the address and your network "
        "(https://a.example/rest/api/3/myself)"
    )
    job = replace(EARLIER, status=JobStatus.FAILED, error_message=error, attempts=2)
    state = update(with_earlier(job), Resize(80, 24), 9.0)[0]
    rows = [plain(row).rstrip() for row in draw_screen(state, 9.0, Theme())]
    assert "cannot reach a.example (refused): check the …" in rows[2]
    assert rows[-6].startswith("─ Pull work ─")
    assert rows[-6].endswith(" attempt 2 ─")
    assert " ".join("".join(rows[-5:-3]).split()) == error


def test_what_a_job_did_to_its_tickets_has_up_to_half_of_a_tall_window() -> None:
    notes = tuple(Note(f"A-{at}", "a.md", "no", Code.REFUSED_BY_JIRA) for at in range(20))
    ended = replace(snapshot(JobStatus.COMPLETED), result=PushResult(total=20, failed=notes))
    state = update(jobs(ended), Resize(80, 50), 9.0)[0]
    rows = [plain(row).split() for row in draw_screen(state, 9.0, Theme())]
    shown = [row[1] for row in rows[3:-1] if row[:1] == ["✗"]]
    assert shown == [note.key for note in notes]
    assert not [row for row in rows if row[-2:] == ["more", "lines"]]


def test_enter_shows_the_tickets_of_a_job_of_an_earlier_run() -> None:
    state = with_earlier(replace(EARLIER, key="/shop"))
    workspaces = (*state.workspaces, WorkspaceView("shop"))
    jobs_ = replace(
        state.jobs, history=state.jobs.history._replace(workspace_by_job_key={"/shop": "shop"})
    )
    state = pressed(replace(state, workspaces=workspaces, jobs=jobs_), "KEY_ENTER")
    assert (state.overlays, state.workspace.name) == ((), "shop")


def test_the_spinner_of_each_running_job_turns_while_the_jobs_are_shown() -> None:
    state, style = jobs(RUNNING, replace(RUNNING, id="4")), Theme().status_line_style
    marks = [[plain(row)[2] for row in draw_screen(state, at, Theme())[2:4]] for at in (9.0, 9.1)]

    assert marks == [["⠋", "⠋"], ["⠙", "⠙"]]
    assert next_change_time(state, 9.0, Theme()) == pytest.approx(9.1)
    assert (
        next_change_time(state, 9.0, Theme(status_line_style=replace(style, motion=False))) == 10.0
    )
    for closed in (pressed(state, "J"), pressed(state, "?")):
        assert next_change_time(closed, 9.0, Theme()) == 10.0
    assert next_change_time(jobs(FAILED, WAITING), 9.0, Theme()) == math.inf


@pytest.mark.parametrize(
    ("job", "hints"),
    [
        (RUNNING, "Enter tickets  x cancel  Esc back  ? all"),
        (WAITING, "Enter tickets  x cancel  + priority  ! run now  Esc back  ? all"),
        (FAILED, "Enter tickets  y copy error  R run again  Esc back  ? all"),
    ],
)
def test_the_hints_name_what_can_be_done_with_the_selected_job(
    job: JobSnapshot, hints: str
) -> None:
    assert plain(draw_screen(jobs(job), 9.0, Theme())[-2]).strip() == hints


def test_without_jobs_the_hints_name_only_the_way_back() -> None:
    assert plain(draw_screen(jobs(), 9.0, Theme())[-2]).strip() == "Esc back  ? all"


@pytest.mark.parametrize(
    ("created", "words"),
    [
        (("DEMO-121",), "Pulling · DEMO-121"),
        (("A-1", "A-2", "A-3", "A-4", "A-5"), "Pulling · A-1, A-2, A-3 and 2 more"),
    ],
)
def test_a_push_names_the_new_keys(created: tuple[str, ...], words: str) -> None:
    push = PushResult(total=len(created), created=created)
    job = snapshot(JobStatus.COMPLETED)
    assert end_of(replace(job, result=push), KeyMap()).text == words
    sync = end_of(replace(job, result=SyncResult(PullResult(), push)), KeyMap())
    assert sync.text == words
