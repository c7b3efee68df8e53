"""What users pass in: the function of a job, and the options of a submit.

A submit refuses a class, a coroutine, a function that is not async, and a function that cannot take
the arguments. Whether a callable object, a wrapper or a lambda returns an awaitable is known only
after the call. If it does not, its job fails with an error that says so.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Awaitable, Callable, Hashable, Iterable
from dataclasses import dataclass
from functools import partial
from types import FunctionType, MethodType
from typing import Any, Concatenate, Final, Generic, ParamSpec, TypedDict, TypeVar, final

import trio
from trio.lowlevel import checkpoint_if_cancelled

from ticketr.jobs._core import QueueCore
from ticketr.jobs._deadlock import copy_context_unless_blank
from ticketr.jobs._handle import Job, JobContext, JobHandle, MakeAttemptManager
from ticketr.jobs._job import JobID, OnConflict
from ticketr.jobs._record import JobRecord
from ticketr.jobs._retry import Retry
from ticketr.jobs._values import (
    check_sync_callable,
    checked_key,
    checked_member,
    checked_number,
    checked_seconds,
    checked_str,
    checked_whole,
    safe_repr,
    safe_str,
)

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
    """
    return WithoutContext(function)


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
class WithoutContext(Generic[P, T]):
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
    called, adapter = _called_and_adapter(target)
    name = getattr(called, "__name__", type(called).__name__)
    is_async = _is_surely_async_or_raise(called, is_blocking=adapter is InThread)
    _check_signature(target, args, name)
    if execute is not None:
        name = getattr(job, "name", type(job).__name__)
    name = safe_str(name)
    return target if is_async else _with_awaitable_check(target, name), name


def _called_and_adapter(target: object) -> tuple[Any, type | None]:
    """Return what is called in the end, and by which adapter."""
    adapter: type | None = None
    while True:
        if isinstance(target, partial):
            target = target.func
        elif isinstance(target, MethodType):
            target = target.__func__
        elif isinstance(target, (WithoutContext, InThread)):
            adapter = type(target)
            target = target.function
        else:
            return target, adapter


def _is_surely_async_or_raise(called: Any, *, is_blocking: bool) -> bool:
    """Raise if an object cannot be a job; return whether its call is known to give an awaitable."""
    if inspect.iscoroutine(called):
        called.close()  # or Python warns about it
    if not callable(called):
        raise TypeError(
            f"a job is an async function or has an execute method, not {safe_repr(called)}"
            " (pass the function and its arguments, do not call it)"
        )
    name = getattr(called, "__name__", type(called).__name__)
    call = called if isinstance(called, FunctionType) else type(called).__call__
    if inspect.isasyncgenfunction(call):
        raise TypeError(
            f"a job is an async function that returns, and {name}() yields:"
            " it is an async generator function"
        )
    is_async = inspect.iscoroutinefunction(called) or inspect.iscoroutinefunction(call)
    if is_async and is_blocking:
        raise TypeError(
            f"in_thread() takes a blocking function, and {name}() is async: use plain()"
        )
    is_wrapper = name == "<lambda>" or hasattr(called, "__wrapped__")
    if called is call and not (is_async or is_blocking or is_wrapper):
        raise TypeError(
            f"a job is an async function, and {name}() is not one: write it with"
            " 'async def', or submit in_thread(function) if it blocks"
        )
    return is_async or is_blocking


def _check_signature(target: Callable[..., object], args: tuple[object, ...], name: str) -> None:
    """Raise if a callable cannot take a context, or an adapter's function none, and these arguments."""
    given: tuple[object, ...] = (None, *args)
    taken = f"a context and the submit's arguments; if it takes no context, submit plain({name})"
    if isinstance(target, (WithoutContext, InThread)):
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


