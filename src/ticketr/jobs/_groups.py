"""Inspect exceptions and exception groups safely.

An exception is user code. It may lie about its class, refuse attribute changes, nest groups
thousands deep, or split into nonsense. So this module uses ``type()`` for classes and the
descriptors of ``BaseException`` for attributes, and nothing in it is recursive. Pure: it does not
know Trio; ``_cancelled`` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

DEEPEST: Final = 50
"""The deepest nesting of groups that is left to Python and Trio, which recurse over it."""


def is_group(error: BaseException | None) -> TypeGuard[BaseExceptionGroup[BaseException]]:
    """Return whether an error is an exception group by its real class."""
    return issubclass(type(error), BaseExceptionGroup)


def members(group: BaseExceptionGroup[BaseException]) -> Sequence[BaseException]:
    """Return the direct members of a group."""
    found: Sequence[BaseException] = BaseExceptionGroup.exceptions.__get__(group)
    return found


def leaves(error: BaseException | None) -> list[BaseException]:
    """Return all plain errors in a group, at any depth, each once; of a plain error, itself."""
    found: list[BaseException] = []
    seen: set[int] = set()
    todo = [] if error is None else [error]
    while todo:
        current = todo.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        if is_group(current):
            todo += reversed(members(current))
        else:
            found.append(current)
    return found


def has_only_exceptions(error: BaseException | None) -> bool:
    """Return whether an error holds only Exceptions, so no interrupt, exit or Cancelled."""
    return all(issubclass(type(leaf), Exception) for leaf in leaves(error))


def unwrap_single(error: BaseException) -> BaseException:
    """Return the only plain error in a group, or else the error itself."""
    plain = leaves(error)
    return plain[0] if len(plain) == 1 else error


def is_small(group: BaseException) -> bool:
    """Return whether recursion over a group is safe: not too deep, and no group in it twice."""
    seen: set[int] = set()
    todo: list[tuple[BaseException, int]] = [(group, 1)]
    while todo:
        found, depth = todo.pop()
        if not is_group(found):
            continue
        if depth > DEEPEST or id(found) in seen:
            return False
        seen.add(id(found))
        todo += [(member, depth + 1) for member in members(found)]
    return True


def traceback_of(error: BaseException) -> TracebackType | None:
    """Return the traceback of an error."""
    found: TracebackType | None = vars(BaseException)["__traceback__"].__get__(error)
    return found


def strip_tracebacks(error: BaseException) -> None:
    """Remove the tracebacks of an error and of all errors linked to it.

    A traceback keeps frames alive, and these keep the job's arguments and locals alive.
    """
    for found, _ in _linked(error):
        BaseException.with_traceback(found, None)  # the error's class may override the attribute


def is_printable(error: BaseException) -> bool:
    """Return whether Python, which recurses, can print an error and all errors linked to it."""
    return all(is_member or is_small(found) for found, is_member in _linked(error))


def _linked(error: BaseException) -> Iterator[tuple[BaseException, bool]]:
    """Yield an error and all errors linked to it, once each, with whether it is in a group."""
    seen: set[int] = set()
    todo: list[tuple[BaseException | None, bool]] = [(error, False)]
    while todo:
        found, is_member = todo.pop()
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        yield found, is_member
        cause: BaseException | None = vars(BaseException)["__cause__"].__get__(found)
        context: BaseException | None = vars(BaseException)["__context__"].__get__(found)
        todo += [(cause, False), (context, False)]
        if is_group(found):
            todo += [(member, True) for member in members(found)]
