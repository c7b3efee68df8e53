"""Submits and cancels jobs, and reads what they would send and have done."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import trio

from ticketr import JobContext, JobID, JobSnapshot, JobStatus, OnConflict, TicketrError
from ticketr.app import sync
from ticketr.app.tickets import Ticket
from ticketr.app.tui import jobs_state, messages
from ticketr.app.tui.effects import SYNC_KINDS, JobKind, JobRequest, call_in
from ticketr.app.tui.messages import Message
from ticketr.app.tui.rows import rows_of
from ticketr.app.tui.services.context import CallFailed, Services
from ticketr.text import clean


async def read_plan(
    services: Services, name: str, kind: JobKind, keys: tuple[str, ...]
) -> sync.PushPlan:
    """Make the plan of a push or sync.

    Args:
        services: What the services have in common.
        name: The name of the workspace.
        kind: The kind of the job.
        keys: The tickets to which it is limited; empty for all.
    """
    workspace = services.workspaces[name]
    # A sync resolves conflicts if a side wins; a push never does.
    prefer = workspace.preferred_side if kind is JobKind.SYNC else None
    read = partial(
        sync.read_push_plan,
        workspace.store,
        keys or None,
        project=workspace.project or None,
        prefer=prefer,
        inherit=workspace.new_subtasks_inherit,
    )
    return await services.in_thread(read)


#: The most ended jobs that are read from the history.
MAX_HISTORY_JOBS = 200


def start_job(services: Services, name: str, request: JobRequest) -> Message:
    """Submit a job; it waits while another one of its workspace runs.

    Returns:
        The job, so that an Esc right after the key that asked for it cancels it; or why none
        was submitted.
    """
    workspace = services.workspaces[name]
    tags = {
        f"{jobs_state.WORKSPACE_TAG_PREFIX}{workspace.name}",
        f"{jobs_state.KIND_TAG_PREFIX}{request.kind.value}",
    }

    def show_written(tickets: Sequence[tuple[Ticket, str]]) -> None:
        rows = tuple(rows_of(ticket, path) for ticket, path in tickets)
        services.send_message(messages.SomeTicketRowsRead(workspace.name, rows))

    _cancel_automatic_jobs(services)
    key = str(workspace.store.root)
    tickets = sync.ticket_tags(request.issue_keys)

    def covers(waiting: JobSnapshot) -> bool:
        """Return whether a waiting job does all that is asked for."""
        has_all = not sync.tagged_keys_and_files(waiting.tags) or (
            tickets and tickets <= waiting.tags
        )
        return tags <= waiting.tags and bool(has_all)

    if (
        request.kind in SYNC_KINDS
        and "confirmed" not in request.options
        and any(map(covers, services.queue.jobs(key=key, status=JobStatus.PENDING)))
    ):
        words = f"A {request.kind.value} of {workspace.name} waits already"
        return messages.Notice(words, is_error=False)
    try:
        handle = services.queue.submit_nowait(
            workspace.make_job(request, show_written),
            name=None
            if request.issue_keys or request.kind not in SYNC_KINDS
            else f"{request.kind.value.capitalize()} {workspace.name}",
            tags=tags | tickets,
            key=key,
            on_conflict=OnConflict.WAIT,
        )
    except TicketrError as error:
        return messages.Notice(clean(str(error)))
    return messages.JobChanged(handle.snapshot())


def _cancel_automatic_jobs(services: Services) -> None:
    """Cancel the jobs that nobody has asked for, since the user's job goes first."""
    for quiet in services.queue.jobs(tag=jobs_state.QUIET_TAG):
        services.queue.cancel(quiet.id, reason="the user asked for another job")


async def dry_run_push(
    services: Services, name: str, keys: tuple[str, ...], losses: frozenset[sync.Loss]
) -> sync.PushResult | str | None:
    """Find out what of a push would not arrive; nothing is written. `stop_asking` cancels it.

    Without a login, which nobody has asked for, nothing is found out.

    Args:
        services: What the services have in common.
        name: The name of the workspace.
        keys: The tickets to which it is limited; empty for all.
        losses: What of Jira's side may be lost.

    Returns:
        What was found out, or why nothing was; None after `stop_asking`.
    """
    workspace = services.workspaces[name]
    if not workspace.has_login():
        return sync.PushResult()
    options = {"accept_loss": losses, "dry_run": True}
    job = workspace.make_job(JobRequest(JobKind.PUSH, keys, options), lambda _: None)
    _cancel_automatic_jobs(services)

    async def check() -> JobSnapshot:
        handle = services.queue.submit_nowait(
            job,
            name=f"Check {workspace.name}",
            tags={jobs_state.QUIET_TAG},
            key=str(workspace.store.root),
            on_conflict=OnConflict.WAIT,
        )
        try:
            return await handle.wait()
        finally:
            services.queue.cancel(handle.id)

    snapshot = await services.run_latest(name, check)
    if snapshot is None:
        return None
    if isinstance(snapshot.result, sync.PushResult):
        return snapshot.result
    return "it was cancelled" if snapshot.error is None else jobs_state.cause_of(snapshot.error)


