"""Calls of the functions that change the records, repeated where the answer was lost."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar, final

import anyio
import trio
from coredis.exceptions import ConnectionError as LineBroken, ReadOnlyError, ResponseError

from ticketr.cluster._keys import library

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    import coredis

    from ticketr.cluster._keys import QueueKeys

T = TypeVar("T")

LOST: Final = (
    LineBroken,
    ReadOnlyError,
    OSError,
    TimeoutError,
    anyio.ClosedResourceError,
    anyio.BrokenResourceError,
    anyio.EndOfStream,
)
"""What a call raises if there is no answer, or none of a server that may write."""
FIRST_PAUSE: Final = 0.02
LONGEST_PAUSE: Final = 0.5
BLOCK: Final = 2.0
"""Seconds that a read of a stream waits; less than the client's limit for an answer."""


@final
class RecordStore:
    """The records of one queue, as the functions in the server give and change them.

    Attributes:
        client: The client, whose answers are bytes, and which repeats nothing by itself.
        keys: The names of the queue's keys.
    """

    def __init__(self, client: coredis.Redis[bytes], keys: QueueKeys) -> None:
        self.client = client
        self.keys = keys
        self._prefixes = [keys.prefix, keys.engine]
        self._functions = library()

    async def load(self) -> None:
        """Give the server our functions, unless it has them."""
        await self.client.function_load(self._functions.code, replace=True)

    async def call(self, function: str, *args: object) -> Any:
        """Call a function once.

        Raises:
            LOST: There was no answer; it may have been carried out.
        """
        try:
            return await self._call(function, args)
        except ResponseError as error:
            if "unction not found" not in str(error):
                raise
        await self.load()  # the server was started anew
        return await self._call(function, args)

    async def call_surely(self, function: str, *args: object) -> Any:
        """Call a function that may be repeated, until there is an answer.

        Cancellation:
            It may have been carried out, or not.
        """
        return await self.until_answered(partial(self.call, function, *args))

    async def until_answered(self, call: Callable[[], Awaitable[T]]) -> T:
        """Repeat a call that is not answered.

        Cancellation:
            It may have been carried out, or not.
        """
        pause = FIRST_PAUSE
        while True:
            try:
                return await call()
            except LOST as error:
                self.drop_silent(error)
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

    def drop_silent(self, error: BaseException) -> None:
        """Give up the connections after a call that was not answered: their line may be dead."""
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
