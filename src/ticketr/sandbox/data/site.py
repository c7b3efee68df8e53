"""A site: its records, found by ID, by key and by parent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ticketr.sandbox.data.catalogue import BLANK, DEMO, DEMO_USER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ticketr.sandbox.data.model import Issue, Project, User


def utc_now() -> datetime:
    """Tell the time, as the computer's own clock has it."""
    return datetime.now(UTC)


class Site:
    """A Jira site in memory.

    Args:
        issues: The issues to begin with.
        projects: The projects that exist.
        user: Whose eyes the site is seen through.
        clock: Tells the time of day; the site's dates and relative JQL dates follow it.

    Attributes:
        revision: Rises with every change, so that what was derived can be thrown away.
    """

    def __init__(
        self,
        issues: Iterable[Issue] = (),
        *,
        projects: Sequence[Project] = (DEMO, BLANK),
        user: User = DEMO_USER,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.projects = tuple(projects)
        self.user = user
        self.now = clock
        self.revision = 0
        self._issues: dict[int, Issue] = {}
        self._ids: dict[str, int] = {}
        self._children: dict[int, list[int]] = {}
        for issue in issues:
            self.put(issue)

    def __len__(self) -> int:
        return len(self._issues)

    def __iter__(self) -> Iterator[Issue]:
        return iter(self._issues.values())

    def put(self, issue: Issue) -> None:
        """Add an issue, or replace the one with the same ID."""
        before = self._issues.get(issue.id)
        if before is not None:
            self._forget_links(before)
        self._issues[issue.id] = issue
        self._ids[issue.key] = issue.id
        if issue.parent is not None:
            self._children.setdefault(issue.parent, []).append(issue.id)
        self.revision += 1

    def _forget_links(self, issue: Issue) -> None:
        self._ids.pop(issue.key, None)
        if issue.parent is not None:
            self._children[issue.parent].remove(issue.id)

    def get(self, issue_id: int) -> Issue | None:
        """Find an issue by its ID."""
        return self._issues.get(issue_id)

    def find(self, id_or_key: str) -> Issue | None:
        """Find an issue by its ID or key as Jira does: a key in any case of letters."""
        if id_or_key.isascii() and id_or_key.isdigit() and len(id_or_key) < 19:
            return self._issues.get(int(id_or_key))
        issue_id = self._ids.get(id_or_key.upper())
        return None if issue_id is None else self._issues[issue_id]

    def children(self, issue: Issue) -> list[Issue]:
        """List the issues whose parent this is, in ascending order."""
        return [self._issues[child] for child in sorted(self._children.get(issue.id, ()))]

    def project(self, id_or_key: str) -> Project | None:
        """Find a project by its ID or key."""
        for project in self.projects:
            if id_or_key.upper() == project.key or id_or_key == str(project.id):
                return project
        return None
