"""Runs the jobs of a command in a queue, and reports their outcomes: lines, JSON, exit codes."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Generic, Protocol, TypeAlias, TypeVar, TypeVarTuple

import trio

import ticketr
from ticketr._errors import TicketrError
from ticketr.app import sync
from ticketr.app.cli import exits
from ticketr.app.cli.console import echo_json, print_messages
from ticketr.app.cli.history import WorkspaceHistories
from ticketr.app.cli.options import TAKE_VALUES_TEXT, CommonOptions
from ticketr.app.jira.site import browse_url
from ticketr.app.tickets import key_order
from ticketr.statusline import StatusLine
from ticketr.tty import can_draw

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Ts = TypeVarTuple("Ts")
R = TypeVar("R", "sync.PullResult", "sync.PushResult", "sync.SyncResult")
Result: TypeAlias = "sync.PullResult | sync.PushResult | sync.SyncResult"

#: The thresholds of the garbage collector's three generations. A collection of 3,000 objects takes
#: some milliseconds, in whatever step it begins. Conversions leave many cycles behind, so the young
#: generations must stay small; a full collection takes longest and finds next to nothing.
GC_THRESHOLDS = (1_000, 2, 2_500)
#: The signals that cancel the jobs of a command.
_CANCELLING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: Notes about single tickets that are printed before the rest is only counted.
MAX_PRINTED_NOTES = 20
#: Keys that are printed on a line.
MAX_PRINTED_KEYS = 10

_logger = logging.getLogger("ticketr")


class JobWithRootAndTags(ticketr.Job[T_co], Protocol[T_co]):
    """A job of one workspace."""

    @property
    def root(self) -> Path:
        """Return the workspace's folder."""
        ...

    @property
    def ticket_tags(self) -> frozenset[str]:
        """Return the tags of the tickets to which it is limited; none if it is not."""
        ...


class PullPushOrSync(JobWithRootAndTags[T_co], Protocol[T_co]):
    """A pull, a push or a sync."""

    def so_far(self) -> T_co:
        """Return what the job has done until now."""
        ...


@dataclass(frozen=True, slots=True)
class JobOutcome(Generic[T_co]):
    """The outcome of a command's job.

    Attributes:
        snapshot: The job's last snapshot.
        signal: The signal that cancelled the job, if one did.
    """

    snapshot: ticketr.JobSnapshot[T_co]
    signal: signal.Signals | None = None

    @property
    def result(self) -> T_co | None:
        """The job's result; None unless it completed."""
        return self.snapshot.result

    @property
    def last_or_error_message(self) -> str:
        """The job's last message; its error's if it has reported nothing."""
        if self.snapshot.progress is not None:
            return self.snapshot.progress.message
        return self.snapshot.error.message if self.snapshot.error is not None else ""

    @property
    def error_name(self) -> str | None:
        """The name of the error that ended the job, if one did."""
        error = self.snapshot.error
        return error.type.rpartition(".")[2] if error is not None else None

    def exit_code(self, *, is_partial: bool = False) -> int:
        """Return the exit code of a command that ran this job; partial if a part failed."""
        if self.signal is not None:
            return exits.for_signal(self.signal)
        if self.result is None:
            return exits.FAILURE
        return exits.PARTLY if is_partial else exits.DONE

    def as_json(self) -> dict[str, object]:
        """Return how the job ended, as a part of a JSON object."""
        status = {"status": self.snapshot.status.value, "message": self.last_or_error_message}
        return {**status, **({"error": self.error_name} if self.error_name else {})}


