"""The tasks beside a driven queue: submitters and readers, and the errors that end jobs and blocks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

import trio
from fakes.queue_model_parts import Wish

from ticketr import JobHandle, JobSnapshot
from ticketr.jobs._updates import Updates


class GivesIn(Exception):
    """Ends a job that has caught its interrupt, as the interrupt would have."""


class BodyError(Exception):
    """The error by which the block is left."""


@dataclass(eq=False)
class Submitter:
    """A task that has called ``submit``."""

    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    handle: JobHandle[object] | None = None
    refusal: type[Exception] | None = None


@dataclass(eq=False)
class MapReader:
    """A task that reads the outcomes of a map."""

    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    read: list[str] = field(default_factory=list)
    error: Exception | None = None
    ended: bool = False


async def each_of(wishes: Sequence[Wish]) -> AsyncGenerator[Wish]:
    for wish in wishes:
        yield wish


@dataclass(eq=False)
class Reader:
    """A task that reads updates, unless it is stalled."""

    updates: Updates[JobSnapshot]
    seen: list[JobSnapshot] = field(default_factory=list)
    go_on: trio.Event = field(default_factory=trio.Event)
    ended: bool = False

    async def read(self) -> None:
        with trio.CancelScope(shield=True), self.updates:
            async for snapshot in self.updates:
                self.seen.append(snapshot)
                await self.go_on.wait()
        self.ended = True

    def stall(self) -> None:
        if self.go_on.is_set():
            self.go_on = trio.Event()
