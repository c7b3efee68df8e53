"""The job that brings what was edited in files to Jira."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ticketr.app.sync.edits.losses import Accepted
from ticketr.app.sync.edits.planning import check_keys
from ticketr.app.sync.edits.push_plan import PushPlan
from ticketr.app.sync.job_tags import ticket_tags
from ticketr.app.sync.jobs.parts import (
    count_tickets,
    first_keys,
    not_done,
    pushed_words,
    recover_if_any,
    reporting_session,
    selection_of,
)
from ticketr.app.sync.push.push import push
from ticketr.app.sync.push.tally import PushResult, PushTally
from ticketr.app.sync.session_job import SessionJob
from ticketr.app.sync.workspace.layout import notes_on

if TYPE_CHECKING:
    from ticketr import JobContext


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
        return super()._subject if self.keys is None else first_keys(self.keys)

    @property
    def tags(self) -> frozenset[str]:
        """What to find the job by: the tickets to which it is limited."""
        return ticket_tags(self.keys)

    def so_far(self) -> PushResult:
        """Return what it has done until now, also when it was cancelled or has failed."""
        return replace(self._tally.result, site=self.site)

    async def execute(self, context: JobContext) -> PushResult:
        """Run the push; the queue calls this."""
        self._tally = tally = PushTally()
        async with reporting_session(self, context, lambda: pushed_words(tally)) as session:
            if not self.dry_run:
                await recover_if_any(session, tally.add_recovered, tally.fail)
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
                selection=selection_of(self, self.confirmed, self.keys),
            )
        result = self.so_far()
        if self.dry_run:
            refused = len(result.failed) + result.in_conflict
            rest = f", {refused} would not" if refused else ""
            words = f"Nothing was sent: {count_tickets(result.total)} would be pushed{rest}"
            session.progress.say(words)
        else:
            words = f"Push complete: {count_tickets(result.done)}{not_done(pushed=result)}"
            session.progress.move(result.done, result.total, words)
        return result
