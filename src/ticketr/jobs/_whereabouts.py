"""Where a task is, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import trio

MOST = 3
"""How many places to name of one job: it may have any number of child tasks."""
NOT_THEIRS = ("trio.", "ticketr.jobs.", "outcome.")
"""Modules whose frames say nothing about a job."""


def whereabouts(task: trio.lowlevel.Task) -> str:
    """Name the lines at which a task, or its children if it waits for those, are held up."""
    places = dict.fromkeys(_place(leaf) for leaf in _leaves(task))
    shown = list(places)[:MOST]
    more = f" and {len(places) - MOST} more" if len(places) > MOST else ""
    return f"it is at {', '.join(shown)}{more}"


def _leaves(task: trio.lowlevel.Task) -> Iterator[trio.lowlevel.Task]:
    todo = [task]
    while todo:  # a job may have any number of tasks within tasks
        found = todo.pop()
        children = [child for nursery in found.child_nurseries for child in nursery.child_tasks]
        if not children:
            yield found
        todo += reversed(children)


def _place(task: trio.lowlevel.Task) -> str:
    """The innermost line of the task that is neither Trio's nor ours."""
    place = f"an unknown place of {task.name}"
    for frame, line in task.iter_await_frames():
        if not f"{frame.f_globals.get('__name__', '')}.".startswith(NOT_THEIRS):
            code = frame.f_code
            place = f"{code.co_qualname} ({code.co_filename}, line {line})"
    return place
