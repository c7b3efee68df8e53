"""The jobs of the queue, and how they ended, as the app shows them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

from ticketr import CancelCause, FinishedJob, JobErrorInfo, JobSnapshot, JobStatus
from ticketr.app import sync
from ticketr.app.tui.keymap import Context, KeyAction, KeyMap
from ticketr.text import clean

#: The cause is first and short, so that neither it nor the way out is cut at 60 cells.
LOGIN_REFUSED_MESSAGE = "Login refused: wrong or expired token"
_KEY_ACTION_BY_JOB_KIND = {"pull": KeyAction.PULL, "push": KeyAction.PUSH, "sync": KeyAction.SYNC}


#: The most new issues that the line of a push names.
MAX_NAMED_CREATED = 3


@dataclass(frozen=True, slots=True)
class TicketOutcome:
    """What a job did to one ticket; its texts are cleaned.

    Attributes:
        mark: ✓ done, ✗ failed, ! in conflict or worth a look, · left alone.
        ticket_name: Its key, title or file.
        text: What was done to it, and why.
    """

    mark: str
    ticket_name: str
    text: str


@dataclass(frozen=True, slots=True)
class JobEnd:
    """How a job ended; its texts are cleaned.

    Attributes:
        mark: ✓ done, ! some of it failed, ✗ all of it failed, ⊘ cancelled.
        text: The cause of a failure first, then the count, then what to do.
        tickets: What was done to each ticket.
    """

    mark: str
    text: str
    tickets: tuple[TicketOutcome, ...] = ()


def end_of(
    snapshot: JobSnapshot, keymap: KeyMap, keys_in_conflict: AbstractSet[str] | None = None
) -> JobEnd:
    """Return how a job ended.

    Args:
        snapshot: The last snapshot of the job.
        keymap: The keys, for what to do now.
        keys_in_conflict: The keys of the tickets that are in conflict now; None if that is not known.
    """
    message = clean(snapshot.progress.message) if snapshot.progress is not None else ""
    if snapshot.status is JobStatus.FAILED:
        return JobEnd("✗", _failure_text(snapshot, keymap))
    if snapshot.status is JobStatus.CANCELLED:
        if snapshot.started_at is None:
            again = _run_again_hint(snapshot, keymap, "asks for it again")
            return JobEnd("⊘", f"Cancelled before it began{again}")
        is_wanted = snapshot.cancel_cause is CancelCause.USER
        again = _run_again_hint(snapshot, keymap, "goes on") if is_wanted else ""
        count = message if message.startswith("Cancelled") else "Cancelled"
        return JobEnd("⊘", f"{count}{again}")
    tickets = tuple(_ticket_outcomes(snapshot.result))
    bad = [ticket for ticket in tickets if ticket.mark in "✗!"]
    if not bad:
        news = _pulled_counts_text(snapshot.result)
        result = snapshot.result
        is_deletion = isinstance(result, sync.BulkResult) and result.done
        follows = " · ticketr pull --prune moves the files away" if is_deletion else ""
        more = f"{_created_keys_text(result)}{news}{follows}"
        return JobEnd("✓", f"{message or 'Done'}{more}", tickets)
    first, name = bad[0].text, bad[0].ticket_name
    if name and not first.startswith(name):  # as an error with a line does
        first = f"{name}: {first}"
    more = f" (and {len(bad) - 1} more)" if bad[1:] else ""
    keys = [(KeyAction.JOBS, "lists them")] if bad[1:] else []
    keys += _next_actions(snapshot.result, keys_in_conflict)
    hints = (keymap.hint(action, Context.MAIN, does, before=" · ") for action, does in keys)
    # Without the kind, as in "Pull complete: 12 tickets": the cause needs the room.
    count = message.partition(" complete: ")[2] or message
    count += _created_keys_text(snapshot.result)
    is_over = isinstance(
        snapshot.result, sync.PushResult | sync.BulkResult | sync.AttachmentTransferResult
    )  # a pull lists no successes
    sign = "✗" if is_over and not {"✓", "!"} & {ticket.mark for ticket in tickets} else "!"
    return JobEnd(sign, f"{first}{more} · {count}{''.join(hints)}", tickets)


def _pull_and_push_of(result: object) -> tuple[sync.PullResult, sync.PushResult]:
    """Return what a job has pulled and pushed; empty results for what it did not."""
    if isinstance(result, sync.SyncResult):
        return result.pull, result.push
    pull = result if isinstance(result, sync.PullResult) else sync.PullResult()
    return pull, result if isinstance(result, sync.PushResult) else sync.PushResult()


def _pulled_counts_text(result: object) -> str:
    """Return how many tickets a pull or sync has brought or changed here; empty after others."""
    pull, _ = _pull_and_push_of(result)
    if not pull.written_or_unchanged_count:
        return ""
    counts = ((pull.new, "new"), (pull.updated + pull.merged, "changed"))
    words = ", ".join(f"{count} {what}" for count, what in counts if count)
    where = " from Jira" if pull is not result else ""  # a sync has its own news, too
    return f" · {words or 'nothing new'}{where}"


def _created_keys_text(result: object) -> str:
    """Return the keys of the issues that a push has created, as many as a line has room for."""
    keys = _pull_and_push_of(result)[1].created
    more = f" and {len(keys) - MAX_NAMED_CREATED} more" if keys[MAX_NAMED_CREATED:] else ""
    return f" · {clean(', '.join(keys[:MAX_NAMED_CREATED]))}{more}" if keys else ""


def _next_actions(
    result: object, keys_in_conflict: AbstractSet[str] | None
) -> Iterator[tuple[KeyAction, str]]:
    """Yield the keys that go on where a job left something, with what they do."""
    pull, push = _pull_and_push_of(result)
    clashes = [note.key for note in push.conflicts if note.code is sync.Code.CONFLICT]
    clashes += [conflict.key for conflict in pull.conflicts]
    if clashes and (keys_in_conflict is None or not keys_in_conflict.isdisjoint(clashes)):
        yield KeyAction.RESOLVE, "resolves"
    elif any(note.code is not sync.Code.CONFLICT for note in push.conflicts):
        yield KeyAction.PULL, "gets Jira's"
    left = push.left_alone
    if pull.brought_forward or any(note.code is sync.Code.OLDER_REPLACED for note in left):
        yield KeyAction.UNDO, "takes that back"
    if any(note.code not in sync.OLDER_VALUE_CODES for note in left):
        yield KeyAction.PUSH, "plans what was left"


def ended_job_seconds(snapshot: JobSnapshot) -> float:
    """Return how long an ended job ran; 0 if it did not begin."""
    if snapshot.started_at is None or snapshot.finished_at is None:
        return 0.0
    return snapshot.finished_at - snapshot.started_at


def _run_again_hint(snapshot: JobSnapshot, keymap: KeyMap, does: str) -> str:
    """Return a hint that names the key which runs a job again; empty if no key does."""
    action = _KEY_ACTION_BY_JOB_KIND.get(kind_of(snapshot))
    return "" if action is None else keymap.hint(action, Context.MAIN, does, before=" · ")


def cause_of(error: JobErrorInfo) -> str:
    """Return in one line why a job failed."""
    if error.type.rpartition(".")[2] == "AuthenticationFailed":
        return LOGIN_REFUSED_MESSAGE
    return clean(error.message.splitlines()[0]) if error.message else "failed"


def _failure_text(snapshot: JobSnapshot, keymap: KeyMap) -> str:
    """Return the cause of a failure, the count, and what to do."""
    error = snapshot.error
    name = error.type.rpartition(".")[2] if error is not None else ""
    cause = cause_of(error) if error is not None else "failed"
    if cause == LOGIN_REFUSED_MESSAGE:
        log_in = keymap.hint(KeyAction.LOG_IN, Context.MAIN, "logs in", before=" · ")
        return f"{cause}{log_in or ' · ticketr workspace add'}"
    again = ""
    if name not in sync.LASTING_ERROR_NAMES:
        again = _run_again_hint(snapshot, keymap, "goes on")
    progress = snapshot.progress
    parts = [cause]
    if progress is not None and progress.total > 0:
        parts.append(f"{progress.current:g}/{progress.total:g} done")
    return " · ".join(parts) + again


def _ticket_outcomes(result: object) -> Iterator[TicketOutcome]:
    pull, push = _pull_and_push_of(result)
    if isinstance(result, sync.BulkResult | sync.AttachmentTransferResult):
        yield from _outcomes_of_notes("✗", result.failed)
    if isinstance(result, sync.BulkResult):
        for key in result.done:
            yield TicketOutcome("✓", clean(key), "done in Jira")
        for key in result.unneeded:
            yield TicketOutcome(
                "·", clean(key), clean(f"already {result.unneeded_state}, left alone")
            )
    yield from _outcomes_of_notes("✗", push.failed)
    yield from _outcomes_of_notes("!", (*push.conflicts, *push.left_alone, *push.warnings))
    by_key = {entry.key: entry for entry in push.planned if entry.key}
    for key in push.updated:
        names = ", ".join(change.name for change in by_key[key].changes) if key in by_key else ""
        yield TicketOutcome("✓", clean(key), clean(f"updated   {names}"))
    for key in push.created:
        yield TicketOutcome("✓", clean(key), "created")
    yield from _outcomes_of_notes("✗", pull.failed)
    yield from _outcomes_of_notes("!", (*pull.conflicts, *pull.brought_forward))
    yield from _outcomes_of_notes("·", (*pull.kept, *pull.gone))
    for issue in pull.left_out:
        words = "the query finds it, but Jira did not give it; the next pull asks again"
        yield TicketOutcome("·", f"ID {clean(issue)}", words)


def _outcomes_of_notes(mark: str, notes: tuple[sync.Note, ...]) -> Iterator[TicketOutcome]:
    for note in notes:
        # A reason may name the ticket again, as in "changed here and in Jira: DEMO-1: Title".
        reason = note.reason.replace(f"{note.key}: ", "") if note.key else note.reason
        reason = reason.partition("; run ticketr ")[0]  # a command, where the line names a key
        yield TicketOutcome(mark, clean(note.key_title_or_path), clean(reason))


#: The tag of every job that works on a workspace, before the workspace's name.
WORKSPACE_TAG_PREFIX = "workspace:"
#: The tag of every job, before its kind.
KIND_TAG_PREFIX = "kind:"
#: The kind of a pull that nobody has asked for.
REFRESH_KIND = "refresh"
#: The tag of jobs that nobody has asked for: no line and no list of jobs shows them.
QUIET_TAG = "quiet"
#: The most ended jobs of this run that are kept.
MAX_ENDED_JOBS = 200


class EndedJobsOfAllRuns(NamedTuple):
    """The jobs that ended, also those of earlier runs.

    Attributes:
        jobs: The jobs, the newest first.
        read_on: The day on which they were read; None before.
        workspace_by_job_key: The names of the workspaces whose jobs these are, by the keys of the jobs.
    """

    jobs: tuple[FinishedJob, ...] = ()
    read_on: date | None = None
    workspace_by_job_key: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class JobsState:
    """The jobs of the queue.

    Attributes:
        unfinished: The running and waiting jobs, in the order in which they came.
        ended: The jobs of this run that have ended, the newest first.
        history: Those of earlier runs, too; they are read when they are shown.
    """

    unfinished: tuple[JobSnapshot, ...] = ()
    ended: tuple[JobSnapshot, ...] = ()
    history: EndedJobsOfAllRuns = field(default_factory=EndedJobsOfAllRuns)

    def with_snapshot(self, snapshot: JobSnapshot) -> JobsState:
        """Return the jobs after a new snapshot of one."""
        unfinished, ended = {job.id: job for job in self.unfinished}, self.ended
        if snapshot.status.is_terminal:
            unfinished.pop(snapshot.id, None)
            ended = (snapshot, *ended[: MAX_ENDED_JOBS - 1])
        else:
            unfinished[snapshot.id] = snapshot
        return replace(self, unfinished=tuple(unfinished.values()), ended=ended)

    @property
    def running(self) -> tuple[JobSnapshot, ...]:
        """The running jobs."""
        return tuple(job for job in self.unfinished if job.status is JobStatus.RUNNING)

    @property
    def waiting(self) -> tuple[JobSnapshot, ...]:
        """The jobs that wait: for a worker, for another job of their workspace, or for a time."""
        return tuple(job for job in self.unfinished if job.status is JobStatus.PENDING)

    @cached_property
    def jobs_of_earlier_runs(self) -> tuple[FinishedJob, ...]:
        """The jobs of the history without those that ended in this run."""
        seen = {(snapshot.id, round(ended_at_wall_time(snapshot))) for snapshot in self.ended}
        return tuple(
            job
            for job in self.history.jobs
            if not {(job.id, round(job.finished_at.timestamp()) + by) for by in (-1, 0, 1)} & seen
        )

    @cached_property
    def ids_in_list_order(self) -> list[str]:
        """What tells the jobs apart, in the order in which they are listed."""
        now = [snapshot.id for snapshot in (*self.running, *self.waiting, *self.ended)]
        return [*now, *map(id_across_runs, self.jobs_of_earlier_runs)]

    def unfinished_jobs_of(self, workspace: str) -> tuple[JobSnapshot, ...]:
        """Return the running and waiting jobs of a workspace."""
        return tuple(job for job in self.unfinished if workspace_of(job) == workspace)


def id_across_runs(job: FinishedJob) -> str:
    """Return what tells a job of an earlier run from all others; IDs repeat from run to run."""
    return f"{job.run}/{job.number}"


def ended_at_wall_time(snapshot: JobSnapshot) -> float:
    """Return when a job ended, in seconds of the wall clock."""
    return (snapshot.finished_at or 0.0) + (snapshot.wall_offset or 0.0)


def workspace_of(snapshot: JobSnapshot) -> str:
    """Return the name of a job's workspace; empty if it has none."""
    return _tag_value(snapshot, WORKSPACE_TAG_PREFIX)


def kind_of(snapshot: JobSnapshot) -> str:
    """Return the kind of a job, such as ``"pull"``; empty if it has none."""
    return _tag_value(snapshot, KIND_TAG_PREFIX)


def day_text(day: date, today: date | None) -> str:
    """Return a day for people: ``today``, ``yesterday``, or its date.

    Args:
        day: The day.
        today: The day of now; None if it is not known.
    """
    ago = -1 if today is None else (today - day).days
    return {0: "today", 1: "yesterday"}.get(ago, f"{day:%Y-%m-%d}")


def _tag_value(snapshot: JobSnapshot, prefix: str) -> str:
    texts = (tag.removeprefix(prefix) for tag in snapshot.tags if tag.startswith(prefix))
    return next(texts, "")
