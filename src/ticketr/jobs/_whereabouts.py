"""Where a task is, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.jobs._task_tree import descendants

if TYPE_CHECKING:
    import trio

MOST = 3
"""How many places to name of one job: it may have any number of child tasks."""
NOT_THEIRS = ("trio.", "ticketr.jobs.", "outcome.")
"""Modules whose frames say nothing about a job."""


def whereabouts(task: trio.lowlevel.Task) -> str:
    """Name the lines at which a task, or its children if it waits for those, are held up."""
    places = dict.fromkeys(_place(leaf) for leaf in descendants(task) if _is_leaf(leaf))
    shown = list(places)[:MOST]
    more = f" and {len(places) - MOST} more" if len(places) > MOST else ""
    return f"it is at {', '.join(shown)}{more}"


def _is_leaf(task: trio.lowlevel.Task) -> bool:
    return not any(nursery.child_tasks for nursery in task.child_nurseries)


def _place(task: trio.lowlevel.Task) -> str:
    """The innermost line of the task that is neither Trio's nor ours."""
    place = f"an unknown place of {task.name}"
    for frame, line in task.iter_await_frames():
        if not f"{frame.f_globals.get('__name__', '')}.".startswith(NOT_THEIRS):
            code = frame.f_code
            place = f"{code.co_qualname} ({code.co_filename}, line {line})"
    return place
