"""Which queues' jobs a task belongs to: a context variable, which its child tasks and threads inherit.

Each attempt of a job sets the variable. So the contexts of jobs that have no other variable count
as empty, and a worker can run them one after the other in one context (see ``_worker``).
"""

from __future__ import annotations

from contextvars import Context, ContextVar
from typing import Final, TypeAlias

QueueMarks: TypeAlias = tuple[object, ...]
"""What stands for a queue, then for those in whose jobs it was opened."""
QUEUES: Final[ContextVar[QueueMarks]] = ContextVar("the queues of ticketr's jobs", default=())


def make_marks() -> QueueMarks:
    """Return the marks of a queue that is opened here."""
    return (object(), *QUEUES.get())


def is_inside(marks: QueueMarks) -> bool:
    """Tell whether this runs inside a job of the queue with these marks."""
    return marks[0] in QUEUES.get()


def without_marks(context: Context) -> Context:
    """Return a context of one variable, or an empty one if that is the marks."""
    return Context() if QUEUES in context else context


def is_blank(context: Context, marks: QueueMarks) -> bool:
    """Tell whether a context holds nothing but these marks."""
    return len(context) == 1 and context.get(QUEUES) is marks


def blank_context(marks: QueueMarks) -> Context:
    """Return a new context that holds nothing but these marks."""
    context = Context()
    context.run(QUEUES.set, marks)
    return context
