"""What the jobs of a map have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from ticketr.jobs._function import resolve_function
from ticketr.jobs._job import OnConflict
from ticketr.jobs._options import checked_options

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from ticketr.jobs._options import JobOptions
    from ticketr.jobs._retry import Retry

START_IN_TURN: Final = frozenset({"name", "priority", "tags", "timeout", "retry"})
"""The options with which a pending job can start as soon as a worker is free."""


class JobTemplate(NamedTuple):
    """What the records of a map's jobs are made with.

    Attributes:
        function: Called with the context and an item.
        name: The name of each job.
        timeout: The time limit of each attempt.
        retry: When to retry a job.
        options: The other options, by the names of a record's fields.
        starts_in_turn: Whether a pending job can start as soon as a worker is free.
        given: The function as the user has given it.
    """

    function: Callable[..., Awaitable[object]]
    name: str
    timeout: float
    retry: Retry | None
    options: Mapping[str, object]
    starts_in_turn: bool
    given: Callable[..., Awaitable[object]]


def template_of(
    function: Callable[..., Awaitable[object]],
    timeout: float,
    retry: Retry | None,
    options: JobOptions,
) -> JobTemplate:
    """Check the function and the options of a map, and return what makes its jobs.

    Args:
        function: Called with the context and an item.
        timeout: The queue's time limit, which an option may replace.
        retry: The queue's retry rule, which an option may replace.
        options: The options of each job.

    Raises:
        TypeError, ValueError: The function or an option is invalid.
    """
    target, name = resolve_function(function, (None,))
    fields = checked_map_options(options)
    starts_in_turn = options.keys() <= START_IN_TURN
    return JobTemplate(target, name, timeout, retry, fields, starts_in_turn, function)


def checked_map_options(options: JobOptions) -> dict[str, object]:
    """Check the options of a map, and return them by the names of a record's fields.

    Raises:
        TypeError, ValueError: An option is invalid, or makes no sense for a map.
    """
    if options.get("id") is not None:
        raise TypeError("a map has no option 'id': each of its jobs has one of its own")
    fields = checked_options(options)
    if fields.pop("on_conflict", OnConflict.WAIT) is not OnConflict.WAIT:
        raise ValueError("the jobs of a map have the same key, so each waits: use OnConflict.WAIT")
    return fields
