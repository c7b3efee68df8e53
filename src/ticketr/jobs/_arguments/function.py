"""The function of a job: `plain` and `in_thread` make one, and each submit checks the one it gets.

A submit refuses a class, a coroutine, a function that is not async, and a function that cannot take
the arguments. Whether a callable object, a wrapper or a lambda returns an awaitable is known only
after the call. If it does not, its job fails with an error that says so.
"""

from __future__ import annotations

import inspect
from functools import partial
from inspect import CO_COROUTINE, CO_ITERABLE_COROUTINE, Parameter
from types import CoroutineType, FunctionType, MethodType
from typing import TYPE_CHECKING, Concatenate, Generic, ParamSpec, TypeAlias, TypeVar, final

import trio
from trio.lowlevel import checkpoint_if_cancelled

from ticketr.jobs._exceptions import split_cancelled
from ticketr.jobs._values import checked_callable, safe_repr, safe_str

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

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
    _refuse_coroutine(function)
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

    @property
    def __signature__(self) -> inspect.Signature:
        return _with_context(self.function)

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

    @property
    def __signature__(self) -> inspect.Signature:
        return _with_context(self.function)

    async def __call__(self, _: JobContext, /, *args: P.args, **keywords: P.kwargs) -> T:
        return await trio.to_thread.run_sync(
            partial(self.function, *args, **keywords),
            abandon_on_cancel=self.abandon_on_cancel,
            limiter=self.limiter,
        )


def _with_context(function: Callable[..., object]) -> inspect.Signature:
    """Return a function's signature behind a context that it does not get."""
    signature = inspect.signature(function, follow_wrapped=False)
    context = Parameter("_", Parameter.POSITIONAL_ONLY)
    return signature.replace(parameters=[context, *signature.parameters.values()])


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
    kind: type = type(job)
    if issubclass(kind, type):
        raise TypeError(f"a job is an object and not its class: make one of {safe_repr(job)}")
    _refuse_coroutine(job)
    execute = getattr(job, "execute", None)
    target = job if execute is None else execute
    if not callable(target):
        raise TypeError(
            f"a job is an async function or has an execute method, not {safe_repr(job)}"
            " (pass the function and its arguments, do not call it)"
        )
    core, adapter = _innermost(target)
    name = getattr(core, "__name__", kind.__name__ if core is job else type(core).__name__)
    is_async = _check_kind(core, is_blocking=adapter is InThread)
    _check_signature(target, args, name, takes_context=adapter is None)
    if execute is not None:
        name = getattr(job, "name", kind.__name__)
    text = name if type(name) is str else safe_str(name) or safe_repr(name)
    return target if is_async else _require_awaitable(target, text), text


def _innermost(target: object) -> tuple[object, type | None]:
    """Return what is called in the end, and by which adapter."""
    adapter: type | None = None
    while True:
        if isinstance(target, partial):
            target = target.func
        elif type(target) is MethodType:
            target = target.__func__
        elif type(target) is Plain or type(target) is InThread:
            adapter = type(target)
            target = target.function
        else:
            return target, adapter


def _check_kind(core: object, *, is_blocking: bool) -> bool:
    """Raise if a callable cannot be a job; return whether its call is known to give an awaitable."""
    function = core if type(core) is FunctionType else getattr(type(core), "__call__", None)  # noqa: B004 - its code is what counts
    if type(function) is not FunctionType:
        return is_blocking  # not written in Python
    code = function.__code__
    is_async = bool(code.co_flags & (CO_COROUTINE | CO_ITERABLE_COROUTINE))
    if inspect.isasyncgenfunction(function):
        raise TypeError(
            f"a job is an async function that returns, and {function.__name__}() yields:"
            " it is an async generator function"
        )
    is_wrapper = code.co_name == "<lambda>" or hasattr(core, "__wrapped__")
    is_marked = inspect.iscoroutinefunction(core)
    if core is function and not (is_async or is_blocking or is_wrapper or is_marked):
        raise TypeError(
            f"a job is an async function, and {function.__name__}() is not one: write it with"
            " 'async def', or submit in_thread(function) if it blocks"
        )
    return is_async or is_blocking


def _check_signature(
    target: Callable[..., object], args: tuple[object, ...], name: str, *, takes_context: bool
) -> None:
    """Raise if a callable cannot take a context, or an adapter's function none, and these arguments."""
    try:
        signature = inspect.signature(target, follow_wrapped=False)
    except (TypeError, ValueError):
        return  # not written in Python
    try:
        signature.bind(None, *args)
    except TypeError as error:
        words = ", ".join([*signature.parameters][not takes_context :])
        taken = (
            "a context and the submit's arguments" if takes_context else "the submit's arguments"
        )
        hint = (
            f"; if it takes no context, submit plain({name})" if _can_bind(signature, args) else ""
        )
        raise TypeError(
            f"{name}({words}) cannot be called: {error}; a job's function takes {taken}{hint}"
        ) from None


def _can_bind(signature: inspect.Signature, args: tuple[object, ...]) -> bool:
    try:
        signature.bind(*args)
    except TypeError:
        return False
    return True


def _refuse_coroutine(given: object) -> None:
    """Raise TypeError for a coroutine, and close it, so that Python does not warn about it."""
    if type(given) is not CoroutineType:
        return
    if inspect.getcoroutinestate(given) == inspect.CORO_CREATED:
        given.close()
    raise TypeError(
        f"a job is an async function, and {safe_repr(given)} is a call of one:"
        " pass the function and its arguments, do not call it"
    )


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
