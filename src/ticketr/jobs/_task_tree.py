"""The tasks below a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import trio

if TYPE_CHECKING:
    from collections.abc import Iterator

NURSERY_EXIT: Final = type(trio.open_nursery(strict_exception_groups=True)).__aexit__.__code__


def descendants(task: trio.lowlevel.Task) -> Iterator[trio.lowlevel.Task]:
    """Yield a task and all in its nurseries, in theirs, and so on."""
    tasks = [task]
    while tasks:
        task = tasks.pop()
        yield task
        for nursery in task.child_nurseries:
            tasks += nursery.child_tasks


def waits_for_children(task: trio.lowlevel.Task) -> bool:
    """Tell whether a task has nothing left to do but to wait for a nursery's child tasks."""
    return any(nursery.child_tasks for nursery in task.child_nurseries) and any(
        frame.f_code is NURSERY_EXIT for frame, _ in task.iter_await_frames()
    )
