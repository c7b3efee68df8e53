"""The context manager that a queue puts around each attempt of its jobs."""

from __future__ import annotations

from inspect import isasyncgenfunction
from typing import TYPE_CHECKING, TypeAlias

from trio.lowlevel import checkpoint_if_cancelled

from ticketr.jobs._exceptions import split_cancelled
from ticketr.jobs._values import checked_callable, safe_repr

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from ticketr.jobs._context import JobContext

    Around: TypeAlias = Callable[[JobContext], AbstractAsyncContextManager[object]]


def check_around(around: Around) -> None:
    """Check that a value may give context managers.

    Raises:
        TypeError: It cannot be called, or it is an async function or async generator function.
    """
    checked_callable("around", around)
    if isasyncgenfunction(around):
        raise TypeError(
            "around must give an async context manager, and an async generator is none: decorate"
            f" {safe_repr(around)} with contextlib.asynccontextmanager"
        )


async def call_inside(
    around: Around,
    function: Callable[..., Awaitable[object]],
    context: JobContext,
    args: tuple[object, ...],
) -> object:
    """Call a job's function inside the context manager of this attempt.

    Cancellation:
        Leaves it even if the context manager swallows it, unless it is that of a scope inside.

    Returns:
        The value of the function; None if the context manager swallows its error.
    """
    manager = around(context)
    if not hasattr(type(manager), "__aexit__"):
        raise TypeError(f"around must give an async context manager, not {safe_repr(manager)}")
    error: BaseException | None = None
    try:
        async with manager:
            try:
                return await function(context, *args)
            except BaseException as caught:
                error = caught
                raise
        if error is not None and split_cancelled(error)[0] is not None:
            await checkpoint_if_cancelled()
        return None
    finally:
        del error  # its traceback holds this frame
