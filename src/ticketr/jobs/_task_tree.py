"""The task tree below a worker: its tasks, the lines they are at, and their next step."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import trio

from ticketr.jobs._trio_internals import waits_in_nursery

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ticketr.jobs._wait_targets import QueueState

MAX_PLACES = 3
"""The most lines of code to list for one job, which may have any number of child tasks."""
LIBRARY_MODULES = ("trio.", "ticketr.jobs.", "outcome.")
"""Modules whose frames are not the user's code."""


def descendants(task: trio.lowlevel.Task) -> Iterator[trio.lowlevel.Task]:
    """Yield a task and all tasks below it, at any depth."""
    tasks = [task]
    while tasks:
        task = tasks.pop()
        yield task
        for nursery in task.child_nurseries:
            tasks += nursery.child_tasks


def waits_for_children(task: trio.lowlevel.Task) -> bool:
    """Return whether a task is parked at the end of a nursery that has running child tasks."""
    return _has_children(task) and waits_in_nursery(task)


def describe_stuck_task(task: trio.lowlevel.Task) -> str:
    """Return a phrase that lists the lines at which a task, or its child tasks, are parked."""
    places = dict.fromkeys(_place(leaf) for leaf in descendants(task) if not _has_children(leaf))
    listed = list(places)[:MAX_PLACES]
    more = f" and {len(places) - MAX_PLACES} more" if len(places) > MAX_PLACES else ""
    return f"it is at {', '.join(listed)}{more}"


def _has_children(task: trio.lowlevel.Task) -> bool:
    return any(nursery.child_tasks for nursery in task.child_nurseries)


def _place(task: trio.lowlevel.Task) -> str:
    """Return the task's innermost line of user code."""
    place = f"an unknown place of {task.name}"
    for frame, line in task.iter_await_frames():
        if not f"{frame.f_globals.get('__name__', '')}.".startswith(LIBRARY_MODULES):
            code = frame.f_code
            place = f"{code.co_qualname} ({code.co_filename}, line {line})"
    return place


@final
class StepWatcher(trio.abc.Instrument):
    """Requests a deadlock check when one of the watched tasks takes its next step."""

    def __init__(self) -> None:
        self._watched: dict[trio.lowlevel.Task, QueueState] = {}

    def watch(self, tasks: dict[trio.lowlevel.Task, QueueState]) -> None:
        """Watch these tasks, each with the queue to check, and no others."""
        if tasks and not self._watched:
            trio.lowlevel.add_instrument(self)
        elif self._watched and not tasks:
            trio.lowlevel.remove_instrument(self)
        self._watched = tasks

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        queue = self._watched.get(task)
        if queue is not None:
            self.watch({})
            queue.timer.request_deadlock_check()
