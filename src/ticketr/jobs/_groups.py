"""Inspect exceptions and exception groups. Pure: it does not know Trio; ``_trio`` does."""

from __future__ import annotations


def leaves(error: BaseException | None) -> list[BaseException]:
    """Return all plain errors in a group, at any depth; of a plain error, itself."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for member in error.exceptions for leaf in leaves(member)]
    return [] if error is None else [error]


def has_only_exceptions(error: BaseException | None) -> bool:
    """Return whether an error holds only Exceptions, so no interrupt, exit or Cancelled."""
    return all(isinstance(leaf, Exception) for leaf in leaves(error))


def unwrap_single(error: BaseException) -> BaseException:
    """Return the only plain error in a group, or else the error itself."""
    plain = leaves(error)
    return plain[0] if len(plain) == 1 else error


def strip_tracebacks(error: BaseException) -> None:
    """Remove the tracebacks of an error and of all errors linked to it.

    A traceback keeps frames alive, and these keep the job's arguments and locals alive.
    """
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        linked = todo.pop()
        if linked is None or id(linked) in seen:
            continue
        seen.add(id(linked))
        BaseException.with_traceback(linked, None)  # a frozen class refuses to set the attribute
        todo += [linked.__cause__, linked.__context__]
        if isinstance(linked, BaseExceptionGroup):
            todo += linked.exceptions
