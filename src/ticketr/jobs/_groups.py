"""Taking exceptions and groups of them apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from collections.abc import Iterator


def leaves(error: BaseException | None) -> Iterator[BaseException]:
    """The errors of a group and of the groups in it; a plain error is its own only leaf."""
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield from leaves(member)
    elif error is not None:
        yield error


def split_cancelled(error: BaseException) -> tuple[BaseException | None, BaseException | None]:
    """Part an error into what is ``trio.Cancelled`` and the rest."""
    if isinstance(error, BaseExceptionGroup):
        cancelled, rest = error.split(trio.Cancelled)
        return cancelled, error if cancelled is None else rest  # a split makes a new group
    if isinstance(error, trio.Cancelled):
        return error, None
    return None, error


def strip_tracebacks(error: BaseException) -> None:
    """Take the live tracebacks out of an error and of all that it is linked to.

    A traceback holds the frames, and these hold the job's arguments and locals.
    """
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        found = todo.pop()
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        found.__traceback__ = None
        todo += [found.__cause__, found.__context__]
        if isinstance(found, BaseExceptionGroup):
            todo += found.exceptions
