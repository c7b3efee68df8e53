"""Split ``trio.Cancelled`` out of errors, also where a group of them would not split."""

from __future__ import annotations

import trio

from ticketr.jobs._groups import is_group, is_small, leaves, traceback_of


def make_splittable(error: BaseException) -> BaseException:
    """Return the error, or a flat group of the same errors if Trio could fail to split it."""
    if not is_group(error) or (is_small(error) and _can_be_split(error)):
        return error
    message: str = BaseExceptionGroup.message.__get__(error)
    return BaseExceptionGroup(message, leaves(error)).with_traceback(traceback_of(error))


def _can_be_split(group: BaseExceptionGroup[BaseException]) -> bool:
    """Return whether ``split``, which a subclass may override, keeps all errors."""
    try:
        parts = group.split(trio.Cancelled)
        found = {id(leaf) for part in parts for leaf in leaves(part)}
    except Exception:  # noqa: BLE001 - it would have been raised inside Trio
        return False
    return found == {id(leaf) for leaf in leaves(group)}


def split_cancelled(error: BaseException) -> tuple[BaseException | None, BaseException | None]:
    """Split an error into its ``trio.Cancelled`` and the rest."""
    found = [type(leaf) is trio.Cancelled for leaf in leaves(error)]
    if not any(found):
        return None, error
    if all(found):
        return error, None
    group = make_splittable(error)
    assert is_group(group)  # it has leaves of both kinds
    return group.split(trio.Cancelled)
