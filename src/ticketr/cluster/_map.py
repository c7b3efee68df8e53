"""The block of a map over a cluster, and the async iterator over its results."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, final

import trio

from ticketr.jobs._feeding import BLOCK_LEFT, ResultsEnd, leaving_map

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from typing import Self

    from ticketr.cluster._map_jobs import MapJobs

PATIENCE: Final = 10.0
"""Seconds that a cancelled map waits for the ends of its jobs."""


@asynccontextmanager
async def open_map(
    jobs: MapJobs, items: object, *, outcomes: bool
) -> AsyncGenerator[MapResults, None]:
    """Run the jobs of a map during a block, and give their results.

    Cancellation:
        Cancels the jobs that are left, and waits for the server 10 seconds at most.

    Args:
        jobs: The jobs.
        items: The items of which they are made.
        outcomes: Whether to give the jobs' final snapshots.
    """
    results = MapResults(jobs, outcomes=outcomes)
    body: BaseException | None = None
    spill: BaseException | None = None
    try:
        async with trio.open_nursery(strict_exception_groups=True) as nursery:
            nursery.start_soon(jobs.feed, items)
            nursery.start_soon(jobs.end)
            try:
                yield results
            except BaseException as error:  # noqa: BLE001, ASYNC103 - it is raised below
                body = error  # not in a group
            results.close()
            jobs.stop(BLOCK_LEFT)
    except BaseExceptionGroup as group:
        spill = group
        with trio.move_on_after(PATIENCE, shield=True):
            await jobs.cancel_and_wait()
    leaving = leaving_map(body, jobs.forget_error(), spill)
    try:
        if leaving is not None:
            raise leaving
    finally:
        del body, spill, leaving  # their tracebacks hold this frame


@final
class MapResults:
    """The results of a map, as an async iterator."""

    def __init__(self, jobs: MapJobs, *, outcomes: bool) -> None:
        self._jobs = jobs
        self._has_outcomes = outcomes
        self._is_reading = False
        self._end = ResultsEnd()

    def close(self) -> None:
        """Note that the block of the map has been left."""
        self._end.note_left()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> object:
        if self._is_reading:
            raise trio.BusyResourceError("another task reads the results of this map")
        self._is_reading = True
        jobs = self._jobs
        try:
            await trio.lowlevel.checkpoint()
            while not jobs.is_readable():
                await jobs.reader.wait()
            if jobs.is_stopped or jobs.is_empty():
                self._end.tell(jobs)
            record = jobs.take()
        finally:
            self._is_reading = False
        return record.snapshot() if self._has_outcomes else record.result