def schedule_auto_pull(services: Services, name: str) -> None:
    """Pull a workspace every few minutes without a word, if the user's settings say so."""
    queue, repeat = services.queue, f"{jobs_state.REFRESH_KIND} {name}"
    if services.auto_pull_seconds and all(handle.id != repeat for handle in queue.repeats()):
        queue.repeat(
            _pull_unless_user_busy,
            services,
            name,
            every=services.auto_pull_seconds,
            first=services.auto_pull_seconds,
            id=repeat,
            name=f"Refresh {name}",
            tags={
                f"{jobs_state.WORKSPACE_TAG_PREFIX}{name}",
                f"{jobs_state.KIND_TAG_PREFIX}{jobs_state.REFRESH_KIND}",
                jobs_state.QUIET_TAG,
            },
            key=str(services.workspaces[name].store.root),
        )


async def _pull_unless_user_busy(context: JobContext, services: Services, name: str) -> object:
    """Pull a workspace unless the user is busy, and tell the app what has changed in Jira."""
    workspace = services.workspaces[name]

    def show_changed(tickets: Sequence[tuple[Ticket, str]]) -> None:
        rows = tuple(rows_of(ticket, path) for ticket, path in tickets)
        services.send_message(messages.AutoPullWroteTickets(name, rows))

    is_away = services.terminal.is_handed_over or not workspace.has_login()
    if is_away or not services.may_auto_pull(name):
        await trio.lowlevel.checkpoint()
        return None
    return await workspace.make_job(JobRequest(JobKind.PULL), show_changed).execute(context)


async def ask_to_attach(
    services: Services, name: str, keys: tuple[str, ...], text: str
) -> messages.YesNoAsked:
    """Look for a file that is to be attached to issues, and ask whether to send it.

    Args:
        services: What the services have in common.
        name: The name of the workspace.
        keys: The keys of the issues.
        text: The path of the file, as it was typed, pasted or dropped on the terminal.
    """
    path, size = await services.in_thread(_path_and_size_if_readable_file, text)
    if size is None:
        raise CallFailed(f"there is no file {path}, or it cannot be read")
    what = f"{path.name} ({sync.size_text(size)})"
    words = f"{what} is sent to Jira at once, and attached to {key_or_each_of_count(keys)}."
    requests = [JobRequest(JobKind.ATTACH, (key,), {"key": key, "files": (path,)}) for key in keys]
    effects = tuple(call_in(name, start_job, request) for request in requests)
    return messages.YesNoAsked("Attach", clean(f"{words} Enter does it, Esc does not."), effects)


def key_or_each_of_count(keys: tuple[str, ...]) -> str:
    """Return what some tickets are called in a sentence."""
    return keys[0] if len(keys) == 1 else f"each of {len(keys)} tickets"


def _path_and_size_if_readable_file(typed_path: str) -> tuple[Path, int | None]:
    """Return the file that a typed or dropped text names, and its size; None if it cannot be read."""
    name = typed_path.strip()
    with suppress(ValueError):
        words = shlex.split(typed_path)  # a terminal puts quotes or backslashes into a dropped path
        name = words[0] if len(words) == 1 else name
    path = Path(name)
    with suppress(OSError, ValueError, RuntimeError):
        path = path.expanduser().absolute()
        if path.is_file() and os.access(path, os.R_OK):
            return path, path.stat().st_size
    return path, None


def cancel_job(services: Services, job: JobID) -> None:
    """Cancel a job."""
    services.queue.cancel(job, reason="the user pressed Esc")


def set_priority(services: Services, job: JobID, priority: int) -> None:
    """Give a waiting job another priority; one that has begun keeps its own."""
    services.queue.set_priority(job, priority)


def run_before_others(services: Services, job: JobID) -> None:
    """Run a waiting job before all others."""
    services.queue.run_now(job)
    waiting = services.queue.jobs(status=JobStatus.PENDING)
    highest = max((snapshot.priority for snapshot in waiting), default=0)
    services.queue.set_priority(job, highest + 1)


async def read_history(services: Services) -> jobs_state.EndedJobsOfAllRuns:
    """Read the jobs that ended, also those of earlier runs."""
    jobs = await services.queue.history(limit=MAX_HISTORY_JOBS)
    today = datetime.now(UTC).astimezone().date()
    keys = frozenset(job.key for job in jobs if job.key is not None)
    names = await services.in_thread(
        _workspace_by_folder_key, services.workspace_registry.folders, keys
    )
    return jobs_state.EndedJobsOfAllRuns(tuple(jobs), today, names)


def _workspace_by_folder_key(folders: Mapping[str, str], keys: Iterable[str]) -> dict[str, str]:
    """Return the names of the workspaces in the folders that are the keys of jobs."""
    names = {os.path.realpath(folder): name for name, folder in folders.items()}
    pairs = ((key, names.get(os.path.realpath(key))) for key in keys)
    return {key: name for key, name in pairs if name is not None}
