"""The job that pulls, merges and pushes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ticketr.app.sync.edits.losses import Accepted
from ticketr.app.sync.edits.push_plan import PushPlan
from ticketr.app.sync.jobs.parts import (
    SyncResult,
    count_tickets,
    not_done,
    pulled_words,
    pushed_words,
    recover_if_any,
    reporting_session,
    selection_of,
)
from ticketr.app.sync.jobs.pull_job import pull_all
from ticketr.app.sync.notes import Code
from ticketr.app.sync.pull.tally import Tally
from ticketr.app.sync.push.push import push
from ticketr.app.sync.push.tally import PushTally
from ticketr.app.sync.session_job import SessionJob
from ticketr.app.sync.workspace.layout import notes_on

if TYPE_CHECKING:
    from ticketr import JobContext


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
            await recover_if_any(session, self._push.add_recovered, self._push.fail)
            broken = await pull_all(session, self._pull, full=self.full, prune=self.prune)
            self._pushing = True
            session.progress.begin("Looking for edits...")
            survey = await session.survey()
            # The pull has reported conflicts and broken files already. What could not be written
            # has changed in Jira, so it would have to be written before it is pushed.
            stuck = {
                key: note for key, note in self._pull.failed.items() if note.code is Code.BROKEN
            }
            survey.leave_out({*self._pull.conflicts, *stuck})
            reported = {*broken, *(note.path for note in stuck.values())}
            new = {name: error for name, error in survey.broken.items() if name not in reported}
            self._push.fail(*notes_on(new))
            await push(
                session,
                survey,
                self._push,
                merging=True,
                accept_loss=self.accept_loss,
                selection=selection_of(self, self.confirmed),
            )
        result = self.so_far()
        pulled, pushed = result.pull, result.push
        words = f"{count_tickets(pulled.done)} pulled, {pushed.done} pushed{not_done(pulled=pulled, pushed=pushed)}"
        session.progress.move(pushed.done, pushed.total, f"Sync complete: {words}")
        return result

    def _words(self) -> str:
        return pushed_words(self._push) if self._pushing else pulled_words(self._pull)
