"""What searches see of a site, which may be a while behind what is there."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ticketr.sandbox.data.changes import SiteChange
    from ticketr.sandbox.data.model import Issue


class SearchIndex:
    """The issues of a site as they were some time ago.

    Args:
        current: The issues as they are; it changes as the site does, and what is in it now
            is seen from the beginning.
        lag: How many milliseconds searches are behind.
        now: Tells the site's time in milliseconds.
    """

    def __init__(self, current: Mapping[int, Issue], lag: int, now: Callable[[], int]) -> None:
        self._current = current
        self._lag = lag
        self._now = now
        self._behind = dict(current) if lag else {}
        self._waiting: deque[tuple[int, SiteChange]] = deque()
        self._revision = 0

    def note(self, change: SiteChange) -> None:
        """Learn of a change, to show it when its time has come."""
        if self._lag:
            self._waiting.append((self._now() + self._lag, change))
        else:
            self._revision += 1

    def revision(self) -> int:
        """Give a number that is another one whenever a search would see something else."""
        self._catch_up()
        return self._revision

    def issues(self, current: Iterable[int] = ()) -> Mapping[int, Issue]:
        """Give the issues that searches see.

        Args:
            current: IDs of issues to see as they are, for once.
        """
        self._catch_up()
        if not self._lag:
            return self._current
        ids = frozenset(current)
        if not ids:
            return self._behind
        others = {number: issue for number, issue in self._behind.items() if number not in ids}
        return others | {number: self._current[number] for number in ids & self._current.keys()}

    def _catch_up(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._now():
            _, change = self._waiting.popleft()
            self._behind.update((issue.id, issue) for issue in change.put)
            for issue_id in change.removed:
                self._behind.pop(issue_id, None)
            self._revision += 1
