"""Drive a real queue step by step: jobs end on request, readers may stall."""

from __future__ import annotations

import math
import queue
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import trio
from fakes.guest_run import GuestRun
from fakes.queue_model_parts import Wish

from ticketr import (
    DuplicateJob,
    JobContext,
    JobError,
    JobHandle,
    JobID,
    JobOptions,
    JobQueue,
    JobSnapshot,
    Keep,
    QueueClosed,
    Rate,
    RepeatHandle,
    Retry,
    RetryLater,
    in_thread,
    open_job_queue,
)
from ticketr.jobs._updates import Updates

Command: TypeAlias = Callable[[JobContext], object]
Handles: TypeAlias = Sequence[JobHandle[object]]


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


class QueueDriver:
    """A queue in a Trio run that continues only in calls of this object."""

    queue: JobQueue
    nursery: trio.Nursery

    def __init__(
        self,
        *,
        workers: int,
        max_pending: int,
        keep: int,
        has_around: bool = False,
        cancels_on_error: bool = False,
    ) -> None:
        self.labels: dict[JobID, str] = {}
        self.retried: dict[JobID, list[tuple[JobSnapshot, str]]] = {}
        self.starts: list[str] = []
        self.told: list[str] = []
        self.managers = 0
        self.left: BaseException | None = None
        self._options: dict[str, Any] = {
            "workers": workers,
            "max_pending": max_pending,
            "keep": Keep(jobs=keep, age=math.inf),
            "on_job_error": self._tell,
            "on_error": "cancel" if cancels_on_error else "report",
            "around": self._around if has_around else None,
        }
        self._commands: dict[str, trio.MemorySendChannel[Command]] = {}
        self._threads: dict[str, queue.SimpleQueue[Command]] = {}
        self._shields: list[trio.CancelScope] = []
        self._readers: list[Reader] = []
        self._how_to_leave: Callable[[], object] | None = None
        self._over = trio.Event()
        self.run = GuestRun(self._main)

    async def _main(self) -> None:
        async with trio.open_nursery() as self.nursery:
            try:
                with trio.CancelScope() as self.outer:
                    await self._block()
            except (BodyError, ExceptionGroup) as error:
                self.left = error
            await self._over.wait()  # the queue still answers queries

    async def _block(self) -> None:
        async with open_job_queue(**self._options) as self.queue:
            self._leaving = trio.Event()
            await self._leaving.wait()
            if self._how_to_leave is not None:
                self._how_to_leave()

    def _tell(self, job: JobSnapshot) -> None:
        self.told.append(self.label_of(job))

    @asynccontextmanager
    async def _around(self, context: JobContext) -> AsyncGenerator[None]:
        self.managers += 1
        try:
            yield
        finally:
            self.managers -= 1

    def start(self, task: Callable[[], Awaitable[object]]) -> None:
        self.run.do(lambda: self.nursery.start_soon(task))

    # The jobs.

    async def _job(self, context: JobContext, wish: Wish) -> object:
        label = context.id if "#" in context.id else wish.label
        if context.id in self.retried:
            label = self.label_of(self.queue.snapshot(context.id))
        self.starts.append(label)
        if wish.in_thread:
            return await self._job_in_thread(context, label)
        self._commands[label], commands = trio.open_memory_channel[Command](math.inf)
        try:
            return await self._obey(context, commands)
        except trio.Cancelled:
            if not wish.stubborn or self._over.is_set():
                raise
            with trio.CancelScope(shield=True) as shield, suppress(GivesIn):
                self._shields.append(shield)
                return await self._obey(context, commands)
            raise

    async def _job_in_thread(self, context: JobContext, label: str) -> object:
        commands = self._threads[label] = queue.SimpleQueue()

        def obey() -> object:
            try:
                return commands.get()(context)
            except GivesIn:
                trio.from_thread.check_cancelled()
                raise

        try:
            return await in_thread(obey)(context)
        finally:
            del self._threads[label]

    async def _obey(
        self, context: JobContext, commands: trio.MemoryReceiveChannel[Command]
    ) -> object:
        while True:
            command = await commands.receive()
            if (value := command(context)) is not None:
                return value

    def tell(self, label: str, command: Command) -> None:
        """Let a running job call a function; it ends with the returned value, if any."""
        if (thread := self._threads.get(label)) is not None:
            thread.put(command)
            self.run.crank_until(lambda: self._threads.get(label) is not thread)
        else:
            self.run.do(lambda: self._commands[label].send_nowait(command))

    def end(self, label: str, how: str, delay: float) -> None:
        """Let a running job end."""
        error = {"error": ValueError(), "later": RetryLater(delay), "gives in": GivesIn()}.get(how)

        def command(_: JobContext) -> object:
            if error is not None:
                raise error
            return label

        self.tell(label, command)

    def label_of(self, job: JobSnapshot) -> str:
        """Return the label of a job: its name, but of a run of a repeat its ID.

        All jobs of a map have its name; their labels are noted as they are found. A retry has the
        name and the ID of the job that failed, and was submitted later.
        """
        for failed, label in reversed(self.retried.get(job.id, [])):
            if job.name == failed.name and job.submitted_at > failed.submitted_at:
                return label
        return self.labels.get(job.id) or (job.id if "#" in job.id else job.name)

    def note_labels(self, name: str, labels: Sequence[str]) -> None:
        """Note the labels of the jobs of a map that are not known yet, in the order of submission."""
        jobs = self.run.do(self.queue.jobs)
        new = [job.id for job in jobs if job.name == name and job.id not in self.labels]
        self.labels.update(zip(new, labels, strict=True))

    # Submitters, readers, and shutdown.

    def options_of(self, wish: Wish, after: Handles) -> JobOptions:
        options: JobOptions = {
            "name": wish.label,
            "priority": wish.priority,
            "key": wish.key,
            "id": wish.id,
            "on_conflict": wish.on_conflict,
            "once": wish.once,
            "delay": wish.delay,
            "retry": Retry(wish.attempts, first=2.0, jitter=0.0, total=wish.total),
            "after": after,
            "after_any_end": wish.after_any_end,
        }
        if int(wish.label) % 2:
            options["start_by"] = wish.start_by
        else:
            options["within"] = wish.start_by - trio.current_time()
        return options

    def submit(self, wish: Wish, after: Handles) -> Submitter:
        submitter = Submitter()

        async def task() -> None:
            with submitter.scope:
                try:
                    submitter.handle = await self.queue.submit(
                        self._job, wish, **self.options_of(wish, after)
                    )
                except (DuplicateJob, QueueClosed) as refusal:
                    submitter.refusal = type(refusal)

        self.start(task)
        return submitter

    def retry(self, handle: JobHandle[object], label: str) -> Submitter:
        """Retry a job that has failed, under another label, or any other job."""
        submitter = Submitter()
        failed = handle.snapshot()
        self.retried.setdefault(failed.id, []).append((failed, label))

        async def task() -> None:
            with submitter.scope:
                try:
                    submitter.handle = await self.queue.retry(failed.id)
                except (DuplicateJob, QueueClosed, ValueError) as refusal:
                    submitter.refusal = type(refusal)

        self.start(task)
        return submitter

    def map(self, wish: Wish, *, is_strict: bool) -> Submitter:
        """Start a map of one item; strict, it raises the error of its job."""
        submitter = Submitter()
        options: JobOptions = {
            "name": wish.label,
            "priority": wish.priority,
            "key": wish.key,
            "retry": Retry(wish.attempts, first=2.0, jitter=0.0, total=wish.total),
        }

        async def read(results: AbstractAsyncContextManager[AsyncIterator[object]]) -> None:
            with submitter.scope:
                try:
                    async with results as values:
                        async for _ in values:
                            pass
                except QueueClosed:
                    submitter.refusal = QueueClosed
                except JobError:
                    assert is_strict

        def start() -> None:
            if is_strict:
                self.nursery.start_soon(read, self.queue.map(self._job, [wish], **options))
            else:
                results = self.queue.map(self._job, [wish], outcomes=True, **options)
                self.nursery.start_soon(read, results)

        self.run.do(start)
        return submitter

    def map_all(
        self,
        wishes: Sequence[Wish],
        name: str,
        *,
        is_ordered: bool,
        is_async: bool,
        is_strict: bool,
    ) -> MapReader:
        """Start a map of several items; strict, it gives values, else outcomes."""
        reader = MapReader()
        items: Any = each_of(wishes) if is_async else wishes
        start: Any = self.queue.map  # whose type has one signature for values, one for outcomes
        how_to_read = {"ordered": is_ordered, "outcomes": not is_strict}
        options: JobOptions = {
            "name": name,
            "priority": wishes[0].priority,
            "key": wishes[0].key,
            "retry": Retry(wishes[0].attempts, first=2.0, jitter=0.0),
            "delay": 0.0,  # so that how far it runs ahead does not depend on the order of tasks
        }

        async def read() -> None:
            with reader.scope:
                try:
                    async with start(self._job, items, **how_to_read, **options) as results:
                        async for result in results:
                            reader.read.append(result if is_strict else self.label_of(result))
                except (QueueClosed, JobError) as error:
                    reader.error = error
            reader.ended = True

        self.start(read)
        return reader

    def handle_of(self, label: str) -> JobHandle[object]:
        """Return the handle of a job that something in the queue has submitted."""
        return self.run.do(
            lambda: next(
                self.queue.handle(job.id)
                for job in self.queue.jobs()
                if self.label_of(job) == label
            )
        )

    def submit_nowait(self, wish: Wish, after: Handles) -> JobHandle[object]:
        return self.run.do(
            lambda: self.queue.submit_nowait(self._job, wish, **self.options_of(wish, after))
        )

    def repeat(self, wish: Wish, every: float, first: float) -> RepeatHandle:
        options: JobOptions = {
            "id": wish.label,
            "priority": wish.priority,
            "key": wish.key,
            "retry": Retry(wish.attempts, first=2.0, jitter=0.0),
        }
        return self.run.do(
            lambda: self.queue.repeat(self._job, wish, every=every, first=first, **options)
        )

    def set_rate(self, key: str | None, rate: Rate | None) -> None:
        self.run.do(lambda: self.queue.set_rate(rate, key))

    def set_concurrency(self, key: str | None, limit: int | None) -> None:
        most = self.queue.statistics().workers if key is None else 9
        self.run.do(lambda: self.queue.set_concurrency(limit and min(limit, most), key))

    def add_reader(self, handle: JobHandle[object] | None) -> Reader:
        def watch() -> Reader:
            reader = Reader((handle or self.queue).watch())
            self._readers.append(reader)
            self.nursery.start_soon(reader.read)
            return reader

        return self.run.do(watch)

    def shut_down(self, grace: float | None) -> trio.Event:
        """Start a shutdown; return an event that is set once it has returned."""
        done = trio.Event()

        async def task() -> None:
            await self.queue.shutdown(grace=grace)
            done.set()

        self.start(task)
        return done

    # The end.

    def leave(self, how: Callable[[], object] | None) -> None:
        """Let the block end, by itself or by what a function raises or cancels."""
        self._how_to_leave = how
        self.run.do(self._leaving.set)

    def close(self) -> None:
        """End the run, in any state."""
        if self.run.result is None:
            self.run.do(self._give_all_up)
        self.run.crank_until(lambda: not self._threads)
        assert self.run.result is not None, "the run does not end"
        self.run.result.unwrap()

    def _give_all_up(self) -> None:
        self._over.set()
        for thread in self._threads.values():
            thread.put(lambda _: "value")
        for shield in self._shields:
            shield.cancel()
        self.outer.cancel()
        for reader in self._readers:
            reader.go_on.set()
