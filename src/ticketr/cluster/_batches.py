"""Join the calls that tasks make at the same time into one, which costs one round trip.

While a batch is on its way, the calls that come wait for the next one. So a lone call goes at once,
and the more there is to do, the larger are the batches.
"""

from __future__ import annotations

import math
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final, final

import trio
from coredis.exceptions import ResponseError

from ticketr.cluster._errors import ClusterUnavailable
from ticketr.cluster._refusals import OUT_OF_MEMORY
from ticketr.cluster._shielded import keep_open
from ticketr.cluster._store import values_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    from ticketr.cluster._store import RecordStore

MOST_CALLS: Final = 64
"""Calls of a batch. The server does nothing else until it has made all of them."""
MOST_BYTES: Final = 2**20
"""Bytes of a batch. A call that is larger goes alone."""


@final
class _Call:
    """A call that waits for its answer.

    Attributes:
        words: Its function, the number of its arguments, and these.
        size: The bytes of the arguments.
        is_wanted: Whether its task still waits.
        answered: Set when there is an answer or an error.
        answer: What the function returned.
        error: Why there is no answer.
    """

    __slots__ = ("answer", "answered", "error", "is_wanted", "size", "words")

    def __init__(self, function: str, args: Iterable[object]) -> None:
        values = values_of(args)
        self.words: list[Any] = [function, str(len(values)), *values]
        self.size = sum(map(len, values))
        self.is_wanted = True
        self.answered = trio.Event()
        self.answer: Any = None
        self.error: Exception | None = None

    def outcome(self) -> Any:
        """Return the answer that has come.

        Raises:
            Exception: What the batch failed with.
            ResponseError: The function has failed.
            ClusterUnavailable: The server takes no such call now.
        """
        if self.error is not None:
            raise self.error
        return self.answer

    def fail(self, error: Exception) -> None:
        """Note why there is no answer."""
        self.error = error
        self.answered.set()

    def take(self, answer: Any) -> None:
        """Note what the function returned."""
        self.answer = answer
        self.answered.set()


@final
class Batches:
    """Calls of one process that change records, each repeated until there is an answer."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store
        self._send, self._receive = trio.open_memory_channel[_Call](math.inf)

    async def call_surely(self, function: str, *args: object) -> Any:
        """Call a function that may be repeated, until there is an answer.

        Cancellation:
            It may have been carried out, or not.
        """
        return (await self._store.until_answered(partial(self._call_all, [(function, *args)])))[0]

    async def call_all_surely(
        self, calls: Iterable[tuple[Any, ...]], *, is_patient: bool = False
    ) -> list[Any]:
        """Make several calls that may be repeated, until there is an answer to each.

        Cancellation:
            Some or all may have been carried out.

        Args:
            calls: For each its function and the arguments.
            is_patient: Whether to wait for a server that takes no calls until it is mended.
        """
        call_all = partial(self._call_all, list(calls))
        return await self._store.until_answered(call_all, is_patient=is_patient)

    async def _call_all(self, calls: Iterable[tuple[Any, ...]]) -> list[Any]:
        """Make several calls and wait for their answers; one that nobody awaits is not sent."""
        made = [_Call(function, args) for function, *args in calls]
        for call in made:
            self._send.send_nowait(call)
        try:
            for call in made:
                await call.answered.wait()
        finally:
            for call in made:
                call.is_wanted = False
        return [call.outcome() for call in made]

    async def send_all(self) -> None:
        """Send batches until cancelled."""
        left: _Call | None = None
        while True:
            batch = [left or await self._receive.receive()]
            left = self._fill(batch)
            if wanted := [call for call in batch if call.is_wanted]:
                await self._send_batch(wanted)

    def _fill(self, batch: list[_Call]) -> _Call | None:
        """Add the calls that wait while there is room; return the first that does not fit."""
        size = batch[0].size
        while len(batch) < MOST_CALLS:
            try:
                call = self._receive.receive_nowait()
            except trio.WouldBlock:
                return None
            size += call.size
            if size > MOST_BYTES:
                return call
            batch.append(call)
        return None

    async def _send_batch(self, batch: list[_Call]) -> None:
        """Send a batch, and hand out its answers or its error."""
        words = [word for call in batch for word in call.words]
        try:
            answers = await self._call_many(words)
        except Exception as error:  # noqa: BLE001 - each waiting task raises it
            for call in batch:
                call.fail(_copy_of(error))
            return
        for call, (is_answer, answer) in zip(batch, answers, strict=True):
            if is_answer:
                call.take(answer)
            else:
                failure = ResponseError(answer.decode(errors="replace"))
                call.fail(self._store.error_of(failure))

    async def _call_many(self, words: list[Any]) -> list[tuple[int, Any]]:
        """Make several calls; those that need no memory also if the server has none."""
        answers: list[tuple[int, Any]]
        try:
            answers = await self._store.call("many", *words)
        except ClusterUnavailable as error:
            if error.problem != OUT_OF_MEMORY.problem:
                raise
            answers = await self._store.call("many_without_memory", *words)
        return answers


@asynccontextmanager
async def open_batches(store: RecordStore) -> AsyncGenerator[Batches]:
    """Join calls for the length of a block.

    Cancellation:
        Batches are sent until the block has been left, so that clean-up can make calls.
    """
    batches = Batches(store)
    async with keep_open(_sending(batches)):
        yield batches


@asynccontextmanager
async def _sending(batches: Batches) -> AsyncGenerator[None]:
    async with trio.open_nursery(strict_exception_groups=True) as nursery:
        nursery.start_soon(batches.send_all)
        yield
        nursery.cancel_scope.cancel()


def _copy_of(error: Exception) -> Exception:
    """Return a copy of an error, since each waiting task must raise an object of its own."""
    copy = type(error)(*error.args)
    copy.__cause__ = error
    return copy
