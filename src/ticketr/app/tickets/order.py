"""The orders in which issues can be listed. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from types import MappingProxyType

from ticketr.app.tickets.candidate import Candidate, fold

#: Compares with others of the same order; issues without a value come last.
SortKey = tuple[object, ...]

_NUMBERED = re.compile(r"(.+)-([0-9]+)")
#: Jira's own priorities, old names and new ones, the most urgent first.
_PRIORITIES = (
    ("blocker",),
    ("highest", "critical"),
    ("high", "major"),
    ("medium", "normal"),
    ("low", "minor"),
    ("lowest", "trivial"),
)
_RANKS = {name: rank for rank, names in enumerate(_PRIORITIES) for name in names}


def sort_key(name: str) -> Callable[[Candidate], SortKey]:
    """Return the key function of an order, for ``sorted``.

    Issues that are equal in an order, and all issues of ``key``, are in the order of their keys,
    ``AB-9`` before ``AB-10``, then drafts by title.

    Args:
        name: One of `SORT_NAMES`. ``priority`` begins with the most urgent, ``updated`` with the
            latest change in Jira.

    Raises:
        KeyError: There is no such order.
    """
    return _ORDERS[name]


def _by_key(candidate: Candidate) -> SortKey:
    match = _NUMBERED.fullmatch(candidate.key)
    place = (match[1], int(match[2])) if match else ("", 0)
    return (match is None, *place, fold(candidate.title))


def _by_title(candidate: Candidate) -> SortKey:
    return (fold(candidate.title), *_by_key(candidate))


def _by_field(name: str) -> Callable[[Candidate], SortKey]:
    def key(candidate: Candidate) -> SortKey:
        value = candidate.folded(name)
        return (not value, value, *_by_key(candidate))

    return key


def _by_priority(candidate: Candidate) -> SortKey:
    value = candidate.folded("priority")
    rank = _RANKS.get(value, len(_PRIORITIES))
    return (not value, rank, value, *_by_key(candidate))


def _by_update(candidate: Candidate) -> SortKey:
    moment = _moment(candidate.updated)
    return (moment is None, -(moment or 0.0), *_by_key(candidate))


def _moment(text: str) -> float | None:
    """Return a moment as Jira writes it in seconds since the epoch; None if it is not a moment."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


_ORDERS = MappingProxyType(
    {
        "key": _by_key,
        "title": _by_title,
        "status": _by_field("status"),
        "priority": _by_priority,
        "assignee": _by_field("assignee"),
        "updated": _by_update,
    }
)
#: The names of the orders.
SORT_NAMES = tuple(_ORDERS)
