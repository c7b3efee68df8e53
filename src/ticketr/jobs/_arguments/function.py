"""The function of a job: `plain` and `in_thread` make one, and each submit checks the one it gets.

A submit refuses a class, a coroutine, a function that is not async, and a function that cannot take
the arguments. Whether a callable object, a wrapper or a lambda returns an awaitable is known only
after the call. If it does not, its job fails with an error that says so.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeAlias, TypeVar, final

import trio
from trio.lowlevel import checkpoint_if_cancelled

from ticketr.jobs._exceptions import split_cancelled
from ticketr.jobs._values import checked_callable, safe_repr, safe_str

if TYPE_CHECKING:
    from ticketr.jobs._context import Job, JobContext

T = TypeVar("T")
P = ParamSpec("P")
Around: TypeAlias = "Callable[[JobContext], AbstractAsyncContextManager[object]]"


def plain(
    function: Callable[P, Awaitable[T]],
) -> Callable[Concatenate[JobContext, P], Awaitable[T]]:
    """Make a job's function of an async function that takes no context.

    ::

        handle = await queue.submit(plain(client.get), "https://example.com")

    Args:
        function: Called with the arguments of the submit. The job has its name.
    """
    return Plain(function)


def in_thread(
    function: Callable[P, T], *, abandon_on_cancel: bool = False
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
    """
    return InThread(function, bool(abandon_on_cancel))


@final
@dataclass(frozen=True, slots=True)
class Plain(Generic[P, T]):
    """What `plain` returns.

    Attributes:
        function: The function that it calls without the context.
    """

    function: Callable[P, Awaitable[T]]

    def __call__(self, _: JobContext, /, *args: P.args, **keywords: P.kwargs) -> Awaitable[T]:
        return self.function(*args, **keywords)


@final
@dataclass(frozen=True, slots=True)
class InThread(Generic[P, T]):
    """What `in_thread` returns.

    Attributes:
        function: The function that it calls in a thread, without the context.
        abandon_on_cancel: Whether a job that is cancelled leaves its thread behind.
    """

    function: Callable[P, T]
    abandon_on_cancel: bool

    async def __call__(self, _: JobContext, /, *args: P.args, **keywords: P.kwargs) -> T:
        return await trio.to_thread.run_sync(
            partial(self.function, *args, **keywords), abandon_on_cancel=self.abandon_on_cancel
        )


def resolve_function(
    job: Job[object] | Callable[..., Awaitable[object]], args: tuple[object, ...]
) -> tuple[Callable[..., Awaitable[object]], str]:
    """Return the function to call for a job, and the job's name.

    Args:
        job: What was submitted.
        args: The arguments that follow the context.

    Raises:
        TypeError: It cannot be a job.
    """
    if isinstance(job, type):
        raise TypeError(f"a job is an object and not its class: make one of {safe_repr(job)}")
    execute = getattr(job, "execute", None)
    target: Any = job if execute is None else execute
    core, adapter = _innermost(target)
    name = getattr(core, "__name__", type(core).__name__)
    is_async = _check_kind(core, is_blocking=adapter is InThread)
    _check_signature(target, args, name)
    if execute is not None:
        name = getattr(job, "name", type(job).__name__)
    name = safe_str(name)
    return target if is_async else _require_awaitable(target, name), name


def _innermost(target: object) -> tuple[Any, type | None]:
    """Return what is called in the end, and by which adapter."""
    adapter: type | None = None
    while True:
        if isinstance(target, partial):
            target = target.func
        elif isinstance(target, MethodType):
            target = target.__func__
        elif isinstance(target, (Plain, InThread)):
            adapter = type(target)
            target = target.function
        else:
            return target, adapter


def _check_kind(core: Any, *, is_blocking: bool) -> bool:
    """Raise if an object cannot be a job; return whether its call is known to give an awaitable."""
    if inspect.iscoroutine(core):
        core.close()  # or Python warns about it
    if not callable(core):
        raise TypeError(
            f"a job is an async function or has an execute method, not {safe_repr(core)}"
            " (pass the function and its arguments, do not call it)"
        )
    name = getattr(core, "__name__", type(core).__name__)
    call = core if isinstance(core, FunctionType) else type(core).__call__
    if inspect.isasyncgenfunction(call):
        raise TypeError(
            f"a job is an async function that returns, and {name}() yields:"
            " it is an async generator function"
        )
    is_async = inspect.iscoroutinefunction(core) or inspect.iscoroutinefunction(call)
    if is_async and is_blocking:
        raise TypeError(
            f"in_thread() takes a blocking function, and {name}() is async: use plain()"
        )
    is_wrapper = name == "<lambda>" or hasattr(core, "__wrapped__")
    if core is call and not (is_async or is_blocking or is_wrapper):
        raise TypeError(
            f"a job is an async function, and {name}() is not one: write it with"
            " 'async def', or submit in_thread(function) if it blocks"
        )
    return is_async or is_blocking


def _check_signature(target: Callable[..., object], args: tuple[object, ...], name: str) -> None:
    """Raise if a callable cannot take a context, or an adapter's function none, and these arguments."""
    given: tuple[object, ...] = (None, *args)
    taken = f"a context and the submit's arguments; if it takes no context, submit plain({name})"
    if isinstance(target, (Plain, InThread)):
        target, given, taken = target.function, args, "the submit's arguments"
    try:
        signature = inspect.signature(target, follow_wrapped=False)
    except (TypeError, ValueError):
        return  # not written in Python
    try:
        signature.bind(*given)
    except TypeError as error:
        words = ", ".join(signature.parameters)
        raise TypeError(
            f"{name}({words}) cannot be called: {error}; a job's function takes {taken}"
        ) from None


def _require_awaitable(
    target: Callable[..., object], name: str
) -> Callable[..., Awaitable[object]]:
    """Wrap a callable so that it raises a clear error if it returns no awaitable."""

    async def call(context: object, *args: object) -> object:
        returned = target(context, *args)
        if not inspect.isawaitable(returned):
            raise TypeError(
                f"a job is an async function, and {name} is not one: it returned"
                f" {safe_repr(returned)}, which cannot be awaited"
            )
        return await returned

    return call


def check_around(around: Around) -> None:
    """Check that a value may give context managers.

    Raises:
        TypeError: It cannot be called, or it is an async function or async generator function.
    """
    checked_callable("around", around)
    if inspect.isasyncgenfunction(around):
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
