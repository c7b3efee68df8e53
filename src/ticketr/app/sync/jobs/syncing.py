"""The jobs that keep files and Jira alike: pull, push, and both."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Collection, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from ticketr._errors import TicketrError
from ticketr.app.sync.concurrency import open_log
from ticketr.app.sync.edits.losses import AllOrTheseLosses
from ticketr.app.sync.edits.push_plan import PushPlan
from ticketr.app.sync.edits.survey import check_keys_and_paths
from ticketr.app.sync.errors import error_to_report
from ticketr.app.sync.notes import Code, ticket_tags
from ticketr.app.sync.pull.pull import pull, pull_named
from ticketr.app.sync.pull.tally import PullResult, PullTally
from ticketr.app.sync.push.tally import PushResult, PushTally
from ticketr.app.sync.session import Progress, Session, SessionJob, open_session
from ticketr.app.sync.workspace.store import broken_among, notes_on

if TYPE_CHECKING:
    from ticketr import JobContext


#: How many keys the name of a job has.
_MAX_NAME_KEYS = 3
#: What becomes of tickets with which a job has not done what it was to do.
_IN_CONFLICT, _LEFT_ALONE, _FAILED = "in conflict", "left alone", "failed"
_ALL_FAILED_PATTERN = re.compile(rf": 0 tickets, \d+ {_FAILED}\Z")
_FAILED_OR_LEFT_COUNT_PATTERN = re.compile(rf"\d+ (?:{_IN_CONFLICT}|{_LEFT_ALONE}|{_FAILED})")


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What a sync did.

    Attributes:
        pull: What its first half did.
        push: What its second half did.
    """

    pull: PullResult
    push: PushResult


async def _recover_created_keys(session: Session, tally: PullTally | PushTally) -> None:
    """Write the keys of new issues of earlier pushes into their files, as `recover_created_keys` does.

    Cancellation:
        Takes effect at once; the next run finds the rest.
    """
    from ticketr.app.sync.push.recovery import recover_created_keys  # noqa: PLC0415 - few runs need it

    await recover_created_keys(session, tally.add_recovered_draft, tally.fail)


def left_out_counts(*, pulled: PullResult | None = None, pushed: PushResult | None = None) -> str:
    """Return the counts of what was neither pulled nor pushed, as the end of a message."""
    counts = dict.fromkeys((_IN_CONFLICT, "kept", _LEFT_ALONE, _FAILED), 0)
    if pulled is not None:
        counts[_IN_CONFLICT] += pulled.in_conflict
        counts["kept"] += pulled.left_alone
        counts[_FAILED] += pulled.failed_issue_count
    if pushed is not None:
        counts[_IN_CONFLICT] += pushed.in_conflict
        counts[_LEFT_ALONE] += len(pushed.left_alone)
        counts[_FAILED] += len(pushed.failed)
    return "".join(f", {count} {word}" for word, count in counts.items() if count)


def says_all_failed(message: str) -> bool:
    """Return whether the last message of a job says that all that it was to do has failed."""
    return _ALL_FAILED_PATTERN.search(message) is not None


def says_not_all_done(message: str) -> bool:
    """Return whether the last message of a job says that something failed or was left alone."""
    return any(_FAILED_OR_LEFT_COUNT_PATTERN.fullmatch(text) for text in message.split(", "))


def count_tickets(count: int) -> str:
    """Return a number of tickets in words."""
    return "1 ticket" if count == 1 else f"{count} tickets"


def _pull_progress(tally: PullTally) -> str:
    """Return how far a pull has got."""
    return _words_so_far(len(tally.outcomes_by_id), len(tally.found_and_returned_ids), "pulled")


def _push_progress(tally: PushTally) -> str:
    """Return how far a push has got."""
    return _words_so_far(tally.result.pushed_issue_count, tally.result.total, "pushed")


def _words_so_far(done: int, total: int, what: str) -> str:
    return f"{done}/{total} tickets {what}" if total else f"no ticket {what} yet"


@asynccontextmanager
async def session_reporting_end(
    job: SessionJob, context: JobContext, done_before_cancel: Callable[[], str]
) -> AsyncGenerator[Session]:
    """Open a session; report an error or a cancellation as the last message.

    ``done_before_cancel`` returns what was done by then, in words.
    """
    progress = Progress(context, job.credentials.redact)
    log_file: Path | None = None
    with _reporting_cancel(progress, done_before_cancel):
        try:
            async with open_log(job.root, job.run_sync) as log:
                log_file = log.path
                with log.log_job(job.action_name):
                    async with open_session(job, progress, log) as session:
                        # Before the files are closed.
                        with _reporting_cancel(progress, done_before_cancel):
                            yield session
        except Exception as error:
            reported = error_to_report(error)
            words = str(reported) or type(reported).__name__
            if not isinstance(reported, TicketrError) and log_file is not None:
                words += f"; please report it, with the log {log_file}"
            progress.report(f"{job.action_name} failed: {words}")
            if reported is error:
                raise
            raise reported from None  # one of several errors of concurrent tasks is enough


