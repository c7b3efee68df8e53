"""Taking exceptions and groups of them apart.

An exception is an object of the user's. It may lie about its class, refuse to be changed, be a
group thousands deep, or derive nonsense when it is split. So classes are looked up by ``type()``,
attributes are those of BaseException itself, and nothing here calls itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeGuard

import trio

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

DEEPEST: Final = 50
"""Levels of groups in a group that Python and Trio are trusted with: both walk it by recursion."""


def is_group(error: BaseException | None) -> TypeGuard[BaseExceptionGroup[BaseException]]:
    """Whether an error really is a group."""
    return issubclass(type(error), BaseExceptionGroup)


def members(group: BaseExceptionGroup[BaseException]) -> Sequence[BaseException]:
    """The errors right in a group."""
    found: Sequence[BaseException] = BaseExceptionGroup.exceptions.__get__(group)
    return found


def leaves(error: BaseException | None) -> list[BaseException]:
    """The errors of a group and of the groups in it, each once; a plain error is its own only one."""
    found: list[BaseException] = []
    seen: set[int] = set()
    todo = [] if error is None else [error]
    while todo:
        one = todo.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if is_group(one):
            todo += reversed(members(one))
        else:
            found.append(one)
    return found


def has_only_exceptions(error: BaseException | None) -> bool:
    """Whether all in an error are Exceptions, so that it does not end the program."""
    return all(issubclass(type(leaf), Exception) for leaf in leaves(error))


def unwrap_single(error: BaseException) -> BaseException:
    """An error out of the groups around it, if it is alone in them."""
    only = leaves(error)
    return only[0] if len(only) == 1 else error


def make_splittable(error: BaseException) -> BaseException:
    """The same error; or a flat group of what is in it, if Trio could fail to take it apart."""
    if not is_group(error) or (_is_small(error) and _can_be_split(error)):
        return error
    message: str = BaseExceptionGroup.message.__get__(error)
    return BaseExceptionGroup(message, leaves(error)).with_traceback(traceback_of(error))


def _is_small(group: BaseException) -> bool:
    """Whether a walk by recursion ends soon: not too deep, and no group in two places."""
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


def _can_be_split(group: BaseExceptionGroup[BaseException]) -> bool:
    """Try what Trio will do, which calls the own code of groups of other classes."""
    try:
        parts = group.split(trio.Cancelled)
        found = {id(leaf) for part in parts for leaf in leaves(part)}
    except Exception:  # noqa: BLE001 - whatever it is, it would have come out of Trio
        return False
    return found == {id(leaf) for leaf in leaves(group)}


def split_cancelled(error: BaseException) -> tuple[BaseException | None, BaseException | None]:
    """Part an error into what is ``trio.Cancelled`` and the rest."""
    found = [type(leaf) is trio.Cancelled for leaf in leaves(error)]
    if not any(found):
        return None, error
    if all(found):
        return error, None
    cancelled, rest = make_splittable(error).split(trio.Cancelled)  # type: ignore[attr-defined]  # it is a group
    return cancelled, rest


def traceback_of(error: BaseException) -> TracebackType | None:
    """The live traceback of an error."""
    found: TracebackType | None = BaseException.__traceback__.__get__(error)  # type: ignore[union-attr]
    return found


def strip_tracebacks(error: BaseException) -> None:
    """Take the live tracebacks out of an error and of all that it is linked to.

    A traceback holds the frames, and these hold the job's arguments and locals.
    """
    for found, _ in _linked(error):
        BaseException.with_traceback(found, None)  # its own class may refuse any change


def is_printable(error: BaseException) -> bool:
    """Whether Python can print an error with all that it is linked to: it does so by recursion."""
    return all(is_member or _is_small(found) for found, is_member in _linked(error))


def _linked(error: BaseException) -> Iterator[tuple[BaseException, bool]]:
    """An error and all that it is linked to, each once, and whether as a member of a group."""
    seen: set[int] = set()
    todo: list[tuple[BaseException | None, bool]] = [(error, False)]
    while todo:
        found, is_member = todo.pop()
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        yield found, is_member
        cause: BaseException | None = BaseException.__cause__.__get__(found)  # type: ignore[union-attr]
        context: BaseException | None = BaseException.__context__.__get__(found)  # type: ignore[union-attr]
        todo += [(cause, False), (context, False)]
        if is_group(found):
            todo += [(member, True) for member in members(found)]
