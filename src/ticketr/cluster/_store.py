"""Calls of the functions that change the records, repeated where the answer was lost.

A server may refuse all calls for a while (`ticketr.cluster._refusals`). If that passes by itself,
each call waits for it. If somebody has to mend the server, a submit raises, and a worker waits.

A server that is out of memory refuses the functions that grow a queue: those that submit jobs, and
reports. The others it carries out, so that jobs run and end, and there is room again.
"""

from __future__ import annotations

import logging
import math
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar, final

import anyio
import trio
from coredis.exceptions import (
    ConnectionError as LineBroken,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

from ticketr.cluster._errors import ClusterUnavailable
from ticketr.cluster._keys import QueueKeys, library
from ticketr.cluster._refusals import is_of_one_job, refusal_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from ticketr.cluster._connection import Connection
    from ticketr.cluster._refusals import Refusal

T = TypeVar("T")

logger = logging.getLogger("ticketr.cluster")

LOST: Final = (
    LineBroken,
    ReadOnlyError,
    OSError,
    TimeoutError,
    anyio.ClosedResourceError,
    anyio.BrokenResourceError,
    anyio.EndOfStream,
)
"""What a call raises if it got no answer, or got one from a server that may not write."""
FAILED: Final = (*LOST, ResponseError, ClusterUnavailable)
"""What a call raises if it has failed in any way."""
FIRST_PAUSE: Final = 0.02
LONGEST_PAUSE: Final = 0.5
QUIET: Final = 60.0
"""Seconds until a log says again what the server refuses."""
BLOCK: Final = 2.0
"""Seconds that a read of a stream waits; less than the client's limit for an answer."""


@final
class RecordStore:
    """The records of one queue, as the functions in the server give and change them.

    Attributes:
        client: The client, whose answers are bytes, and which repeats nothing by itself.
        keys: The names of the queue's keys.
    """

    def __init__(self, connection: Connection, *, is_patient: bool = False) -> None:
        """Prepare the calls.

        Args:
            connection: The server and the queue.
            is_patient: Whether calls that are repeated until there is an answer also wait for a
                server that takes none until it is mended.
        """
        self.client = connection.client
        self.keys = QueueKeys(connection.name)
        self._server = str(connection.address)
        self._is_patient = is_patient
        self._tells_from: dict[Refusal, float] = {}
        self._prefixes = [self.keys.prefix, self.keys.engine]
        self._functions = library()

    async def load_functions(self) -> None:
        """Load our functions into the server; they replace those of the same library."""
        await self.client.function_load(self._functions.code, replace=True)

    async def call(self, function: str, *args: object) -> Any:
        """Call a function once.

        Raises:
            LOST: There was no answer; it may have been carried out.
            ClusterUnavailable: The server takes no such call now.
        """
        try:
            return await self._call_or_load(function, args)
        except RedisError as error:
            if (told := self.error_of(error)) is error:
                raise
            raise told from error

    async def try_call(self, function: str, *args: object) -> Any:
        """Call a function once; return None if that fails."""
        try:
            return await self.call(function, *args)
        except FAILED as error:
            self.close_if_silent(error)
            return None

    async def _call_or_load(self, function: str, args: Iterable[object]) -> Any:
        """Call a function; load our functions first if the server lacks them."""
        try:
            return await self._call(function, args)
        except ResponseError as error:
            if "unction not found" not in str(error):
                raise
        await self.load_functions()  # the server was restarted, and has forgotten them
        return await self._call(function, args)

    def error_of(self, error: RedisError) -> Exception:
        """Return what to raise for an error of the server; log it if work waits until it is mended."""
        refusal = refusal_of(error)
        if refusal is None:
            return error
        if refusal.passes or self._is_patient:
            self.tell(refusal)
        if refusal.passes:
            return LineBroken(refusal.problem)
        unavailable = ClusterUnavailable(self._server, refusal.problem)
        unavailable.__cause__ = error
        return unavailable

    def tell(self, refusal: Refusal) -> None:
        """Log, at most once a minute, why the server takes no calls."""
        now = trio.current_time()
        if now >= self._tells_from.get(refusal, -math.inf):
            self._tells_from[refusal] = now + QUIET
            words = "the server %s: %s. %s"
            logger.error(words, self._server, refusal.problem, refusal.outlook)

    async def call_surely(self, function: str, *args: object) -> Any:
        """Call a function that may be repeated, until there is an answer.

        Cancellation:
            It may have been carried out, or not.

        Raises:
            ClusterUnavailable: The server takes no such call now, and nothing waits for that.
        """
        return await self.until_answered(partial(self.call, function, *args))

    async def until_answered(
        self, call: Callable[[], Awaitable[T]], *, is_patient: bool = False
    ) -> T:
        """Repeat a call that is not answered.

        Args:
            call: The call.
            is_patient: Whether to wait for a server that takes none until it is mended.

        Cancellation:
            It may have been carried out, or not.

        Raises:
            ClusterUnavailable: The server takes no such call now, and nothing waits for that; or
                the record of the one job that it is about is overwritten.
        """
        pause = FIRST_PAUSE
        while True:
            try:
                return await call()
            except LOST as error:
                self.close_if_silent(error)
            except ClusterUnavailable as error:
                if is_of_one_job(error) or not (is_patient or self._is_patient):
                    raise
                if refusal := refusal_of(error):
                    self.tell(refusal)
                pause = LONGEST_PAUSE
            await trio.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)

    async def read(self, stream: str, last: str) -> tuple[str, list[dict[str, bytes]]]:
        """Return what was written to a stream after an entry; wait for it for a while.

        Returns:
            The ID of the last entry, and the entries.
        """
        found = await self.client.xread({stream: last}, count=1000, block=int(BLOCK * 1000))
        entries = next(iter(found.values()), ()) if found else ()
        if not entries:
            return last, []
        read = [{_text(k): _bytes(v) for k, v in entry.field_values.items()} for entry in entries]
        return _text(entries[-1].identifier), read

    def close_if_silent(self, error: BaseException) -> None:
        """Close the connections after a call that was not answered, since they may be dead."""
        if isinstance(error, (TimeoutError, trio.TooSlowError)):
            self.client.connection_pool.disconnect()

    async def clock_shift(self) -> float:
        """Return the server's clock minus Trio's."""
        before = trio.current_time()
        there = (await self.client.time()).timestamp()
        return there - (before + trio.current_time()) / 2

    async def _call(self, function: str, args: Iterable[object]) -> Any:
        return await self.client.fcall(
            f"{self._functions.prefix}{function}", self._prefixes, values_of(args)
        )


def values_of(args: Iterable[object]) -> list[Any]:
    """Return arguments as the server takes them: bytes stay, all else becomes text."""
    return [arg if isinstance(arg, bytes) else str(arg) for arg in args]


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def pairs(flat: Iterable[Any]) -> dict[str, bytes]:
    """Return the names and values that follow each other as a dict."""
    values = iter(flat)
    return {_text(name): value for name, value in zip(values, values, strict=True)}