@contextmanager
def _reporting_cancel(progress: Progress, done_before_cancel: Callable[[], str]) -> Generator[None]:
    """Report a cancellation of the block with ``done_before_cancel()`` in the last message."""
    try:
        yield
    except Exception:
        raise
    except BaseException:  # a cancellation, alone or in a group
        progress.report(f"Cancelled: {done_before_cancel()}")
        raise


@dataclass(kw_only=True)
class _PullOrPushJob(SessionJob):
    """A job that may be limited to some tickets.

    Attributes:
        keys: The keys of the tickets; None for all.
    """

    keys: Collection[str] | None = None

    @property
    def name(self) -> str:
        """The job's name in lists, with the first tickets to which it is limited."""
        if self.keys is None:
            return super().name
        keys = list(dict.fromkeys(self.keys))  # one that is named twice counts once
        more = f" and {len(keys) - _MAX_NAME_KEYS} more" if len(keys) > _MAX_NAME_KEYS else ""
        return f"{self.action_name} {', '.join(keys[:_MAX_NAME_KEYS])}{more}"

    @property
    def ticket_tags(self) -> frozenset[str]:
        """The tags of the tickets to which it is limited, for the queue; none if it is not."""
        return ticket_tags(self.keys)


@dataclass(kw_only=True)
class PullJob(_PullOrPushJob):
    """A job that brings tickets from Jira into files.

    Attributes:
        keys: The tickets to fetch, changed or not, whatever the query finds; None for those that
            the query finds. A ticket comes with its sub-tasks. Then ``full`` and ``prune`` do
            nothing.
        full: Fetch every issue again, also those that have not changed.
        prune: Move unedited files of issues that are gone from Jira into ticketr's own folder.

    Cancellation:
        Takes effect at once, inside a running request too. What was written stays and is complete.
    """

    action_name = "Pull"

    full: bool = False
    prune: bool = False
    _tally: PullTally = field(default_factory=PullTally, init=False, repr=False, compare=False)

    def so_far(self) -> PullResult:
        """Return what it has done until now, also when it was cancelled or has failed."""
        return self._tally.result()

    async def execute(self, context: JobContext) -> PullResult:
        """Run the pull; the queue calls this."""
        self._tally = tally = PullTally()
        async with session_reporting_end(self, context, lambda: _pull_progress(tally)) as session:
            if session.recorded_creations:
                await _recover_created_keys(session, tally)
            await _pull_and_find_broken(session, tally, self.keys, full=self.full, prune=self.prune)
        result = tally.result()
        done = result.written_or_unchanged_count
        words = f"Pull complete: {count_tickets(done)}{left_out_counts(pulled=result)}"
        session.progress.report(words, done, done)
        return result


async def _pull_and_find_broken(
    session: Session, tally: PullTally, keys: Collection[str] | None, *, full: bool, prune: bool
) -> Mapping[str, TicketrError]:
    """Pull tickets, and download what is attached to them if the workspace keeps it.

    Args:
        session: The workspace and the site.
        tally: Counts issues, and gets a note on each file that cannot be read.
        keys: The tickets to pull; None for all. Only their files are noted then.
        full: See `PullJob`.
        prune: See `PullJob`.

    Returns:
        The error of each file that cannot be read, by its path.
    """
    survey = await session.survey(refuse_drafts_that_lost_keys=False)
    locations = survey.locations_of_unread_keys | survey.locations
    if keys is None:
        tally.add_broken(notes_on(survey.broken))
        # Let the pull write the tickets again of which git has brought back what is older.
        heads = [
            change.head_id
            for change in survey.local_changes
            if change.head_id and change.older_values_in_file
        ]
        if heads:
            members = await session.in_thread(session.state.issue_ids_by_head_id, heads)
            await session.in_thread(session.state.mark_stale, chain(*members.values()))
        await pull(session, locations, tally, full=full, prune=prune)
    else:
        paths = [locations[key].path for key in keys if key in locations]
        tally.add_broken(notes_on(broken_among(paths, survey.broken)))
        await pull_named(session, dict.fromkeys(keys), locations, tally)
    if session.job.attachment_mode == "download":
        from ticketr.app.sync.pull.downloading import download_known  # noqa: PLC0415 - few need it

        tally.add_broken((await download_known(session)).failed)
    return survey.broken


