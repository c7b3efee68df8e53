"""Finds a way over a workflow, from one status to another. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

#: The most transitions that one push performs on an issue.
MOST_STEPS = 4


def find_path(edges: Mapping[str, Iterable[str]], start: str, goal: str) -> tuple[str, ...]:
    """Return the shortest way to a status, in any case of letters.

    Args:
        edges: The statuses that one transition leads to, by the status from which it does, in
            small letters (`str.casefold`).
        start: The present status.
        goal: The wanted status.

    Returns:
        The statuses on the way, at most `MOST_STEPS`, the wanted one last; none if no way is known.
    """
    paths: deque[tuple[str, ...]] = deque([(start,)])
    seen = {start.casefold()}
    while paths:
        path = paths.popleft()
        for status in edges.get(path[-1].casefold(), ()):
            if status.casefold() == goal.casefold():
                return (*path[1:], status)
            if status.casefold() not in seen and len(path) < MOST_STEPS:
                seen.add(status.casefold())
                paths.append((*path, status))
    return ()


def unknown_statuses(
    edges: Mapping[str, Iterable[str]], start: str, *, most: int = MOST_STEPS
) -> tuple[str, ...]:
    """Return the statuses near a start from which it is not known where transitions lead.

    They are those that fewer than ``most`` transitions reach, the nearest first.
    """
    texts: list[str] = []
    nearest, seen = [start], {start.casefold()}
    for _ in range(most):
        texts += (text for text in nearest if text.casefold() not in edges)
        further: dict[str, str] = {}
        for status in nearest:
            for text in edges.get(status.casefold(), ()):
                if text.casefold() not in seen:
                    further.setdefault(text.casefold(), text)
        seen |= further.keys()
        nearest = list(further.values())
    return tuple(texts)


def way_text(before: str, between: Sequence[str], after: str) -> str:
    """Return the way of several transitions in words: ``To Do > In Progress > Done (2 transitions)``.

    The way of a new issue begins in the first status ``between``, and ``before`` is empty.
    """
    way = [*([before] if before else []), *between, after]
    return f"{' > '.join(way)} ({len(way) - 1} transitions)"
