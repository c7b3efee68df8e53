"""The repeats of a cluster as their users see them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, final

from ticketr._errors import UnknownJob
from ticketr.cluster._errors import ClusterMisconfigured
from ticketr.cluster._repeat_runs import REFUSED, step_of_run
from ticketr.cluster._repeat_state import KeptRepeat, RepeatState
from ticketr.cluster._store import pairs
from ticketr.jobs._sendable import LoadFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ticketr.cluster._handle import ClusterHandle
    from ticketr.cluster._signed import SignedCodec
    from ticketr.cluster._store import RecordStore
    from ticketr.jobs._job import JobID


@final
class ClusterRepeat:
    """A job that workers run again and again; made by :meth:`ClusterQueue.repeat`.

    The server keeps it until :meth:`cancel`, also when no process has the queue open. Each run is a
    job of its own, with the ID ``<id>#n``.

    Attributes:
        id: The ID of the repeat.
    """

    def __init__(
        self,
        repeat_id: JobID,
        store: RecordStore,
        codec: SignedCodec,
        attach: Callable[[JobID], Awaitable[ClusterHandle[object]]],
    ) -> None:
        self.id = repeat_id
        self._store = store
        self._codec = codec
        self._attach = attach

    async def state(self) -> RepeatState:
        """Ask the server for the state.

        Cancellation:
            Changes nothing.

        Raises:
            UnknownJob: It has ended more than a day ago.
        """
        return (await self._get()).state()

    async def last(self) -> ClusterHandle[object] | None:
        """Return a handle of the last run; None before the first.

        Cancellation:
            Changes nothing.

        Raises:
            UnknownJob: The repeat, or that run, has been forgotten.
        """
        kept = await self._get()
        return await self._attach(f"{self.id}#{kept.runs}") if kept.runs else None

    async def run_now(self) -> bool:
        """Submit a run now, also in a pause.

        The due times stay as they are.

        Cancellation:
            The run may have been submitted, or not.

        Returns:
            False if a run is pending or running, the repeat has ended, or another live job has the
            ID of the run, so that nothing was submitted.

        Raises:
            UnknownJob: It has ended more than a day ago.
            ClusterMisconfigured: The repeat is not signed with the queue's secret.
            ClusterUnavailable: The server takes no jobs now; nothing was submitted.
        """
        answer = b"late"
        while answer == b"late":  # another process was first: look again
            kept = await self._get()
            if kept.has_ended:
                return False
            try:
                step = step_of_run(kept, self._codec, kept.due, missed=0)
            except LoadFailed as error:
                raise ClusterMisconfigured(f"repeat {self.id!r}", str(error)) from None
            answer = await self._store.call_surely("repeat_step", *step)
        return answer not in REFUSED

    async def pause(self) -> None:
        """Submit no more runs; a run that has been submitted goes on.

        Due times that pass in the pause are skipped, and do not count as missed.

        Cancellation:
            The repeat may have been paused, or not.
        """
        await self._store.call_surely("repeat_pause", self.id, 1)

    async def resume(self) -> None:
        """End a pause: the next run is at the first due time that is not past.

        Cancellation:
            The pause may have been ended, or not.
        """
        await self._store.call_surely("repeat_pause", self.id, 0)

    async def cancel(self) -> bool:
        """End the repeat for all processes.

        A run that has been submitted goes on.

        Cancellation:
            The repeat may have been ended, or not.

        Returns:
            False if it had ended before.
        """
        token = uuid.uuid4().hex
        return bool(await self._store.call_surely("repeat_end", self.id, token))

    async def _get(self) -> KeptRepeat:
        told: Any = pairs(await self._store.call_surely("repeat_get", self.id))
        if not told:
            raise UnknownJob(self.id)
        return KeptRepeat(told)

    def __repr__(self) -> str:
        return f"<ClusterRepeat id={self.id!r}>"
