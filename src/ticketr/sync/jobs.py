"""The jobs that an app submits to the queue: pull, push, and both."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ticketr.config import DOWNLOAD
from ticketr.sync.edits.planning import check_keys
from ticketr.sync.edits.selection import Selection
from ticketr.sync.errors import error_to_report
from ticketr.sync.pull.downloading import download_known
from ticketr.sync.pull.named import pull_named
from ticketr.sync.pull.pull import pull
from ticketr.sync.pull.tally import PullResult, Tally
from ticketr.sync.push.push import push
from ticketr.sync.push.recovery import recover
from ticketr.sync.push.tally import PushResult, PushTally
from ticketr.sync.session import Progress, Session, SessionJob, open_session
from ticketr.sync.workspace.layout import notes_on

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Collection

    from ticketr import JobContext
    from ticketr.sync.edits.losses import Accepted
    from ticketr.sync.edits.push_plan import PushPlan
    from ticketr.sync.workspace.layout import Layout

#: How many keys the name of a job has.
_NAMED = 3


@dataclass(kw_only=True)
class PullJob(SessionJob):
    """A job that brings tickets from Jira into files.

    Attributes:
        keys: The tickets to fetch, changed or not, whatever the query finds; None for those that
            the query finds. A ticket comes with its sub-tasks. Then ``full`` and ``prune`` do
            nothing.
        full: Fetch every issue again, also those that have not changed.
        prune: Move unedited files of issues that are gone from Jira into ticketr's own folder.
        into: The file for new tickets, relative to the workspace; None gives each its own file.

    Cancellation:
        Takes effect at once, inside a running request too. What was written stays and is whole.
    """

    verb = "Pull"

    keys: Collection[str] | None = None
    full: bool = False
    prune: bool = False
    into: str | None = None
    _tally: Tally = field(default_factory=Tally, init=False, repr=False, compare=False)

    @property
    def _subject(self) -> str:
        return super()._subject if self.keys is None else _list_some(self.keys)

    def so_far(self) -> PullResult:
        """Return what it has done until now, also when it was cancelled or has failed."""
        return self._tally.result()

    async def execute(self, context: JobContext) -> PullResult:
        """Run the pull; the queue calls this."""
        self._tally = tally = Tally()
        async with reporting_session(self, context, lambda: _pulled_words(tally)) as session:
            await recover(session, tally.add_recovered)
            if self.keys is None:
                await _pull_all(session, tally, full=self.full, prune=self.prune, into=self.into)
            else:
                layout = await _layout(session, tally)
                keys = dict.fromkeys(self.keys)
                await pull_named(session, keys, layout.locations, tally, into=self.into)
                await _download(session, tally)
        result = tally.result()
        words = f"Pull complete: {_tickets(result.done)}{_not_done(result, PushResult())}"
        session.progress.move(result.done, result.done, words)
        return result


@dataclass(kw_only=True)
class PushJob(SessionJob):
    """A job that brings what was edited in files to Jira.

    Attributes:
        keys: The tickets to push; None for all. The key of a ticket stands for its sub-tasks, too.
        confirmed: The plan that the user has confirmed. At its turn, the job sends only what is in
            it and still unchanged; `PushResult.left` lists the rest. None sends every edit.
        dry_run: Only find out what would be sent, and whether Jira would take it.
        accept_loss: Whether it may remove from descriptions in Jira what files cannot say, or the
            losses that a user has accepted.

    Cancellation:
        Takes effect at once, inside a running request too. What Jira has taken is recorded, or
        will be found by the next job.
    """

    verb = "Push"

    keys: Collection[str] | None = None
    confirmed: PushPlan | None = field(default=None, repr=False)
    dry_run: bool = False
    accept_loss: Accepted = False
    _tally: PushTally = field(default_factory=PushTally, init=False, repr=False, compare=False)

    @property
    def _subject(self) -> str:
        return super()._subject if self.keys is None else _list_some(self.keys)

    def so_far(self) -> PushResult:
        """Return what it has done until now, also when it was cancelled or has failed."""
        return replace(self._tally.result, site=self.site)

    async def execute(self, context: JobContext) -> PushResult:
        """Run the push; the queue calls this."""
        self._tally = tally = PushTally()
        async with reporting_session(self, context, lambda: _pushed_words(tally)) as session:
            if not self.dry_run:
                await recover(session, tally.add_recovered)
            survey = await session.survey()
            if self.keys is not None:
                await session.in_thread(check_keys, self.keys, survey, session.state)
            tally.fail(*notes_on(survey.broken))
            await push(
                session,
                survey,
                tally,
                dry_run=self.dry_run,
                accept_loss=self.accept_loss,
                selection=_selection(self, self.confirmed, self.keys),
            )
        result = self.so_far()
        if self.dry_run:
            refused = len(result.failed) + result.in_conflict
            rest = f", {refused} would not" if refused else ""
            words = f"Nothing was sent: {_tickets(result.total)} would be pushed{rest}"
            session.progress.say(words)
        else:
            words = f"Push complete: {_tickets(result.done)}{_not_done(PullResult(), result)}"
            session.progress.move(result.done, result.total, words)
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
        confirmed: As of `PushJob`; the pull comes first. What it has merged into the files was
            confirmed, if that is what Jira's changes make of the confirmed texts.
        accept_loss: As of `PushJob`.

    Cancellation:
        As of `PullJob` and `PushJob`, whichever phase it is in.
    """

    verb = "Sync"

    full: bool = False
    prune: bool = False
    confirmed: PushPlan | None = field(default=None, repr=False)
    accept_loss: Accepted = False
    _pull: Tally = field(default_factory=Tally, init=False, repr=False, compare=False)
    _push: PushTally = field(default_factory=PushTally, init=False, repr=False, compare=False)
    _pushing: bool = field(default=False, init=False, repr=False, compare=False)

    def so_far(self) -> SyncResult:
        """Return what it has done until now, also when it was cancelled or has failed."""
        return SyncResult(self._pull.result(), replace(self._push.result, site=self.site))

    async def execute(self, context: JobContext) -> SyncResult:
        """Run the sync; the queue calls this."""
        self._pull, self._push, self._pushing = Tally(), PushTally(), False
        async with reporting_session(self, context, self._words) as session:
            await recover(session, self._push.add_recovered)
            broken = await _pull_all(session, self._pull, full=self.full, prune=self.prune)
            self._pushing = True
            session.progress.begin("Looking for edits...")
            survey = await session.survey()
            # The pull has reported conflicts and broken files already.
            survey.leave_out(self._pull.conflicts)
            new = {name: error for name, error in survey.broken.items() if name not in broken}
            self._push.fail(*notes_on(new))
            await push(
                session,
                survey,
                self._push,
                merging=True,
                accept_loss=self.accept_loss,
                selection=_selection(self, self.confirmed),
            )
        result = self.so_far()
        pulled, pushed = result.pull, result.push
        words = f"{_tickets(pulled.done)} pulled, {pushed.done} pushed{_not_done(pulled, pushed)}"
        session.progress.move(pushed.done, pushed.total, f"Sync complete: {words}")
        return result

    def _words(self) -> str:
        return _pushed_words(self._push) if self._pushing else _pulled_words(self._pull)


