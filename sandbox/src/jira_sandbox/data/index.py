"""The search index of a site, which may lag behind the issues."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jira_sandbox.data.changes import SiteChange
    from jira_sandbox.data.issue import Issue


class SearchIndex:
    """The issues of a site as they were some time ago.

    Args:
        current: The site's issues, a live mapping; its present content is visible at once.
        lag: The age of what searches return, in milliseconds.
        now: Returns the site's time in milliseconds.
    """

    def __init__(self, current: Mapping[int, Issue], lag: int, now: Callable[[], int]) -> None:
        self._current = current
        self._lag = lag
        self._now = now
        self._behind = dict(current) if lag else {}
        self._waiting: deque[tuple[int, SiteChange]] = deque()
        self._revision = 0

    def add(self, change: SiteChange) -> None:
        """Add a change, which becomes visible after the lag."""
        if self._lag:
            self._waiting.append((self._now() + self._lag, change))
        else:
            self._revision += 1

    def revision(self) -> int:
        """Return a number that changes whenever the result of a search may change."""
        self._catch_up()
        return self._revision

    def issues(self, current: Iterable[int] = ()) -> Mapping[int, Issue]:
        """Return the issues that are visible to a search.

        Args:
            current: IDs of issues to return in their present state.
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
        """Make visible the changes whose lag is over."""
        while self._waiting and self._waiting[0][0] <= self._now():
            _, change = self._waiting.popleft()
            self._behind.update((issue.id, issue) for issue in change.put)
            for issue_id in change.removed:
                self._behind.pop(issue_id, None)
            self._revision += 1
