"""What users of a job queue do to jobs that they have submitted, and to the queue as a whole."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import trio
from trio.lowlevel import enable_ki_protection

from ticketr.jobs._deadlock import refuse_wait_inside
from ticketr.jobs._job import CancelCause, CancelOutcomes, JobStatus
from ticketr.jobs._lookup import find, known
from ticketr.jobs._options import checked_priority
from ticketr.jobs._queries import QueueQueries
from ticketr.jobs._rates import checked_rate
from ticketr.jobs._shutdown import refuse_submits, shorten_grace, wait_until_idle
from ticketr.jobs._values import as_reason, checked_key, checked_seconds

if TYPE_CHECKING:
    from collections.abc import Hashable

    from ticketr.jobs._core import QueueCore
    from ticketr.jobs._handle import JobHandle
    from ticketr.jobs._job import CancelOutcome, JobID
    from ticketr.jobs._key_table import KeySlot
    from ticketr.jobs._rates import Rate
    from ticketr.jobs._record import JobRecord


class QueueControl(QueueQueries):
    """The part of a job queue that cancels jobs, changes what they wait for, and ends the queue."""

    @enable_ki_protection
    def cancel(
        self, job_id: JobID | JobHandle[object], *, reason: str | None = None
    ) -> CancelOutcome:
        """Stop a job; never blocks and never raises.

        A pending job has ended when this returns, and its function is never called. A
        running one is interrupted at its next checkpoint.

        This cannot wait for a store: if the process is killed at once, the next opening may run the
        job. :meth:`request_cancel` waits.

        Args:
            job_id: The job's ID, or a handle of it.
            reason: Goes into the ``trio.Cancelled`` that the job sees.
        """
        record = find(self._core, job_id)
        return self._core.cancel(record, CancelCause.USER, as_reason(reason))

    @enable_ki_protection
    async def request_cancel(
        self, job_id: JobID | JobHandle[object], *, reason: str | None = None
    ) -> CancelOutcome:
        """Stop a job as :meth:`cancel` does; return when the end of a pending one is in the store.

        Cancellation:
            The job is stopped in any case.

        Args:
            job_id: The job's ID, or a handle of it.
            reason: Goes into the ``trio.Cancelled`` that the job sees.
        """
        core, record = self._core, find(self._core, job_id)
        outcome = core.cancel(record, CancelCause.USER, as_reason(reason))
        await trio.lowlevel.checkpoint()
        if core.store is not None and record is not None:
            await core.store.wait_end_written(record)
        return outcome

    @enable_ki_protection
    def cancel_all(
        self, *, key: Hashable = None, tag: str | None = None, reason: str | None = None
    ) -> CancelOutcomes:
        """Stop every live job, as :meth:`cancel` does.

        Args:
            key: Only those with this key.
            tag: Only those with this tag.
            reason: Goes into the ``trio.Cancelled`` that the jobs see.

        Returns:
            What was done, by the ID of the job.

        Raises:
            TypeError: The key cannot be hashed, or the tag is not text.
        """
        words = as_reason(reason)
        live = [job for job in known(self._core, key, tag) if not job.status.is_terminal]
        # Those that start after others go first, or these would cancel them.
        waits_after = self._core.schedule.waits_after
        order = [job for job in reversed(live) if waits_after(job)]
        order += [job for job in live if not waits_after(job)]
        done = {job: self._core.cancel(job, CancelCause.USER, words) for job in order}
        return CancelOutcomes((job.id, done[job]) for job in live)

    @enable_ki_protection
    def run_now(self, job_id: JobID | JobHandle[object]) -> bool:
        """End a job's delay, or its wait for the next attempt: it is due now.

        Returns:
            False if the job did not wait for a time, so that nothing changed.

        Raises:
            UnknownJob: No job with this ID is known.
        """
        core, record = self._core, self._find(job_id)
        if not core.schedule.make_due(record, core.now()):
            return False
        core.mark_changed([record])
        return True

    @enable_ki_protection
    def set_priority(self, job_id: JobID | JobHandle[object], priority: int) -> bool:
        """Give a job another priority.

        Returns:
            False if the job had ended, so that nothing changed.

        Raises:
            UnknownJob: No job with this ID is known.
            TypeError, ValueError: The priority is not a whole number, or beyond 1e9.
        """
        core, record = self._core, self._find(job_id)
        priority = checked_priority(priority)
        if record.status.is_terminal:
            return False
        record.set_priority(priority)
        if record.status is JobStatus.PENDING:
            core.schedule.rerank(record)
        core.mark_changed([record])
        return True

    @enable_ki_protection
    def pause(self, key: Hashable = None) -> None:
        """Start no more jobs; those that run go on.

        The pause is lifted when the queue begins to end.

        Args:
            key: Pause only the jobs with this key.

        Raises:
            TypeError: The key cannot be hashed.
        """
        key = checked_key(key)
        core = self._core
        core.subscriptions.owner_thread.check()
        if core.phase.draining:
            return
        keys = core.registry.keys
        key_slot = None if key is None else keys.find(key) or keys.add(key)
        core.schedule.pause(key_slot)
        core.admit()
        core.mark_changed(_pending(core, key_slot))

    @enable_ki_protection
    def resume(self, key: Hashable = None) -> None:
        """Undo a pause of the queue, or a pause of a key; neither of them lifts the other.

        Args:
            key: Undo the pause of this key; None for that of the queue.

        Raises:
            TypeError: The key cannot be hashed.
        """
        key = checked_key(key)
        core = self._core
        core.subscriptions.owner_thread.check()
        key_slot = None if key is None else core.registry.keys.find(key)
        if key is not None and key_slot is None:
            return  # no job has the key, and the key is not paused
        core.schedule.resume(key_slot)
        if key_slot is not None:
            core.registry.remove_unused(key_slot)
        core.mark_changed(_pending(core, key_slot))

    @enable_ki_protection
    def set_rate(self, rate: Rate | None, key: Hashable = None) -> None:
        """Limit how fast attempts start: those of all jobs, or those of the jobs with a key.

        The rate of the queue and that of a key both hold. A job that waits for a rate holds neither
        a worker nor its key, and holds up no job of another key. A new rate keeps count of the
        starts that the one before it has seen. The rate of a key holds until it is set to None,
        also while no job has the key.

        Args:
            rate: The rate; None for no limit.
            key: Limit only the jobs with this key.

        Raises:
            TypeError: It is not a rate, or the key cannot be hashed.
        """
        rate = None if rate is None else checked_rate(rate)
        key = checked_key(key)
        core = self._core
        core.subscriptions.owner_thread.check()
        keys = core.registry.keys
        key_slot = None if key is None else keys.find(key)
        if core.phase.closed or (key_slot is None and key is not None and rate is None):
            return
        if key_slot is None and key is not None:
            key_slot = keys.add(key)
        core.schedule.set_rate(key_slot, rate, core.now())
        if key_slot is not None:
            core.registry.remove_unused(key_slot)
        core.timer.wake_at(core.schedule.next_time())
        core.mark_changed(())

    @enable_ki_protection
    async def wait_idle(self) -> None:
        """Wait until no job is pending or running.

        Cancellation:
            Never touches a job.

        Raises:
            WouldDeadlock: Called by a job of this queue.
        """
        self._core.subscriptions.owner_thread.check()
        refuse_wait_inside(self._core, "the queue to be idle, which includes itself")
        await wait_until_idle(self._core)

    @enable_ki_protection
    async def shutdown(self, *, grace: float | None = None) -> None:
        """Take no more jobs, wait until all jobs have ended, and close the queue.

        May be called more than once; a later call can only shorten the grace.

        Cancellation:
            Ends the wait alone; the shutdown goes on.

        Args:
            grace: After how many seconds to cancel the jobs that have not ended; their
                clean-up is still waited for, and those that wait for a time are cancelled
                at once. None or ``math.inf``: they may take as long as they like.

        Raises:
            WouldDeadlock: Called without a limit by a job of this queue.
            TypeError, ValueError: The grace is not a number of seconds.
        """
        self._core.subscriptions.owner_thread.check()
        limit = math.inf if grace is None else checked_seconds("grace", grace, limit=True)
        if limit == math.inf:
            refuse_wait_inside(self._core, "the end of all jobs, itself included")
        if not self._core.phase.closed:  # or it may be another run that asks
            refuse_submits(self._core)
            if limit != math.inf:
                shorten_grace(self._core, limit)
        await wait_until_idle(self._core)


def _pending(core: QueueCore, key_slot: KeySlot[JobRecord] | None) -> list[JobRecord]:
    """Return the pending jobs: those with this key, or all of them."""
    jobs = core.schedule.jobs() if key_slot is None else key_slot.jobs
    return [record for record in jobs if record.status is JobStatus.PENDING]