async def _pull_all(
    session: Session, tally: Tally, *, full: bool, prune: bool, into: str | None = None
) -> Collection[str]:
    """Pull into the workspace; return the files that could not be read."""
    layout = await _layout(session, tally)
    await pull(session, layout.locations, tally, full=full, prune=prune, into=into)
    await _download(session, tally)
    return layout.broken.keys()


async def _download(session: Session, tally: Tally) -> None:
    """Download what is attached to the issues that were pulled, if the workspace keeps it."""
    if session.job.attachments != DOWNLOAD:
        return
    result = await download_known(session)
    tally.add_broken(result.failed)


async def _layout(session: Session, tally: Tally) -> Layout:
    """Find the tickets in the files, and note the files that cannot be read."""
    layout = await session.layout()
    tally.add_broken(notes_on(layout.broken))
    return layout


def _selection(
    job: SessionJob, confirmed: PushPlan | None, keys: Collection[str] | None = None
) -> Selection:
    return Selection(None if keys is None else frozenset(keys), confirmed, job.prefer)


def _list_some(keys: Collection[str]) -> str:
    """Return the first keys, and how many more there are."""
    more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
    return ", ".join(list(keys)[:_NAMED]) + more


def _not_done(pulled: PullResult, pushed: PushResult) -> str:
    """Return the counts of what was neither pulled nor pushed, as the end of a message."""
    counts = {
        "in conflict": pulled.in_conflict + pushed.in_conflict,
        "kept": pulled.left_alone,
        "left alone": len(pushed.left),
        "failed": pulled.unwritten + len(pushed.failed),
    }
    return "".join(f", {count} {word}" for word, count in counts.items() if count)


def _tickets(count: int) -> str:
    return "1 ticket" if count == 1 else f"{count} tickets"


def _pulled_words(tally: Tally) -> str:
    return f"{tally.done}/{tally.total} tickets pulled"


def _pushed_words(tally: PushTally) -> str:
    return f"{tally.result.done}/{tally.result.total} tickets pushed"


@asynccontextmanager
async def reporting_session(
    job: SessionJob, context: JobContext, done: Callable[[], str]
) -> AsyncGenerator[Session]:
    """Open a session; report an error, or a cancellation with ``done()``, as the last message."""
    progress = Progress(context, job.credentials.redact)
    try:
        async with open_session(job, progress) as session:
            yield session
    except Exception as error:
        reported = error_to_report(error)
        progress.say(f"{job.verb} failed: {str(reported) or type(reported).__name__}")
        if reported is error:
            raise
        raise reported from None  # one of several errors of concurrent tasks is enough
    except BaseException:  # a cancellation, alone or in a group
        progress.say(f"Cancelled: {done()}")
        raise
