"""Follows the server's events of the jobs that this process knows."""

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING, Final, final

import trio
from coredis.tokens import PureToken

from ticketr.cluster._errors import ClusterUnavailable
from ticketr.cluster._refusals import is_of_one_job
from ticketr.cluster._store import FAILED, FIRST_PAUSE, LONGEST_PAUSE, pairs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ticketr.cluster._mirror import Mirror
    from ticketr.cluster._record import RemoteRecord
    from ticketr.cluster._store import RecordStore
    from ticketr.cluster._submission import Submission

logger = logging.getLogger("ticketr.cluster")

LIFE: Final = 3600
"""Seconds after which the server drops the stream of a reader that is gone."""
DROPPED_AT_ONCE: Final = 1000
"""Events that the server drops at once when they have been read."""


@final
class EventReader:
    """The stream of one process, in which the server tells it of its jobs.

    One stream serves all jobs, readers and waiting tasks. Whenever it may have a gap, because the
    connection broke or the server forgot the stream, the records of all live jobs are read again.

    Attributes:
        stream: The name of the stream.
        shift: The server's clock minus Trio's.
        submissions: How to submit a live job once more if the server has forgotten it.
    """

    def __init__(self, store: RecordStore, mirror: Mirror) -> None:
        self._store = store
        self._mirror = mirror
        self.stream: Final = store.keys.events(uuid.uuid4().hex[:12])
        self.shift: float = 0.0
        self.submissions: dict[RemoteRecord, Submission] = {}
        self._is_whole = False  # no event was missed, and no record has gone
        self._read = 0  # events since the server has dropped some
        self._waiting: dict[str, trio.Event] = {}  # for room, by nonce

    async def follow(self, ready: trio.Event) -> None:
        """Read events until cancelled; set the event once no event can be missed."""
        last, pause = "0-0", FIRST_PAUSE
        while True:
            try:
                if not self._is_whole:
                    last = await self._open()
                    self._is_whole = True
                    await self._resync_jobs()
                    ready.set()
                last, events = await self._store.read(self.stream, last)
                for event in events:
                    await self._take(event)
                await self._drop_read(last, len(events))
                if not events:  # a quiet moment: is the stream still there?
                    is_there = await self._store.client.expire(self.stream, LIFE)
                    self._is_whole &= is_there
                pause = FIRST_PAUSE
            except FAILED as error:
                logger.info("the events of the cluster are interrupted: %r", error)
                self._store.close_if_silent(error)
                self._is_whole = False
                await trio.sleep(pause)
                pause = min(pause * 1.5, LONGEST_PAUSE)

    async def _drop_read(self, last: str, count: int) -> None:
        """Drop the events that were read from the stream, many at once."""
        self._read += count
        if self._read >= DROPPED_AT_ONCE:
            self._read = 0
            oldest = int(last.partition("-")[0])
            await self._store.client.xtrim(self.stream, PureToken.MINID, oldest)

    async def drop(self) -> None:
        """Delete the stream in the server, if that answers."""
        try:
            await self._store.client.delete([self.stream])
        except FAILED:
            logger.debug("the stream %s is left to expire", self.stream)

    async def fetch(self, job_id: str) -> dict[str, bytes]:
        """Return the server's record of a job, and follow it from now on; empty if unknown."""
        return pairs(await self._store.call_surely("attach", job_id, self.stream))

    def resync_soon(self) -> None:
        """Read the records of all live jobs again soon, since one is gone."""
        self._is_whole = False

    def expect_room(self, nonce: str) -> trio.Event:
        """Return an event that is set once there may be room for a submit."""
        self._waiting[nonce] = trio.Event()
        return self._waiting[nonce]

    def stop_expecting_room(self, nonce: str) -> None:
        """Stop waiting for room."""
        self._waiting.pop(nonce, None)

    def wake_submits(self) -> None:
        """Wake all submits that wait for room, so that they ask the server again."""
        for event in self._waiting.values():
            event.set()

    async def _open(self) -> str:
        """Make the stream; return the ID of its last entry."""
        self.shift = await self._store.clock_shift()
        last: bytes = await self._store.call("listen", self.stream, LIFE)
        return last.decode()

    async def _resync_jobs(self) -> None:
        """Read the server's records of all live jobs.

        A job that the server has forgotten is submitted again, or ends as lost.
        """
        self.wake_submits()
        for record in list(self._mirror.live.values()):
            try:
                told = pairs(await self._store.call("attach", record.id, self.stream))
            except ClusterUnavailable as error:
                if not is_of_one_job(error):
                    raise
                self._lose(record)
                continue
            submission = self.submissions.get(record)
            if told and told["nonce"].decode() == record.task.nonce:
                self._apply(record, told, is_whole_record=True)
            elif submission is None or not await self._enter_again(submission):
                self._lose(record)

    async def _enter_again(self, submission: Submission) -> bool:
        """Submit a job that the server has forgotten; return whether it has taken it."""
        record = submission.record
        logger.warning("the server has forgotten job %r: submitted again", record.id)
        record.begin_again()
        answer = await self._store.call("enter", *submission.args_of_old)
        return bool(answer[0] == b"entered")

    def _lose(self, record: RemoteRecord) -> None:
        """End a job that the server has forgotten and does not take again."""
        if self._mirror.find(record.id) is not record:  # the answer to its submit is on the way
            return
        logger.error("the server has forgotten job %r, and how it ended", record.id)
        self.submissions.pop(record, None)
        self._mirror.lose(record)

    async def _take(self, event: Mapping[str, bytes]) -> None:
        """Apply an event to its job, or wake the submit that waits for room."""
        waiting = self._waiting.get(event.get("room", b"").decode())
        if waiting is not None:
            waiting.set()
        if "nonce" not in event:
            return
        job_id, nonce = event["id"].decode(), event["nonce"].decode()
        record = self._mirror.live.get(f"{job_id}~{nonce}")
        if record is None:
            return
        if "big" in event:
            event = pairs(await self._store.call("attach", job_id, self.stream)) or event
        self._apply(record, event)

    def _apply(
        self, record: RemoteRecord, told: Mapping[str, bytes], *, is_whole_record: bool = False
    ) -> None:
        self._mirror.apply(record, told, is_whole_record=is_whole_record)
        if record.status.is_terminal:
            self.submissions.pop(record, None)
