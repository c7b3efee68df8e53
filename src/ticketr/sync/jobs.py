"""The jobs that an app submits to the queue: pull, push, and both."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ticketr.sync.errors import error_to_report
from ticketr.sync.pull.pull import PullResult, pull, pull_result
from ticketr.sync.pull.tally import Tally
from ticketr.sync.push.push import PushResult, push, push_result
from ticketr.sync.push.recovery import recover
from ticketr.sync.push.tally import PushTally
from ticketr.sync.session import Progress, SessionJob, open_session
from ticketr.sync.workspace.layout import notes_on

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ticketr import JobContext
    from ticketr.sync.edits.losses import Accepted


@dataclass(kw_only=True)
class PullJob(SessionJob):
    """A job that brings tickets from Jira into files.

    Attributes:
        full: Fetch every issue again, also those that have not changed.
        prune: Move unedited files of issues that are gone from Jira into ticketr's own folder.
        into: The file for new tickets, relative to the workspace; None gives each its own file.

    Cancellation:
        Takes effect at once, inside a running request too. What was written stays and is whole.
    """

    verb = "Pull"

    full: bool = False
    prune: bool = False
    into: str | None = None
    _tally: Tally = field(default_factory=Tally, init=False, repr=False, compare=False)

    def so_far(self) -> PullResult:
        """Return what it has done until now, also when it was cancelled or has failed."""
        return pull_result(self._tally)

    async def execute(self, context: JobContext) -> PullResult:
        """Run the pull; the queue calls this."""
        progress = Progress(context, self.credentials.redact)
        self._tally = tally = Tally()
        with _final_message(progress, "Pull", lambda: f"{tally.done}/{tally.total} tickets pulled"):
            async with open_session(self, progress) as session:
                await recover(session, tally.add_recovered)
                layout = await session.layout()
                tally.add_broken(notes_on(layout.broken))
                result = await pull(
                    session,
                    layout.locations,
                    tally,
                    full=self.full,
                    prune=self.prune,
                    into=self.into,
                )
        words = f"Pull complete: {_tickets(result.done)}{_not_done(result)}"
        progress.move(tally.done, tally.done, words)
        return result


@dataclass(kw_only=True)
class PushJob(SessionJob):
    """A job that brings what was edited in files to Jira.

    Attributes:
        dry_run: Only find out what would be sent, and whether Jira would take it.
        accept_loss: Whether it may remove from descriptions in Jira what files cannot say, or the
            losses that a user has accepted.

    Cancellation:
        Takes effect at once, inside a running request too. What Jira has taken is recorded, or
        will be found by the next job.
    """

    verb = "Push"

    dry_run: bool = False
    accept_loss: Accepted = False
    _tally: PushTally = field(default_factory=PushTally, init=False, repr=False, compare=False)

    def so_far(self) -> PushResult:
        """Return what it has done until now, also when it was cancelled or has failed."""
        return push_result(self.site, self._tally)

    async def execute(self, context: JobContext) -> PushResult:
        """Run the push; the queue calls this."""
        progress = Progress(context, self.credentials.redact)
        self._tally = tally = PushTally()
        with _final_message(progress, "Push", lambda: f"{tally.done}/{tally.total} tickets pushed"):
            async with open_session(self, progress) as session:
                if not self.dry_run:
                    await recover(session, tally.add_recovered)
                survey = await session.survey()
                tally.fail(*notes_on(survey.broken))
                result = await push(
                    session,
                    survey,
                    tally,
                    dry_run=self.dry_run,
                    accept_loss=self.accept_loss,
                )
        _say_pushed(progress, tally, dry_run=self.dry_run)
        return result


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What a sync did.

    Attributes:
        pull: What its first half did.
        push: What its second half did.
    """

    pull: PullResult
    push: PushResult