@dataclass(kw_only=True)
class PushJob(_PullOrPushJob):
    """A job that brings what was edited in files to Jira.

    Attributes:
        keys: The tickets to push; None for all. The key of a ticket stands for its sub-tasks, too,
            and the name of a file, relative to the workspace, for all tickets and drafts in it.
        confirmed: The plan that the user has confirmed. At its turn, the job sends only what is in
            it and still unchanged; `PushResult.left_alone` lists the rest. None sends every edit.
        dry_run: Only find out what would be sent, and whether Jira would take it.
        accept_loss: Whether it may remove from descriptions in Jira what files cannot say, or the
            losses that a user has accepted.

    Cancellation:
        Takes effect at once, inside a running request too. What Jira has taken is recorded, or
        will be found by the next job.
    """

    action_name = "Push"

    confirmed: PushPlan | None = field(default=None, repr=False)
    dry_run: bool = False
    accept_loss: AllOrTheseLosses = False
    _tally: PushTally = field(default_factory=PushTally, init=False, repr=False, compare=False)

    def so_far(self) -> PushResult:
        """Return what it has done until now, also when it was cancelled or has failed."""
        return replace(self._tally.result, site=self.workspace_site)

    async def execute(self, context: JobContext) -> PushResult:
        """Run the push; the queue calls this."""
        self._tally = tally = PushTally()
        async with session_reporting_end(self, context, lambda: _push_progress(tally)) as session:
            if session.recorded_creations and not self.dry_run:
                await _recover_created_keys(session, tally)
            survey = await session.survey()
            if self.keys is not None:
                await session.in_thread(check_keys_and_paths, self.keys, survey, session.state)
            if survey.broken:
                broken = await session.in_thread(survey.broken_files_of, self.keys, session.state)
                tally.fail(*notes_on(broken))
            from ticketr.app.sync.push.push import Push  # noqa: PLC0415 - no pull needs it

            keys = None if self.keys is None else frozenset(self.keys)
            push = Push(session, tally, keys, self.confirmed, self.accept_loss)
            await push.run(survey, dry_run=self.dry_run)
        result = self.so_far()
        if self.dry_run:
            refused = len(result.failed) + result.in_conflict
            rest = f", {refused} would not" if refused else ""
            words = f"Nothing was sent: {count_tickets(result.total)} would be pushed{rest}"
            session.progress.report(words)
        else:
            words = f"Push complete: {count_tickets(result.pushed_issue_count)}{left_out_counts(pushed=result)}"
            session.progress.report(words, result.pushed_issue_count, result.total)
        return result


@dataclass(kw_only=True)
class SyncJob(SessionJob):
    """A job that pulls, merges and pushes, in two phases of progress.

    Attributes:
        full: Fetch every issue again, also those that have not changed.
        prune: Move unedited files of issues that are gone from Jira into ticketr's own folder.
        confirmed: See `PushJob`. The pull comes first. What it merges into the files counts as
            confirmed, if it is the confirmed text with Jira's changes.
        accept_loss: See `PushJob`.

    Cancellation:
        As for `PullJob` and `PushJob`, whichever phase it is in.
    """

    action_name = "Sync"

    full: bool = False
    prune: bool = False
    confirmed: PushPlan | None = field(default=None, repr=False)
    accept_loss: AllOrTheseLosses = False
    _pulled: PullTally = field(default_factory=PullTally, init=False, repr=False, compare=False)
    _pushed: PushTally = field(default_factory=PushTally, init=False, repr=False, compare=False)
    _is_pushing: bool = field(default=False, init=False, repr=False, compare=False)

    def so_far(self) -> SyncResult:
        """Return what it has done until now, also when it was cancelled or has failed."""
        pushed = replace(self._pushed.result, site=self.workspace_site)
        return SyncResult(self._pulled.result(), pushed)

    async def execute(self, context: JobContext) -> SyncResult:
        """Run the sync; the queue calls this."""
        self._pulled, self._pushed, self._is_pushing = PullTally(), PushTally(), False
        async with session_reporting_end(self, context, self._phase_done_so_far_words) as session:
            if session.recorded_creations:
                await _recover_created_keys(session, self._pushed)
            broken = await _pull_and_find_broken(
                session, self._pulled, None, full=self.full, prune=self.prune
            )
            self._is_pushing = True
            session.progress.report("Looking for edits...", 0, 0)
            survey = await session.survey()
            # The pull has reported conflicts and broken files already. What could not be written
            # has changed in Jira, so it would have to be written before it is pushed.
            failed = self._pulled.failed_by_key
            stuck = {key: note for key, note in failed.items() if note.code is Code.BROKEN}
            survey.leave_out({*self._pulled.conflicts_by_key, *stuck})
            reported = {*broken, *(note.path for note in stuck.values())}
            new = {name: error for name, error in survey.broken.items() if name not in reported}
            self._pushed.fail(*notes_on(new))
            from ticketr.app.sync.push.push import Push  # noqa: PLC0415 - no pull needs it

            push = Push(session, self._pushed, None, self.confirmed, self.accept_loss)
            await push.run(survey, merging=True)
        result = self.so_far()
        pulled, pushed = result.pull, result.push
        words = f"{count_tickets(pulled.written_or_unchanged_count)} pulled, {pushed.pushed_issue_count} pushed{left_out_counts(pulled=pulled, pushed=pushed)}"
        session.progress.report(f"Sync complete: {words}", pushed.pushed_issue_count, pushed.total)
        return result

    def _phase_done_so_far_words(self) -> str:
        return _push_progress(self._pushed) if self._is_pushing else _pull_progress(self._pulled)
