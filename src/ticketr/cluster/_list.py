"""The jobs of all processes, for programs that look at a queue and submit nothing."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from ticketr import CancelCause, CancelOutcome, JobStatus
from ticketr.cluster._keys import TaskName, key_of
from ticketr.cluster._record import RemoteRecord
from ticketr.cluster._repeat_state import KeptRepeat
from ticketr.cluster._store import pairs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ticketr import JobSnapshot
    from ticketr.cluster._repeat_state import RepeatState
    from ticketr.cluster._signed import SignedCodec
    from ticketr.cluster._store import RecordStore

_LIVE = (JobStatus.PENDING, JobStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A worker whose lease has not ended.

    Attributes:
        id: Its ID.
        words: Its machine, its process, and how many jobs it runs at most.
        running: How many jobs it runs.
        lease: The seconds until its lease ends.
    """

    id: str
    words: str
    running: int
    lease: float


@dataclass(frozen=True, slots=True)
class GateRow:
    """What holds up jobs of the queue, or of a key: a pause, a rate, or both.

    Attributes:
        key: The key; None for the queue.
        is_paused: Whether it is paused.
        interval: The seconds between two starts; None for no rate.
        burst: How many may start at once.
    """

    key: str | None
    is_paused: bool
    interval: float | None
    burst: float


@final
class JobList:
    """The jobs of a queue, as the server knows them; each call asks it.

    Args:
        store: The records.
        codec: Reads results and errors.
        shift: The server's clock minus Trio's.
    """

    def __init__(self, store: RecordStore, codec: SignedCodec, shift: float) -> None:
        self._store = store
        self._codec = codec
        self._shift = shift

    async def totals(self) -> dict[JobStatus, int]:
        """Return how many jobs have each status, counting all that ever ended."""
        return dict(zip(JobStatus, await self._store.call_surely("totals"), strict=True))

    async def newest(self, status: JobStatus | None, limit: int) -> list[JobSnapshot]:
        """Return jobs, the newest first: at most so many that are pending, that run, and that ended.

        Args:
            status: Only jobs with this status.
            limit: The most jobs of each kind. If more are pending or running, any of them.
        """
        found: list[JobSnapshot] = []
        for live in _LIVE:
            if status in (None, live):
                found += self._read(await self._store.call_surely("list", live.value, limit))
        if status not in _LIVE:
            only = "" if status is None else status.value
            found += self._read(await self._store.call_surely("history", limit, only))
        unique = {job.id: job for job in found}  # one may have ended between two calls
        return sorted(unique.values(), key=lambda job: job.submitted_at, reverse=True)

    async def find(self, job_id: str) -> JobSnapshot | None:
        """Return one job; None if the server knows no such job."""
        told = pairs(await self._store.call_surely("attach", job_id, ""))
        return self._snapshot(told) if told else None

    async def cancel(self, job_id: str) -> CancelOutcome:
        """Cancel a job, whoever submitted it."""
        token = uuid.uuid4().hex
        answer = await self._store.call_surely("cancel", job_id, CancelCause.USER.value, token)
        return CancelOutcome(answer.decode())

    async def workers(self) -> list[WorkerRow]:
        """Return the workers that live."""
        rows = await self._store.call_surely("workers")
        return [
            WorkerRow(name.decode(), _words(words.decode()), int(running), float(lease))
            for name, lease, running, words in rows
        ]

    async def gates(self) -> list[GateRow]:
        """Return the pauses and rates: those of the queue first, then by key."""
        rows = await self._store.call_surely("gates")
        found = [
            GateRow(
                key_of(gate.decode()), bool(is_paused), float(interval or 0) or None, float(burst)
            )
            for gate, is_paused, interval, burst in rows
        ]
        return sorted(found, key=lambda row: (row.key is not None, row.key))

    async def repeats(self, limit: int) -> list[RepeatState]:
        """Return the repeats that have not ended, the next that is due first; paused ones last."""
        views = await self._store.call_surely("repeat_views", limit)
        return [KeptRepeat(pairs(view)).state() for view in views]

    def _read(self, views: Iterable[Iterable[object]]) -> list[JobSnapshot]:
        return [self._snapshot(pairs(view)) for view in views]

    def _snapshot(self, told: Mapping[str, bytes]) -> JobSnapshot:
        task = TaskName(told["id"].decode(), told["nonce"].decode())
        record = RemoteRecord(task, "", self._shift)
        record.describe(told)
        record.apply(told, self._codec)
        return record.snapshot()


def _words(told: str) -> str:
    """Return what a worker has registered, in words for people."""
    host, _, rest = told.partition(" ")
    process, _, most = rest.partition(" ")
    return f"{host}, process {process}, {most} jobs at most" if most else told
