"""Jobs from functions that take no context: `plain` for async ones, `in_thread` for blocking ones."""

from __future__ import annotations

import inspect
from functools import partial
from types import CoroutineType
from typing import TYPE_CHECKING, Concatenate, Generic, ParamSpec, TypeVar, final

import trio

from ticketr.jobs._values import safe_repr

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ticketr.jobs._context import JobContext

T = TypeVar("T")
P = ParamSpec("P")


def plain(
    function: Callable[P, Awaitable[T]],
) -> Callable[Concatenate[JobContext, P], Awaitable[T]]:
    """Make a job's function of an async function that takes no context.

    ::

        handle = await queue.submit(plain(client.get), "https://example.com")

    Args:
        function: Called with the arguments of the submit. The job has its name.

    Raises:
        TypeError: It is not callable.
    """
    _check_callable("plain", function)
    return Plain(function)


def in_thread(
    function: Callable[P, T],
    *,
    abandon_on_cancel: bool = False,
    limiter: trio.CapacityLimiter | None = None,
) -> Callable[Concatenate[JobContext, P], Awaitable[T]]:
    """Make a job's function of a blocking function, which runs in a thread.

    ::

        handle = await queue.submit(in_thread(shutil.make_archive), "backup", "zip", "folder")

    Cancellation:
        A thread cannot be interrupted. A job that is cancelled ends when the function returns, as
        COMPLETED, unless the function calls ``trio.from_thread.check_cancelled()``. With
        ``abandon_on_cancel`` the job ends at once as CANCELLED, and the thread goes on to its end;
        what it returns or raises is lost.

    Args:
        function: Called with the arguments of the submit, in a worker thread, with the context
            variables of the submitter. The job has its name.
        abandon_on_cancel: Whether a job that is cancelled leaves its thread behind.
        limiter: What bounds the number of threads; None for Trio's default, 40 threads.

    Raises:
        TypeError: It is not callable or is async, or the limiter is not a ``CapacityLimiter``.
    """
    _check_callable("in_thread", function)
    if inspect.iscoroutinefunction(function):
        raise TypeError(
            f"in_thread() takes a blocking function, and {safe_repr(function)} is async: use plain()"
        )
    if limiter is not None and type(limiter) is not trio.CapacityLimiter:
        raise TypeError(f"limiter must be a trio.CapacityLimiter, not {safe_repr(limiter)}")
    return InThread(function, abandon_on_cancel=bool(abandon_on_cancel), limiter=limiter)


def _check_callable(adapter: str, function: object) -> None:
    refuse_coroutine(function)
    if not callable(function):
        raise TypeError(f"{adapter}() takes a function, not {safe_repr(function)}")


@final
class Plain(Generic[P, T]):
    """What `plain` returns.

    Attributes:
        function: The function that it calls without the context.
    """

    __slots__ = ("function",)

    def __init__(self, function: Callable[P, Awaitable[T]]) -> None:
        self.function = function

    def __call__(self, _: JobContext, /, *args: P.args, **keywords: P.kwargs) -> Awaitable[T]:
        return self.function(*args, **keywords)


@final
class InThread(Generic[P, T]):
    """What `in_thread` returns.

    Attributes:
        function: The function that it calls in a thread, without the context.
        abandon_on_cancel: Whether a job that is cancelled leaves its thread behind.
        limiter: What bounds the number of threads; None for Trio's default.
    """

    __slots__ = ("abandon_on_cancel", "function", "limiter")

    def __init__(
        self,
        function: Callable[P, T],
        *,
        abandon_on_cancel: bool,
        limiter: trio.CapacityLimiter | None,
    ) -> None:
        self.function = function
        self.abandon_on_cancel = abandon_on_cancel
        self.limiter = limiter

    async def __call__(self, _: JobContext, /, *args: P.args, **keywords: P.kwargs) -> T:
        return await trio.to_thread.run_sync(
            partial(self.function, *args, **keywords),
            abandon_on_cancel=self.abandon_on_cancel,
            limiter=self.limiter,
        )


def refuse_coroutine(given: object) -> None:
    """Raise TypeError for a coroutine, and close it, so that Python does not warn about it."""
    if type(given) is not CoroutineType:
        return
    if inspect.getcoroutinestate(given) == inspect.CORO_CREATED:
        given.close()
    raise TypeError(
        f"a job is an async function, and {safe_repr(given)} is a call of one:"
        " pass the function and its arguments, do not call it"
    )
