"""Check what is submitted as a job, and find the function to call.

A submit refuses a class, a coroutine, a function that is not async, and a function that cannot take
the arguments. Whether a callable object, a wrapper or a lambda returns an awaitable is known only
after the call. If it does not, its job fails with an error that says so.
"""

from __future__ import annotations

import functools
import inspect
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_ITERABLE_COROUTINE
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Final, cast

from ticketr.jobs._arguments.adapters import InThread, Plain, refuse_coroutine
from ticketr.jobs._values import exact_str, safe_repr, safe_str

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Set as AbstractSet

    from ticketr.jobs._context import Job

PLACEHOLDER: Final = getattr(functools, "Placeholder", object())
"""The ``functools.Placeholder`` of Python 3.14, which marks a missing argument of a partial."""


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
    refuse_coroutine(job)
    execute = getattr(job, "execute", None)
    target = job if execute is None else execute
    if not callable(target):
        raise TypeError(
            f"a job is an async function or has an execute method, not {safe_repr(job)}"
            " (pass the function and its arguments, do not call it)"
        )
    core, positional, names, adapter = _unwrapped(target, 1 + len(args))
    name = getattr(core, "__name__", kind.__name__ if core is job else type(core).__name__)
    if execute is not None:
        name = getattr(job, "name", kind.__name__)
    is_async = _check(core, positional, names, adapter)
    text = name if type(name) is str else safe_str(name) or safe_repr(name)
    return target if is_async else _require_awaitable(target, text), text


def _unwrapped(target: object, positional: int) -> tuple[object, int, set[str], type | None]:
    """Return what is called in the end, with how many arguments, which names, by which adapter."""
    names: set[str] = set()
    adapter: type | None = None
    while True:
        if issubclass(type(target), functools.partial):
            partial = cast("functools.partial[object]", target)
            positional += sum(arg is not PLACEHOLDER for arg in partial.args)
            names |= partial.keywords.keys()
            target = partial.func
        elif type(target) is MethodType:
            positional += 1
            target = target.__func__
        elif type(target) is Plain or type(target) is InThread:
            adapter = type(target)
            positional -= 1
            target = target.function
        else:
            return target, positional, names, adapter


def _check(core: object, positional: int, names: set[str], adapter: type | None) -> bool:
    """Raise if a callable cannot be a job; return whether its call must give an awaitable."""
    is_blocking = adapter is InThread
    if type(core) is FunctionType:
        flags = core.__code__.co_flags
        is_async = bool(flags & (CO_COROUTINE | CO_ITERABLE_COROUTINE))
        if flags & CO_ASYNC_GENERATOR:
            raise TypeError(
                f"a job is an async function that returns, and {core.__name__}() yields:"
                " it is an async generator function"
            )
        is_named = core.__code__.co_name != "<lambda>" and not hasattr(core, "__wrapped__")
        if not is_async and not is_blocking and is_named and not inspect.iscoroutinefunction(core):
            raise TypeError(
                f"a job is an async function, and {core.__name__}() is not one: write it with"
                " 'async def', or submit in_thread(function) if it blocks"
            )
        function = core
    else:
        call = getattr(type(core), "__call__", None)  # noqa: B004 - its code is what counts
        if type(call) is not FunctionType:
            return is_blocking  # not written in Python
        function, positional = call, positional + 1
        is_async = bool(call.__code__.co_flags & CO_COROUTINE)
    if not _takes(function, positional, names):
        code = function.__code__
        words = ", ".join(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
        by_name = f" and {', '.join(sorted(names))}" if names else ""
        taken = (
            "a context and the submit's arguments" if adapter is None else "the submit's arguments"
        )
        name = exact_str(function.__name__)
        wants_no_context = is_async and adapter is None and _takes(function, positional - 1, names)
        hint = f"; if it takes no context, submit plain({name})" if wants_no_context else ""
        raise TypeError(
            f"{name}({words}) cannot be called with {positional}"
            f" argument{'s' * (positional != 1)}{by_name}: a job's function takes {taken}{hint}"
        )
    return is_async or is_blocking


def _takes(function: FunctionType, positional: int, names: AbstractSet[str]) -> bool:
    """Return whether a function accepts this many positional arguments and these keywords."""
    code = function.__code__
    by_place = code.co_varnames[: code.co_argcount]
    by_name_only = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    if positional > len(by_place) and not code.co_flags & inspect.CO_VARARGS:
        return False
    by_name = {*by_place[max(positional, code.co_posonlyargcount) :], *by_name_only}
    if not names <= by_name:
        nameless = set(by_place[: code.co_posonlyargcount])
        is_twice = names & (set(by_place[:positional]) - nameless)
        if is_twice or not code.co_flags & inspect.CO_VARKEYWORDS:
            return False
    has_default = len(function.__defaults__ or ())
    needed = {
        *by_place[positional : len(by_place) - has_default],
        *(set(by_name_only) - set(function.__kwdefaults__ or ())),
    }
    return needed <= names & by_name


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
