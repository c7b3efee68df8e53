"""The job that brings tickets from Jira into files."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ticketr.app.config import DOWNLOAD
from ticketr.app.sync.job_tags import ticket_tags
from ticketr.app.sync.jobs.parts import (
    count_tickets,
    first_keys,
    not_done,
    pulled_words,
    recover_if_any,
    reporting_session,
)
from ticketr.app.sync.pull.pull import pull
from ticketr.app.sync.pull.tally import PullResult, Tally
from ticketr.app.sync.session import Session
from ticketr.app.sync.session_job import SessionJob
from ticketr.app.sync.workspace.layout import Layout, notes_on

if TYPE_CHECKING:
    from ticketr import JobContext


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
        Takes effect at once, inside a running request too. What was written stays and is complete.
    """

    verb = "Pull"

    keys: Collection[str] | None = None
    full: bool = False
    prune: bool = False
    into: str | None = None
    _tally: Tally = field(default_factory=Tally, init=False, repr=False, compare=False)

    @property
    def _subject(self) -> str:
        return super()._subject if self.keys is None else first_keys(self.keys)

    @property
    def tags(self) -> frozenset[str]:
        """What to find the job by: the tickets to which it is limited."""
        return ticket_tags(self.keys)

    def so_far(self) -> PullResult:
        """Return what it has done until now, also when it was cancelled or has failed."""
        return self._tally.result()

    async def execute(self, context: JobContext) -> PullResult:
        """Run the pull; the queue calls this."""
        self._tally = tally = Tally()
        async with reporting_session(self, context, lambda: pulled_words(tally)) as session:
            await recover_if_any(session, tally.add_recovered, tally.fail)
            if self.keys is None:
                await pull_all(session, tally, full=self.full, prune=self.prune, into=self.into)
            else:
                from ticketr.app.sync.pull.pull import pull_named  # noqa: PLC0415 - few pulls name keys

                layout = await find_layout(session, tally)
                keys = dict.fromkeys(self.keys)
                await pull_named(session, keys, layout.locations, tally, into=self.into)
                await _download(session, tally)
        result = tally.result()
        words = f"Pull complete: {count_tickets(result.done)}{not_done(pulled=result)}"
        session.progress.move(result.done, result.done, words)
        return result


async def pull_all(
    session: Session, tally: Tally, *, full: bool, prune: bool, into: str | None = None
) -> Collection[str]:
    """Pull into the workspace; return the files that could not be read."""
    layout = await find_layout(session, tally)
    await pull(session, layout.locations, tally, full=full, prune=prune, into=into)
    await _download(session, tally)
    return layout.broken.keys()


async def _download(session: Session, tally: Tally) -> None:
    """Download what is attached to the issues that were pulled, if the workspace keeps it."""
    if session.job.attachments != DOWNLOAD:
        return
    from ticketr.app.sync.pull.downloading import download_known  # noqa: PLC0415 - few need it

    result = await download_known(session)
    tally.add_broken(result.failed)


async def find_layout(session: Session, tally: Tally) -> Layout:
    """Find the tickets in the files, and note the files that cannot be read."""
    layout = await session.layout()
    tally.add_broken(notes_on(layout.broken))
    return layout