def _with_awaitable_check(
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


def check_around(around: MakeAttemptManager) -> None:
    """Check that a value may give context managers.

    Raises:
        TypeError: It cannot be called, or it is an async function or async generator function.
    """
    check_sync_callable("around", around)
    if inspect.isasyncgenfunction(around):
        raise TypeError(
            "around must give an async context manager, and an async generator is none: decorate"
            f" {safe_repr(around)} with contextlib.asynccontextmanager"
        )


async def call_inside(
    around: MakeAttemptManager,
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
    async with manager:
        return await function(context, *args)
    await checkpoint_if_cancelled()  # here if it has swallowed what the function raised
    return None


MAX_PRIORITY: Final = 10**9
"""The highest priority; one beyond 64 bits would not fit into a store."""
checked_priority = partial(checked_whole, "priority", least=-MAX_PRIORITY, most=MAX_PRIORITY)
checked_timeout = partial(checked_seconds, "timeout", allow_inf=True)


class JobOptions(TypedDict, total=False):
    """The options of a submit, all of them optional; None is the default.

    Attributes:
        id: The job's ID, unique among the live jobs. The default is one that the queue makes up.
        name: The job's name. The default is that of the job object or function.
        priority: A job of higher priority runs first; the default is 0.
        key: At most one job with the same key runs at a time. Any hashable object. A job that waits
            for its key holds no worker.
        on_conflict: What to do if a live job has the same ID, or, if no ID is given, the same key.
            The default is to reject an ID, and to wait for a key. An ID cannot wait.
        once: Whether not to run the job again if one with its ID has completed, and is still known:
            the submit gives the handle of that one then. Needs an ``id``, and the default of
            ``on_conflict`` is JOIN with it.
        after: Handles or IDs of jobs of the same queue. The job starts when all have completed. If
            one fails or is cancelled, also before the submit, the job is cancelled.
        after_any_end: Whether to start it however those jobs end.
        delay: The seconds to wait before the job may start.
        start_by: The time on Trio's clock by which the job must have started; otherwise it is
            cancelled.
        within: The same in seconds from the submit; not together with ``start_by``.
        tags: Words to find the job by.
        retry: When to retry the job after a failure; None for the queue's rule.
            ``Retry(attempts=1)`` never retries.
        timeout: The seconds that each attempt may take; ``math.inf`` for no limit, None for the
            queue's limit.
    """

    id: JobID | None
    name: str | None
    priority: int
    key: Hashable
    on_conflict: OnConflict | None
    once: bool
    after: Iterable[JobID | JobHandle[object]]
    after_any_end: bool
    delay: float
    start_by: float | None
    within: float | None
    tags: Iterable[str]
    timeout: float | None
    retry: Retry | None


def make_record(
    core: QueueCore,
    job: Job[object] | Callable[..., Awaitable[object]],
    args: tuple[object, ...],
    options: JobOptions,
) -> JobRecord:
    """Return the record of a new job.

    Args:
        core: The queue, whose time limit and retry rule an option may replace.
        job: What was submitted.
        args: The arguments that follow the context.
        options: The options of the submit.

    Raises:
        TypeError, ValueError: The job or an option is invalid.
    """
    context = copy_context_unless_blank()
    # The common case: an async function with as many parameters as there are arguments.
    if (
        type(job) is FunctionType
        and (code := job.__code__).co_flags & inspect.CO_COROUTINE
        and code.co_argcount == len(args) + 1
        and not code.co_kwonlyargcount
    ):
        record = JobRecord((job, args, context, None), job.__name__, core.timeout, core.retry)
    else:
        function, name = resolve_function(job, args)
        record = JobRecord((function, args, context, None), name, core.timeout, core.retry)
    if options:
        record.set_options(checked_option_fields(options))
    return record


def refuse_options(call: str, options: JobOptions, refused: Iterable[str], reason: str) -> None:
    """Raise TypeError for an option that makes no sense for the jobs of a map or a repeat."""
    for option in refused:
        if options.get(option) is not None:
            raise TypeError(f"{call} has no option {option!r}: {reason}")


def checked_option_fields(options: JobOptions) -> dict[str, Any]:
    """Check the options of a submit, and return them by the names of a record's fields."""
    fields: dict[str, Any] = {}
    for option, value in options.items():
        known = OPTION_FIELDS_AND_CHECKS.get(option)
        if known is None:
            raise TypeError(
                f"a job has no option {option!r}, only {', '.join(OPTION_FIELDS_AND_CHECKS)}; an argument of the"
                " function goes into functools.partial(function, name=...)"
            )
        field, check = known
        if value is not None:
            if field in fields:
                raise ValueError("a job starts by one time: give start_by or within, not both")
            fields[field] = check(value)
    waits = fields.get("on_conflict") is OnConflict.WAIT
    if waits and "given_id" in fields and "key" not in fields:
        raise ValueError(
            "OnConflict.WAIT is for a key: with an id alone, reject, join or supersede"
        )
    if fields.get("once"):
        if "given_id" not in fields:
            raise ValueError("once needs an id, by which the queue knows the job")
        fields.setdefault("on_conflict", OnConflict.JOIN)
    return fields


def _checked_start_by(value: object) -> float | None:
    start_by = checked_number("start_by", value)
    return start_by if start_by != math.inf else None


def _start_by_time_from_within(value: object) -> float | None:
    seconds = checked_seconds("within", value, allow_inf=True)
    return trio.current_time() + seconds if seconds != math.inf else None


def _checked_tags(tags: object) -> frozenset[str]:
    return frozenset(checked_str("a tag", tag) for tag in _list_of_checked_iterable("tags", tags))


def _checked_after(jobs: object) -> tuple[JobID | JobHandle[object], ...]:
    return tuple(
        job if isinstance(job, JobHandle) else checked_str("a job in after", job)
        for job in _list_of_checked_iterable("after", jobs)
    )


def _list_of_checked_iterable(what: str, value: Any) -> list[Any]:
    if isinstance(value, (str, JobHandle)):
        raise TypeError(f"{what} must be a list: write {what}=[{safe_repr(value)}]")
    if not isinstance(value, Iterable):
        raise TypeError(f"{what} must be a list, not {safe_repr(value)}")
    return [*value]


def checked_retry(retry: object) -> Retry:
    """Return a retry rule, or raise ``TypeError``."""
    if not isinstance(retry, Retry):
        raise TypeError(f"retry must be a Retry, such as Retry(attempts=3), not {safe_repr(retry)}")
    return retry


OPTION_FIELDS_AND_CHECKS: Final[dict[str, tuple[str, Callable[[Any], object]]]] = {
    "id": ("given_id", partial(checked_str, "id")),
    "name": ("name", partial(checked_str, "name")),
    "priority": ("priority", checked_priority),
    "key": ("key", checked_key),
    "on_conflict": ("on_conflict", partial(checked_member, "on_conflict", kind=OnConflict)),
    "once": ("once", bool),
    "after": ("after", _checked_after),
    "after_any_end": ("after_any_end", bool),
    "delay": ("delay", partial(checked_seconds, "delay")),
    "start_by": ("start_by", _checked_start_by),
    "within": ("start_by", _start_by_time_from_within),
    "tags": ("tags", _checked_tags),
    "timeout": ("attempt_timeout", checked_timeout),
    "retry": ("retry", checked_retry),
}
"""The field of a record that each option fills, and what checks the value."""