def run_with_rare_gc(async_fn: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
    """Run the async part of a command.

    The objects that exist now stay until the end, so they are hidden from the garbage collector:
    collecting them made pauses of some 30 ms in a pull. A pull creates many short-lived objects,
    so the collector also runs less often than by default.
    """
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    return trio.run(async_fn, *args)


def run_job(job: JobWithRootAndTags[T], *, plain: bool = True) -> JobOutcome[T]:
    """Run one job, and the async part of a command with it; see `run_all`."""
    (ended,) = run_with_rare_gc(partial(run_all, [job], plain=plain))
    return ended


async def run_all(
    jobs: Sequence[JobWithRootAndTags[T]],
    *,
    plain: bool = True,
    history: ticketr.JobHistory | None = None,
) -> list[JobOutcome[T]]:
    """Run jobs at the same time, and show their progress on standard error.

    The progress is a status line in a terminal, and plain lines elsewhere.

    SIGINT, SIGTERM and SIGHUP cancel the jobs and wait for their clean-up. A second signal has
    its default effect.

    Args:
        jobs: The jobs.
        plain: Whether to print plain lines in a terminal, too.
        history: The history that records the jobs.

    Returns:
        The outcome of each job, in the order of `jobs`.

    Cancellation:
        Cancels the jobs and waits until they have ended.
    """
    received: list[signal.Signals] = []
    async with (
        ticketr.open_job_queue(
            workers=len(jobs),
            max_pending=None,
            history=history,
            on_job_error=lambda _: None,  # the caller gets every outcome
        ) as queue,
        StatusLine(queue, plain=plain, hint="ctrl+c cancel", view=_as_failed_if_all_failed),
        trio.open_nursery() as nursery,
    ):
        handles = [await queue.submit(job, key=str(job.root), tags=job.ticket_tags) for job in jobs]
        await nursery.start(_call_on_signal, queue.cancel_all, received)
        ends = [await handle.wait() for handle in handles]
        nursery.cancel_scope.cancel()
    outcomes: list[JobOutcome[T]] = []
    for end in ends:
        if end.error is not None:
            _logger.debug("the job failed:\n%s", end.error.traceback)
        is_cancelled = end.status is ticketr.JobStatus.CANCELLED
        outcomes.append(JobOutcome(end, received[0] if received and is_cancelled else None))
    return outcomes


def _as_failed_if_all_failed(snapshot: ticketr.JobSnapshot) -> ticketr.JobSnapshot:
    """Return a snapshot for the status line: a job of which all has failed is shown as failed."""
    message = snapshot.progress.message if snapshot.progress is not None else ""
    has_failed = snapshot.status is ticketr.JobStatus.COMPLETED and sync.says_all_failed(message)
    return replace(snapshot, status=ticketr.JobStatus.FAILED) if has_failed else snapshot


async def _call_on_signal(
    stop: Callable[..., object],
    received: list[signal.Signals],
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Call a function with the reason when a signal comes, and note the signal."""
    with trio.open_signal_receiver(*_CANCELLING_SIGNALS) as signals:
        task_status.started()
        async for number in signals:
            received.append(signal.Signals(number))
            for signal_number in _CANCELLING_SIGNALS:  # a second signal ends the process
                signal.signal(signal_number, signal.SIG_DFL)
            stop(reason=received[-1].name)


async def _run_repeatedly(
    jobs: Mapping[str, PullPushOrSync[R]],
    *,
    options: CommonOptions,
    check: Callable[[Any], None] | None,
) -> list[int]:
    """Run jobs every so many seconds and report each run; see `run_jobs`.

    It ends when a signal comes, or once every job has an error that all its runs would have.

    Returns:
        The exit code for the signal, or for each of these errors.
    """
    codes: list[int] = []
    received: list[signal.Signals] = []
    stopped = trio.Event()
    named = {str(job.root): (name, job) for name, job in jobs.items()}
    # Without a line that is drawn over, each run is to have one line alone.
    is_drawn = not options.plain_progress and sys.stderr.isatty() and can_draw(os.environ)
    async with trio.open_nursery() as readers, trio.open_nursery() as watchers:
        async with (
            ticketr.open_job_queue(
                workers=len(jobs),
                max_pending=None,
                history=WorkspaceHistories([job.root for job in jobs.values()]),
                on_job_error=lambda _: None,  # `read` gets every outcome
            ) as queue,
            StatusLine(queue, hint="ctrl+c stop", view=_as_failed_if_all_failed)
            if is_drawn
            else nullcontext(),
        ):

            def stop(*, reason: str) -> None:
                for repeat in queue.repeats():
                    repeat.cancel()
                queue.cancel_all(reason=reason)
                stopped.set()

            async def read(updates: ticketr.Updates[ticketr.JobSnapshot]) -> None:
                with updates:
                    async for snapshot in updates:
                        if not snapshot.status.is_terminal:
                            continue
                        ended: JobOutcome[Any] = JobOutcome(snapshot)
                        _print_repeated_run(
                            ended, *named[str(snapshot.key)], as_json=options.as_json
                        )
                        if ended.error_name in sync.LASTING_ERROR_NAMES:
                            codes.append(exit_code(ended))
                            queue.cancel_repeat(str(snapshot.key))
                            if not queue.repeats():
                                stop(reason="no run can succeed")

            await watchers.start(_call_on_signal, stop, received)
            ends = queue.watch()  # what is left of them is read after the queue has closed
            readers.start_soon(read, ends)
            for folder, (_, job) in named.items():
                queue.repeat(
                    partial(_check_job_then_run, job=job, check=check),
                    every=options.every_seconds or 0,
                    id=folder,
                    name=job.name,
                    key=folder,
                    tags=job.ticket_tags,
                )
            await stopped.wait()
        watchers.cancel_scope.cancel()
    return [exits.for_signal(received[0])] if received else codes


def _print_repeated_run(
    ended: JobOutcome[R], name: str, job: PullPushOrSync[R], *, as_json: bool
) -> None:
    """Print an object or a line for one run of a job by ``--every``."""
    if as_json:
        echo_json(outcome_as_json(ended, job.root, job.so_far()))
    else:
        what = f"{name}: {ended.last_or_error_message}" if name else ended.last_or_error_message
        print_messages(f"{datetime.now(UTC).astimezone():%Y-%m-%d %H:%M:%S}  {what}")


async def _check_job_then_run(
    context: ticketr.JobContext, *, job: ticketr.Job[T], check: Callable[[Any], None] | None
) -> T:
    if check is not None:
        await trio.to_thread.run_sync(check, job, abandon_on_cancel=True)
    return await job.execute(context)


def run_jobs(
    jobs: Mapping[str, PullPushOrSync[R]],
    print_result: Callable[[R], None],
    *,
    failed: Mapping[str, tuple[Path, TicketrError]],
    empty: R,
    options: CommonOptions,
    check: Callable[[Any], None] | None = None,
) -> int:
    """Run a command's jobs side by side, report their outcomes, and return the exit code.

    With ``--every`` they run again and again, and each run is reported by a line.

    Args:
        jobs: The jobs, by the names of their workspaces. The name is empty if the command is
            about one workspace.
        print_result: Prints a result for people.
        failed: The folders of workspaces whose jobs could not start, and why.
        empty: The result that these report.
        options: `plain_progress`, `as_json` and `every_seconds` count.
        check: Called with a job before each of its runs by ``--every``, on a worker thread; an
            error fails the run.
    """
    codes: list[int] = [exits.for_error(error) for _, error in failed.values()]
    failures = {
        name: {
            "status": ticketr.JobStatus.FAILED.value,
            "message": str(error),
            "folder": str(root),
            "error": type(error).__name__,
            **_result_as_json(empty),
        }
        for name, (root, error) in failed.items()
    }
    failure_lines = [f"{name}: {error}" for name, (_, error) in failed.items()]
    if options.every_seconds and jobs:
        if options.as_json:
            for object_ in failures.values():
                echo_json(object_)
        else:
            print_messages(*failure_lines)
        codes += run_with_rare_gc(partial(_run_repeatedly, jobs, options=options, check=check))
        return worst_exit_code(codes)
    named: dict[str, JobOutcome[R]] = {}
    if jobs:
        history = WorkspaceHistories([job.root for job in jobs.values()])
        run = partial(run_all, list(jobs.values()), plain=options.plain_progress, history=history)
        named = dict(zip(jobs, run_with_rare_gc(run), strict=True))
    if options.as_json:
        objects = failures | {
            name: outcome_as_json(ended, jobs[name].root, jobs[name].so_far())
            for name, ended in named.items()
        }
        echo_json(objects.get("", {"workspaces": objects}))
    else:
        for name, ended in named.items():
            if ended.result is not None:
                if name:
                    print_messages(f"{name}:")
                print_result(ended.result)
        print_messages(*failure_lines)
    return worst_exit_code([*codes, *map(exit_code, named.values())])


def exit_code(ended: JobOutcome[Result]) -> int:
    """Return the exit code for the outcome of a pull, push or sync."""
    if ended.result is None:
        is_usage = ended.signal is None and ended.error_name in sync.USAGE_ERROR_NAMES
        return exits.USAGE if is_usage else ended.exit_code()
    result = ended.result
    parts = (result.pull, result.push) if isinstance(result, sync.SyncResult) else (result,)
    partly = any(
        part.failed or part.conflicts or (isinstance(part, sync.PushResult) and part.left_alone)
        for part in parts
    )
    return ended.exit_code(is_partial=partly)


def worst_exit_code(codes: Iterable[int]) -> int:
    """Return the exit code for several jobs: a signal's, else the most severe one."""
    order = (exits.DONE, exits.PARTLY, exits.FAILURE, exits.USAGE)
    return max(codes, key=lambda code: order.index(code) if code in order else len(order))


def outcome_as_json(ended: JobOutcome[Result], root: Path, so_far: Result) -> dict[str, object]:
    """Return a job's outcome as a JSON object, which has the same keys for every outcome.

    Args:
        ended: The outcome.
        root: The workspace's folder.
        so_far: What the job had done by then; used if it has no result.
    """
    result = so_far if ended.result is None else ended.result
    return ended.as_json() | {"folder": str(root)} | _result_as_json(result)


def _result_as_json(result: Result) -> dict[str, object]:
    """Return a result as a JSON object; each pushed issue has the URL of its page."""
    data: dict[str, object] = asdict(result)
    if isinstance(result, sync.SyncResult):
        return data | {"push": _result_as_json(result.push)}
    if isinstance(result, sync.PushResult):
        data["left"] = data.pop("left_alone")
        data["planned"] = [
            {
                "action": entry.action,
                "key": entry.key,
                "title": entry.title,
                "path": entry.path,
                "changes": [
                    (change.name, change.old_with_newlines, change.new_with_newlines)
                    for change in entry.changes
                ],
                "between": entry.statuses_between,
            }
            for entry in result.planned
        ]
        for name in ("created", "updated", "recovered"):
            keys = getattr(result, name)
            data[name] = [{"key": key, "url": browse_url(result.site, key)} for key in keys]
    return data


def print_pull(result: sync.PullResult, *, prune: bool) -> None:
    """Print what a pull did.

    Args:
        result: The pull's result.
        prune: Whether the pull was to move files of deleted tickets away.
    """
    merged = f", {result.merged} merged with edits here" if result.merged else ""
    words = f"{result.new} new, {result.updated} updated{merged}, {result.unchanged} unchanged"
    print_messages(f"{words}{sync.left_out_counts(pulled=result)}")
    print_notes_up_to_limit(
        {
            "conflict": result.conflicts,
            "failed": result.failed,
            "kept": result.kept,
            "gone from Jira's answer, kept here": result.gone,
            "brought forward": result.brought_forward,
        }
    )
    if result.left_out:
        ids = _list_keys(result.left_out)
        words = f"left out, since Jira found them and did not give them: issues {ids}"
        print_messages(f"{words}; the next pull asks for them again")
    if result.pruned:
        print_messages(f"moved to .ticketr/trash: {_list_keys(result.pruned)}")
    elif not prune and result.prunable:
        print_messages("to move the files of deleted tickets away: ticketr pull --prune")


def print_push(result: sync.PushResult, *, dry_run: bool = False) -> None:
    """Print what a push did."""
    created = f" ({_list_keys(result.created)})" if result.created else ""
    updated = f" ({_list_keys(result.updated)})" if result.updated else ""
    if not dry_run:
        first = sorted(result.created, key=key_order)[:MAX_PRINTED_KEYS]
        print_messages(*(f"created {browse_url(result.site, key)}" for key in first))
        words = f"{len(result.created)} created{created}, {len(result.updated)} updated{updated}"
        print_messages(f"{words}{sync.left_out_counts(pushed=result)}")
        if result.recovered:
            print_messages(
                f"created by an earlier run and found again: {_list_keys(result.recovered)}"
            )
    print_notes_up_to_limit(
        {
            "conflict": result.conflicts,
            "left alone": result.left_alone,
            "failed": result.failed,
            "warning": result.warnings,
        }
    )
    if any(note.code not in sync.OLDER_VALUE_CODES for note in result.left_alone):
        print_messages("to see a new plan, with what was left alone: ticketr push")
    if any(note.code is sync.Code.CHANGED_IN_JIRA for note in result.conflicts):
        print_messages(
            "to merge what Jira has changed: ticketr sync; --strategy says which side wins a conflict"
        )


def print_resolve_hint(conflicts: Iterable[sync.Note]) -> None:
    """Print how to resolve conflicts, if there are any that can be resolved here."""
    first = next((conflict for conflict in conflicts if conflict.code is sync.Code.CONFLICT), None)
    if first is not None:
        take = f"--take {TAKE_VALUES_TEXT}"
        print_messages(
            f"to resolve a conflict: ticketr diff {first.key}; ticketr resolve {first.key} {take}"
        )


def _list_keys(keys: Collection[str]) -> str:
    """Return the first `MAX_PRINTED_KEYS` keys in order, and how many more there are."""
    more = f" and {len(keys) - MAX_PRINTED_KEYS} more" if len(keys) > MAX_PRINTED_KEYS else ""
    return ", ".join(sorted(keys, key=key_order)[:MAX_PRINTED_KEYS]) + more


def print_notes_up_to_limit(groups: Mapping[str, Iterable[sync.Note]]) -> None:
    """Print notes about single tickets, at most `MAX_PRINTED_NOTES` of them."""
    lines = [f"{group}: {note}" for group, notes in groups.items() for note in notes]
    print_messages(*lines[:MAX_PRINTED_NOTES])
    if len(lines) > MAX_PRINTED_NOTES:
        print_messages(f"... and {len(lines) - MAX_PRINTED_NOTES} more; --json lists them all")