@dataclass(kw_only=True)
class SyncJob(SessionJob):
    """A job that pulls, merges and pushes, in two phases of progress.

    Attributes:
        full: Fetch every issue again, also those that have not changed.
        prune: Move unedited files of issues that are gone from Jira into ticketr's own folder.
        accept_loss: As of `PushJob`.

    Cancellation:
        As of `PullJob` and `PushJob`, whichever phase it is in.
    """

    verb = "Sync"

    full: bool = False
    prune: bool = False
    accept_loss: Accepted = False
    _pull: Tally = field(default_factory=Tally, init=False, repr=False, compare=False)
    _push: PushTally = field(default_factory=PushTally, init=False, repr=False, compare=False)
    _pulled: PullResult | None = field(default=None, init=False, repr=False, compare=False)

    def so_far(self) -> SyncResult:
        """Return what it has done until now, also when it was cancelled or has failed."""
        pulled = self._pulled or pull_result(self._pull)
        return SyncResult(pulled, push_result(self.site, self._push))

    async def execute(self, context: JobContext) -> SyncResult:
        """Run the sync; the queue calls this."""
        progress = Progress(context, self.credentials.redact)
        self._pull = tally = Tally()
        self._push = push_tally = PushTally()
        self._pulled = None
        with _final_message(progress, "Sync", self._count):
            async with open_session(self, progress) as session:
                await recover(session, push_tally.add_recovered)
                layout = await session.layout()
                tally.add_broken(notes_on(layout.broken))
                pulled = await pull(
                    session, layout.locations, tally, full=self.full, prune=self.prune
                )
                self._pulled = pulled
                progress.begin("Looking for edits...")
                survey = await session.survey()
                survey.leave_out({each.key for each in pulled.conflicts})  # the pull reports them
                new = {
                    name: error
                    for name, error in survey.broken.items()
                    if name not in layout.broken
                }
                push_tally.fail(*notes_on(new))
                pushed = await push(
                    session, survey, push_tally, merging=True, accept_loss=self.accept_loss
                )
                result = SyncResult(pulled, pushed)
        words = f"{_tickets(pulled.done)} pulled, {push_tally.done} pushed"
        words = f"Sync complete: {words}{_not_done(pulled, push_tally)}"
        progress.move(push_tally.done, push_tally.total, words)
        return result

    def _count(self) -> str:
        if self._pulled is None:
            return f"{self._pull.done}/{self._pull.total} tickets pulled"
        return f"{self._push.done}/{self._push.total} tickets pushed"


def _say_pushed(progress: Progress, tally: PushTally, *, dry_run: bool) -> None:
    if dry_run:
        refused = len(tally.failed) + tally.in_conflict
        rest = f", {refused} would not" if refused else ""
        progress.say(f"Nothing was sent: {_tickets(tally.total)} would be pushed{rest}")
    else:
        words = f"Push complete: {_tickets(tally.done)}{_not_done(pushed=tally)}"
        progress.move(tally.done, tally.total, words)


def _not_done(pulled: PullResult | None = None, pushed: PushTally | None = None) -> str:
    """Return the counts of what was neither pulled nor pushed, as the end of a message."""
    conflicts = kept = failed = 0
    if pulled is not None:
        conflicts, kept, failed = pulled.in_conflict, pulled.left_alone, pulled.unwritten
    if pushed is not None:
        conflicts, failed = conflicts + pushed.in_conflict, failed + len(pushed.failed)
    counts = {"in conflict": conflicts, "kept": kept, "failed": failed}
    return "".join(f", {count} {word}" for word, count in counts.items() if count)


def _tickets(count: int) -> str:
    return "1 ticket" if count == 1 else f"{count} tickets"


@contextmanager
def _final_message(progress: Progress, what: str, count: Callable[[], str]) -> Generator[None]:
    """Report how a job has failed or was cancelled as its last message."""
    try:
        yield
    except Exception as error:
        told = error_to_report(error)
        progress.say(f"{what} failed: {str(told) or type(told).__name__}")
        if told is error:
            raise
        raise told from None  # one of several errors of concurrent tasks is enough
    except BaseException:  # a cancellation, alone or in a group
        progress.say(f"Cancelled: {count()}")
        raise
