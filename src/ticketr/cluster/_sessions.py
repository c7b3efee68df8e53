"""The sessions of the engine in one life of a worker, and the attempts that their messages ask for.

A session ends with its connection; the attempts go on. Between two sessions the server is told what
runs here. It has these jobs as running, and no others, whatever was lost on the way, and also if it
was started with older data meanwhile.
"""

from __future__ import annotations

import logging
from itertools import chain, takewhile
from typing import TYPE_CHECKING, Final, final

import trio
from coredis.exceptions import RedisError

from ticketr.cluster._attempt import Attempt, Call
from ticketr.cluster._engine import Engine
from ticketr.cluster._errors import ClusterUnavailable
from ticketr.cluster._keys import LEVELS, TaskName
from ticketr.cluster._refusals import refusal_of
from ticketr.cluster._store import LONGEST_PAUSE, LOST, RecordStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from streaq.types import StreamMessage

    from ticketr.cluster._connection import Connection
    from ticketr.cluster._runner import Runner
    from ticketr.cluster._settings import WorkerSettings

logger = logging.getLogger("ticketr.cluster")

RECONNECT: Final = 0.1


@final
class Sessions:
    """Runs sessions of the engine, one after the other, and the attempts.

    Attributes:
        attempts: Those whose messages are here, by their tokens.
    """

    def __init__(
        self,
        connection: Connection,
        store: RecordStore,
        settings: WorkerSettings,
        worker: str,
        end_life: Callable[[str], None],
    ) -> None:
        self.attempts: Final[dict[str, Attempt]] = {}
        self._connection = connection
        self._store = store
        self._settings = settings
        self._worker = worker
        self._end_life = end_life
        self._room = trio.Semaphore(settings.workers)
        self._stopped = trio.Event()
        self._over = trio.Event()  # the session is to end

    def stop(self) -> None:
        """Begin no more attempts."""
        self._stopped.set()
        self._over.set()

    def begin_another(self) -> None:
        """End the session and begin another: the server may have been restarted."""
        self._over.set()

    async def run(self, runner: Runner, nursery: trio.Nursery) -> None:
        """Run sessions until stopped.

        Args:
            runner: Runs the attempts.
            nursery: Where they run, beyond the end of their session.
        """

        async def deliver(message: StreamMessage) -> None:
            attempt = Attempt(TaskName.of(message.task_id), message.priority, message.message_id)
            self.attempts[attempt.token] = attempt
            try:
                await self._room.acquire()  # jobs of an earlier session may still run
            except trio.Cancelled:
                self._drop(attempt)
                raise
            nursery.start_soon(self._see_to, runner, attempt)
            await attempt.over.wait()

        while not self._stopped.is_set():
            self._over = trio.Event()
            engine = Engine(
                self._connection,
                worker=self._worker,
                concurrency=self._settings.workers,
                idle=self._settings.lease / 2,
                held=self._held,
                deliver=deliver,
                stop=self._over,
            )
            pause = RECONNECT
            try:
                await engine.run_until_stopped()
            except* (*LOST, RedisError) as group:  # the server may have forgotten its streams, too
                pause = self._pause_after(group)
            with trio.move_on_after(pause):
                await self._stopped.wait()
            await self._store.until_answered(self._compare)

    def _pause_after(self, failures: BaseExceptionGroup[BaseException]) -> float:
        """Return the seconds until the next session."""
        if refusal := refusal_of(failures):
            self._store.tell(refusal)
            return LONGEST_PAUSE
        logger.info("worker %s begins a new session: %r", self._worker, failures.exceptions[0])
        return RECONNECT

    def _held(self) -> dict[str, list[str]]:
        """Return the messages that are here, by their levels."""
        held: dict[str, list[str]] = {level: [] for level in LEVELS}
        for attempt in self.attempts.values():
            held[attempt.level].append(attempt.message)
        return held

    async def _compare(self) -> None:
        """Tell the server what is here; stop what it does not know to run."""
        held = [attempt.message for attempt in self.attempts.values()]
        running = [
            (attempt.task.job_id, attempt.token, attempt.message)
            for attempt in self.attempts.values()
            if attempt.is_running
        ]
        unknown = await self._store.call(
            "resume", self._worker, len(held), *held, *chain.from_iterable(running)
        )
        for token in unknown:
            attempt = self.attempts.get(token.decode())
            if attempt is not None and attempt.is_running:
                logger.warning(
                    "worker %s stops job %r: the server has forgotten that it runs",
                    *(self._worker, attempt.task.job_id),
                )
                attempt.give_back()

    async def _see_to(self, runner: Runner, attempt: Attempt) -> None:
        """Run an attempt at a job, unless the job needs none."""
        try:
            call = await runner.begin(attempt)
            if isinstance(call, Call):
                await self._end_earlier(attempt)
                await runner.run(attempt, call)
            elif call == "over":
                self._end_life("the server takes it for dead")
        except ClusterUnavailable:  # its record is overwritten, as the store has said
            await trio.lowlevel.checkpoint()
        finally:
            self._drop(attempt)
            self._room.release()

    async def _end_earlier(self, attempt: Attempt) -> None:
        """Stop an attempt at the same job that the server has forgotten, and wait for its end."""
        earlier = takewhile(lambda each: each is not attempt, list(self.attempts.values()))
        for other in earlier:
            if other.task.job_id == attempt.task.job_id:
                if other.is_running:
                    other.give_back()
                await other.over.wait()

    def _drop(self, attempt: Attempt) -> None:
        del self.attempts[attempt.token]
        attempt.over.set()
