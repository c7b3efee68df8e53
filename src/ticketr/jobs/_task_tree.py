"""The tasks below a task: which there are, where they are, and when one runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

import trio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ticketr.jobs._wait_targets import QueueState

NURSERY_EXIT: Final = type(trio.open_nursery(strict_exception_groups=True)).__aexit__.__code__
MAX_PLACES = 3
"""How many places to name of one job: it may have any number of child tasks."""
LIBRARY_MODULES = ("trio.", "ticketr.jobs.", "outcome.")
"""Modules whose frames say nothing about a job."""


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


def describe_stuck_task(task: trio.lowlevel.Task) -> str:
    """Name the lines at which a task, or its children if it waits for those, are held up."""
    places = dict.fromkeys(_place(leaf) for leaf in descendants(task) if _is_leaf(leaf))
    listed = list(places)[:MAX_PLACES]
    more = f" and {len(places) - MAX_PLACES} more" if len(places) > MAX_PLACES else ""
    return f"it is at {', '.join(listed)}{more}"


def _is_leaf(task: trio.lowlevel.Task) -> bool:
    return not any(nursery.child_tasks for nursery in task.child_nurseries)


def _place(task: trio.lowlevel.Task) -> str:
    """The innermost line of the task that is neither Trio's nor ours."""
    place = f"an unknown place of {task.name}"
    for frame, line in task.iter_await_frames():
        if not f"{frame.f_globals.get('__name__', '')}.".startswith(LIBRARY_MODULES):
            code = frame.f_code
            place = f"{code.co_qualname} ({code.co_filename}, line {line})"
    return place


@final
class StepWatcher(trio.abc.Instrument):
    """Tells of the first step that any of some tasks takes."""

    def __init__(self) -> None:
        self._hopes: dict[trio.lowlevel.Task, QueueState] = {}

    def watch(self, hopes: dict[trio.lowlevel.Task, QueueState]) -> None:
        """Have these tasks' queues look when a task has taken a step, instead of those before."""
        if hopes and not self._hopes:
            trio.lowlevel.add_instrument(self)
        elif self._hopes and not hopes:
            trio.lowlevel.remove_instrument(self)
        self._hopes = hopes

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        ledger = self._hopes.get(task)
        if ledger is not None:
            self.watch({})
            ledger.request_deadlock_check()
