"""What a Jira site holds, and how it is found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from jira_sandbox.data.catalogue import BLANK, DEMO, DEMO_USER, USERS
from jira_sandbox.data.changes import Counters, OnChange, SiteChange, discard_change
from jira_sandbox.data.index import SearchIndex
from jira_sandbox.data.kit import KIT, TEAM
from jira_sandbox.data.model import Project, User, to_millis
from jira_sandbox.data.registry import Registry

if TYPE_CHECKING:
    from jira_sandbox.data.issue import Issue

#: The projects of every site.
PROJECTS: Final = (DEMO, BLANK)
#: The projects of a site with fields of every type.
ALL_PROJECTS: Final = (*PROJECTS, KIT, TEAM)


def utc_now() -> datetime:
    """Return the time by the computer's clock."""
    return datetime.now(UTC)


class SiteStore:
    """The content of a site, and the one method that changes it.

    Args:
        issues: The initial issues.
        projects: The projects.
        users: The users.
        user: The user who is signed in; replaces the user of the same account in ``users``.
        clock: Returns the current time, from which the site's dates and relative JQL dates come.
        search_lag: How many seconds searches and counts lag behind the issues.
        counters: The counters of a site that was stored.
        contents: The bytes of the attachments, by their IDs.
        registry: The components, versions and sprints of a site that was stored.
        on_change: Called with each `SiteChange` before it becomes visible; see `OnChange`.

    Attributes:
        former_keys: Renamed projects by their former keys.
        by_id: The issues by their IDs.
        revision: The number of changes so far; a new value invalidates caches.
        counters: The last assigned ID and numbers.
        registry: The components, versions and sprints.
    """

    def __init__(
        self,
        issues: Iterable[Issue] = (),
        *,
        projects: Sequence[Project] = PROJECTS,
        users: Sequence[User] = USERS,
        user: User = DEMO_USER,
        clock: Callable[[], datetime] = utc_now,
        search_lag: float = 0.0,
        counters: Counters | None = None,
        contents: Mapping[int, bytes] | None = None,
        registry: Registry | None = None,
        on_change: OnChange = discard_change,
    ) -> None:
        if search_lag < 0:
            raise ValueError(f"searches cannot be {search_lag} seconds behind")
        self.projects = tuple(projects)
        self.former_keys: dict[str, Project] = {}
        self.users = _with_user(user, users)
        self.user = user
        self.now = clock
        self.revision = 0
        self.counters = counters or Counters()
        self._on_change = on_change
        self.by_id: dict[int, Issue] = {}
        self._ids: dict[str, int] = {}
        self._former_ids: dict[str, int] = {}  # by the keys of issues before they were moved
        self._children: dict[int, list[int]] = {}
        self._contents = dict(contents or {})
        self.registry = registry or Registry()
        for issue in issues:
            self._store(issue)
            self.counters = self.counters.after(issue)
        self._index = SearchIndex(self.by_id, round(search_lag * 1000), self.millis)

    def __len__(self) -> int:
        return len(self.by_id)

    def __iter__(self) -> Iterator[Issue]:
        return iter(self.by_id.values())

    def get(self, issue_id: int) -> Issue | None:
        """Find an issue by its ID."""
        return self.by_id.get(issue_id)

    def find(self, id_or_key: str) -> Issue | None:
        """Find an issue by its ID or key; case is ignored, and former keys count, as in Jira."""
        if id_or_key.isascii() and id_or_key.isdigit() and len(id_or_key) < 19:
            return self.by_id.get(int(id_or_key))
        key = id_or_key.upper()
        issue_id = self._ids.get(key, self._former_ids.get(key))
        return None if issue_id is None else self.by_id.get(issue_id)

    def children(self, issue: Issue) -> list[Issue]:
        """Return the children of an issue in ascending order of their IDs."""
        return [self.by_id[child] for child in sorted(self._children.get(issue.id, ()))]

    def project_by_any_key(self, id_or_key: str) -> Project | None:
        """Find a project by its ID, its key or a former key."""
        return self.project(id_or_key) or self.former_keys.get(id_or_key.upper())

    def project(self, id_or_key: str) -> Project | None:
        """Find a project by its ID or key."""
        for project in self.projects:
            if id_or_key.upper() == project.key or id_or_key == str(project.id):
                return project
        return None

    @property
    def search_revision(self) -> int:
        """The number of changes that have become visible to searches; it lags behind `revision`."""
        return self._index.revision()

    def searchable(self, current: Iterable[int] = ()) -> Mapping[int, Issue]:
        """Return the issues that are visible to a search, by ID.

        Args:
            current: IDs of issues to return in their present state.
        """
        return self._index.issues(current)

    def next_part(self) -> int:
        """Return the ID for the next part of an issue."""
        return self.counters.last_part + 1

    def next_record(self) -> int:
        """Return the ID for the next component, version or sprint."""
        return max(self.counters.last_part, self.registry.last_id()) + 1

    def content(self, attachment: int) -> bytes:
        """Return the bytes of an attachment."""
        return self._contents[attachment]

    def apply(self, change: SiteChange) -> None:
        """Store a change, then make it visible."""
        self._on_change(change)
        for issue in change.put:
            self._store(issue)
        for issue_id in change.removed:
            self._forget(self.by_id.pop(issue_id))
        self.registry.apply(change.records, change.removed_records)
        self._contents.update(change.contents)
        for attachment in change.removed_contents:
            del self._contents[attachment]
        self.counters = change.counters
        self.revision += 1
        self._index.add(change)

    def _store(self, issue: Issue) -> None:
        before = self.by_id.get(issue.id)
        if before is not None:
            self._forget(before)
            if before.key != issue.key:
                self._former_ids[before.key] = issue.id
        self.by_id[issue.id] = issue
        self._ids[issue.key] = issue.id
        if issue.parent is not None:
            self._children.setdefault(issue.parent, []).append(issue.id)

    def _forget(self, issue: Issue) -> None:
        self._ids.pop(issue.key, None)
        if issue.parent is not None:
            self._children[issue.parent].remove(issue.id)

    def existing(self, id_or_key: str) -> Issue:
        """Find an issue that must be there."""
        issue = self.find(id_or_key)
        if issue is None:
            raise LookupError(f"the site has no issue {id_or_key}")
        return issue

    def millis(self) -> int:
        """Return the time by the site's clock in milliseconds since the epoch."""
        return to_millis(self.now())

    def update_time(self, before: Issue) -> int:
        """Return the time of a change, which is later than that of the previous change."""
        return max(self.millis(), before.updated + 1)


def _with_user(user: User, users: Sequence[User]) -> tuple[User, ...]:
    others = tuple(user if other.account_id == user.account_id else other for other in users)
    return others if user in others else (user, *others)
